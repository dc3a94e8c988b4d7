//! The wiring of ingress: what is made, in which order, and how it ends.
//!
//! In: a [`Config`], and the parts that a process shares between its services. Out: a running
//! [`Ingress`]. Invariant: it starts while Kafka, Redis and SQL are away; it ends in the order of
//! the data's way, each step with a budget: not ready, calls, listener, folds, records.
//!
//! The bounds, in one table:
//!
//! | what waits | bound | beyond it |
//! |---|---|---|
//! | connections to Telegram, a worker | `outbound.max_connections` | 503 `pool_full` |
//! | calls with unverified tokens, a token | `ingress.unverified_limit` | wait, then 429 |
//! | copies of bodies, a worker | `capture.worker_budget` | cut, counted |
//! | updates that wait for the bus's word | `ingress.inbox_limit` | relayed, counted |
//! | records in the batcher's mailbox | 16,384 lots, 64 MiB | lost, counted |
//! | records at the bus | `capture.memory_limit` | disk |
//! | records on disk | `capture.spool_limit` | memory |
//! | records that no disk takes | `capture.memory_limit` | lost, counted |

use std::net::{SocketAddr, TcpListener};
use std::process::ExitCode;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_http::Request;
use actix_web::dev::ServerHandle;
use anyhow::Context as _;
use futures_util::future;
use gramtap_actors::{
    Drain, Durable, Group, InFlight, Kept, Policy, Stage, keep_on_thread, spawn, spawn_local,
};
use gramtap_events::Mint;
use gramtap_process::{Parts, Process, epoch, host_name};
use gramtap_settings::ByteSize;
use gramtap_telemetry::Probes;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::accept::{call, listener, tls};
use crate::config::Config;
use crate::publish::batcher::{Batcher, Close, Enqueue, Recipe};
use crate::publish::estate::Estate;
use crate::publish::gaps::Gaps;
use crate::publish::inbox::{Bounds, Inbox};
use crate::publish::publisher::Publisher;
use crate::worker::{CALLS, LATE_CALLS, Shared, Worker};

/// Lots of records that wait for the batcher.
const MAILBOX: usize = 16_384;
/// How long new connections are still served after the process has said that it is not ready:
/// balancers need that long to notice.
const NOTICE: Duration = Duration::from_secs(2);
/// How long connections that ask nothing are waited for, so that no request meets a closing one.
const QUIET: Duration = Duration::from_secs(5);
/// What answers may take at least that are under way when the listener closes.
const FINISH: Duration = Duration::from_secs(3);
/// What flushing the records may take.
const FLUSH: Duration = Duration::from_secs(10);

/// Runs ingress as the one service of the process, until a signal ends it.
///
/// # Errors
/// It cannot start as configured.
pub async fn run(config: Config) -> anyhow::Result<ExitCode> {
    let process = Process::open(&config.process, "ingress").await?;
    let ingress = Ingress::start(&config, process.parts.clone())?;
    process.ready().await?;
    Ok(process
        .end(reload, future::pending(), ingress.drain())
        .await)
}

/// Reads again what SIGHUP is for.
pub fn reload() {
    tls::reload();
}

/// Ingress, running.
pub struct Ingress {
    address: SocketAddr,
    server: ServerHandle,
    publisher: Publisher,
    batcher: Kept<Batcher>,
    close: Durable<Close>,
    ends: Ends,
    drain: Drain,
    probes: Probes,
    budget: Duration,
}

/// What the end waits for.
#[derive(Clone)]
struct Ends {
    calls: Group,
    late_calls: Group,
    connections: Group,
    folds: Group,
    closing: CancellationToken,
}

