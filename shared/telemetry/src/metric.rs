//! The series behind the names: one registry of our own, and the text that Prometheus reads. Input:
//! the lists of `names.rs`. Output: handles of series (`metric/handle.rs`), [`render`] to the admin
//! listener. Invariant: finding a series never fails, never panics and waits for no more than a read
//! lock; a metric that cannot be made is a no-op, which the tests would show.

mod handle;

use std::sync::{LazyLock, Mutex, PoisonError};

use prometheus::{
    HistogramOpts, HistogramVec, IntCounterVec, IntGaugeVec, Opts, Registry, TextEncoder,
    core::{Collector, MetricVec, MetricVecBuilder},
};

pub use handle::{CounterHandle, GaugeGuard, GaugeHandle, HistogramHandle};

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
mod tests;
