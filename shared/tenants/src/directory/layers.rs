//! What stands behind the local cache: SQL, which knows, and Redis, which remembers.
//!
//! In: keys of `resolve.rs`, the polls of `refresh.rs`. Out: tenants. Invariant: [`Truth`] answers
//! with everything it holds for a key, so that what it does not name does not exist; [`Memory`]
//! may miss or be late. Traits, so that tests can count and fail.

use futures_util::future::BoxFuture;

use super::Key;
use crate::redis::{RedisError, Remembered};
use crate::{Registry, RegistryError, Tenant};

/// SQL.
pub(crate) trait Truth: Send + Sync {
    /// All tenants that ever had one of the keys.
    fn lookup<'a>(&'a self, keys: &'a [Key]) -> Answer<'a, Vec<Tenant>>;
    /// The version of the last change.
    fn clock(&self) -> Answer<'_, u64>;
    /// What changed after a version, in order, `limit` at most.
    fn since(&self, version: u64, limit: u32) -> Answer<'_, Vec<Tenant>>;
}

pub(crate) type Answer<'a, T> = BoxFuture<'a, Result<T, RegistryError>>;

/// Redis.
pub(crate) trait Memory: Send + Sync {
    /// The tenants remembered for the keys.
    fn recall<'a>(&'a self, keys: &'a [Key]) -> BoxFuture<'a, Result<Vec<Tenant>, RedisError>>;
    /// Remembers, unless something newer is remembered.
    fn remember(&self, what: Vec<Remembered>) -> BoxFuture<'_, Result<(), RedisError>>;
    /// Whether this process is to tell it everything now.
    fn wants_all(&self) -> BoxFuture<'_, bool>;
    /// It was told everything.
    fn has_all(&self) -> BoxFuture<'_, ()>;
}

impl Truth for Registry {
    fn lookup<'a>(&'a self, keys: &'a [Key]) -> Answer<'a, Vec<Tenant>> {
        Box::pin(self.lookup(keys))
    }

    fn clock(&self) -> Answer<'_, u64> {
        Box::pin(self.clock())
    }

    fn since(&self, version: u64, limit: u32) -> Answer<'_, Vec<Tenant>> {
        Box::pin(self.since(version, limit))
    }
}
