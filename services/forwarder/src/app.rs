//! The wiring of the forwarder: what is made, in which order, and how it ends.
//!
//! In: a [`Config`], and the parts that a process shares between its services. Out: a running [`Forwarder`]. Invariant: it starts while Kafka and
//! SQL are away and goes on when they are back; what cannot heal turns readiness off and is told by [`Forwarder::failed`]; at the
//! end nothing is started any more, what is under way is waited for, what is done is committed.
//!
//! The bounds, in one table:
//!
//! | what waits | bound | beyond it |
//! |---|---|---|
//! | deliveries under way | `forwarder.in_flight`, a bot's `max_connections` | wait for their turn |
//! | updates in memory | `forwarder.waiting`, `forwarder.memory_limit`, 256 of a bot | stay in `inbox.retry.v1`, then in the inbox |
//! | records read ahead | 2,000, 16 MiB | the bus waits |
//! | records not acknowledged | 10,000, 32 MiB | nothing more is decided |
//! | answers of bots over 64 KiB | `forwarder.answers_limit` | what they ask for is not executed, counted |
//! | connections | `outbound.max_connections` | tried again after a second, at no cost |

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use gramtap_actors::{Drain, Stage};
use gramtap_bus::Bus;
use gramtap_events::Mint;
use gramtap_process::{Failure, Kept, Parts, Process, epoch, host_name, keep};
use gramtap_telemetry::Probes;
use tokio::sync::Semaphore;

use crate::arrange::Rules;
use crate::config::Config;
use crate::consume::{self, ForwardError, Options};
use crate::worker::{Shared, Worker};

/// What the last commits and leaving the group may take, beyond the wait for deliveries.
const LAST: Duration = Duration::from_secs(20);

/// Runs the forwarder as the one service of the process, until a signal ends it or it cannot go on.
///
/// # Errors
/// It cannot start as configured.
pub async fn run(config: Config) -> anyhow::Result<ExitCode> {
    let process = Process::open(&config.process, "forwarder").await?;
    let forwarder = Forwarder::start(&config, &process.parts)?;
    process.ready().await?;
    let failed = forwarder.failed();
    let over = async {
        failed.await;
        false
    };
    Ok(process.end(|| {}, over, forwarder.drain()).await)
}

/// The forwarder, running.
pub struct Forwarder {
    forward: Kept,
    drain: Drain,
    probes: Probes,
    budget: Duration,
}

impl Forwarder {
    /// Begins to forward.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(config: &Config, parts: &Parts) -> anyhow::Result<Self> {
        let section = &config.forwarder;
        let shared = Shared {
            outbound: config.outbound,
            policy: Arc::clone(&config.webhooks),
            directory: parts.directory.clone(),
            keys: parts.keys.clone(),
            mint: Arc::new(Mint::new(&instance(), epoch())),
            deadline: section.deadline,
            telegram: config.telegram.clone(),
            registry: parts.registry.clone(),
            answers: usize::try_from(section.answers_limit.as_u64() / 1024)
                .unwrap_or(usize::MAX)
                .min(Semaphore::MAX_PERMITS),
        };
        let usual = Options::named(&config.instance);
        let options = Options {
            rules: Rules {
                in_flight: section.in_flight,
                held: section.waiting,
                bytes: usize::try_from(section.memory_limit.as_u64()).unwrap_or(usize::MAX),
                ..usual.rules
            },
            patience: section.drain_timeout,
            ..usual
        };
        let bus = parts.bus.clone();
        let condition = parts.probes.condition("forward");
        let forward = keep("forward", condition, move |stop| {
            let (bus, shared, options): (Bus, _, _) =
                (bus.clone(), shared.clone(), options.clone());
            async move { consume::run(&bus, Worker::start(shared), &options, &stop).await }
        })?;
        Ok(Self {
            forward,
            drain: parts.drain.clone(),
            probes: parts.probes.clone(),
            budget: section.drain_timeout + LAST,
        })
    }

    /// Waits until it has given up. For ever, if it does not.
    pub fn failed(&self) -> impl Future<Output = ()> + Send + use<> {
        self.forward.given_up()
    }

    /// Ends it in order. Whether that was done within its budget.
    pub async fn drain(self) -> bool {
        self.probes.drain();
        let (forward, budget) = (self.forward, self.budget);
        let grace = Duration::from_millis(50);
        let stage = Stage::new("forward", budget + grace, forward.end(budget));
        self.drain.run(vec![stage]).await.failed.is_empty()
    }
}

/// The stable part of a record's id: another than that of whatever else runs in the process.
fn instance() -> String {
    format!("forwarder.{}.{}", std::process::id(), host_name())
}

impl Failure for ForwardError {
    fn label(&self) -> &'static str {
        self.label()
    }

    fn retry(&self) -> bool {
        self.retry()
    }
}
