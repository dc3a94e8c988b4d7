//! The series that every call touches, looked up once.
//!
//! In: calls that are over, from `account.rs`. Out: metrics. Invariant: the same series as a look-up by labels would touch: looking up hashes each label.

use std::time::Duration;

use gramtap_telemetry::{Counter, CounterHandle, Gauge, GaugeHandle, Histogram, HistogramHandle};

use crate::observe::Ending;

/// Classes of statuses; the last one is of none.
const CODES: [&str; 6] = ["other", "2xx", "3xx", "4xx", "5xx", "none"];

/// See the file's header.
#[derive(Debug)]
pub(crate) struct Series {
    pub(crate) in_flight: GaugeHandle,
    pub(crate) parked: GaugeHandle,
    telegram: [CounterHandle; 6],
    gramtap: [CounterHandle; 6],
    client: [CounterHandle; 6],
    total: HistogramHandle,
    own: HistogramHandle,
}

impl Default for Series {
    fn default() -> Self {
        let calls = |origin| CODES.map(|code| Counter::Calls { origin, code }.handle());
        Self {
            in_flight: Gauge::CallsInFlight.handle(),
            parked: Gauge::PollsParked.handle(),
            telegram: calls("telegram"),
            gramtap: calls("gramtap"),
            client: calls("client"),
            total: Histogram::CallSeconds { leg: "total" }.handle(),
            own: Histogram::CallSeconds { leg: "own" }.handle(),
        }
    }
}

impl Series {
    /// A call is over.
    pub(crate) fn count(&self, ending: Ending, status: Option<u16>) {
        let of_origin = match ending {
            Ending::Answered | Ending::CutShort { .. } => &self.telegram,
            Ending::NoAnswer { .. } | Ending::Own { .. } => &self.gramtap,
            Ending::Left { .. } => &self.client,
        };
        let class = match status.map(|status| status / 100) {
            None => 5,
            Some(class @ 2..=5) => usize::from(class) - 1,
            Some(_) => 0,
        };
        of_origin[class].inc();
    }

    /// A call has taken so long: in all, and of that here.
    pub(crate) fn time(&self, total_us: u64, own_us: u64) {
        self.total.record(Duration::from_micros(total_us));
        self.own.record(Duration::from_micros(own_us));
    }
}
