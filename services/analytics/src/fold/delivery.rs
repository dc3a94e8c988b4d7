//! Deliveries to a bot's webhook: how many, how fast, what waits, what was given up.
//!
//! In: records of deliveries.v1 (every attempt) and inbox.dead.v1. Out: rows of `sum_deliveries`, `delivery_attempts`, `delivery_waiting` and
//! `dead_letters`; histograms of both times. Invariant: bounded, whatever the number of attempts, but for updates that wait or are dead, which are
//! kept each; of one update the later record counts. Of a queue's number only [`lane`] is told. Pure.

use std::collections::BTreeMap;

use gramtap_events::delivery::{Delivery, Verdict};
use gramtap_events::inbox::Dead;
use gramtap_events::topics::{DELIVERIES, INBOX_DEAD};
use gramtap_events::{RecordId, Topic};
use gramtap_telegram::Queue;
use gramtap_telegram::queue::lifetime;
use sha2::{Digest, Sha256};

use super::fact::micros;
use super::sums::{Side, Sums, at};
use super::text::{bounded, label};
use super::{Folded, Zones, histogram};

/// Attempts that are kept of a bot: the newest.
pub const ATTEMPTS: usize = 100;

/// Where a record is in its topic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The partition.
    pub partition: i32,
    /// The offset in it.
    pub offset: i64,
    /// When it was handed to the bus, in milliseconds since 1970.
    pub timestamp: i64,
}

/// What a batch adds to the deliveries of one bot.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Deliveries {
    /// By hour, and what came of them.
    pub sums: BTreeMap<(i64, Kind), i64>,
    /// The newest, by time and record.
    pub attempts: BTreeMap<(i64, Box<str>), Attempt>,
    /// By the record that an update was taken in under. None: it waits no more.
    pub waiting: BTreeMap<Box<str>, Option<Attempt>>,
    /// The same of those that were given up.
    pub letters: BTreeMap<Box<str>, Letter>,
}

/// What came of an attempt.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kind {
    /// What followed.
    pub verdict: &'static str,
    /// What went wrong; empty for nothing.
    pub label: Box<str>,
    /// What the endpoint answered; 0 for nothing.
    pub status: u16,
    /// Whether the endpoint was called.
    pub made: bool,
}

/// One attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The record that the update was taken in under.
    pub inbox_record: Box<str>,
    /// Telegram's number of the update.
    pub update_id: Option<i64>,
    /// Its kind.
    pub kind: Box<str>,
    /// Its queue.
    pub lane: Box<str>,
    /// Which attempt, from 1; 0 where none was made.
    pub attempt: i64,
    /// Scheme and host.
    pub endpoint: Option<Box<str>>,
    /// What the endpoint answered.
    pub status: Option<i64>,
    /// What went wrong.
    pub label: Option<Box<str>>,
    /// What followed.
    pub verdict: &'static str,
    /// When it began, in microseconds.
    pub at: i64,
    /// When it is tried again.
    pub next_at: Option<i64>,
    /// When the update's lifetime is over.
    pub expires_at: i64,
    /// From its begin to its end.
    pub took_us: i64,
    /// From when the update was taken in to the attempt's end.
    pub waited_us: Option<i64>,
}

/// An update that was given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// Telegram's number of it.
    pub update_id: Option<i64>,
    /// Its kind.
    pub kind: Box<str>,
    /// Its queue.
    pub lane: Box<str>,
    /// A fixed word.
    pub cause: Box<str>,
    /// How often it was tried.
    pub attempts: i64,
    /// When it was taken in, when the first and the last attempt began, in microseconds.
    pub received_at: i64,
    /// See above.
    pub tried_at: [Option<i64>; 2],
    /// Where its record is.
    pub place: Place,
}

/// Whether a topic's records are read here.
pub(super) fn is_read_here(topic: &Topic) -> bool {
    topic == &DELIVERIES || topic == &INBOX_DEAD
}

/// A queue, told apart from nearly all others of its bot without telling whose it is.
#[must_use]
pub fn lane(queue: Queue) -> String {
    let hash = Sha256::digest(queue.to_string());
    format!("{}-{:02x}{:02x}", queue.class.as_str(), hash[0], hash[1])
}

