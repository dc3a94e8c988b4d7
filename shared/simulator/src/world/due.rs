//! Bots whose pushes are to be looked at.
//!
//! In: whatever may change what a webhook is to get: updates, setWebhook, answers. Out: their ids,
//! for `push/postman.rs`, which the bell wakes. Invariant: a bot is noted before the bell rings.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::sync::Notify;

/// The bots of one environment.
#[derive(Default)]
pub(crate) struct Due {
    bots: BTreeSet<i64>,
    bell: Arc<Notify>,
}

impl Due {
    pub(crate) fn new(bell: Arc<Notify>) -> Self {
        Self {
            bots: BTreeSet::new(),
            bell,
        }
    }

    /// Something has changed for a bot.
    pub(crate) fn touch(&mut self, bot: i64) {
        self.bots.insert(bot);
        self.bell.notify_one();
    }

    /// All that were noted.
    pub(crate) fn take(&mut self) -> BTreeSet<i64> {
        std::mem::take(&mut self.bots)
    }
}
