//! The pages about people and times show exactly the numbers of `query/`.
//!
//! In: an empty bot, a small one and a rich one. Out: a failure where the exact value in a page is another than the answer's. Invariant: nothing is
//! compared with a number that was written down here.

use super::shown::{all, period, texts};
use super::*;
use crate::query::actions::Ranking;
use crate::query::{actions, audience, latency, overview, sources};

#[actix_rt::test]
async fn the_audience_shows_its_answer() {
    for mut rig in all("America/New_York").await {
        for days in [1, 7, 30] {
            let period = period(&rig, days).await;
            let database = rig.site.store.database().clone();
            let told = audience::audience(&database, rig.bot.id, &period)
                .await
                .unwrap();
            let course = overview::overview(&database, rig.bot.id, &period)
                .await
                .unwrap();
            let shown;
            (rig, shown) = rig.page(&format!("audience?days={days}")).await;
            assert_eq!(shown.status, StatusCode::OK);
            for (name, n) in [
                ("active", told.active),
                ("ever", told.ever),
                ("blocked", told.blocked),
                ("premium", told.premium),
                ("regular", told.regular),
                ("no_language", told.no_language),
                ("total.fresh", course.total.people.fresh),
                ("before.fresh", course.before.people.fresh),
                ("total.returning", course.total.people.returning),
                ("total.blocked", course.total.people.blocked),
            ] {
                assert_eq!(shown.number(name), n.to_string(), "{name}");
            }
            let numbers = shown.numbers();
            let languages = numbers.get("languages.n").cloned().unwrap_or_default();
            assert_eq!(languages, texts(told.languages.iter().map(|(_, n)| *n)));
            if days > 1 {
                let fresh = course.days.iter().map(|day| day.figures.people.fresh);
                let fresh = texts(fresh);
                // In the chart of active users and in their own.
                assert_eq!(numbers["days.fresh"], [fresh.clone(), fresh].concat());
                let blocked = course.days.iter().map(|day| day.figures.people.blocked);
                assert_eq!(numbers["days.blocked"], texts(blocked));
            }
        }
    }
}

#[actix_rt::test]
async fn rankings_show_their_answers() {
    for mut rig in all("Asia/Kolkata").await {
        for days in [1, 30] {
            let period = period(&rig, days).await;
            let database = rig.site.store.database().clone();
            let acted = actions::actions(&database, rig.bot.id, &period, 15)
                .await
                .unwrap();
            let came = sources::sources(&database, rig.bot.id, &period, 15)
                .await
                .unwrap();
            let paths = [
                format!("actions?days={days}"),
                format!("sources?days={days}"),
            ];
            let shown;
            (rig, shown) = rig.pages(&[&paths[0], &paths[1]]).await;
            for (page, key, ranking) in [
                (0, "commands", &acted.commands),
                (0, "callbacks", &acted.callbacks),
                (0, "buttons", &acted.buttons),
                (0, "media", &acted.media),
                (0, "updates", &acted.updates),
                (1, "starts", &came.starts),
                (1, "utm", &came.utm),
            ] {
                is_shown(&shown[page], key, ranking);
            }
            let numbers = shown[1].numbers();
            let arrived = numbers.get("arrived.n").cloned().unwrap_or_default();
            assert_eq!(arrived, texts(came.arrived.iter().map(|(_, n)| *n)));
            assert_eq!(shown[1].number("direct"), came.direct.to_string());
            assert_eq!(shown[1].number("by_source"), came.by_source().to_string());
        }
    }
}

fn is_shown(shown: &Shown, key: &str, ranking: &Ranking) {
    assert_eq!(shown.status, StatusCode::OK);
    let numbers = shown.numbers();
    let of = |name: &str| {
        numbers
            .get(&format!("{key}.{name}"))
            .cloned()
            .unwrap_or_default()
    };
    assert_eq!(of("n"), texts(ranking.top.iter().map(|it| it.n)), "{key}");
    assert_eq!(
        of("before"),
        texts(ranking.top.iter().map(|it| it.before)),
        "{key}"
    );
    let rest = Some(ranking.rest).filter(|rest| *rest > 0);
    assert_eq!(of("rest"), texts(rest), "{key}");
}

#[actix_rt::test]
async fn latency_shows_its_answer() {
    for mut rig in all("Asia/Kathmandu").await {
        for days in [1, 30] {
            let period = period(&rig, days).await;
            let database = rig.site.store.database().clone();
            let told = latency::latency(&database, rig.bot.id, &period)
                .await
                .unwrap();
            let shown;
            (rig, shown) = rig.page(&format!("latency?days={days}")).await;
            assert_eq!(shown.status, StatusCode::OK);
            let written = |ms: Option<f64>| ms.map(|ms| ms.to_string()).unwrap_or_default();
            for (whole, times) in [("all", &told.all), ("polls", &told.polls)] {
                for (side, of) in [("telegram", &times.telegram), ("own", &times.own)] {
                    for (name, ms) in [("p50", of.p50), ("p95", of.p95), ("p99", of.p99)] {
                        let name = format!("{whole}.{side}.{name}");
                        assert_eq!(shown.number(&name), written(ms), "{name}");
                    }
                }
            }
            let numbers = shown.numbers();
            let of = |name: &str| numbers.get(name).cloned().unwrap_or_default();
            let methods = || told.methods.iter().map(|(_, times)| times);
            assert_eq!(of("methods.own.n"), texts(methods().map(|it| it.own.n)));
            let p99: Vec<String> = methods().map(|it| written(it.telegram.p99)).collect();
            assert_eq!(of("methods.telegram.p99"), p99);
            let measured = of("series.own.p95").into_iter().filter(|it| !it.is_empty());
            let series: Vec<String> = told
                .series
                .iter()
                .map(|(_, it)| written(it.own.p95))
                .collect();
            assert_eq!(measured.collect::<Vec<_>>(), series);
        }
    }
}
