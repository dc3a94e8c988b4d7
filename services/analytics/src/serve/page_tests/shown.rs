//! Each page shows exactly the numbers of `query/`.
//!
//! In: an empty bot, a small one and a rich one. Out: a failure where the exact value in a page is another than the answer's.
//! Invariant: nothing is compared with a number that was written down here.

use super::*;
use crate::query::overview::Figures;
use crate::query::{Period, errors, overview, trend};
use crate::serve::bot::Bot;

/// One number of a period.
type Get = fn(&Figures) -> i64;

/// What the tests know of a bot.
pub(super) async fn bot(rig: &Rig) -> Bot {
    Bot::find(&rig.site, rig.code()).await.unwrap()
}

pub(super) async fn period(rig: &Rig, days: i64) -> Period {
    Period::last(bot(rig).await.zone, NOW, days)
}

pub(super) async fn all(zone: &str) -> [Rig; 3] {
    [
        rig(zone, seed::nothing).await,
        rig(zone, |bot| seed::rich(bot, 1, 2, false)).await,
        rig(zone, |bot| seed::rich(bot, 16, 20, true)).await,
    ]
}

pub(super) fn texts(values: impl IntoIterator<Item = i64>) -> Vec<String> {
    values.into_iter().map(|value| value.to_string()).collect()
}

#[actix_rt::test]
async fn the_overview_shows_its_answer() {
    for mut rig in all("Asia/Tehran").await {
        for days in [1, 7, 30] {
            let period = period(&rig, days).await;
            let told = overview::overview(rig.site.store.database(), rig.bot.id, &period)
                .await
                .unwrap();
            let shown;
            (rig, shown) = rig.page(&format!("overview?days={days}")).await;
            assert_eq!(shown.status, StatusCode::OK);
            for (whole, figures) in [("total", &told.total), ("before", &told.before)] {
                for (name, value) in fields(figures) {
                    // Those of the charts have the same name.
                    let numbers = shown.numbers();
                    assert_eq!(
                        numbers[&format!("{whole}.{name}")][0],
                        value.to_string(),
                        "{name}"
                    );
                }
            }
            let charts: [(&str, Get); 3] = [
                ("updates", |it| it.traffic.updates),
                ("calls", |it| it.traffic.calls),
                ("errors", |it| it.traffic.errors),
            ];
            for (name, get) in charts {
                let whole = if days == 1 { "hours" } else { "days" };
                let course = shown.numbers().remove(&format!("{whole}.{name}")).unwrap();
                let sum: i64 = course
                    .iter()
                    .filter(|it| !it.is_empty())
                    .map(|it| it.parse::<i64>().unwrap())
                    .sum();
                assert_eq!(sum, get(&told.total), "{name}");
                if days > 1 {
                    assert_eq!(course, texts(told.days.iter().map(|day| get(&day.figures))));
                }
            }
        }
    }
}

fn fields(figures: &Figures) -> Vec<(&'static str, i64)> {
    let Figures { traffic, people } = figures;
    vec![
        ("updates", traffic.updates),
        ("calls", traffic.calls),
        ("failed", traffic.failed),
        ("errors", traffic.errors),
        ("polls", traffic.polls),
        ("polls_failed", traffic.polls_failed),
        ("unverified", traffic.unverified),
        ("lost", traffic.lost),
        ("active", people.active),
        ("fresh", people.fresh),
        ("returning", people.returning),
        ("blocked", people.blocked),
    ]
}

#[actix_rt::test]
async fn the_list_of_errors_shows_its_answer() {
    for mut rig in all("UTC").await {
        for days in [1, 7, 30] {
            let period = period(&rig, days).await;
            let database = rig.site.store.database().clone();
            let told = errors::errors(&database, rig.bot.id, &period)
                .await
                .unwrap();
            let shown;
            (rig, shown) = rig.page(&format!("errors?days={days}")).await;
            assert_eq!(shown.status, StatusCode::OK);
            let numbers = shown.numbers();
            let counted = numbers.get("errors.n").cloned().unwrap_or_default();
            assert_eq!(counted, texts(told.iter().map(|group| group.n)));
            for group in &told {
                assert!(
                    shown
                        .html
                        .contains(&format!("/errors/{}?days={days}", group.group))
                );
                assert!(shown.html.contains(&escaped(group.advice.unwrap().title)));
            }
            let classes = trend::classes(&database, rig.bot.id, &period)
                .await
                .unwrap();
            for class in ["outage", "config", "bug", "capacity", "expected"] {
                let groups = told.iter().filter(|group| group.class == class);
                let sum: i64 = groups.map(|group| group.n).sum();
                assert_eq!(
                    numbers[&format!("classes.{class}")],
                    texts([sum]),
                    "{class}"
                );
                let hours = classes.get(class).into_iter().flatten();
                assert_eq!(hours.map(|(_, n)| n).sum::<i64>(), sum, "{class}");
            }
        }
    }
}

#[actix_rt::test]
async fn every_error_shows_its_answer_and_its_advice() {
    let mut rig = rig("Europe/Berlin", |bot| seed::rich(bot, 8, 40, true)).await;
    let period = period(&rig, 7).await;
    let database = rig.site.store.database().clone();
    let groups = errors::errors(&database, rig.bot.id, &period)
        .await
        .unwrap();
    assert!(groups.len() >= 8, "{groups:?}");
    for group in groups {
        let detail = errors::error(&database, rig.bot.id, &group.group, &period)
            .await
            .unwrap()
            .unwrap();
        let shown;
        (rig, shown) = rig.page(&format!("errors/{}?days=7", group.group)).await;
        assert_eq!(shown.status, StatusCode::OK);
        assert_eq!(shown.number("n"), detail.group.n.to_string());
        assert_eq!(shown.number("chats"), detail.chats.n.to_string());
        assert_eq!(shown.number("users"), detail.users.n.to_string());
        let advice = group.advice.unwrap();
        for text in [advice.title, advice.meaning, advice.remedy] {
            assert!(shown.html.contains(&escaped(text)), "{text}");
        }
        for example in &detail.examples {
            assert!(
                shown
                    .html
                    .contains(&format!("data-error=\"{}\"", example.error_id))
            );
        }
    }
    let (_, missing) = rig.page("errors/0123456789abcdef").await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
}

/// As the template engine writes it.
fn escaped(text: &str) -> String {
    text.replace('&', "&#38;")
        .replace('<', "&#60;")
        .replace('>', "&#62;")
        .replace('"', "&#34;")
        .replace('\'', "&#39;")
}
