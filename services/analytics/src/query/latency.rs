//! How long calls take, and whose time it is.
//!
//! In: `sum_latency`. Out: [`Latency`]. Invariant: Telegram's time and Gramtap's are never added up; polls, which wait on purpose, are
//! apart. Quantiles are within [`crate::fold::histogram::ERROR`] of a call that was measured.

use std::collections::BTreeMap;

use gramtap_database::{Database, Error, Statement};
use gramtap_events::TenantId;

use super::overview::{HOURLY, POLL};
use super::{Period, between};
use crate::fold::histogram::quantile;
use crate::fold::sums::Side;

const METHODS: Statement = Statement::new(
    "latency_methods",
    "SELECT method, side, bucket, CAST(SUM(n) AS BIGINT) AS n FROM sum_latency
     WHERE tenant = $1 AND hour >= $2 AND hour < $3 GROUP BY method, side, bucket",
);
const HOURS: Statement = Statement::new(
    "latency_hours",
    "SELECT hour, side, bucket, CAST(SUM(n) AS BIGINT) AS n FROM sum_latency
     WHERE tenant = $1 AND hour >= $2 AND hour < $3 AND method <> 'getUpdates' GROUP BY hour, side, bucket",
);
pub(super) const STATEMENTS: [&Statement; 2] = [&METHODS, &HOURS];

/// How long the calls of a period took.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Latency {
    /// All calls, polls apart.
    pub all: Times,
    /// By method, the most called first; polls apart.
    pub methods: Vec<(String, Times)>,
    /// Polls that brought updates or failed; empty ones are folded before they are measured.
    pub polls: Times,
    /// All calls by hour, or by date in periods of more than [`HOURLY`] days: the second it begins with. Polls apart.
    pub series: Vec<(i64, Times)>,
}

/// How long some calls took.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Times {
    /// *Telegram's time*: from the first byte sent to Telegram to the last byte received, of calls that it answered.
    pub telegram: Quantiles,
    /// *Our time*: the whole call less Telegram's time and less the time spent waiting for the bot to send or read.
    pub own: Quantiles,
}

/// Half, 95 % and 99 % of the calls took at most so long, in milliseconds. None: nothing was measured.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Quantiles {
    /// How many calls were measured.
    pub n: i64,
    /// Half.
    pub p50: Option<f64>,
    /// 95 %.
    pub p95: Option<f64>,
    /// 99 %.
    pub p99: Option<f64>,
}

/// Histograms of both sides.
#[derive(Default)]
struct Histograms(BTreeMap<String, BTreeMap<i64, i64>>);

impl Histograms {
    fn add(&mut self, side: &str, bucket: i64, n: i64) {
        *self
            .0
            .entry(side.to_owned())
            .or_default()
            .entry(bucket)
            .or_default() += n;
    }

    fn times(&self) -> Times {
        Times {
            telegram: self.quantiles(Side::Telegram),
            own: self.quantiles(Side::Own),
        }
    }

    fn quantiles(&self, side: Side) -> Quantiles {
        let buckets = self.0.get(side.as_str()).into_iter().flatten();
        let buckets: Vec<(i64, i64)> = buckets.map(|(bucket, n)| (*bucket, *n)).collect();
        let at = |share| quantile(&buckets, share).map(|us| us / 1_000.0);
        Quantiles {
            n: buckets.iter().map(|(_, n)| n).sum(),
            p50: at(0.5),
            p95: at(0.95),
            p99: at(0.99),
        }
    }
}

/// How long the calls of a period took.
pub async fn latency(
    database: &Database,
    bot: TenantId,
    period: &Period,
) -> Result<Latency, Error> {
    let (from, to) = (period.from(), period.to());
    let mut all = Histograms::default();
    let mut methods = BTreeMap::<String, Histograms>::new();
    for row in between(database, &METHODS, bot, from, to).await? {
        let (method, side): (String, String) = (row.get("method")?, row.get("side")?);
        let (bucket, n) = (row.get("bucket")?, row.get("n")?);
        if method != POLL {
            all.add(&side, bucket, n);
        }
        methods.entry(method).or_default().add(&side, bucket, n);
    }
    let polls = methods.remove(POLL).unwrap_or_default();
    let mut series = BTreeMap::<i64, Histograms>::new();
    for row in between(database, &HOURS, bot, from, to).await? {
        let hour: i64 = row.get("hour")?;
        let begins = match period.days <= HOURLY {
            true => hour,
            false => period.zone.start(period.zone.date(hour)),
        };
        let side: String = row.get("side")?;
        series
            .entry(begins)
            .or_default()
            .add(&side, row.get("bucket")?, row.get("n")?);
    }
    let mut methods: Vec<_> = methods
        .into_iter()
        .map(|(method, it)| (method, it.times()))
        .collect();
    methods.sort_by_key(|(_, times)| -times.own.n);
    Ok(Latency {
        all: all.times(),
        methods,
        polls: polls.times(),
        series: series
            .into_iter()
            .map(|(begins, it)| (begins, it.times()))
            .collect(),
    })
}