/// Adds a record of one of the two topics.
pub(super) fn add(
    folded: &mut Folded,
    topic: &Topic,
    place: Place,
    payload: &[u8],
    zones: &Zones,
) -> serde_json::Result<()> {
    if topic == &DELIVERIES {
        attempt(folded, &serde_json::from_slice(payload)?, zones);
    } else {
        letter(folded, &serde_json::from_slice(payload)?, place);
    }
    Ok(())
}

fn attempt(folded: &mut Folded, delivery: &Delivery, zones: &Zones) {
    let sums = folded.bots.entry(delivery.tenant).or_default();
    let began = micros(delivery.at);
    let hour = zones.of(delivery.tenant).hour(began.div_euclid(1_000_000));
    let waited = delivery.received_at.map(|received| {
        let waited = delivery.at.since(received).as_micros();
        signed(waited).saturating_add(signed(delivery.took_us.into()))
    });
    if delivery.attempt > 0 {
        time(sums, hour, Side::Endpoint, signed(delivery.took_us.into()));
    }
    if let Some(waited) = waited.filter(|_| delivery.verdict == Verdict::Delivered) {
        time(sums, hour, Side::Delivery, waited);
    }
    let into = &mut sums.deliveries;
    let kind = Kind {
        verdict: delivery.verdict.as_str(),
        label: label(delivery.label.as_deref().unwrap_or_default()).into(),
        status: delivery.status.unwrap_or_default(),
        made: delivery.attempt > 0,
    };
    *into.sums.entry((hour, kind)).or_default() += 1;
    let next_at = delivery.next_at.map(micros);
    let received = delivery.received_at.unwrap_or(delivery.at);
    let expires_at = micros(received.plus(lifetime(&delivery.kind)));
    let attempt = Attempt {
        inbox_record: text(&delivery.inbox_record),
        update_id: delivery.update_id,
        kind: label(&delivery.kind).into(),
        lane: lane(delivery.queue).into(),
        attempt: delivery.attempt.into(),
        endpoint: delivery
            .endpoint
            .as_deref()
            .map(|it| bounded(it, 256).into()),
        status: delivery.status.map(i64::from),
        label: delivery.label.as_deref().map(|it| label(it).into()),
        verdict: delivery.verdict.as_str(),
        at: began,
        next_at,
        // A replay has a lifetime of its own: it is tried again as long as somebody says so.
        expires_at: expires_at.max(next_at.unwrap_or_default()),
        took_us: signed(delivery.took_us.into()),
        waited_us: waited,
    };
    let waits = (!delivery.verdict.is_final()).then(|| attempt.clone());
    into.waiting.insert(text(&delivery.inbox_record), waits);
    into.attempts
        .insert((began, text(&delivery.record)), attempt);
    into.trim();
}

fn letter(folded: &mut Folded, dead: &Dead, place: Place) {
    let sums = folded.bots.entry(dead.inbox.tenant).or_default();
    let letter = Letter {
        update_id: dead.inbox.update_id,
        kind: label(&dead.inbox.kind).into(),
        lane: lane(dead.inbox.queue).into(),
        cause: label(&dead.cause).into(),
        attempts: dead.tried.attempts.into(),
        received_at: micros(dead.inbox.at),
        tried_at: [dead.tried.first_at, dead.tried.last_at].map(|at| at.map(micros)),
        place,
    };
    sums.deliveries
        .letters
        .insert(text(&dead.inbox.record), letter);
}

fn time(sums: &mut Sums, hour: i64, side: Side, us: i64) {
    #[expect(clippy::cast_precision_loss, reason = "a bucket is far wider")]
    let bucket = histogram::bucket(us as f64);
    let of = sums.latency.entry((hour, side)).or_default();
    at(of, "", Default::default, |buckets| {
        *buckets.entry(bucket).or_default() += 1;
    });
}

fn signed(us: u128) -> i64 {
    i64::try_from(us).unwrap_or(i64::MAX)
}

fn text(record: &RecordId) -> Box<str> {
    label(record.as_str()).into()
}

impl Deliveries {
    /// Adds what came later.
    pub(super) fn join(&mut self, later: Self) {
        for (key, n) in later.sums {
            *self.sums.entry(key).or_default() += n;
        }
        self.attempts.extend(later.attempts);
        self.waiting.extend(later.waiting);
        self.letters.extend(later.letters);
        self.trim();
    }

    fn trim(&mut self) {
        while self.attempts.len() > ATTEMPTS {
            self.attempts.pop_first();
        }
    }
}
