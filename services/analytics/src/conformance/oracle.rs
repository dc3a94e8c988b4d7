//! The truth about traffic, counted in the plainest way.
//!
//! In: events and errors as they are, all of them, each time. Out: what the answers of `query/` must be. Invariant: nothing of `fold/` and
//! `store/` is used here, only the zone's clock; definitions are those of the records' contract.

use std::collections::{BTreeMap, BTreeSet};

use gramtap_events::event::{Direction, Event, Name};
use gramtap_events::failure::{Class, Failure};

use super::stream::{Traffic, micros};
use crate::query::Period;
use crate::query::overview::{Figures, People, Traffic as Sums};
use crate::zone::Zone;

const NOBODY: [i64; 3] = [777_000, 1_087_968_824, 136_817_688];

/// When an event counts, in seconds.
pub fn second(event: &Event) -> i64 {
    match event.direction {
        Direction::In => micros(event.happened_at) / 1_000_000,
        Direction::Out => micros(event.at) / 1_000_000,
    }
}

/// Whether the hour of an event begins within a period. An hour belongs where it begins.
pub fn within(event: &Event, period: &Period) -> bool {
    holds(period, period.zone.hour(second(event)))
}

pub fn holds(period: &Period, second: i64) -> bool {
    (period.from()..period.to()).contains(&second)
}

fn is_update(event: &Event) -> bool {
    event.direction == Direction::In && event.event != Name::Gap
}

/// The user of an update, if it counts as one.
pub fn user(event: &Event) -> Option<i64> {
    let id = event
        .user_id
        .filter(|_| is_update(event) && event.user_is_bot != Some(true))?;
    (!NOBODY.contains(&id)).then_some(id)
}

pub fn count(event: &Event) -> i64 {
    event
        .props
        .get("count")
        .and_then(|it| it.as_i64())
        .unwrap_or(1)
}

/// Updates of users: who and when (seconds).
pub fn visits(traffic: &Traffic) -> impl Iterator<Item = (i64, i64)> {
    traffic
        .events
        .iter()
        .filter_map(|event| Some((user(event)?, second(event))))
}

pub fn active(traffic: &Traffic, from: i64, to: i64) -> BTreeSet<i64> {
    visits(traffic)
        .filter(|(_, at)| (from..to).contains(at))
        .map(|(id, _)| id)
        .collect()
}

/// The first visit of every user, in seconds.
pub fn first(traffic: &Traffic) -> BTreeMap<i64, i64> {
    let mut first = BTreeMap::new();
    for (id, at) in visits(traffic) {
        let known = first.entry(id).or_insert(at);
        *known = at.min(*known);
    }
    first
}

/// Of every user, when the last sign was (seconds) and whether it was that the bot is blocked.
pub fn signs(traffic: &Traffic) -> BTreeMap<i64, (i64, i64, bool)> {
    let updates = traffic.events.iter().filter_map(|event| {
        let blocked = event.event == Name::BotBlocked;
        Some((user(event)?, (second(event), micros(event.at), blocked)))
    });
    let refusals = traffic
        .failures
        .iter()
        .filter(|it| it.advice == "blocked_by_user");
    let refusals = refusals.map(|it| {
        (
            it.user_id.unwrap(),
            (micros(it.at) / 1_000_000, micros(it.at), true),
        )
    });
    let mut signs = BTreeMap::new();
    for (id, sign) in updates.chain(refusals) {
        let known = signs.entry(id).or_insert(sign);
        if (sign.0, sign.1) >= (known.0, known.1) {
            *known = sign;
        }
    }
    signs
}

pub fn figures(traffic: &Traffic, period: &Period) -> Figures {
    let mut total = Figures {
        traffic: sums(traffic, |event| within(event, period)),
        people: People::default(),
    };
    for date in period.first..period.end() {
        let people = people(traffic, &period.zone, date);
        total.people.active += people.active;
        total.people.fresh += people.fresh;
        total.people.returning += people.returning;
        total.people.blocked += people.blocked;
    }
    total
}

pub fn people(traffic: &Traffic, zone: &Zone, date: i64) -> People {
    let (from, to) = (zone.start(date), zone.start(date + 1));
    let first = first(traffic);
    let active = active(traffic, from, to);
    let fresh = active.iter().filter(|id| first[id] >= from).count() as i64;
    let blocked = signs(traffic)
        .values()
        .filter(|(at, _, blocked)| *blocked && (from..to).contains(at))
        .count();
    People {
        active: active.len() as i64,
        fresh,
        returning: active.len() as i64 - fresh,
        blocked: blocked as i64,
    }
}

pub fn sums(traffic: &Traffic, which: impl Fn(&Event) -> bool) -> Sums {
    let mut sums = Sums::default();
    for event in traffic.events.iter().filter(|event| which(event)) {
        let failed = event.ok == Some(false);
        match event.event {
            Name::Gap => sums.lost += count(event),
            Name::CallUnverified => sums.unverified += 1,
            Name::Polled => {
                sums.polls += count(event);
                sums.polls_failed += if failed { count(event) } else { 0 };
            }
            _ if event.direction == Direction::In => sums.updates += 1,
            _ => {
                sums.calls += 1;
                sums.failed += i64::from(failed);
                sums.errors += i64::from(failed && event.error_class != Some(Class::Expected));
            }
        }
    }
    sums
}

/// How often each text was told by the updates of a period.
pub fn labels<'a>(
    traffic: &'a Traffic,
    period: &Period,
    text: impl Fn(&'a Event) -> Option<&'a str>,
) -> BTreeMap<String, i64> {
    let mut labels = BTreeMap::new();
    for event in traffic
        .events
        .iter()
        .filter(|event| is_update(event) && within(event, period))
    {
        if let Some(text) = text(event) {
            *labels.entry(text.replace('\0', "\u{fffd}")).or_default() += 1;
        }
    }
    labels
}

/// The payload that each user first came with.
pub fn sources(traffic: &Traffic) -> BTreeMap<i64, String> {
    let mut sources: BTreeMap<i64, ((i64, i64), String)> = BTreeMap::new();
    for event in &traffic.events {
        if let (Some(id), Some(payload)) = (user(event), &event.payload) {
            let when = (second(event), micros(event.at));
            if sources.get(&id).is_none_or(|(known, _)| when < *known) {
                sources.insert(id, (when, payload.clone()));
            }
        }
    }
    sources
        .into_iter()
        .map(|(id, (_, payload))| (id, payload))
        .collect()
}

/// What was last told of each user: language and Premium, and when they were last seen (seconds).
pub fn profiles(traffic: &Traffic) -> BTreeMap<i64, (Option<String>, bool, i64)> {
    let mut told: Vec<(i64, i64, &Event)> = traffic
        .events
        .iter()
        .filter(|event| user(event).is_some())
        .map(|event| (second(event), micros(event.at), event))
        .collect();
    told.sort_by_key(|(second, at, _)| (*second, *at));
    told.into_iter()
        .map(|(second, _, event)| {
            (
                user(event).unwrap(),
                (event.language.clone(), event.is_premium.unwrap(), second),
            )
        })
        .collect()
}

/// The errors of a period by group.
pub fn errors<'a>(traffic: &'a Traffic, period: &Period) -> BTreeMap<&'a str, Vec<&'a Failure>> {
    let mut groups = BTreeMap::<&str, Vec<&Failure>>::new();
    for failure in &traffic.failures {
        if holds(period, period.zone.hour(micros(failure.at) / 1_000_000)) {
            groups.entry(&failure.group).or_default().push(failure);
        }
    }
    groups
}
