//! The series behind the names: one registry of our own, handles that are resolved once and kept,
//! and the text that Prometheus reads. Input: the lists of `names.rs`, whoever counts. Output:
//! [`render`], to the admin listener. Invariant: counting never fails, never panics and never
//! waits for more than a read lock; a metric that cannot be made is a silent no-op, which the test
//! here would show.

use std::sync::{LazyLock, Mutex, PoisonError};

use prometheus::{
    HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
    TextEncoder,
    core::{Collector, MetricVec, MetricVecBuilder},
};

/// A metric as `names.rs` declares it.
#[derive(Clone, Copy, Debug)]
pub struct Descriptor {
    /// The full name.
    pub name: &'static str,
    /// The doc comment as the compiler gives it; see [`Descriptor::help`].
    pub(crate) doc: &'static str,
    /// The labels in order.
    pub labels: &'static [&'static str],
    /// Upper bounds of a histogram's buckets; empty for others.
    pub buckets: &'static [f64],
}

impl Descriptor {
    /// What the metric means, one sentence or two.
    pub fn help(&self) -> &'static str {
        self.doc.trim()
    }
}

/// Declares the metrics of one kind. A variant's fields are its labels.
macro_rules! metrics {
    (
        $(#[doc = $kind_doc:literal])+
        $kind:ident => $handle:ident, $vec:ty {
            $($(#[doc = $doc:literal])+ $variant:ident $({ $($label:ident),+ })? = $name:literal $(in $buckets:expr)?,)+
        }
    ) => {
        $(#[doc = $kind_doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[allow(clippy::enum_variant_names, reason = "a metric's name ends with its unit")]
        pub enum $kind {
            $(
                $(#[doc = $doc])+
                $variant $({ $(#[doc = concat!("A fixed word, the label `", stringify!($label), "`.")] $label: &'static str),+ })?,
            )+
        }

        impl $kind {
            pub(crate) const DESCRIPTORS: &'static [Descriptor] = &[$(Descriptor {
                name: $name,
                doc: concat!($($doc),+),
                labels: &[$($(stringify!($label)),+)?],
                buckets: { let buckets: &[f64] = &[]; $(let _ = buckets; let buckets = $buckets;)? buckets },
            }),+];

            /// The one series of these label values, to be kept where it is used often.
            pub fn handle(self) -> $crate::metric::$handle {
                #[derive(Clone, Copy)]
                #[allow(clippy::enum_variant_names, reason = "a metric's name ends with its unit")]
                enum Index { $($variant),+ }
                static FAMILIES: $crate::metric::Families<$vec> =
                    $crate::metric::Families::new(|| $crate::metric::register($kind::DESCRIPTORS));
                $crate::metric::$handle(match self {
                    $(Self::$variant $({ $($label),+ })? =>
                        $crate::metric::series(&FAMILIES, Index::$variant as usize, &[$($($label),+)?])),+
                })
            }
        }
    };
}
pub(crate) use metrics;

/// The families of one kind in the order of their descriptors.
pub(crate) type Families<V> = LazyLock<Vec<Option<V>>>;

static REGISTRY: LazyLock<Registry> = LazyLock::new(Registry::new);

type Collectors = Mutex<Vec<Box<dyn Fn() + Send>>>;
static COLLECTORS: Collectors = Mutex::new(Vec::new());

/// A family of series that can be made from its descriptor.
pub(crate) trait Family: Collector + Clone + Sized + 'static {
    fn make(descriptor: &Descriptor) -> prometheus::Result<Self>;
    /// Makes the series of a metric without labels, so that it reads 0 before it is first used.
    fn preset(&self);
}

impl Family for IntCounterVec {
    fn make(descriptor: &Descriptor) -> prometheus::Result<Self> {
        Self::new(
            Opts::new(descriptor.name, descriptor.help()),
            descriptor.labels,
        )
    }
    fn preset(&self) {
        drop(self.get_metric_with_label_values::<&str>(&[]));
    }
}

impl Family for IntGaugeVec {
    fn make(descriptor: &Descriptor) -> prometheus::Result<Self> {
        Self::new(
            Opts::new(descriptor.name, descriptor.help()),
            descriptor.labels,
        )
    }
    fn preset(&self) {
        drop(self.get_metric_with_label_values::<&str>(&[]));
    }
}

impl Family for HistogramVec {
    fn make(descriptor: &Descriptor) -> prometheus::Result<Self> {
        let opts = HistogramOpts::new(descriptor.name, descriptor.help())
            .buckets(descriptor.buckets.to_vec());
        Self::new(opts, descriptor.labels)
    }
    fn preset(&self) {
        drop(self.get_metric_with_label_values::<&str>(&[]));
    }
}

pub(crate) fn register<F: Family>(descriptors: &[Descriptor]) -> Vec<Option<F>> {
    let make = |descriptor: &Descriptor| {
        let family = F::make(descriptor)?;
        REGISTRY.register(Box::new(family.clone()))?;
        if descriptor.labels.is_empty() {
            family.preset();
        }
        Ok::<F, prometheus::Error>(family)
    };
    descriptors
        .iter()
        .map(|descriptor| make(descriptor).ok())
        .collect()
}

pub(crate) fn series<B: MetricVecBuilder>(
    families: &Families<MetricVec<B>>,
    index: usize,
    labels: &[&str],
) -> Option<B::M> {
    families
        .get(index)?
        .as_ref()?
        .get_metric_with_label_values(labels)
        .ok()
}

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

/// Runs `collect` before every [`render`]: for gauges that are cheaper read than kept.
pub fn on_scrape(collect: impl Fn() + Send + 'static) {
    COLLECTORS
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(Box::new(collect));
}

/// All metrics in Prometheus' text format.
pub fn render() -> String {
    for collect in COLLECTORS
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .iter()
    {
        collect();
    }
    // Resolving one series of each kind registers all families of the kind.
    crate::Gauge::BuildInfo {
        version: env!("CARGO_PKG_VERSION"),
    }
    .set(1);
    crate::Counter::Panics.add(0);
    drop(crate::Histogram::BusSeconds.handle());
    let mut text = String::new();
    if let Err(error) = TextEncoder::new().encode_utf8(&REGISTRY.gather(), &mut text) {
        tracing::error!(%error, "metrics cannot be rendered");
    }
    crate::process::render(&mut text);
    text
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::{Counter, Gauge, Histogram, descriptors, on_scrape, render};

    #[test]
    fn every_metric_without_labels_is_there_from_the_start() {
        let text = render();
        for descriptor in descriptors().filter(|descriptor| descriptor.labels.is_empty()) {
            let line = format!("# HELP {} {}\n", descriptor.name, descriptor.help());
            assert!(text.contains(&line), "{line}");
        }
    }

    #[test]
    fn series_are_told_apart_by_labels() {
        let calls = Counter::Calls {
            origin: "test-series",
            code: "2xx",
        }
        .handle();
        calls.inc();
        Counter::Calls {
            origin: "test-series",
            code: "2xx",
        }
        .add(2);
        Counter::Calls {
            origin: "test-series",
            code: "5xx",
        }
        .inc();
        assert_eq!(calls.get(), 3);
        let text = render();
        assert!(
            text.contains("gramtap_calls_total{code=\"2xx\",origin=\"test-series\"} 3\n"),
            "{text}"
        );
        assert!(
            text.contains("gramtap_calls_total{code=\"5xx\",origin=\"test-series\"} 1\n"),
            "{text}"
        );
    }

    #[test]
    fn a_gauge_goes_down_with_its_guard() {
        let tasks = Gauge::Tasks { name: "test-guard" }.handle();
        let guard = tasks.hold();
        assert_eq!(tasks.get(), 1);
        drop(guard);
        assert_eq!(tasks.get(), 0);
    }

    #[test]
    fn histograms_count_into_their_buckets() {
        let seconds = Histogram::CallSeconds { leg: "test-leg" }.handle();
        seconds.record(Duration::from_millis(3));
        seconds.observe(600.0);
        assert_eq!(seconds.count(), 2);
        let text = render();
        for line in [
            "gramtap_call_seconds_bucket{leg=\"test-leg\",le=\"0.0025\"} 0\n",
            "gramtap_call_seconds_bucket{leg=\"test-leg\",le=\"0.005\"} 1\n",
            "gramtap_call_seconds_bucket{leg=\"test-leg\",le=\"120\"} 1\n",
            "gramtap_call_seconds_bucket{leg=\"test-leg\",le=\"+Inf\"} 2\n",
        ] {
            assert!(text.contains(line), "{line}{text}");
        }
    }

    #[test]
    fn collectors_run_before_each_rendering() {
        let depth = Gauge::MailboxDepth {
            actor: "test-collector",
        };
        on_scrape(move || depth.add(1));
        assert!(render().contains("gramtap_mailbox_depth{actor=\"test-collector\"} 1\n"));
        assert!(depth.get() >= 1);
    }
}
