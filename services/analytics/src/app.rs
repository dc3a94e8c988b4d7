//! The wiring of analytics: what is made, in which order, and how it ends.
//!
//! In: a [`Config`], and the parts that a process shares between its services. Out: a running [`Analytics`]. Invariant: it starts
//! while Kafka and SQL are away and goes on when they are back; what cannot heal turns readiness off and is told by
//! [`Analytics::failed`]; it ends in the order of the data's way, each step with a budget: decode's last commit, then the sums.
//!
//! The bounds, in one table:
//!
//! | what waits | bound | beyond it |
//! |---|---|---|
//! | records read ahead by decode | 10,000, 32 MiB | the bus waits |
//! | a batch of decode | `analytics.decode_window`, 20,000 records | committed |
//! | a batch of the sums | 500 ms, 10,000 records | added |
//! | labels of a bot, kind and day | `analytics.labels` | counted together |
//! | rows in SQL | `[analytics.keep]` | deleted, hourly |

use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use gramtap_actors::{Drain, Stage, Task, spawn};
use gramtap_bus::Bus;
use gramtap_process::{Parts, Process};
use gramtap_telemetry::Probes;
use tokio::time::{interval, sleep};

use crate::config::Config;
use crate::consume::{self, DecodeError};
use crate::store::follow::{FollowOptions, follow};
use crate::store::retention::Keep;
use crate::store::{Limits, Store, StoreError};
use crate::upkeep::{Failure, Kept, keep};

/// What decode's last commit and leaving the group may take.
const DECODE: Duration = Duration::from_secs(30);
/// What adding what was read to the sums may take.
const SUMS: Duration = Duration::from_secs(15);
/// How often old rows are deleted.
const SWEEP: Duration = Duration::from_secs(3600);
/// Rows of a table that one step of it deletes at most.
const SWEPT: i64 = 5_000;
/// Between two steps, so that batches get their turn.
const BREATH: Duration = Duration::from_millis(50);

/// Runs analytics as the one service of the process, until a signal ends it or it cannot go on.
///
/// # Errors
/// It cannot start as configured.
pub async fn run(config: Config) -> anyhow::Result<ExitCode> {
    let process = Process::open(&config.process, "analytics").await?;
    let analytics = Analytics::start(&config, &process.parts)?;
    process.ready().await?;
    let failed = analytics.failed();
    Ok(process.end(|| {}, failed, analytics.drain()).await)
}

/// Analytics, running.
pub struct Analytics {
    decode: Kept,
    sums: Kept,
    sweep: Task<()>,
    drain: Drain,
    probes: Probes,
}

impl Analytics {
    /// Begins to decode, to count and to delete what is old.
    ///
    /// # Errors
    /// The system gives no threads.
    pub fn start(config: &Config, parts: &Parts) -> anyhow::Result<Self> {
        let limits = Limits {
            labels: config.labels,
        };
        let store = Store::new(parts.registry.database().clone(), limits);
        let sweep = spawn("sweep", sweep(store.clone(), config.keep));
        // The console's server starts here, from the same store and parts.
        Ok(Self {
            decode: decode(config, parts)?,
            sums: sums(config, parts, store)?,
            sweep,
            drain: parts.drain.clone(),
            probes: parts.probes.clone(),
        })
    }

    /// Waits until any part of it has given up. For ever, if none does.
    pub fn failed(&self) -> impl Future<Output = ()> + Send + use<> {
        let (decode, sums) = (self.decode.given_up(), self.sums.given_up());
        async move {
            tokio::select! {
                () = decode => {}
                () = sums => {}
            }
        }
    }

    /// Ends it in order. Whether every step was done within its budget.
    pub async fn drain(self) -> bool {
        self.probes.drain();
        // The console's server ends here, before what it shows.
        self.sweep.abort();
        let (decode, sums) = (self.decode, self.sums);
        let stages = vec![
            Stage::new("decode", DECODE + BREATH, decode.end(DECODE)),
            Stage::new("sums", SUMS + BREATH, sums.end(SUMS)),
        ];
        self.drain.run(stages).await.failed.is_empty()
    }
}

fn decode(config: &Config, parts: &Parts) -> std::io::Result<Kept> {
    let options = consume::Options {
        window: config.decode_window,
        ..consume::Options::named(&config.instance)
    };
    let bus = parts.bus.clone();
    keep("decode", parts.probes.condition("decode"), move |stop| {
        let (bus, options): (Bus, _) = (bus.clone(), options.clone());
        async move { consume::run(&bus, &options, &stop).await }
    })
}

fn sums(config: &Config, parts: &Parts, store: Store) -> std::io::Result<Kept> {
    let options = FollowOptions {
        member: Some(config.instance.clone()),
        ..FollowOptions::default()
    };
    let bus = parts.bus.clone();
    keep("sums", parts.probes.condition("sums"), move |stop| {
        let (bus, store, options) = (bus.clone(), store.clone(), options.clone());
        async move { follow(&bus, &store, &options, &stop).await }
    })
}

/// Deletes what is old, now and every hour, in bounded steps until nothing is left.
async fn sweep(store: Store, keep: Keep) {
    let mut hours = interval(SWEEP);
    loop {
        hours.tick().await;
        let mut rows = 0;
        loop {
            match store.sweep(&keep, now(), SWEPT).await {
                Ok(0) => break,
                Ok(deleted) => rows += deleted,
                Err(error) => {
                    tracing::warn!(%error, "what is old stays for another hour");
                    break;
                }
            }
            sleep(BREATH).await;
        }
        if rows > 0 {
            tracing::info!(rows, "what was old is deleted");
        }
    }
}

/// Seconds since 1970.
fn now() -> i64 {
    let since = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

impl Failure for DecodeError {
    fn label(&self) -> &'static str {
        self.label()
    }

    fn retry(&self) -> bool {
        self.retry()
    }
}

impl Failure for StoreError {
    fn label(&self) -> &'static str {
        self.label()
    }

    fn retry(&self) -> bool {
        self.retry()
    }
}
