//! The event of a delivery that is over, and the error of one that failed.
//!
//! In: final records of deliveries.v1; updates that could not be opened. Out: one event each, and an error for what failed, for
//! `decoder.rs`. Invariant: an attempt that is followed by another is no event; a failure has the advice of its word, whatever the
//! bot's endpoint answered. Nothing of a body is in either, and of an address scheme and host alone.

use gramtap_events::Record;
use gramtap_events::call::Origin;
use gramtap_events::delivery::{Delivery, Verdict};
use gramtap_events::event::{Event, Name, Via};
use gramtap_events::failure::Failure;
use gramtap_telegram::advice::{self, Symptom};

use super::blank::{Head, prop};
use super::calls::milliseconds;
use super::failure::group;
use super::template;

/// What such errors have for a method.
const WEBHOOK: &str = "webhook";
/// Words for what happened where no endpoint has answered, though it was called.
const ON_THE_WAY: [&str; 6] = [
    "endpoint_unresolved",
    "endpoint_unreachable",
    "endpoint_tls",
    "endpoint_broke_off",
    "endpoint_timeout",
    "endpoint_malformed",
];

/// Makes both. `props`: `attempt` (how many it took), `waited_ms` (from when the update was taken in to the end of the last attempt),
/// `endpoint`, `status`, `label`, `verdict` where it was not delivered, `reply_method` (what the endpoint's answer asked for).
pub(super) fn event(delivery: Delivery) -> (Event, Option<Failure>) {
    let is_delivered = delivery.verdict == Verdict::Delivered;
    let name = match is_delivered {
        true => Name::Delivered,
        false => Name::DeliveryFailed,
    };
    let head = Head {
        tenant: delivery.tenant,
        bot: delivery.bot,
        at: delivery.at,
    };
    let id = format!("d:{}", delivery.record.as_str());
    let mut event = head.event(name, id, Via::Webhook);
    event.update_id = delivery.update_id;
    event.update_type = Some(delivery.kind.clone());
    event.ok = Some(is_delivered);
    event.took_ms = (delivery.attempt > 0).then(|| milliseconds(delivery.took_us));
    prop(&mut event, "attempt", Some(delivery.attempt));
    prop(
        &mut event,
        "waited_ms",
        waited_us(&delivery).map(milliseconds),
    );
    prop(&mut event, "endpoint", delivery.endpoint.as_deref());
    prop(&mut event, "status", delivery.status);
    prop(&mut event, "label", delivery.label.as_deref());
    let verdict = Some(delivery.verdict.as_str()).filter(|_| !is_delivered);
    prop(&mut event, "verdict", verdict);
    prop(&mut event, "reply_method", delivery.reply_method.as_deref());
    if is_delivered {
        return (event, None);
    }
    let label = delivery
        .label
        .as_deref()
        .unwrap_or(delivery.verdict.as_str());
    let origin = match (delivery.status, label) {
        (Some(_), _) => Origin::Endpoint,
        (None, label) if ON_THE_WAY.contains(&label) => Origin::Network,
        _ => Origin::Gramtap,
    };
    let failure = failure(&mut event, label, delivery.status.map(i64::from), origin);
    (event, Some(failure))
}

/// From when an update was taken in to the end of its last attempt.
pub(super) fn waited_us(delivery: &Delivery) -> Option<u64> {
    let waited = delivery.at.since(delivery.received_at?);
    let waited = u64::try_from(waited.as_micros()).unwrap_or(u64::MAX);
    Some(waited.saturating_add(delivery.took_us))
}

/// The error of an update that could not be opened. `props` of its event: `label`.
pub(super) fn unopened(event: &mut Event, label: &str) -> Failure {
    prop(event, "label", Some(label));
    failure(event, label, None, Origin::Gramtap)
}

/// Makes the error, and fills the columns of its event that tell of it.
fn failure(event: &mut Event, label: &str, code: Option<i64>, origin: Origin) -> Failure {
    let advice = advice::of(&Symptom {
        code,
        method: WEBHOOK,
        description: None,
        label: Some(label),
    });
    let template = template::of(label);
    let group = group(event.tenant, WEBHOOK, code, &template);
    event.error_code = code;
    event.error_group = Some(group.clone());
    event.error_class = Some(advice.class);
    Failure {
        v: Failure::VERSION,
        error_id: event.event_id.clone(),
        group,
        template,
        at: event.at,
        tenant: event.tenant,
        bot: event.bot,
        origin,
        class: advice.class,
        code,
        method: WEBHOOK.to_owned(),
        description: Some(label.to_owned()),
        advice: advice.key.to_owned(),
        chat_id: None,
        user_id: None,
        update_id: event.update_id,
        client: None,
    }
}
