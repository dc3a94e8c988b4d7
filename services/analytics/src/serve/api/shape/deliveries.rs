//! Deliveries and dead letters, as JSON. See `query/deliveries.rs`, `query/letters.rs`. Pure.
//!
//! In: answers; bodies of scripts. Out: the same, for scripts; [`Again`]. Invariant: names and definitions are those inside; of an address scheme and host
//! alone are told, and one that came can be shown by nothing.

use gramtap_settings::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::latency::Quantiles;
use super::{micro, second};
use crate::query::{deliveries as inside, letters};

/// Deliveries of a period.
#[derive(Serialize, ToSchema)]
pub struct Deliveries {
    /// The whole period.
    pub total: Numbers,
    /// By hour, or by date in periods of more than 2 days.
    pub series: Vec<NumbersAt>,
    /// *Failures*: attempts that did not deliver, and updates that were given up without one, by what went wrong and what the
    /// webhook answered; the most first.
    pub failures: Vec<Failures>,
    /// *Time to delivery*: from when an update was taken in to when the webhook had answered 2xx to it, of updates that were delivered.
    pub delivery: Quantiles,
    /// *The webhook's time*: one attempt, from its begin to its end, whatever came of it.
    pub endpoint: Quantiles,
    /// How the webhook stands now.
    pub standing: Standing,
    /// Queues in which something waits to be tried again; what expires first is first.
    pub waiting: Vec<Waiting>,
}

/// Deliveries of some time.
#[derive(Serialize, ToSchema)]
pub struct Numbers {
    /// *Delivered*: updates that the webhook answered 2xx to.
    pub delivered: i64,
    /// *Attempts*: requests that were made to the webhook, repeated ones among them.
    pub attempts: i64,
    /// *Failed attempts*: attempts that did not deliver.
    pub failed: i64,
    /// *Retries*: attempts that failed and were followed, or are to be followed, by another.
    pub retries: i64,
    /// *Expired*: updates that were given up because their time was over; with Telegram they would be lost at the same time.
    pub expired: i64,
    /// *Dead*: updates that were given up because they cannot be delivered, or the address may not be called.
    pub dead: i64,
}

/// Deliveries of some time.
#[derive(Serialize, ToSchema)]
pub struct NumbersAt {
    /// When that time begins, UTC.
    #[schema(format = DateTime)]
    pub start: String,
    /// How many.
    #[serde(flatten)]
    pub numbers: Numbers,
}

/// Failures of one sort.
#[derive(Serialize, ToSchema)]
pub struct Failures {
    /// Gramtap's word, a key to advice.
    pub label: String,
    /// What the webhook answered.
    pub status: Option<i64>,
    /// How many.
    pub n: i64,
}

/// How a webhook stands; nothing waits in the mode relay.
#[derive(Serialize, ToSchema)]
pub struct Standing {
    /// *Waiting*: updates that were taken in and are neither delivered nor given up, as of some seconds ago, wherever they are in their queues.
    /// What the forwarder has not read from the inbox yet is not counted.
    pub n: i64,
    /// The last attempt that failed since the bot set its webhook.
    pub failed: Option<Failed>,
}

/// An attempt that failed.
#[derive(Serialize, ToSchema)]
pub struct Failed {
    /// When it had failed, UTC.
    #[schema(format = DateTime)]
    pub at: String,
    /// Gramtap's word for what went wrong, a key to advice.
    pub label: String,
    /// What getWebhookInfo tells of it.
    pub message: String,
}

/// A queue in which an update waits to be tried again.
#[derive(Serialize, ToSchema)]
pub struct Waiting {
    /// The queue: its class, and four digits that tell it apart.
    pub lane: String,
    /// *To be tried again*: updates that were tried, failed, and will be tried again. Those behind them in their queue are not counted: they
    /// have not been tried yet.
    pub n: i64,
    /// When the next attempt is due, UTC.
    #[schema(format = DateTime)]
    pub next_at: Option<String>,
    /// When the first of them expires, UTC.
    #[schema(format = DateTime)]
    pub expires_at: String,
    /// How often the one that was tried most was tried.
    pub attempt: i64,
    /// What went wrong last.
    pub label: String,
}

