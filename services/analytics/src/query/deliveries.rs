//! How updates reach a bot's webhook: how many, how fast, what goes wrong, what waits.
//!
//! In: `sum_deliveries`, `sum_latency`, `delivery_attempts`, `delivery_waiting`, `dead_letters`; the registry's `webhook_standing`, which the forwarder writes. Out:
//! [`Deliveries`], [`Attempt`]s, [`Standing`], [`Waiting`]. Invariant: what
//! was passed on at once (mode relay) is not in here, because nobody waited for it; an attempt counts in the hour in which it began.

use std::collections::BTreeMap;

use gramtap_database::{Database, Error, Row, Statement};
use gramtap_events::TenantId;
use gramtap_tenants::{Registry, RegistryError};

use super::latency::Quantiles;
use super::overview::HOURLY;
use super::{Period, between, share};
use crate::fold::fact::micros;
use crate::fold::histogram::{quantile, read};
use crate::fold::sums::Side;

const SUMS: Statement = Statement::new(
    "deliveries_sums",
    "SELECT hour, verdict, label, status, made, n FROM sum_deliveries WHERE tenant = $1 AND hour >= $2 AND hour < $3",
);
const TIMES: Statement = Statement::new(
    "deliveries_times",
    "SELECT hour, side, buckets FROM sum_latency WHERE tenant = $1 AND hour >= $2 AND hour < $3
     AND method = '' AND side IN ('delivery', 'endpoint')",
);
const ATTEMPTS: Statement = Statement::new(
    "deliveries_attempts",
    "SELECT record, at, inbox_record, update_id, kind, lane, attempt, endpoint, status, label, verdict, next_at, took_us, waited_us
     FROM delivery_attempts WHERE tenant = $1 AND (CAST($2 AS TEXT) = '' OR inbox_record = $2) ORDER BY at DESC, record DESC LIMIT $3",
);
const WAITING: Statement = Statement::new(
    "deliveries_waiting",
    "SELECT lane, COUNT(*) AS n, MIN(next_at) AS next_at, MIN(expires_at) AS expires_at, MAX(attempt) AS attempt, MAX(label) AS label
     FROM delivery_waiting WHERE tenant = $1 AND expires_at > $2 GROUP BY lane ORDER BY MIN(expires_at), lane",
);
pub(super) const STATEMENTS: [&Statement; 4] = [&SUMS, &TIMES, &ATTEMPTS, &WAITING];

/// Deliveries of a period.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Deliveries {
    /// The whole period.
    pub total: Numbers,
    /// By hour, or by date in periods of more than [`HOURLY`] days: the second it begins with.
    pub series: Vec<(i64, Numbers)>,
    /// *Failures*: attempts that did not deliver, and updates that were given up without one, by what went wrong and what the
    /// webhook answered; the most first.
    pub failures: Vec<Failures>,
    /// *Time to delivery*: from when an update was taken in to when the webhook had answered 2xx to it, of updates that were delivered.
    pub delivery: Quantiles,
    /// *The webhook's time*: one attempt, from its begin to its end, whatever came of it.
    pub endpoint: Quantiles,
}

/// Deliveries of some time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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

/// Failures of one sort.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failures {
    /// Gramtap's word, a key to advice.
    pub label: String,
    /// What the webhook answered.
    pub status: Option<i64>,
    /// How many.
    pub n: i64,
}

/// One attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Its record.
    pub record: String,
    /// When it began, in microseconds since 1970.
    pub at: i64,
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
    /// What followed.
    pub verdict: String,
    /// When it is tried again.
    pub next_at: Option<i64>,
    /// How long it took.
    pub took_us: i64,
    /// How long the update had waited at its end.
    pub waited_us: Option<i64>,
}

/// How the webhook of a bot stands now; nothing waits in the mode relay.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// *Waiting*: updates that were taken in and are neither delivered nor given up, as of some seconds ago, wherever they are in their queues.
    /// What the forwarder has not read from the inbox yet is not counted.
    pub n: i64,
    /// The last attempt that failed since the bot set its webhook.
    pub failed: Option<Failed>,
}

/// An attempt that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// When it had failed, in microseconds since 1970.
    pub at: i64,
    /// Gramtap's word for what went wrong, a key to advice.
    pub label: String,
    /// What getWebhookInfo tells of it.
    pub message: String,
}

/// A queue in which an update waits to be tried again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The queue.
    pub lane: String,
    /// *To be tried again*: updates that were tried, failed, and will be tried again. Those behind them in their queue are not counted: they
    /// have not been tried yet.
    pub n: i64,
    /// When the next attempt is due.
    pub next_at: Option<i64>,
    /// When the first of them expires.
    pub expires_at: i64,
    /// How often the one that was tried most was tried.
    pub attempt: i64,
    /// What went wrong last.
    pub label: String,
}

impl Numbers {
    /// *Success rate*: attempts that delivered, as a share of all attempts. None without attempts.
    #[must_use]
    pub fn success_rate(&self) -> Option<f64> {
        share(self.attempts - self.failed, self.attempts)
    }

