//! Keeps the sums: in SQL, each record counted exactly once.
//!
//! In: events.v1, errors.v1, deliveries.v1 and inbox.dead.v1, read by `follow.rs`, folded by `fold/`. Out: the tables of migrations 2 and 6, to
//! `query/`. The way of a batch: `offsets.rs` says where to read on → `apply.rs` claims the offsets and adds the
//! sums in one transaction: labels within the day's bounds (`admit.rs`), sums (`write.rs`), histograms (`latency.rs`), users, and the
//! audience of each date (`people.rs`, `audience.rs`), deliveries (`deliveries.rs`). `zones.rs` sets a bot's time zone, `refold.rs` counts a
//! window again, `retention.rs` deletes what is old. Invariant: sums and offsets move together or not at all; a
//! partition's offset moves only from where this process read it, so of two owners one changes nothing.
//! SQL away: nothing moves and reading waits; the log keeps what is to be counted.

mod admit;
mod apply;
mod audience;
mod deliveries;
mod error;
pub mod follow;
mod latency;
mod offsets;
mod people;
pub mod refold;
pub mod retention;
mod write;
pub mod zones;

pub use apply::{Applied, Batch};
pub use error::StoreError;

use gramtap_database::{Bulk, Database, Statement};

/// The sums. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    database: Database,
    limits: Limits,
}

/// What bounds the sums.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Different commands of one bot and day, and as many different buttons, sources, methods, pollers, groups of
    /// errors; what comes after is counted together.
    pub labels: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { labels: 1_000 }
    }
}

impl Store {
    /// Keeps sums in a database.
    #[must_use]
    pub fn new(database: Database, limits: Limits) -> Self {
        Self { database, limits }
    }

    /// Where the sums are.
    #[must_use]
    pub fn database(&self) -> &Database {
        &self.database
    }
}

/// All statements, to be checked against both engines.
pub fn statements() -> impl Iterator<Item = &'static Statement> {
    let bulks: [&[&'static Bulk]; 6] = [
        &admit::BULKS,
        &deliveries::BULKS,
        &latency::BULKS,
        &offsets::BULKS,
        &people::BULKS,
        &write::BULKS,
    ];
    let single: [&[&'static Statement]; 7] = [
        &admit::STATEMENTS,
        &apply::STATEMENTS,
        &audience::STATEMENTS,
        &offsets::STATEMENTS,
        &refold::STATEMENTS,
        &write::STATEMENTS,
        &zones::STATEMENTS,
    ];
    let bulks = bulks
        .into_iter()
        .flatten()
        .flat_map(|bulk| bulk.statements());
    bulks
        .chain(single.into_iter().flatten().copied())
        .chain(retention::statements())
}