/// One attempt to deliver.
#[derive(Serialize, ToSchema)]
pub struct Attempt {
    /// Its record.
    pub record: String,
    /// When it began, UTC.
    #[schema(format = DateTime)]
    pub at: String,
    /// The record that the update was taken in under.
    pub inbox_record: String,
    /// Telegram's number of the update.
    pub update_id: Option<i64>,
    /// Its kind.
    pub kind: String,
    /// The queue that it waited in.
    pub lane: String,
    /// Which attempt, from 1; 0 where the webhook was not called.
    pub attempt: i64,
    /// Scheme and host of the webhook.
    pub endpoint: Option<String>,
    /// What the webhook answered.
    pub status: Option<i64>,
    /// Gramtap's word for what went wrong.
    pub label: Option<String>,
    /// What followed: delivered, retry, expired, dead or refused.
    pub verdict: String,
    /// When it is tried again, UTC.
    #[schema(format = DateTime)]
    pub next_at: Option<String>,
    /// How long it took, in microseconds.
    pub took_us: i64,
    /// How long the update had waited at its end, in microseconds.
    pub waited_us: Option<i64>,
}

/// The newest attempts, the newest first.
#[derive(Serialize, ToSchema)]
pub struct Attempts {
    /// Of each bot the newest hundred are kept.
    pub attempts: Vec<Attempt>,
}

/// An update that was given up.
#[derive(Serialize, ToSchema)]
pub struct Letter {
    /// The record that it was taken in under.
    pub record: String,
    /// Telegram's number of it.
    pub update_id: Option<i64>,
    /// Its kind.
    pub kind: String,
    /// The queue that it waited in.
    pub lane: String,
    /// Gramtap's word: why it was given up.
    pub cause: String,
    /// How often it was tried.
    pub attempts: i64,
    /// When it was taken in, UTC.
    #[schema(format = DateTime)]
    pub received_at: String,
    /// When the first attempt began, UTC.
    #[schema(format = DateTime)]
    pub first_at: Option<String>,
    /// When the last one began, UTC.
    #[schema(format = DateTime)]
    pub last_at: Option<String>,
    /// When it was given up, UTC.
    #[schema(format = DateTime)]
    pub dead_at: String,
    /// When somebody asked to have it delivered, UTC.
    #[schema(format = DateTime)]
    pub asked_at: Option<String>,
    /// Who: a person's name, `key` and an API key's id, or `command line`.
    pub asked_by: Option<String>,
    /// Where to, scheme and host, if not to the bot's webhook.
    pub asked_to: Option<String>,
    /// When it went into the inbox again, UTC.
    #[schema(format = DateTime)]
    pub replayed_at: Option<String>,
    /// Why it could not.
    pub failed: Option<String>,
}

/// A page of dead letters.
#[derive(Serialize, ToSchema)]
pub struct Letters {
    /// The newest first.
    pub letters: Vec<Letter>,
    /// How many fit in all.
    pub n: i64,
    /// All that are kept, by cause and kind, the most first.
    pub sorts: Vec<Sort>,
    /// What to ask the next page with, as `cursor`. None: this is the last one.
    pub next: Option<String>,
}

/// How many letters there are of one sort.
#[derive(Serialize, ToSchema)]
pub struct Sort {
    /// Why they were given up.
    pub cause: String,
    /// What they are.
    pub kind: String,
    /// *Dead letters*: updates that were given up and are kept, replayed ones among them.
    pub n: i64,
    /// Those that somebody has asked to have delivered.
    pub replayed: i64,
}

/// One dead letter with its attempts.
#[derive(Serialize, ToSchema)]
pub struct LetterDetail {
    /// The letter.
    #[serde(flatten)]
    pub letter: Letter,
    /// Those of its attempts that are among the newest of the bot.
    pub tried: Vec<Attempt>,
}

