//! What is told of an attempt to pass an update on: one record of `deliveries.v1`.
//!
//! In: the update, the bot's endpoint; then its answer, or the fault. Out: a record, through the lossy lane of `publish/`. Invariant: each attempt is told
//! once, however it ends: dropped, because Telegram left or the process ends, it tells that. Only a bot that answered 2xx is said to have the update,
//! as the forwarder believes that. Of the answer only the name of a method is looked at, in [`LOOK`] bytes of JSON at most.

use std::rc::Rc;
use std::time::Instant;

use gramtap_endpoint::{Endpoint, word};
use gramtap_events::delivery::{Delivery, Verdict};
use gramtap_events::{Moment, Record as _, RecordId};
use gramtap_outbound::{Answer, Fault, Side};
use gramtap_telegram::Method;
use gramtap_telegram::queue::Head;
use gramtap_tenants::Tenant;
use serde::Deserialize;

use crate::worker::Worker;

/// Bytes of an answer that are looked at for the method it asks for.
const LOOK: usize = 64 * 1024;

/// An attempt under way.
pub(crate) struct Attempt {
    worker: Rc<Worker>,
    /// None once it is told.
    delivery: Option<Box<Delivery>>,
    began: Instant,
}

impl Attempt {
    /// Begins one. `told`: the record of the update itself.
    pub(crate) fn begin(
        worker: &Rc<Worker>,
        tenant: &Tenant,
        endpoint: &Endpoint,
        head: Head,
        told: RecordId,
    ) -> Self {
        let at = Moment::now();
        let delivery = Delivery {
            v: Delivery::VERSION,
            record: worker.mint.mint(),
            tenant: tenant.id,
            bot: tenant.bot,
            at,
            received_at: Some(at),
            inbox_record: told,
            update_id: head.update_id,
            kind: head.kind.name(),
            queue: head.queue,
            // Which one it is, only Telegram knows.
            attempt: 1,
            endpoint: Some(endpoint.shown.clone()),
            status: None,
            label: Some("sender_left".into()),
            verdict: Verdict::Retry,
            next_at: None,
            took_us: 0,
            reply_method: None,
            replay: None,
        };
        Self {
            worker: Rc::clone(worker),
            delivery: Some(Box::new(delivery)),
            began: Instant::now(),
        }
    }

    /// The bot has answered.
    pub(crate) fn answered(mut self, answer: &Answer) {
        let status = answer.head.status();
        let asks = answer.body.whole().and_then(method);
        if let Some(delivery) = &mut self.delivery {
            delivery.status = Some(status);
            delivery.reply_method = asks;
            (delivery.verdict, delivery.label) = match status {
                200..=299 => (Verdict::Delivered, None),
                _ => (Verdict::Retry, Some(word::answered(status).into())),
            };
        }
    }

    /// The bot was not reached.
    pub(crate) fn failed(mut self, fault: &Fault) {
        let label = match fault.side() {
            Side::Upstream => word::broken(fault.label()),
            Side::Downstream | Side::Internal => fault.label(),
        };
        if let Some(delivery) = &mut self.delivery {
            delivery.label = Some(label.into());
        }
    }

    /// The bot did not answer in time.
    pub(crate) fn timed_out(mut self) {
        if let Some(delivery) = &mut self.delivery {
            delivery.label = Some(word::broken("idle").into());
        }
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        if let Some(mut delivery) = self.delivery.take() {
            let took = self.began.elapsed().as_micros();
            delivery.took_us = u64::try_from(took).unwrap_or(u64::MAX);
            self.worker.publisher.publish_attempt(&delivery);
        }
    }
}

/// The method that an answer asks for.
fn method(answer: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Asks<'a> {
        #[serde(borrow)]
        method: std::borrow::Cow<'a, str>,
    }
    let answer = answer.trim_ascii_start();
    if answer.first() != Some(&b'{') || answer.len() > LOOK {
        return None;
    }
    let asks: Asks<'_> = serde_json::from_slice(answer).ok()?;
    let method = Method::named(&asks.method);
    // Anything else may be anything.
    method.is_known().then(|| method.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_known_method_of_json_is_told() {
        let long = format!(
            r#"{{"text":"{}","method":"sendMessage"}}"#,
            "x".repeat(LOOK)
        );
        for (answer, told) in [
            (
                r#"{"method":"sendMessage","chat_id":7}"#,
                Some("sendMessage"),
            ),
            (
                " {\"chat_id\":7,\"method\":\"SENDMESSAGE\"}",
                Some("sendMessage"),
            ),
            (r#"{"method":"send\u004dessage"}"#, Some("sendMessage")),
            (r#"{"method":"AAcanary"}"#, None),
            (r#"{"method":7}"#, None),
            (r#"{"method":"sendMessage""#, None),
            (r#"[{"method":"sendMessage"}]"#, None),
            ("method=sendMessage", None),
            ("", None),
            (&long, None),
        ] {
            assert_eq!(method(answer.as_bytes()).as_deref(), told, "{answer:.60}");
        }
    }
}