impl Ingress {
    /// Binds the listener and starts to serve.
    ///
    /// # Errors
    /// The address is taken, a certificate cannot be read.
    pub fn start(config: &Config, parts: Parts) -> anyhow::Result<Self> {
        let listener = listen(config.ingress.listen)?;
        let address = listener.local_addr()?;
        let mint = Arc::new(Mint::new(&instance(), epoch()));
        let gaps = Arc::new(Gaps::default());
        let recipe = recipe(config, &parts, &mint, &gaps);
        let batcher = keep_on_thread("batcher", Policy::default(), move || Batcher::new(&recipe));
        let publisher = Publisher::new(batcher.lossy::<Enqueue>(MAILBOX), gaps);
        drop(spawn("hand_over", publisher.clone().run()));
        let ends = Ends {
            calls: parts.drain.group(CALLS),
            late_calls: parts.drain.group(LATE_CALLS),
            connections: parts.drain.group("connections"),
            folds: parts.drain.group("folds"),
            closing: CancellationToken::new(),
        };
        let bounds = Bounds {
            bytes: bytes(config.ingress.inbox_limit),
            slow: config.ingress.inbox_patience,
        };
        let inbox = Inbox::new(&parts.bus, parts.keys.clone(), Arc::clone(&mint), bounds);
        drop(spawn("inbox_warm", inbox.clone().warm()));
        let shared = Arc::new(Shared::new(config, &parts, mint, publisher.clone(), inbox));
        let server = serve(config, listener, shared, &ends)?;
        let handle = server.handle();
        drop(spawn("ingress", server));
        Ok(Self {
            address,
            server: handle,
            close: batcher.durable::<Close>(1),
            publisher,
            batcher,
            ends,
            drain: parts.drain,
            probes: parts.probes,
            budget: config.ingress.drain_timeout,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends it in order. Whether every step was done within its budget.
    pub async fn drain(self) -> bool {
        let Self {
            server,
            publisher,
            batcher,
            close,
            ends,
            drain,
            probes,
            budget,
            ..
        } = self;
        probes.drain();
        let (calls, late) = (ends.clone(), ends.late_calls.clone());
        let until = Instant::now() + budget;
        let stages = vec![
            Stage::new("calls", budget + FINISH, async move {
                calls_end(&calls, until).await;
            }),
            Stage::new("listener", budget + FINISH, async move {
                // Connections that ask nothing are closed, the others after their answer.
                let until = until.max(Instant::now() + FINISH);
                timeout_at(until, server.stop(true)).await.ok();
                if late.count() > 0 {
                    tracing::warn!(calls = late.count(), "late calls are cut short");
                }
            }),
            Stage::new("folds", Duration::from_secs(2), async move {
                ends.closing.cancel();
                ends.folds.wait_idle(Duration::from_secs(2)).await.ok();
            }),
            Stage::new("records", FLUSH + Duration::from_secs(2), async move {
                publisher.flush();
                if let Err(undelivered) = close
                    .deliver(Close { within: FLUSH }, FLUSH + Duration::from_secs(1))
                    .await
                {
                    tracing::error!(reason = undelivered.label(), "the batcher was not closed");
                }
                batcher.stop().await;
            }),
        ];
        drain.run(stages).await.failed.is_empty()
    }
}

/// Polls end at once by themselves (`relay/exchange.rs`); the other calls that had begun are waited
/// for. Then those who have not noticed yet have some time: each answer tells them to connect
/// elsewhere. Where there is no elsewhere they come back for ever, so they are not waited for.
async fn calls_end(ends: &Ends, until: Instant) {
    sleep(NOTICE).await;
    let left = until.saturating_duration_since(Instant::now());
    if let Err(busy) = ends.calls.wait_idle(left).await {
        tracing::warn!(%busy, "calls are cut short");
        return;
    }
    let quiet = QUIET.min(until.saturating_duration_since(Instant::now()));
    let connections = ends.connections.wait_idle(quiet);
    let late_calls = ends.late_calls.wait_idle(quiet);
    // Whoever is still there is the listener's affair.
    let (connections, late_calls) = future::join(connections, late_calls).await;
    connections.and(late_calls).ok();
}

/// A worker's folds of empty polls. The listener's end takes the worker's thread with it, so they
/// are told when its tasks are dropped; the end of the process waits for that.
struct OpenFolds {
    worker: Rc<Worker>,
    _told: InFlight,
}

impl Drop for OpenFolds {
    fn drop(&mut self) {
        self.worker.tell_folds(true);
    }
}

fn serve(
    config: &Config,
    listener: TcpListener,
    shared: Arc<Shared>,
    ends: &Ends,
) -> anyhow::Result<actix_web::dev::Server> {
    let settings = &config.ingress;
    let connections = ends.connections.clone();
    let (folds, closing) = (ends.folds.clone(), ends.closing.clone());
    let app = move || {
        let worker = Rc::new(Worker::start(&shared));
        let folds = OpenFolds {
            worker: Rc::clone(&worker),
            _told: folds.enter(),
        };
        let closing = closing.clone();
        drop(spawn_local("poll_folds", async move {
            folds.worker.tell_folds_until(closing).await;
        }));
        move |request: Request| call::serve(Rc::clone(&worker), request)
    };
    let tls = tls::config(settings)?;
    let finish = settings.drain_timeout.max(FINISH);
    Ok(listener::serve(
        settings,
        listener,
        tls,
        finish,
        connections,
        app,
    )?)
}

fn recipe(config: &Config, parts: &Parts, mint: &Arc<Mint>, gaps: &Arc<Gaps>) -> Recipe {
    let capture = &config.capture;
    Recipe {
        bus: parts.bus.clone(),
        folder: config.process.data_dir.clone(),
        linger: capture.flush_interval,
        memory: bytes(capture.memory_limit),
        disk: capture.spool_limit.as_u64(),
        rate: capture.spool_rate,
        gaps: Arc::clone(gaps),
        mint: Arc::clone(mint),
        estate: Estate::default(),
    }
}

fn bytes(size: ByteSize) -> usize {
    usize::try_from(size.as_u64()).unwrap_or(usize::MAX)
}

/// A listener that a restarted process can bind at once.
fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let socket = socket2::Socket::new(
        socket2::Domain::for_address(address),
        socket2::Type::STREAM,
        None,
    )?;
    socket.set_reuse_address(true)?;
    socket
        .bind(&address.into())
        .with_context(|| format!("{address} cannot be listened on (ingress.listen)"))?;
    socket.listen(4096)?;
    Ok(socket.into())
}

/// The stable part of a record's id: the host's name, and the process's number for those that
/// share one.
fn instance() -> String {
    format!("{}.{}", host_name(), std::process::id())
}
