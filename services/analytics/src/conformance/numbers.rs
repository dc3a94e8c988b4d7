//! Every answer against the oracle.
//!
//! In: random traffic of bots in several zones, added in batches of odd sizes. Out: a panic where a number differs.

use std::collections::BTreeMap;

use gramtap_events::event::{Direction, Event, Name};

use super::oracle::{self, second, within};
use super::stream::{BEGIN, DAYS, Traffic, micros, seed, traffic};
use super::{Subject, add, rankings};
use crate::fold::histogram;
use crate::query::latency::{Quantiles, Times};
use crate::query::{Period, audience, bots, errors, latency, overview, polls};
use crate::zone::{DAY, Zone};

const ZONES: [&str; 4] = ["UTC", "Asia/Tehran", "America/New_York", "Asia/Kolkata"];

pub async fn every_number_is_that_of_the_oracle(subject: &Subject) {
    let store = subject.store();
    let seed = seed();
    for (place, zone) in ZONES.into_iter().enumerate() {
        let traffic = traffic(seed + place as u64, 900);
        let zone = Zone::named(zone).unwrap();
        store.set_zone(traffic.tenant, zone.name()).await.unwrap();
        add(&store, &traffic, &[1, 40, 333, 7, 700]).await;
        let now = BEGIN + DAYS * DAY - 1;
        for (end, days) in [
            (now, 30),
            (now - 3 * DAY, 7),
            (now - 4 * DAY, 1),
            (now - 5 * DAY, 2),
        ] {
            let period = Period::last(zone.clone(), end, days);
            println!(
                "seed {seed} bot {place} {zone:?} {days} days from {}",
                period.first
            );
            figures(subject, &traffic, &period).await;
            people(subject, &traffic, &period).await;
            rankings::are_true(subject, &traffic, &period).await;
            failures(subject, &traffic, &period).await;
            times(subject, &traffic, &period).await;
        }
        pollers(subject, &traffic, now).await;
    }
}

pub async fn a_changed_zone_changes_every_date(subject: &Subject) {
    let store = subject.store();
    let traffic = traffic(seed(), 1_000);
    add(&store, &traffic, &[170]).await;
    for zone in ["Asia/Kathmandu", "America/New_York", "Pacific/Apia", "UTC"] {
        store.set_zone(traffic.tenant, zone).await.unwrap();
        let zone = store.zone(traffic.tenant).await.unwrap();
        assert_eq!(store.zones().await.unwrap().of(traffic.tenant), &zone);
        let period = Period::last(zone, BEGIN + DAYS * DAY, 30);
        let told = overview::overview(&subject.database, traffic.tenant, &period)
            .await
            .unwrap();
        for day in &told.days {
            let truth = oracle::people(&traffic, &period.zone, day.date);
            assert_eq!(day.figures.people, truth, "{period:?} {}", day.date);
        }
    }
    assert!(
        store
            .set_zone(traffic.tenant, "Mars/Olympus")
            .await
            .is_err()
    );
}

async fn figures(subject: &Subject, traffic: &Traffic, period: &Period) {
    let told = overview::overview(&subject.database, traffic.tenant, period)
        .await
        .unwrap();
    assert_eq!(told.total, oracle::figures(traffic, period));
    assert_eq!(told.before, oracle::figures(traffic, &period.before()));
    for day in &told.days {
        let one = Period {
            zone: period.zone.clone(),
            first: day.date,
            days: 1,
        };
        assert_eq!(day.figures, oracle::figures(traffic, &one), "{one:?}");
    }
    assert_eq!(told.days.len() as i64, period.days);
    assert_eq!(told.hours.is_empty(), period.days > overview::HOURLY);
    for hour in &told.hours {
        let truth = oracle::sums(traffic, |event| {
            period.zone.hour(second(event)) == hour.start
        });
        assert_eq!(hour.traffic, truth, "{hour:?}");
    }
    if period.days == 1 {
        let bots = bots::bots(
            &subject.database,
            &[(traffic.tenant, period.zone.clone())],
            period.from(),
        )
        .await
        .unwrap();
        assert_eq!((bots.len(), bots[0].today), (1, told.total));
    }
}

async fn people(subject: &Subject, traffic: &Traffic, period: &Period) {
    let told = audience::audience(&subject.database, traffic.tenant, period)
        .await
        .unwrap();
    assert_eq!(
        told.active,
        oracle::active(traffic, period.from(), period.to()).len() as i64
    );
    assert_eq!(told.ever, oracle::first(traffic).len() as i64);
    let blocked = oracle::signs(traffic)
        .values()
        .filter(|(.., blocked)| *blocked)
        .count();
    assert_eq!(told.blocked, blocked as i64);
    let profiles = oracle::profiles(traffic);
    let seen: Vec<_> = profiles
        .values()
        .filter(|(.., at)| *at >= period.from())
        .collect();
    let mut languages = BTreeMap::new();
    for (language, ..) in &seen {
        *languages.entry(language.clone()).or_insert(0) += 1;
    }
    assert_eq!(told.no_language, languages.remove(&None).unwrap_or(0));
    let told_languages: BTreeMap<_, _> = told
        .languages
        .iter()
        .cloned()
        .map(|(language, n)| (Some(language), n))
        .collect();
    assert_eq!(told_languages, languages);
    let premium = seen.iter().filter(|(_, premium, _)| *premium).count() as i64;
    assert_eq!(
        (told.premium, told.regular),
        (premium, seen.len() as i64 - premium)
    );
}

