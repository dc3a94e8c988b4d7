//! The registry: which bots are connected. Every change of it is made here.
//!
//! In: the operator's commands and the console; ingress, when a code gets its first good answer.
//! Out: rows of SQL (`registry/statements.rs`), and with each change, in the same transaction, a
//! row of the outbox (`registry/change.rs`), which `outbox.rs` publishes.
//! Invariant: a change is done whole, with a version above all earlier ones, or not at all; a bot
//! id is connected once at a time. While the database is away every change fails with an error
//! that may be retried; what is known already is served by the directory all the same.

mod add;
mod alter;
mod bind;
pub(crate) mod change;
mod error;
mod read;
mod row;
mod standing;
pub mod statements;
mod token;
mod webhook;

use gramtap_database::Database;

use crate::Keys;

pub use add::NewTenant;
pub use alter::Alter;
pub use bind::Binding;
pub use error::RegistryError;
pub use standing::{FailedAttempt, StandingRow, WebhookStanding};
pub use webhook::{HOOK_OVERLAP, Taken};

/// The registry. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Registry {
    database: Database,
    keys: Keys,
}

impl Registry {
    /// The registry in this database; tokens are sealed with these keys.
    #[must_use]
    pub fn new(database: Database, keys: Keys) -> Self {
        Self { database, keys }
    }

    /// The database behind it.
    #[must_use]
    pub fn database(&self) -> &Database {
        &self.database
    }
}