/// Which letters to deliver again: `records`, or all that fit `cause`, `kind`, `from` and `until` and were not asked for before.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Replay)]
pub struct Again {
    /// These, by their records.
    #[schema(max_items = 100)]
    #[serde(default)]
    pub records: Option<Vec<String>>,
    /// Those that were given up for this cause.
    #[serde(default)]
    pub cause: Option<String>,
    /// Those of this kind.
    #[serde(default)]
    pub kind: Option<String>,
    /// Those that were given up from then on: a time (RFC 3339) or a date of the bot's time zone.
    #[serde(default)]
    pub from: Option<String>,
    /// Those that were given up until then, a date included.
    #[serde(default)]
    pub until: Option<String>,
    /// All that are kept. Needed where nothing else is said.
    #[serde(default)]
    pub all: bool,
    /// Where to, instead of the bot's webhook. Kept sealed until it is used, and never told again.
    #[schema(value_type = Option<String>, write_only)]
    #[serde(default)]
    pub to: Option<SecretString>,
}

/// What was asked for.
#[derive(Serialize, ToSchema)]
pub struct Asked {
    /// How many letters go into the inbox again, within seconds.
    pub asked: u64,
}

impl Deliveries {
    /// An answer, and what is now.
    #[must_use]
    pub fn new(
        told: inside::Deliveries,
        standing: inside::Standing,
        waiting: Vec<inside::Waiting>,
    ) -> Self {
        let failures = told.failures.into_iter().map(|it| Failures {
            label: it.label,
            status: it.status,
            n: it.n,
        });
        let series = told.series.into_iter().map(|(start, it)| NumbersAt {
            start: second(start),
            numbers: it.into(),
        });
        let waiting = waiting.into_iter().map(|it| Waiting {
            lane: it.lane,
            n: it.n,
            next_at: it.next_at.map(micro),
            expires_at: micro(it.expires_at),
            attempt: it.attempt,
            label: it.label,
        });
        Self {
            total: told.total.into(),
            series: series.collect(),
            failures: failures.collect(),
            delivery: told.delivery.into(),
            endpoint: told.endpoint.into(),
            standing: standing.into(),
            waiting: waiting.collect(),
        }
    }
}

impl From<inside::Standing> for Standing {
    fn from(it: inside::Standing) -> Self {
        let failed = it.failed.map(|it| Failed {
            at: micro(it.at),
            label: it.label,
            message: it.message,
        });
        Self { n: it.n, failed }
    }
}

impl From<inside::Numbers> for Numbers {
    fn from(it: inside::Numbers) -> Self {
        Self {
            delivered: it.delivered,
            attempts: it.attempts,
            failed: it.failed,
            retries: it.retries,
            expired: it.expired,
            dead: it.dead,
        }
    }
}

impl From<inside::Attempt> for Attempt {
    fn from(it: inside::Attempt) -> Self {
        Self {
            record: it.record,
            at: micro(it.at),
            inbox_record: it.inbox_record,
            update_id: it.update_id,
            kind: it.kind,
            lane: it.lane,
            attempt: it.attempt,
            endpoint: it.endpoint,
            status: it.status,
            label: it.label,
            verdict: it.verdict,
            next_at: it.next_at.map(micro),
            took_us: it.took_us,
            waited_us: it.waited_us,
        }
    }
}

impl From<letters::Sort> for Sort {
    fn from(it: letters::Sort) -> Self {
        Self {
            cause: it.cause,
            kind: it.kind,
            n: it.n,
            replayed: it.replayed,
        }
    }
}

impl From<letters::Letter> for Letter {
    fn from(it: letters::Letter) -> Self {
        Self {
            record: it.record,
            update_id: it.update_id,
            kind: it.kind,
            lane: it.lane,
            cause: it.cause,
            attempts: it.attempts,
            received_at: micro(it.received_at),
            first_at: it.first_at.map(micro),
            last_at: it.last_at.map(micro),
            dead_at: micro(it.dead_at),
            asked_at: it.asked_at.map(micro),
            asked_by: it.asked_by,
            asked_to: it.asked_to,
            replayed_at: it.replayed_at.map(micro),
            failed: it.failed,
        }
    }
}