async fn failures(subject: &Subject, traffic: &Traffic, period: &Period) {
    let truth = oracle::errors(traffic, period);
    let told = errors::errors(&subject.database, traffic.tenant, period)
        .await
        .unwrap();
    assert_eq!(told.len(), truth.len());
    for group in &told {
        let errors = &truth[group.group.as_str()];
        assert_eq!(group.n, errors.len() as i64);
        assert_eq!(group.template, errors[0].template);
        assert_eq!(group.code, errors[0].code);
        let mut all: Vec<_> = traffic
            .failures
            .iter()
            .filter(|it| it.group == group.group)
            .collect();
        assert_eq!(group.first_at, micros(all[0].at));
        assert_eq!(group.last_at, micros(all[all.len() - 1].at));
        let detail = errors::error(&subject.database, traffic.tenant, &group.group, period)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(detail.group.n, group.n);
        assert_eq!(detail.hours.iter().map(|(_, n)| n).sum::<i64>(), group.n);
        // Whom it hit is kept by day of UTC.
        let (from, to) = (
            period.from().div_euclid(DAY) * DAY,
            (period.to() - 1).div_euclid(DAY) * DAY + DAY,
        );
        let on_days = all
            .iter()
            .filter(|it| (from..to).contains(&(micros(it.at) / 1_000_000)));
        let chats: std::collections::BTreeSet<_> = on_days.filter_map(|it| it.chat_id).collect();
        assert_eq!(
            (detail.chats.n, detail.users.n),
            (chats.len() as i64, chats.len() as i64)
        );
        all.reverse();
        all.truncate(5);
        let examples: Vec<&str> = detail
            .examples
            .iter()
            .map(|it| it.error_id.as_str())
            .collect();
        assert_eq!(
            examples,
            all.iter()
                .map(|it| it.error_id.as_str())
                .collect::<Vec<_>>()
        );
    }
    assert!(
        told.windows(2)
            .all(|pair| (pair[0].class == "expected", -pair[0].n)
                <= (pair[1].class == "expected", -pair[1].n))
    );
    assert!(
        errors::error(&subject.database, traffic.tenant, "none", period)
            .await
            .unwrap()
            .is_none()
    );
}

async fn times(subject: &Subject, traffic: &Traffic, period: &Period) {
    let told = latency::latency(&subject.database, traffic.tenant, period)
        .await
        .unwrap();
    let calls = |event: &&Event| {
        event.direction == Direction::Out
            && event.event != Name::CallUnverified
            && within(event, period)
    };
    let calls: Vec<&Event> = traffic.events.iter().filter(calls).collect();
    let of = |method: &str| {
        calls
            .iter()
            .filter(|it| it.method.as_deref() == Some(method))
            .copied()
            .collect::<Vec<_>>()
    };
    measured(&told.polls, &of("getUpdates"));
    let others: Vec<&Event> = calls
        .iter()
        .filter(|it| it.event != Name::Polled)
        .copied()
        .collect();
    measured(&told.all, &others);
    for (method, times) in &told.methods {
        measured(times, &of(method));
    }
    assert_eq!(
        told.series.iter().map(|(_, it)| it.own.n).sum::<i64>(),
        told.all.own.n
    );
}

fn measured(told: &Times, events: &[&Event]) {
    let upstream = |event: &&Event| event.props.get("upstream_ms").and_then(|it| it.as_f64());
    near(&told.telegram, events.iter().filter_map(upstream).collect());
    near(
        &told.own,
        events.iter().filter_map(|event| event.own_ms).collect(),
    );
}

fn near(told: &Quantiles, mut truth: Vec<f64>) {
    assert_eq!(told.n, truth.len() as i64);
    truth.sort_by(f64::total_cmp);
    for (share, told) in [(0.5, told.p50), (0.95, told.p95), (0.99, told.p99)] {
        let rank = (truth.len() as f64 * share).ceil() as usize;
        match (told, truth.get(rank.saturating_sub(1))) {
            (None, None) => {}
            (Some(told), Some(truth)) => {
                assert!(
                    (told - truth).abs() <= truth * (histogram::ERROR + 1e-9),
                    "{told} for {truth}"
                );
            }
            other => panic!("{other:?}"),
        }
    }
}

async fn pollers(subject: &Subject, traffic: &Traffic, now: i64) {
    let told = polls::polls(&subject.database, traffic.tenant, now, 24 * 30)
        .await
        .unwrap();
    let polled: Vec<&Event> = traffic
        .events
        .iter()
        .filter(|event| event.event == Name::Polled)
        .collect();
    assert_eq!(
        told.polls,
        polled.iter().map(|event| oracle::count(event)).sum::<i64>()
    );
    let conflicts = polled
        .iter()
        .filter(|event| event.error_code == Some(409))
        .count() as i64;
    assert_eq!(told.conflicts, conflicts);
    assert_eq!(told.reasons.iter().map(|(_, n)| n).sum::<i64>(), conflicts);
    assert_eq!(told.pollers.len(), 4);
    for poller in &told.pollers {
        let is = |event: &&&Event| {
            event.props["addr"] == *poller.addr && event.props["agent"] == *poller.agent
        };
        let own: Vec<_> = polled.iter().filter(is).collect();
        assert_eq!(
            poller.polls,
            own.iter().map(|event| oracle::count(event)).sum::<i64>()
        );
        assert_eq!(
            poller.first_at,
            own.iter()
                .map(|event| micros(event.happened_at))
                .min()
                .unwrap()
        );
        assert_eq!(
            poller.last_at,
            own.iter().map(|event| micros(event.at)).max().unwrap()
        );
    }
}
