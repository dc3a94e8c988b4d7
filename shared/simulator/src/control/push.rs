//! Shows what is pushed to webhooks: what was tried, what waits, when it goes again.
//!
//! In: the worlds and the deliveries (`push/deliveries.rs`). Out: copies, for tests and
//! `control/http.rs`. Invariant: looking changes nothing, and waits only where it says so; bytes are
//! shown as base64, the parsed view beside them is for reading.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Control, ControlError, DeliveryFilter, WaitingQueue, WebhookState};
use crate::json::{Object, Raw};
use crate::push::deliveries::Delivery;

impl Control {
    /// The deliveries that fit, oldest first.
    #[must_use]
    pub fn deliveries(&self, filter: &DeliveryFilter) -> Vec<Delivery> {
        let own = |one: &Delivery| one.environment == self.environment && filter.fits(one);
        self.shared.deliveries.list(own)
    }

    /// Waits until at least `count` deliveries fit; gives those there are when the time is over.
    pub async fn wait_for_deliveries(
        &self,
        filter: &DeliveryFilter,
        count: usize,
        at_most: Duration,
    ) -> Vec<Delivery> {
        let enough = |control: &Self| {
            let own = |one: &Delivery| one.environment == control.environment && filter.fits(one);
            (control.shared.deliveries.count(own) >= count).then_some(())
        };
        // Either way the caller gets what there is.
        self.wait_for(enough, at_most).await;
        self.deliveries(filter)
    }

    /// How a bot's webhook stands.
    ///
    /// # Errors
    ///
    /// If there is no such bot.
    pub fn webhook(&self, bot: i64) -> Result<WebhookState, ControlError> {
        let now = self.clock().now();
        self.world(|world| {
            let known = world.bots.get_mut(&bot).ok_or(ControlError::Bot(bot))?;
            let pending_updates = known.polling.queue().pending(now);
            let expired_updates = known.polling.queue().expired();
            let overview = known.polling.overview();
            let lanes = overview.iter().flat_map(|one| &one.lanes);
            let queues: Vec<WaitingQueue> = lanes.map(WaitingQueue::of).collect();
            Ok(WebhookState {
                set: known.polling.webhook().is_set(),
                pending_updates,
                expired_updates,
                connections: overview.as_ref().map_or(0, |one| one.connections),
                in_flight: overview.as_ref().map_or(0, |one| one.in_flight),
                next_attempt: queues.iter().filter_map(|queue| queue.next_attempt).min(),
                queues,
            })
        })
    }
}

/// A webhook's state.
pub(super) fn webhook(state: &WebhookState) -> Raw {
    let queues: Vec<Raw> = state
        .queues
        .iter()
        .map(|queue| {
            Object::new()
                .put("queue", &queue.queue)
                .put("updates", &queue.updates)
                .put("attempt", &queue.attempt)
                .put("in_flight", &queue.next_attempt.is_none())
                .put("next_attempt_ms", &queue.next_attempt.map(millis))
                .end()
        })
        .collect();
    Object::new()
        .put("set", &state.set)
        .put("pending_updates", &state.pending_updates)
        .put("expired_updates", &state.expired_updates)
        .put("connections", &state.connections)
        .put("in_flight", &state.in_flight)
        .put("next_attempt_ms", &state.next_attempt.map(millis))
        .raw("queues", &Raw::array(&queues))
        .end()
}

/// A delivery with everything that is known of it; `bytes`: also what was sent and answered.
pub(super) fn delivery(one: &Delivery, bytes: bool) -> Raw {
    let mut object = Object::new()
        .put("id", &one.id)
        .put("bot", &one.bot)
        .put("environment", &one.environment)
        .put("update_id", &one.update_id)
        .put("kind", &one.kind)
        .put("queue", &one.queue)
        .put("attempt", &one.attempt)
        .put("connection", &one.connection)
        .put("sent_ms", &millis(one.sent))
        .put("status", &one.status)
        .put("error", &one.error)
        .put("ended_ms", &one.ended.map(millis))
        .put("performed", &one.performed);
    if bytes {
        object = object
            .put("request_base64", &STANDARD.encode(&one.request))
            .put("head_base64", &STANDARD.encode(&one.head))
            .put("body_base64", &STANDARD.encode(&one.body));
    }
    object.end()
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
