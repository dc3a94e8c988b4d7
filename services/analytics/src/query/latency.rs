//! How long calls take, and whose time it is.
//!
//! In: `sum_latency`. Out: [`Latency`]. Invariant: Telegram's time and Gramtap's are never added up; polls, which wait on purpose, are
//! apart. Quantiles are within [`crate::fold::histogram::ERROR`] of a call that was measured.

use std::collections::BTreeMap;

use gramtap_database::{Database, Error, Statement};
use gramtap_events::TenantId;

use super::overview::{HOURLY, POLL};
use super::{Period, between};
use crate::fold::histogram::{BUCKETS, quantile, read};
use crate::fold::sums::Side;

const HISTOGRAMS: Statement = Statement::new(
    "latency_histograms",
    "SELECT hour, method, side, buckets FROM sum_latency WHERE tenant = $1 AND hour >= $2 AND hour < $3
     AND side IN ('telegram', 'own')",
);
pub(super) const STATEMENTS: [&Statement; 1] = [&HISTOGRAMS];

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

/// Histograms of both sides, a number for each bucket.
struct Histograms {
    telegram: [i64; BUCKETS],
    own: [i64; BUCKETS],
}

impl Default for Histograms {
    fn default() -> Self {
        let (telegram, own) = ([0; BUCKETS], [0; BUCKETS]);
        Self { telegram, own }
    }
}

impl Histograms {
    fn add(&mut self, is_telegram: bool, buckets: &[(usize, i64)]) {
        let to = match is_telegram {
            true => &mut self.telegram,
            false => &mut self.own,
        };
        for (bucket, n) in buckets {
            to[*bucket] += n;
        }
    }

    fn times(&self) -> Times {
        Times {
            telegram: quantiles(&self.telegram),
            own: quantiles(&self.own),
        }
    }
}

fn quantiles(histogram: &[i64; BUCKETS]) -> Quantiles {
    let filled = (0..).zip(histogram).filter(|(_, n)| **n > 0);
    let buckets: Vec<(i64, i64)> = filled.map(|(bucket, n)| (bucket, *n)).collect();
    let at = |share| quantile(&buckets, share).map(|us| us / 1_000.0);
    Quantiles {
        n: buckets.iter().map(|(_, n)| n).sum(),
        p50: at(0.5),
        p95: at(0.95),
        p99: at(0.99),
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
    let mut series = BTreeMap::<i64, Histograms>::new();
    let mut buckets = Vec::new();
    for row in between(database, &HISTOGRAMS, bot, from, to).await? {
        let (method, side): (String, String) = (row.get("method")?, row.get("side")?);
        let is_telegram = side == Side::Telegram.as_str();
        let known =
            |(bucket, n)| Some((usize::try_from(bucket).ok().filter(|it| *it < BUCKETS)?, n));
        buckets.clear();
        buckets.extend(read(&row.get::<String>("buckets")?).filter_map(known));
        if method != POLL {
            let hour: i64 = row.get("hour")?;
            let begins = match period.days <= HOURLY {
                true => hour,
                false => period.zone.start(period.zone.date(hour)),
            };
            all.add(is_telegram, &buckets);
            series.entry(begins).or_default().add(is_telegram, &buckets);
        }
        methods
            .entry(method)
            .or_default()
            .add(is_telegram, &buckets);
    }
    let polls = methods.remove(POLL).unwrap_or_default();
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
