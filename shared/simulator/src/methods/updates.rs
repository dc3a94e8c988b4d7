//! getUpdates and the webhook methods.
//!
//! In: their arguments. Out: the bot's `world/polling.rs`, where the rules are; whoever waits is
//! answered through their [`Waiter`]. Invariant: `allowed_updates` is remembered from call to call,
//! and changed only by a list.

use serde_json::Value;

use super::{Call, Pending};
use crate::json::Raw;
use crate::world::polling::{Ended, Outcome, PollRequest};
use crate::world::webhook::WebhookOrder;
use crate::world::{self, Waiter};

/// Performs one of the three; gives what waits now, if anything does.
pub(super) fn perform(call: &mut Call<'_>, name: &str, waiter: Waiter) -> Option<Pending> {
    let outcome = match name {
        "getupdates" => call.get_updates(waiter),
        "setwebhook" => call.set_webhook(waiter),
        _ => {
            let drop_pending = call.arguments.flag("drop_pending_updates");
            let now = call.now;
            call.me().polling.delete_webhook(drop_pending, waiter, now)
        }
    };
    world::answer(outcome.ended);
    outcome.waits.map(|wait| Pending {
        bot: call.bot,
        number: wait.number,
        until: wait.until,
    })
}

impl Call<'_> {
    fn get_updates(&mut self, waiter: Waiter) -> Outcome<Waiter> {
        let request = PollRequest {
            offset: self.arguments.integer("offset").unwrap_or(0),
            limit: self.arguments.integer("limit"),
            timeout: self.arguments.integer("timeout"),
        };
        let asked = allowed_updates(self.arguments.text("allowed_updates"));
        let now = self.now;
        let bot = self.me();
        // With a webhook the call fails before it changes anything.
        if let Some(kinds) = asked.filter(|_| !bot.polling.webhook().is_set()) {
            bot.allowed = kinds;
        }
        bot.polling.get_updates(request, waiter, now)
    }

    fn set_webhook(&mut self, waiter: Waiter) -> Outcome<Waiter> {
        let certificate = self
            .files
            .iter()
            .find(|file| file.field == "certificate")
            .map(|file| file.size);
        let order = match WebhookOrder::read(self.arguments, certificate, self.config.webhook_rules)
        {
            Ok(order) => order,
            Err(failure) => {
                return Outcome {
                    ended: vec![Ended::failed(waiter, failure)],
                    waits: None,
                };
            }
        };
        let asked = allowed_updates(self.arguments.text("allowed_updates"));
        let (verify, now) = (self.config.webhook_verify, self.now);
        let bot = self.me();
        let outcome = bot.polling.set_webhook(order, verify, waiter, now);
        if let Some(kinds) = asked {
            bot.allowed = kinds;
        }
        outcome
    }

    pub(super) fn webhook_info(&mut self) -> Raw {
        let now = self.now;
        let bot = self.me();
        let pending = bot.polling.queue().pending(now);
        bot.polling.webhook().info(pending, bot.allowed.as_deref())
    }
}

/// Reads `allowed_updates`: `None` leaves what was set before, `Some(None)` is the default. A list
/// that names no known kind is the default, and anything but a list of texts is ignored.
fn allowed_updates(text: &str) -> Option<Option<Vec<&'static str>>> {
    let Ok(Value::Array(names)) = serde_json::from_str(text) else {
        return None;
    };
    let asked: Option<Vec<String>> = names
        .iter()
        .map(|name| Some(name.as_str()?.to_ascii_lowercase()))
        .collect();
    let asked = asked?;
    let known = gramtap_telegram::update::KNOWN.iter().copied();
    let kinds: Vec<&'static str> = known
        .filter(|kind| asked.iter().any(|name| name == kind))
        .collect();
    Some((!kinds.is_empty()).then_some(kinds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allowed_updates_as_telegram_reads_them() {
        assert_eq!(allowed_updates(""), None);
        assert_eq!(allowed_updates("null"), None);
        assert_eq!(allowed_updates("[1]"), None);
        assert_eq!(allowed_updates("[]"), Some(None));
        assert_eq!(allowed_updates("[\"hologram\"]"), Some(None));
        assert_eq!(
            allowed_updates("[\"Message\",\"poll\"]"),
            Some(Some(vec!["message", "poll"]))
        );
    }
}
