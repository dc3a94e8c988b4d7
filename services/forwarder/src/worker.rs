//! What deliveries share: connections, endpoints, the registry, the keys.
//!
//! In: `app.rs` makes one for each life of the forwarder. Out: read by every courier. Invariant: never leaves its thread. Overloaded: the
//! pool refuses, which costs an update no attempt. Dies with its life, and its connections with it.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use gramtap_endpoint::{Endpoint, EndpointError, Endpoints};
use gramtap_events::{Mint, TenantId};
use gramtap_outbound::guard::Policy;
use gramtap_outbound::{OutboundConfig, Pool, Upstream};
use gramtap_telegram::{Queue, Token};
use gramtap_tenants::{Directory, Keys, Registry, RegistryError, Tenant};
use tokio::sync::{Mutex, OwnedMutexGuard, Semaphore};

/// Tokens that are kept at hand.
const TOKENS: usize = 4_096;
/// Queues of which turns are remembered before those that nobody waits for are forgotten.
const TURNS: usize = 4_096;

/// What one is made of.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) outbound: OutboundConfig,
    pub(crate) policy: Arc<Policy>,
    pub(crate) directory: Directory,
    pub(crate) keys: Keys,
    pub(crate) mint: Arc<Mint>,
    pub(crate) deadline: Duration,
    pub(crate) telegram: Upstream,
    pub(crate) registry: Registry,
    /// KiB of answers that may be held together, beyond small ones.
    pub(crate) answers: usize,
}

type Turns = HashMap<(TenantId, Queue), Arc<Mutex<()>>>;

/// What deliveries share.
pub(crate) struct Worker {
    pub(crate) pool: Pool,
    pub(crate) shared: Shared,
    endpoints: RefCell<Endpoints>,
    /// By bot, as of a version of the registry.
    tokens: RefCell<HashMap<TenantId, (u64, Option<Token>)>>,
    /// Who executes a method for a queue of a bot now, and who comes next.
    turns: RefCell<Turns>,
    pub(crate) room: Arc<Semaphore>,
}

impl Worker {
    /// One for the thread that calls this.
    pub(crate) fn start(shared: Shared) -> Self {
        Self {
            pool: Pool::start(shared.outbound),
            endpoints: RefCell::default(),
            tokens: RefCell::default(),
            turns: RefCell::default(),
            room: Arc::new(Semaphore::new(shared.answers)),
            shared,
        }
    }

    /// Where a bot takes updates.
    pub(crate) fn endpoint(&self, tenant: &Tenant) -> Result<Rc<Endpoint>, EndpointError> {
        let mut endpoints = self.endpoints.borrow_mut();
        endpoints.of(tenant, &self.shared.keys, &self.shared.policy)
    }

    /// The token of a bot, if it is stored.
    pub(crate) async fn token(&self, tenant: &Tenant) -> Result<Option<Token>, RegistryError> {
        let known = self.tokens.borrow().get(&tenant.id).cloned();
        if let Some((version, token)) = known
            && version == tenant.version
        {
            return Ok(token);
        }
        let token = self.shared.registry.token(tenant.id).await?;
        let mut tokens = self.tokens.borrow_mut();
        if tokens.len() >= TOKENS {
            tokens.clear();
        }
        tokens.insert(tenant.id, (tenant.version, token.clone()));
        Ok(token)
    }

    /// Waits until it is this answer's turn among those of its queue: first come, first served.
    pub(crate) async fn turn(&self, tenant: TenantId, queue: Queue) -> OwnedMutexGuard<()> {
        let turn = {
            let mut turns = self.turns.borrow_mut();
            // Nobody waits for these any more.
            if turns.len() >= TURNS {
                turns.retain(|_, turn| Arc::strong_count(turn) > 1);
            }
            Arc::clone(turns.entry((tenant, queue)).or_default())
        };
        turn.lock_owned().await
    }
}