    fn add(&mut self, verdict: &str, is_made: bool, n: i64) {
        let of = match verdict {
            "delivered" => &mut self.delivered,
            "retry" => &mut self.retries,
            "expired" => &mut self.expired,
            _ => &mut self.dead,
        };
        *of += n;
        if is_made {
            self.attempts += n;
            self.failed += if verdict == "delivered" { 0 } else { n };
        }
    }
}

/// Deliveries of a period.
pub async fn deliveries(
    database: &Database,
    bot: TenantId,
    period: &Period,
) -> Result<Deliveries, Error> {
    let mut told = Deliveries::default();
    let mut series = BTreeMap::<i64, Numbers>::new();
    let mut failures = BTreeMap::<(String, i64), i64>::new();
    for row in between(database, &SUMS, bot, period.from(), period.to()).await? {
        let (hour, n): (i64, i64) = (row.get("hour")?, row.get("n")?);
        let verdict: String = row.get("verdict")?;
        let is_made = row.get::<i64>("made")? != 0;
        let begins = match period.days <= HOURLY {
            true => hour,
            false => period.zone.start(period.zone.date(hour)),
        };
        told.total.add(&verdict, is_made, n);
        series.entry(begins).or_default().add(&verdict, is_made, n);
        if verdict != "delivered" {
            let label: String = row.get("label")?;
            let label = if label.is_empty() { verdict } else { label };
            *failures.entry((label, row.get("status")?)).or_default() += n;
        }
    }
    told.series = series.into_iter().collect();
    let failures = failures.into_iter().map(|((label, status), n)| Failures {
        label,
        status: (status > 0).then_some(status),
        n,
    });
    told.failures = failures.collect();
    told.failures.sort_by_key(|it| -it.n);
    let (mut delivery, mut endpoint) = (BTreeMap::new(), BTreeMap::new());
    for row in between(database, &TIMES, bot, period.from(), period.to()).await? {
        let is_delivery = row.get::<String>("side")? == Side::Delivery.as_str();
        let into = if is_delivery {
            &mut delivery
        } else {
            &mut endpoint
        };
        for (bucket, n) in read(&row.get::<String>("buckets")?) {
            *into.entry(bucket).or_insert(0) += n;
        }
    }
    told.delivery = quantiles(delivery);
    told.endpoint = quantiles(endpoint);
    Ok(told)
}

fn quantiles(histogram: BTreeMap<i64, i64>) -> Quantiles {
    let buckets: Vec<(i64, i64)> = histogram.into_iter().collect();
    let at = |share| quantile(&buckets, share).map(|us| us / 1_000.0);
    Quantiles {
        n: buckets.iter().map(|(_, n)| n).sum(),
        p50: at(0.5),
        p95: at(0.95),
        p99: at(0.99),
    }
}

/// The newest attempts of a bot, or of one of its updates, the newest first.
pub async fn attempts(
    database: &Database,
    bot: TenantId,
    update: Option<&str>,
    most: i64,
) -> Result<Vec<Attempt>, Error> {
    let values = [
        bot.as_str().into(),
        update.unwrap_or("").into(),
        most.into(),
    ];
    let rows = database.fetch(&ATTEMPTS, &values).await?;
    rows.iter().map(attempt).collect()
}

fn attempt(row: &Row) -> Result<Attempt, Error> {
    Ok(Attempt {
        record: row.get("record")?,
        at: row.get("at")?,
        inbox_record: row.get("inbox_record")?,
        update_id: row.get("update_id")?,
        kind: row.get("kind")?,
        lane: row.get("lane")?,
        attempt: row.get("attempt")?,
        endpoint: row.get("endpoint")?,
        status: row.get("status")?,
        label: row.get("label")?,
        verdict: row.get("verdict")?,
        next_at: row.get("next_at")?,
        took_us: row.get("took_us")?,
        waited_us: row.get("waited_us")?,
    })
}

/// How the webhook of a bot stands.
pub async fn standing(registry: &Registry, bot: TenantId) -> Result<Standing, RegistryError> {
    let told = registry.standing(bot).await?;
    let failed = told.failed.map(|failed| Failed {
        at: micros(failed.at),
        label: failed.label,
        message: failed.message,
    });
    Ok(Standing {
        n: i64::try_from(told.waiting).unwrap_or(i64::MAX),
        failed,
    })
}

/// What waits to be tried again at `now` (seconds since 1970), by queue; what expires first is first.
pub async fn waiting(database: &Database, bot: TenantId, now: i64) -> Result<Vec<Waiting>, Error> {
    let values = [bot.as_str().into(), (now * 1_000_000).into()];
    let rows = database.fetch(&WAITING, &values).await?;
    let read = |row: &Row| {
        Ok(Waiting {
            lane: row.get("lane")?,
            n: row.get("n")?,
            next_at: row.get("next_at")?,
            expires_at: row.get("expires_at")?,
            attempt: row.get("attempt")?,
            label: row.get("label")?,
        })
    };
    rows.iter().map(read).collect()
}
