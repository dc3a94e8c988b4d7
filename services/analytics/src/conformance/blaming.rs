//! Whose fault an outage was, and the course of errors, against the plainest counting.
//!
//! In: random traffic of bots in zones whose hours begin at other minutes. Out: a panic where a number differs.

use std::collections::{BTreeMap, BTreeSet};

use gramtap_events::event::Direction;

use super::stream::{BEGIN, DAYS, Traffic, micros, seed, traffic};
use super::{Subject, add};
use crate::query::{Period, blame, trend};
use crate::zone::{DAY, HOUR, Zone};

const ZONES: [&str; 3] = ["UTC", "Asia/Kolkata", "Asia/Kathmandu"];

/// Traffic, and the zone that its hours are those of.
type Bot = (Traffic, Zone);

async fn bots(subject: &Subject) -> Vec<Bot> {
    let store = subject.store();
    let mut bots = Vec::new();
    for (place, zone) in ZONES.into_iter().enumerate() {
        let traffic = traffic(seed() + place as u64, 1_500);
        let zone = Zone::named(zone).unwrap();
        store.set_zone(traffic.tenant, zone.name()).await.unwrap();
        add(&store, &traffic, &[400]).await;
        bots.push((traffic, zone));
    }
    bots
}

/// Whether an hour of a bot overlaps the hour that begins with a second.
fn overlaps(zone: &Zone, second: i64, hour: i64) -> bool {
    (hour - HOUR + 1..hour + HOUR).contains(&zone.hour(second))
}

pub async fn the_same_hour_of_other_bots_is_counted(subject: &Subject) {
    let bots = bots(subject).await;
    let (own, zone) = &bots[0];
    let outages = own
        .failures
        .iter()
        .filter(|it| it.class.as_str() == "outage");
    let hours: BTreeSet<i64> = outages
        .map(|it| zone.hour(micros(it.at) / 1_000_000))
        .collect();
    assert!(!hours.is_empty());
    for hour in hours {
        let told = blame::blame(&subject.database, own.tenant, hour)
            .await
            .unwrap();
        assert!(!told.failed.is_empty());
        assert_eq!(told, counted(&bots, hour));
    }
}

/// What else happened in an hour of the first bot.
fn counted(bots: &[Bot], hour: i64) -> blame::Blame {
    let own = &bots[0].0;
    let mut truth = blame::Blame {
        hour,
        ..blame::Blame::default()
    };
    let mut failing = BTreeSet::new();
    for (traffic, zone) in bots {
        let is_own = traffic.tenant == own.tenant;
        let mut called = false;
        for event in &traffic.events {
            let counts =
                event.direction == Direction::Out && event.event.as_str() != "call_unverified";
            if !counts || !overlaps(zone, micros(event.at) / 1_000_000, hour) {
                continue;
            }
            called = true;
            if is_own {
                let n = event
                    .props
                    .get("count")
                    .and_then(|n| n.as_i64())
                    .unwrap_or(1);
                let method = event.method.clone().unwrap();
                *truth.calls.entry(method).or_default() += n;
            }
        }
        truth.others += i64::from(called && !is_own);
        for failure in &traffic.failures {
            let is_outage = failure.class.as_str() == "outage";
            if !is_outage || !overlaps(zone, micros(failure.at) / 1_000_000, hour) {
                continue;
            }
            let origin: String =
                serde_json::from_value(serde_json::to_value(failure.origin).unwrap()).unwrap();
            if is_own {
                let key = (failure.method.clone(), origin);
                *truth.failed.entry(key).or_default() += 1;
            } else {
                *truth.failures.entry(origin.clone()).or_default() += 1;
                failing.insert((origin, traffic.tenant.as_str().to_owned()));
            }
        }
    }
    for (origin, _) in failing {
        *truth.others_failed.entry(origin).or_default() += 1;
    }
    truth
}

pub async fn the_course_of_errors_is_theirs(subject: &Subject) {
    let bots = bots(subject).await;
    for (traffic, zone) in &bots {
        let period = Period::last(zone.clone(), BEGIN + DAYS * DAY - 3 * DAY, 7);
        let mut classes = BTreeMap::<String, BTreeMap<i64, i64>>::new();
        let mut groups = BTreeMap::<String, BTreeMap<i64, i64>>::new();
        let mut methods = BTreeMap::<String, i64>::new();
        let held = |second: i64| (period.from()..period.to()).contains(&second);
        for failure in &traffic.failures {
            let second = micros(failure.at) / 1_000_000;
            if held(second) {
                let hour = zone.hour(second);
                let class = classes
                    .entry(failure.class.as_str().to_owned())
                    .or_default();
                *class.entry(hour).or_default() += 1;
                let group = groups.entry(failure.group.clone()).or_default();
                *group.entry(hour).or_default() += 1;
            }
        }
        for event in &traffic.events {
            let counts =
                event.direction == Direction::Out && event.event.as_str() != "call_unverified";
            if counts && held(micros(event.at) / 1_000_000) {
                let n = event
                    .props
                    .get("count")
                    .and_then(|n| n.as_i64())
                    .unwrap_or(1);
                *methods.entry(event.method.clone().unwrap()).or_default() += n;
            }
        }
        let (database, bot) = (&subject.database, traffic.tenant);
        let told = trend::classes(database, bot, &period).await.unwrap();
        let listed =
            |of: BTreeMap<String, BTreeMap<i64, i64>>| -> BTreeMap<String, Vec<(i64, i64)>> {
                of.into_iter()
                    .map(|(key, hours)| (key, hours.into_iter().collect()))
                    .collect()
            };
        assert_eq!(told, listed(classes));
        // More than are asked for at a time, most of them unknown.
        let unknown: Vec<String> = (0..50).map(|place| format!("none-{place}")).collect();
        let mut asked: Vec<&str> = groups.keys().map(String::as_str).collect();
        asked.extend(unknown.iter().map(String::as_str));
        let told = trend::groups(database, bot, &period, &asked).await.unwrap();
        assert_eq!(told, listed(groups.clone()));
        assert!(
            trend::groups(database, bot, &period, &[])
                .await
                .unwrap()
                .is_empty()
        );
        assert_eq!(
            trend::methods(database, bot, &period).await.unwrap(),
            methods
        );
    }
}
