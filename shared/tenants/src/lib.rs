//! The registry of connected bots, and the directory that finds them on the way of every call.
//!
//! The way of a change: an operator's command → `registry.rs` makes a [`Tenant`] (`model.rs`) with
//! a [`Code`] (`code.rs`), in one transaction with a row of the outbox → `outbox.rs` publishes the
//! row to `tenants.v1` → every directory follows. What waits for a bot's webhook changes too often for that, and is a table of its own
//! (`registry/standing.rs`).
//! The way of a look-up: a [`Key`] from ingress → `directory.rs`: the local cache
//! (`directory/cache.rs`), then Redis (`redis.rs`), then SQL → [`Lookup`]. `keys.rs` holds the
//! installation key, which seals tokens, and a [`Webhook`] (`webhook.rs`), whose address has a [`Hook`] (`hook.rs`). `config.rs` opens it all from the settings. What people are told:
//! `address.rs` knows the addresses of a bot, `recipes.rs` how to set one in each library.
//!
//! Invariant: a bot that is known stays served while SQL and Redis are away, and no call is refused
//! because the registry could not be asked: what is not known then is [`Lookup::Unreachable`].

mod address;
mod code;
mod config;
mod directory;
mod hook;
mod keys;
mod model;
mod outbox;
pub mod recipes;
mod redis;
pub mod registry;
mod webhook;

pub use address::Addresses;
pub use code::{Code, CodeError, RandomError};
pub use config::{OpenError, Opened, TenantsConfig};
pub use directory::{Directory, Key, Lookup, Refreshing};
pub use hook::{Hook, HookError, HookHash};
pub use keys::{Keys, KeysError, Part, Place, SecretsSection};
pub use model::{Former, GRACE, Standing, Tenant};
pub use redis::{Redis, RedisError, RedisSection};
pub use registry::{
    Alter, Binding, FailedAttempt, HOOK_OVERLAP, NewTenant, Registry, RegistryError, StandingRow,
    Taken, WebhookStanding,
};
pub use webhook::{SealedWebhook, Webhook, WebhookError};
