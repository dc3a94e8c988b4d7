//! How long calls take, as JSON. See `query/latency.rs`. Pure.
//!
//! In: an answer. Out: the same, for scripts. Invariant: names and definitions are those inside.

use serde::Serialize;
use utoipa::ToSchema;

use super::second;
use crate::query::latency as inside;

/// How long the calls of a period took.
#[derive(Serialize, ToSchema)]
pub struct Latency {
    /// All calls, polls apart.
    pub all: Times,
    /// By method, the most called first; polls apart.
    pub methods: Vec<MethodTimes>,
    /// Polls that brought updates or failed; empty ones are folded before they are measured.
    pub polls: Times,
    /// All calls by hour, or by date in periods of more than 2 days. Polls apart.
    pub series: Vec<TimesAt>,
}

/// How long some calls took.
#[derive(Serialize, ToSchema)]
pub struct Times {
    /// *Telegram's time*: from the first byte sent to Telegram to the last byte received, of calls that it answered.
    pub telegram: Quantiles,
    /// *Our time*: the whole call less Telegram's time and less the time spent waiting for the bot to send or read.
    pub own: Quantiles,
}

/// Half, 95 % and 99 % of the calls took at most so long, in milliseconds. None: nothing was measured.
#[derive(Serialize, ToSchema)]
pub struct Quantiles {
    /// How many calls were measured.
    pub n: i64,
    /// Half of the calls took at most so long, in milliseconds.
    pub p50: Option<f64>,
    /// 95 % of the calls took at most so long, in milliseconds.
    pub p95: Option<f64>,
    /// 99 % of the calls took at most so long, in milliseconds.
    pub p99: Option<f64>,
}

/// How long calls of a method took.
#[derive(Serialize, ToSchema)]
pub struct MethodTimes {
    /// The method.
    pub method: String,
    /// How long they took.
    #[serde(flatten)]
    pub times: Times,
}

/// How long calls of some time took.
#[derive(Serialize, ToSchema)]
pub struct TimesAt {
    /// When that time begins, UTC.
    #[schema(format = DateTime)]
    pub start: String,
    /// How long they took.
    #[serde(flatten)]
    pub times: Times,
}

impl From<inside::Latency> for Latency {
    fn from(latency: inside::Latency) -> Self {
        let methods = latency.methods.into_iter().map(|(method, times)| {
            let times = times.into();
            MethodTimes { method, times }
        });
        let series = latency.series.into_iter().map(|(start, times)| TimesAt {
            start: second(start),
            times: times.into(),
        });
        Self {
            all: latency.all.into(),
            methods: methods.collect(),
            polls: latency.polls.into(),
            series: series.collect(),
        }
    }
}

impl From<inside::Times> for Times {
    fn from(times: inside::Times) -> Self {
        Self {
            telegram: times.telegram.into(),
            own: times.own.into(),
        }
    }
}

impl From<inside::Quantiles> for Quantiles {
    fn from(it: inside::Quantiles) -> Self {
        Self {
            n: it.n,
            p50: it.p50,
            p95: it.p95,
            p99: it.p99,
        }
    }
}
