//! Opens what the services of a process share: the bus, the registry, the directory.
//!
//! In: a [`ProcessConfig`]. Out: [`Parts`], to `app.rs` of each service. Invariant: opening waits for no
//! other process but Kafka's word on its topics, for seconds at most; what is away is used as
//! soon as it is back. A topic that is missing or differs refuses the start and names the command.

use anyhow::Context as _;
use gramtap_actors::Drain;
use gramtap_bus::Bus;
use gramtap_telemetry::Probes;
use gramtap_tenants::{Directory, Keys, Refreshing, Registry};

use crate::ProcessConfig;

/// What the services of a process share. Cheap to clone.
#[derive(Clone)]
pub struct Parts {
    /// The bus.
    pub bus: Bus,
    /// Who is connected.
    pub registry: Registry,
    /// The same, as calls ask for it.
    pub directory: Directory,
    /// The installation's key and what is derived from it.
    pub keys: Keys,
    /// The process's probes.
    pub probes: Probes,
    /// The process's end.
    pub drain: Drain,
}

/// Opens them. What follows the registry runs on the current thread until it is stopped.
///
/// # Errors
/// A setting that cannot be used, topics that do not fit, an embedded log that another process has.
pub(crate) async fn open(config: &ProcessConfig) -> anyhow::Result<(Parts, Refreshing)> {
    let bus = Bus::connect(&config.bus).await?;
    let opened = config.tenants.open().map_err(|error| {
        let key = error.key();
        anyhow::Error::new(error).context(format!("{key} cannot be used"))
    })?;
    let (directory, refreshing) =
        Directory::start(&opened.registry, opened.redis, Some(bus.clone()));
    let parts = Parts {
        bus,
        registry: opened.registry,
        directory,
        keys: opened.keys,
        probes: Probes::new(),
        drain: Drain::new(),
    };
    Ok((parts, refreshing))
}

/// Lets the first record go out without delay, and says that the process is ready when that is
/// done or has taken too long: no bot waits for the bus.
pub(crate) async fn warm(bus: &Bus, probes: &Probes) -> anyhow::Result<()> {
    let condition = probes.condition("bus");
    condition.set(false, "the bus is being warmed up");
    let producer = bus.durable_producer().context("no producer")?;
    if let Err(error) = producer.warm(std::time::Duration::from_secs(5)).await {
        tracing::warn!(%error, "the bus is away, records wait");
    }
    condition.set(true, "");
    Ok(())
}
