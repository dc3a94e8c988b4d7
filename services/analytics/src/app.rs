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

use std::fmt;
use std::io::Write as _;
use std::net::{SocketAddr, TcpListener};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use gramtap_actors::{Drain, Stage, Task, spawn};
use gramtap_database::Database;
use gramtap_process::{Failure, Kept, Parts, Process, keep, reachable};
use gramtap_telemetry::Probes;
use tokio::time::{interval, sleep};

use crate::config::Config;
use crate::consume::{self, DecodeError};
use crate::replay;
use crate::serve::door::{self, Door};
use crate::serve::site::system_clock;
use crate::serve::{Console, LinkError, Site, guest_link, owner_link};
use crate::store::follow::{FollowOptions, follow};
use crate::store::retention::Keep;
use crate::store::{Limits, Store, StoreError};

/// What decode's last commit and leaving the group may take.
const DECODE: Duration = Duration::from_secs(30);
/// What adding what was read to the sums may take.
const SUMS: Duration = Duration::from_secs(15);
/// What the dead letters that are just being replayed may take.
const REPLAYS: Duration = Duration::from_secs(5);
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
    if let Some(welcome) = analytics.welcome().await {
        // Numbers are counted whether or not anybody reads this.
        write!(std::io::stdout(), "{welcome}").ok();
    }
    let failed = analytics.failed();
    let over = async {
        failed.await;
        false
    };
    Ok(process.end(|| {}, over, analytics.drain()).await)
}

/// Analytics, running.
pub struct Analytics {
    console: Option<Console>,
    database: Database,
    decode: Kept,
    sums: Kept,
    replays: Kept,
    sweep: Task<()>,
    drain: Drain,
    probes: Probes,
}

impl Analytics {
    /// Begins to decode, to count and to delete what is old.
    ///
    /// # Errors
    /// The system gives no threads; the console's address is taken.
    pub fn start(config: &Config, parts: &Parts) -> anyhow::Result<Self> {
        let limits = Limits {
            labels: config.labels,
        };
        let store = Store::new(parts.registry.database().clone(), limits);
        let sweep = spawn("sweep", sweep(store.clone(), config.keep));
        let console = match config.console.listen {
            Some(listen) => Some(console(config, listen, parts, store.clone())?),
            None => None,
        };
        Ok(Self {
            console,
            decode: decode(config, parts)?,
            sums: sums(config, parts, store)?,
            replays: replays(parts)?,
            sweep,
            database: parts.registry.database().clone(),
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

    /// Where people find the console, and how its first owner comes in, if there is none yet. None: there is no console.
    pub async fn welcome(&self) -> Option<Welcome> {
        let url = self.console.as_ref()?.url();
        let link = owner_link(&self.database, url).await;
        Some(Welcome {
            url: url.to_owned(),
            link: link.unwrap_or_else(|error| {
                tracing::warn!(%error, "no link for the console's owner, `gramtap console link` makes one later");
                None
            }),
        })
    }

    /// Where people find the console, with a link that lets in whoever has it. None: there is no console.
    pub async fn guest(&self) -> Option<Result<String, LinkError>> {
        let url = self.console.as_ref()?.url();
        Some(guest_link(&self.database, url).await)
    }

    /// Ends it in order. Whether every step was done within its budget.
    pub async fn drain(self) -> bool {
        self.probes.drain();
        if let Some(console) = self.console {
            console.stop().await;
        }
        self.sweep.abort();
        let (decode, sums, replays) = (self.decode, self.sums, self.replays);
        let stages = vec![
            Stage::new("replays", REPLAYS + BREATH, replays.end(REPLAYS)),
            Stage::new("decode", DECODE + BREATH, decode.end(DECODE)),
            Stage::new("sums", SUMS + BREATH, sums.end(SUMS)),
        ];
        self.drain.run(stages).await.failed.is_empty()
    }
}

/// The way to the console.
#[derive(Clone, Debug)]
pub struct Welcome {
    /// Its address.
    pub url: String,
    /// Makes its owner, once, within a day. A secret.
    pub link: Option<String>,
}

impl fmt::Display for Welcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.link {
            Some(link) => writeln!(f, "console {link}   makes its owner, once, within a day"),
            None => writeln!(f, "console {}", self.url),
        }
    }
}

fn console(
    config: &Config,
    listen: SocketAddr,
    parts: &Parts,
    store: Store,
) -> anyhow::Result<Console> {
    let listener = TcpListener::bind(listen)
        .with_context(|| format!("{listen} cannot be listened on (console.listen)"))?;
    let url = match config.console.public_url.as_str() {
        "" => format!("http://{}", reachable(listener.local_addr()?)),
        url => url.to_owned(),
    };
    let site = Site {
        store,
        registry: parts.registry.clone(),
        bus: parts.bus.clone(),
        keys: parts.keys.clone(),
        proxies: config.process.proxies.clone(),
        telegram: config.telegram.clone(),
        public_url: config.process.public_url.clone(),
        url,
        door: Door::default(),
        desk: crate::serve::desk::Desk::default(),
        webhooks: config.webhooks.clone(),
        clock: system_clock,
    };
    Ok(Console::start(listener, site)?)
}

fn decode(config: &Config, parts: &Parts) -> std::io::Result<Kept> {
    let options = consume::Options {
        window: config.decode_window,
        ..consume::Options::named(&config.instance)
    };
    let bus = parts.bus.clone();
    let source = consume::Source {
        registry: parts.registry.clone(),
        keys: parts.keys.clone(),
    };
    keep("decode", parts.probes.condition("decode"), move |stop| {
        let (bus, source, options) = (bus.clone(), source.clone(), options.clone());
        async move { consume::run(&bus, &source, &options, &stop).await }
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

fn replays(parts: &Parts) -> std::io::Result<Kept> {
    let (bus, keys) = (parts.bus.clone(), parts.keys.clone());
    let database = parts.registry.database().clone();
    keep("replays", parts.probes.condition("replays"), move |stop| {
        let (bus, database, keys) = (bus.clone(), database.clone(), keys.clone());
        async move { replay::run(&bus, &database, &keys, &stop).await }
    })
}

/// Deletes what is old, now and every hour, in bounded steps until nothing is left.
async fn sweep(store: Store, keep: Keep) {
    let mut hours = interval(SWEEP);
    loop {
        hours.tick().await;
        let mut rows = 0;
        loop {
            match swept(&store, &keep).await {
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

/// One step.
async fn swept(store: &Store, keep: &Keep) -> Result<u64, StoreError> {
    let now = system_clock();
    let sessions = door::sweep(store.database(), now, SWEPT).await?;
    Ok(sessions + store.sweep(keep, now, SWEPT).await?)
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
