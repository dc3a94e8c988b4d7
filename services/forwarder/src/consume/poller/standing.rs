//! Writing how webhooks stand.
//!
//! In: [`Standings`](crate::report::standing::Standings), every other second. Out: rows of `webhook_standing`. Invariant: nothing waits for SQL; a round
//! that fails is counted, and made again two seconds later with what is true then.

use futures_util::FutureExt as _;
use gramtap_actors::spawn_local;
use gramtap_events::{Moment, TenantId};
use gramtap_telemetry::Counter;
use gramtap_tenants::{Registry, RegistryError};

use super::Poller;
use crate::report::standing::Round;

/// What a round has read. None: it has failed.
pub(super) type Read = Option<Vec<(i32, TenantId, u64)>>;

impl Poller<'_> {
    /// Ends the round that is over, and begins the next one.
    pub(super) fn stand(&mut self) {
        match self.standing.take() {
            Some(task) if !task.is_finished() => return self.standing = Some(task),
            // A round that panicked has failed.
            Some(task) => self
                .standings
                .end(task.now_or_never().and_then(Result::ok).flatten()),
            None => {}
        }
        if let Some(round) = self.standings.begin(&self.dispatch.waiting()) {
            let (registry, round) = (self.worker.shared.registry.clone(), round.clone());
            let now = Moment::now();
            let making = async move { make(&registry, now, &round).await };
            self.standing = Some(spawn_local("standing", making));
        }
    }
}

async fn make(registry: &Registry, now: Moment, round: &Round) -> Read {
    let made: Result<_, RegistryError> = async {
        let read = registry.standing_of(&round.unread).await?;
        if !round.rows.is_empty() {
            registry.write_standing(now, &round.rows).await?;
        }
        Ok(read)
    }
    .await;
    match made {
        Ok(read) => Some(read),
        Err(error) => {
            let result = error.label();
            Counter::StandingFailed {
                by: "forwarder",
                result,
            }
            .inc();
            let (rows, partitions) = (round.rows.len(), round.unread.len());
            tracing::debug!(%error, rows, partitions, "how webhooks stand is told later");
            None
        }
    }
}
