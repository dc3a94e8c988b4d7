//! Every push that was tried, and what came of it.
//!
//! In: attempts as they begin and end (`courier.rs`). Out: [`Delivery`] for the control API.
//! Invariant: what was sent and what was answered are kept byte for byte, framing included; an
//! attempt that is broken off ends too. Bounded like the journal, and switched off with it.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use gramtap_telegram::Queue;
use serde::Serialize;

use super::exchange::Heard;
use crate::changes::Changes;
use crate::config::CaptureConfig;
use crate::journal::CapturedFile;
use crate::route::Environment;
use crate::shared::Shared;
use crate::shelf::Shelf;

/// One attempt to push an update.
#[derive(Clone)]
pub struct Delivery {
    /// Counts up from 1 over all webhooks.
    pub id: u64,
    /// Which of Telegram's two worlds.
    pub environment: Environment,
    /// Whose webhook.
    pub bot: i64,
    /// Of the update.
    pub update_id: i64,
    /// Of the update: `message`.
    pub kind: String,
    /// The serial queue it waits in.
    pub queue: Queue,
    /// From 1.
    pub attempt: u32,
    /// Counts up from 1 per bot.
    pub connection: u64,
    /// Head and body as sent.
    pub request: Bytes,
    /// When, in the clock's time.
    pub sent: Duration,
    /// The head of the answer, with the empty line.
    pub head: Bytes,
    /// The body of the answer with its framing, at most as much as is kept.
    pub body: Bytes,
    /// Of the answer; none if none came whole.
    pub status: Option<u16>,
    /// Why it failed: what getWebhookInfo shows.
    pub error: Option<String>,
    /// When the answer was complete, or given up.
    pub ended: Option<Duration>,
    /// What the answer asked for.
    pub performed: Option<Performed>,
}

/// A method in an answer, and what came of it. Telegram tells nobody.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Performed {
    /// In lower case.
    pub method: String,
    /// As in a call, `method` among them.
    pub arguments: Vec<(String, String)>,
    /// The files in it.
    pub files: Vec<CapturedFile>,
    /// Whether it succeeded.
    pub ok: bool,
    /// What a call would have been answered.
    pub answer: String,
}

/// All of them.
pub(crate) struct Deliveries {
    config: CaptureConfig,
    shelf: Mutex<Shelf<Delivery>>,
    changes: Changes,
}

/// An attempt under way. Dropped before its end, it was broken off.
pub(crate) struct Underway {
    shared: Arc<Shared>,
    id: u64,
    era: u64,
    ended: bool,
}

impl Deliveries {
    pub(crate) fn new(config: CaptureConfig, changes: Changes) -> Self {
        Self {
            shelf: Mutex::new(Shelf::new(config.requests, config.bytes)),
            config,
            changes,
        }
    }

    /// Those that fit, oldest first.
    pub(crate) fn list(&self, fits: impl Fn(&Delivery) -> bool) -> Vec<Delivery> {
        let shelf = self.lock();
        shelf.iter().filter(|one| fits(one)).cloned().collect()
    }

    /// How many fit.
    pub(crate) fn count(&self, fits: impl Fn(&Delivery) -> bool) -> usize {
        self.lock().iter().filter(|one| fits(one)).count()
    }

    /// Forgets all; numbers start again.
    pub(crate) fn clear(&self) {
        self.lock().clear();
        self.changes.tell();
    }

    fn lock(&self) -> MutexGuard<'_, Shelf<Delivery>> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Underway {
    /// An attempt begins.
    pub(crate) fn begin(shared: &Arc<Shared>, delivery: Delivery) -> Self {
        let all = &shared.deliveries;
        let mut shelf = all.lock();
        let id = if all.config.enabled {
            shelf.add(delivery.request.len(), |id| Delivery { id, ..delivery })
        } else {
            shelf.skip()
        };
        let era = shelf.era();
        drop(shelf);
        all.changes.tell();
        Self {
            shared: Arc::clone(shared),
            id,
            era,
            ended: false,
        }
    }

    /// It has ended.
    pub(crate) fn end(
        mut self,
        heard: Heard,
        status: Option<u16>,
        error: Option<String>,
        performed: Option<Performed>,
    ) {
        self.ended = true;
        self.finish(|delivery| {
            delivery.head = heard.head;
            delivery.body = heard.body.into();
            delivery.status = status;
            delivery.error = error;
            delivery.performed = performed;
        });
    }

    fn finish(&self, finish: impl FnOnce(&mut Delivery)) {
        let (all, now) = (&self.shared.deliveries, self.shared.config.clock.now());
        let mut shelf = all.lock();
        // After a reset the number may be another's.
        let own = shelf.era() == self.era;
        if let Some(delivery) = shelf.get(self.id).filter(|_| own) {
            finish(delivery);
            delivery.ended = Some(now);
            let grown = delivery.head.len() + delivery.body.len();
            shelf.grow(self.id, grown);
        }
        drop(shelf);
        all.changes.tell();
    }
}

impl Drop for Underway {
    fn drop(&mut self) {
        if !self.ended {
            let error = "broken off: the webhook is not set any more".to_owned();
            self.finish(|delivery| delivery.error = Some(error));
        }
    }
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Bytes, queue and error may hold secrets and people's words.
        f.debug_struct("Delivery")
            .field("id", &self.id)
            .field("bot", &self.bot)
            .field("update_id", &self.update_id)
            .field("attempt", &self.attempt)
            .field("connection", &self.connection)
            .field("status", &self.status)
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Performed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Performed")
            .field("ok", &self.ok)
            .finish_non_exhaustive()
    }
}
