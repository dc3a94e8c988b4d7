//! Forgets what nobody needs any more: published changes, bots that were removed long ago.
//!
//! In: `outbox.rs`, once an hour. Out: fewer rows. Invariant: what is not published is never
//! forgotten. It fails when SQL is away, and is done an hour later.

use std::time::Duration;

use gramtap_events::Moment;
use tokio::time::Instant;

use super::Publisher;
use crate::registry::statements::{FORGET, STANDING_FORGET, SWEEP};

const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// How long published changes are kept.
const CHANGES: Duration = DAY.saturating_mul(7);
/// How long removed bots are kept.
const REMOVED: Duration = DAY.saturating_mul(90);

impl Publisher {
    pub(super) async fn sweep_sometimes(&mut self) {
        let now = Instant::now();
        if self.swept.is_some_and(|swept| now - swept < HOUR) {
            return;
        }
        self.swept = Some(now);
        self.sweep(Moment::now()).await;
    }

    pub(super) async fn sweep(&self, now: Moment) {
        let before = |kept| vec![Moment::from(now.time() - kept).to_string().into()];
        for (statement, values) in [
            (&SWEEP, before(CHANGES)),
            (&FORGET, before(REMOVED)),
            (&STANDING_FORGET, Vec::new()),
        ] {
            match self.database.execute(statement, &values).await {
                Ok(0) => {}
                Ok(rows) => tracing::debug!(statement = statement.name, rows, "old rows forgotten"),
                Err(error) => tracing::debug!(%error, "old rows are not forgotten for now"),
            }
        }
    }
}
