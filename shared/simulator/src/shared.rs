//! What all connections of one simulator share.
//!
//! In: `simulator.rs`, which makes it. Out: `connection.rs`, `control.rs`. Owns the worlds, the
//! journal, and the list of open connections. Invariant: no lock is held across an await, and no two
//! at once. A panic while one is held is the simulator's bug, not its data's: the lock stays usable.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::changes::Changes;
use crate::config::SimulatorConfig;
use crate::fault::Faults;
use crate::journal::Journal;
use crate::push::deliveries::Deliveries;
use crate::route::Environment;
use crate::world::World;
use crate::world::due::Due;

/// Shared by the connections of a simulator.
pub(crate) struct Shared {
    pub(crate) config: SimulatorConfig,
    pub(crate) journal: Journal,
    pub(crate) deliveries: Deliveries,
    pub(crate) changes: Changes,
    pub(crate) faults: Faults,
    pub(crate) ca_pem: String,
    rules: Mutex<ConnectionRules>,
    worlds: [Mutex<World>; 2],
    /// Rings when there may be something to push.
    pub(crate) bell: Arc<Notify>,
    connections: Mutex<BTreeMap<u64, Arc<Connection>>>,
    next_connection: AtomicU64,
}

/// An open connection.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) id: u64,
    pub(crate) peer: SocketAddr,
    pub(crate) tls: bool,
    pub(crate) since: Duration,
    pub(crate) requests: AtomicU64,
    state: AtomicU8,
    /// Someone drives the simulator over it.
    pub(crate) control: AtomicBool,
    out: CancellationToken,
    reset: AtomicBool,
}

/// How connections end from the server's side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConnectionRules {
    /// After so many requests.
    pub close_after: Option<u64>,
    /// The last answer then says `Connection: close`; else the connection just ends behind it.
    pub announce: bool,
    /// In silence, when idle for so long.
    pub idle_close_ms: Option<u64>,
}

/// What a connection is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ConnectionState {
    /// Between requests.
    Idle,
    /// A request is arriving.
    Reading,
    /// The request is complete, its answer not yet known: a long poll, a pause.
    Waiting,
    /// The answer is being written.
    Writing,
}

impl Connection {
    /// Ends it now, whatever it is doing.
    pub(crate) fn throw_out(&self, reset: bool) {
        self.reset.store(reset, Ordering::Relaxed);
        self.out.cancel();
    }

    pub(crate) async fn thrown_out(&self) {
        self.out.cancelled().await;
    }

    pub(crate) fn by_reset(&self) -> bool {
        self.reset.load(Ordering::Relaxed)
    }

    pub(crate) fn set(&self, state: ConnectionState) {
        self.state.store(state as u8, Ordering::Relaxed);
    }

    pub(crate) fn state(&self) -> ConnectionState {
        match self.state.load(Ordering::Relaxed) {
            0 => ConnectionState::Idle,
            1 => ConnectionState::Reading,
            2 => ConnectionState::Waiting,
            _ => ConnectionState::Writing,
        }
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Worlds and journal hold people's texts and tokens.
        f.debug_struct("Shared")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

impl Shared {
    pub(crate) fn new(config: SimulatorConfig, ca_pem: String) -> Self {
        let bell = Arc::new(Notify::new());
        let world = || Mutex::new(empty(&config, &bell));
        let changes = Changes::new();
        Self {
            worlds: [world(), world()],
            bell,
            journal: Journal::new(config.capture.clone(), changes.clone()),
            deliveries: Deliveries::new(config.capture.clone(), changes.clone()),
            faults: Faults::default(),
            rules: Mutex::default(),
            changes,
            ca_pem,
            connections: Mutex::default(),
            next_connection: AtomicU64::new(1),
            config,
        }
    }

    /// One of Telegram's two worlds.
    pub(crate) fn world(&self, environment: Environment) -> MutexGuard<'_, World> {
        let at = usize::from(environment == Environment::Test);
        self.worlds[at]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins an environment anew; gives what it was.
    pub(crate) fn renew(&self, environment: Environment) -> World {
        let fresh = empty(&self.config, &self.bell);
        std::mem::replace(&mut *self.world(environment), fresh)
    }

    /// How connections end now.
    pub(crate) fn connection_rules(&self) -> ConnectionRules {
        *self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From the next request on.
    pub(crate) fn set_connection_rules(&self, rules: ConnectionRules) {
        *self.rules.lock().unwrap_or_else(PoisonError::into_inner) = rules;
    }

    /// A connection was opened; it is listed until the guard is dropped.
    pub(crate) fn open(self: &Arc<Self>, peer: SocketAddr, tls: bool) -> Listed {
        let connection = Arc::new(Connection {
            id: self.next_connection.fetch_add(1, Ordering::Relaxed),
            peer,
            tls,
            since: self.config.clock.now(),
            requests: AtomicU64::new(0),
            state: AtomicU8::new(ConnectionState::Idle as u8),
            control: AtomicBool::new(false),
            out: CancellationToken::new(),
            reset: AtomicBool::new(false),
        });
        self.listed().insert(connection.id, Arc::clone(&connection));
        self.changes.tell();
        Listed {
            shared: Arc::clone(self),
            connection,
        }
    }

    /// All open connections.
    pub(crate) fn connections(&self) -> Vec<Arc<Connection>> {
        self.listed().values().cloned().collect()
    }

    fn listed(&self) -> MutexGuard<'_, BTreeMap<u64, Arc<Connection>>> {
        self.connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn empty(config: &SimulatorConfig, bell: &Arc<Notify>) -> World {
    let due = Due::new(Arc::clone(bell));
    World::new(config.accept_any_chat, config.file_bytes, due)
}

/// An entry in the list of open connections.
pub(crate) struct Listed {
    shared: Arc<Shared>,
    pub(crate) connection: Arc<Connection>,
}

impl Drop for Listed {
    fn drop(&mut self) {
        self.shared.listed().remove(&self.connection.id);
        self.shared.changes.tell();
    }
}
