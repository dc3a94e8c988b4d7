//! Who publishes: one process at a time.
//!
//! In: `outbox.rs`. Out: a row of `leases`. Invariant: [`Lease::is_sure`] says no as soon as this
//! process may not have been the only one since [`Lease::hold`] said yes. Clocks of machines may
//! differ; what a lease cannot rule out is made good by `outbox.rs`. Dead: another process takes it
//! after [`TERM`].

use std::future::Future;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use gramtap_database::{Database, Error};
use tokio::time::{Instant, interval_at};

use crate::registry::statements::HOLD;

/// How long it holds without being renewed.
pub(super) const TERM: Duration = Duration::from_secs(10);
/// How often it is renewed.
const RENEWAL: Duration = Duration::from_secs(3);
/// Its name.
const NAME: &str = "outbox";

pub(super) struct Lease {
    database: Database,
    /// This process, or this part of it, until it ends.
    holder: String,
    /// When it was last known to be ours, as of before the question.
    held: Option<Instant>,
    sure: bool,
}

impl Lease {
    pub(super) fn new(database: Database) -> Self {
        let holder = getrandom::u64().unwrap_or_default() ^ u64::from(std::process::id());
        Self {
            database,
            holder: format!("{holder:016x}"),
            held: None,
            sure: false,
        }
    }

    /// Takes or renews it. False: another process has it.
    pub(super) async fn hold(&mut self) -> Result<bool, Error> {
        let asked = Instant::now();
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let until = now + TERM;
        let values = [
            NAME.into(),
            self.holder.as_str().into(),
            millis(until).into(),
            millis(now).into(),
        ];
        let held = self.database.execute(&HOLD, &values).await? == 1;
        self.held = held.then_some(asked);
        self.sure = held;
        Ok(held)
    }

    /// Renews it for as long as something takes.
    pub(super) async fn held_while<T>(&mut self, what: impl Future<Output = T>) -> T {
        tokio::pin!(what);
        let mut renewals = interval_at(Instant::now() + RENEWAL, RENEWAL);
        let mut lost = false;
        let outcome = loop {
            tokio::select! {
                biased;
                outcome = &mut what => break outcome,
                _ = renewals.tick() => lost |= !self.renew().await,
            }
        };
        lost |= self.held.is_none_or(|held| held.elapsed() >= TERM);
        self.sure &= !lost;
        outcome
    }

    /// Whether it was ours all the time.
    pub(super) fn is_sure(&self) -> bool {
        self.sure
    }

    /// False: it is lost, or was for a moment.
    async fn renew(&mut self) -> bool {
        let before = self.held;
        match self.hold().await {
            Ok(held) => held && before.is_some_and(|before| before.elapsed() < TERM),
            Err(error) => {
                tracing::debug!(%error, "a lease is not renewed");
                true
            }
        }
    }
}

fn millis(since: Duration) -> i64 {
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
