//! Binds a code to the first bot that Telegram accepts on it.
//!
//! In: calls answered `ok:true` on a code that is bound to no bot, from `relay/account.rs`.
//! Out: the registry. Invariant: the registry's compare-and-set decides who is first; here a
//! code is only kept from being asked for with every call until the directory knows. No call
//! waits for it; if the registry is away, a later call asks again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use gramtap_telegram::BotId;
use gramtap_tenants::{Binding, Code, Directory, Registry};

/// How long after one try the next one may come.
const PAUSE: Duration = Duration::from_secs(3);
/// Codes remembered at a time.
const BOUND: usize = 4096;

/// Shared by all workers.
#[derive(Clone)]
pub(crate) struct Binder {
    registry: Registry,
    directory: Directory,
    tried: Arc<Mutex<HashMap<Code, Instant>>>,
}

impl Binder {
    pub(crate) fn new(registry: Registry, directory: Directory) -> Self {
        Self {
            registry,
            directory,
            tried: Arc::default(),
        }
    }

    /// Asks for the code to be bound to `bot`.
    pub(crate) fn bind(&self, code: Code, bot: BotId) {
        let now = Instant::now();
        {
            let mut tried = self.tried.lock().unwrap_or_else(PoisonError::into_inner);
            if tried.len() >= BOUND {
                tried.retain(|_, at| now.duration_since(*at) < PAUSE);
            }
            match tried.get(&code) {
                Some(at) if now.duration_since(*at) < PAUSE => return,
                _ => tried.insert(code, now),
            };
        }
        let (registry, directory) = (self.registry.clone(), self.directory.clone());
        drop(gramtap_actors::spawn("bind", async move {
            match registry.bind_first(code, bot).await {
                Ok(Binding::Bound(tenant) | Binding::Already(tenant)) => directory.learn(&tenant),
                // The console shows both; the bot is served all the same.
                Ok(Binding::OtherBot(_) | Binding::OtherCode(_)) => {
                    tracing::warn!(%code, %bot, "the code was not bound, it or the bot is bound otherwise");
                }
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, %bot, "the code was not bound");
                }
            }
        }));
    }
}
