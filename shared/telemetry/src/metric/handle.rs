//! What counts: a handle of one series, resolved once and kept where it is used often, and the same
//! by name where it is not. Input: whoever counts. Output: the series of `metric.rs`. Invariant:
//! counting never fails, never panics and never waits.

use prometheus::{IntCounter, IntGauge};

/// One counter.
#[derive(Clone, Debug)]
pub struct CounterHandle(pub(crate) Option<IntCounter>);

impl CounterHandle {
    /// Adds one.
    pub fn inc(&self) {
        self.add(1);
    }

    /// Adds `n`.
    pub fn add(&self, n: u64) {
        if let Some(counter) = &self.0 {
            counter.inc_by(n);
        }
    }

    /// The count so far, for tests and the doctor.
    pub fn get(&self) -> u64 {
        self.0.as_ref().map_or(0, IntCounter::get)
    }
}

impl crate::Counter {
    /// Adds one. Where it happens often, keep [`crate::Counter::handle`].
    pub fn inc(self) {
        self.handle().inc();
    }

    /// Adds `n`.
    pub fn add(self, n: u64) {
        self.handle().add(n);
    }

    /// The count so far.
    pub fn get(self) -> u64 {
        self.handle().get()
    }
}

/// One gauge.
#[derive(Clone, Debug)]
pub struct GaugeHandle(pub(crate) Option<IntGauge>);

impl GaugeHandle {
    /// Replaces the value. Only for what one place in the process measures: workers share series.
    pub fn set(&self, value: i64) {
        if let Some(gauge) = &self.0 {
            gauge.set(value);
        }
    }

    /// Adds `n`, which may be negative.
    pub fn add(&self, n: i64) {
        if let Some(gauge) = &self.0 {
            gauge.add(n);
        }
    }

    /// The value now.
    pub fn get(&self) -> i64 {
        self.0.as_ref().map_or(0, IntGauge::get)
    }

    /// Adds one until the guard is dropped.
    #[must_use = "the gauge goes down again when the guard is dropped"]
    pub fn hold(&self) -> GaugeGuard {
        self.add(1);
        GaugeGuard(self.clone())
    }
}

impl crate::Gauge {
    /// Replaces the value.
    pub fn set(self, value: i64) {
        self.handle().set(value);
    }

    /// Adds `n`, which may be negative.
    pub fn add(self, n: i64) {
        self.handle().add(n);
    }

    /// The value now.
    pub fn get(self) -> i64 {
        self.handle().get()
    }
}

/// Takes one off its gauge when it is dropped.
#[derive(Debug)]
pub struct GaugeGuard(GaugeHandle);

impl Drop for GaugeGuard {
    fn drop(&mut self) {
        self.0.add(-1);
    }
}

/// One histogram.
#[derive(Clone, Debug)]
pub struct HistogramHandle(pub(crate) Option<prometheus::Histogram>);

impl HistogramHandle {
    /// Counts one duration, for metrics in seconds.
    pub fn record(&self, duration: std::time::Duration) {
        self.observe(duration.as_secs_f64());
    }

    /// Counts one value in the metric's unit.
    pub fn observe(&self, value: f64) {
        if let Some(histogram) = &self.0 {
            histogram.observe(value);
        }
    }

    /// How many values were counted.
    pub fn count(&self) -> u64 {
        self.0
            .as_ref()
            .map_or(0, prometheus::Histogram::get_sample_count)
    }
}

impl crate::Histogram {
    /// Counts one duration, for metrics in seconds.
    pub fn record(self, duration: std::time::Duration) {
        self.handle().record(duration);
    }

    /// Counts one value in the metric's unit.
    pub fn observe(self, value: f64) {
        self.handle().observe(value);
    }
}
