//! getUpdates and the webhook methods.
//!
//! In: their arguments. Out: the bot's `world/polling.rs`, where the rules are; whoever waits is
//! answered through their [`Waiter`]. Invariant: `allowed_updates` is remembered from call to call,
//! and changed only by a list.

use serde_json::Value;

use super::{Call, Pending};
use crate::fail::Failure;
use crate::world::polling::{Ended, Outcome, PollRequest};
use crate::world::webhook::WebhookOrder;
use crate::world::{self, Waiter};

/// What one of the three asks for.
enum Order {
    Poll(PollRequest),
    Set(WebhookOrder),
    Delete { drop_pending_updates: bool },
}

/// Performs one of the three; gives what waits now, if anything does.
pub(super) fn perform(call: &mut Call<'_>, name: &str, waiter: Waiter) -> Option<Pending> {
    let (now, verify) = (call.now, call.config.webhook_verify);
    let asked = allowed_updates(call.arguments.text("allowed_updates"));
    let order = call.order(name);
    let outcome = match order.and_then(|order| Ok((order, call.me()?))) {
        Err(failure) => Outcome::one(Ended::failed(waiter, failure)),
        Ok((order, bot)) => {
            let heeded = match order {
                // Where a webhook is set, getUpdates fails before it changes anything.
                Order::Poll(_) => !bot.polling.webhook().is_set(),
                Order::Set(_) => true,
                Order::Delete { .. } => false,
            };
            if let Some(kinds) = asked.filter(|_| heeded) {
                bot.allowed = kinds;
            }
            match order {
                Order::Poll(request) => bot.polling.get_updates(request, waiter, now),
                Order::Set(order) => bot.polling.set_webhook(order, verify, waiter, now),
                Order::Delete {
                    drop_pending_updates,
                } => bot
                    .polling
                    .delete_webhook(drop_pending_updates, waiter, now),
            }
        }
    };
    world::answer(outcome.ended);
    call.world.due.touch(call.bot);
    outcome.waits.map(|wait| Pending {
        bot: call.bot,
        number: wait.number,
        until: wait.until,
    })
}

impl Call<'_> {
    /// Reads the arguments.
    fn order(&self, name: &str) -> Result<Order, Failure> {
        let arguments = self.arguments;
        Ok(match name {
            "getupdates" => Order::Poll(PollRequest {
                offset: arguments.integer("offset").unwrap_or(0),
                limit: arguments.integer("limit"),
                timeout: arguments.integer("timeout"),
            }),
            "setwebhook" => {
                let attached = arguments.text("certificate").strip_prefix("attach://");
                let named = |name: &str| self.files.iter().find(|file| file.field == name);
                let certificate = named("certificate").or_else(|| named(attached?));
                let rules = self.config.webhook_rules;
                Order::Set(WebhookOrder::read(arguments, certificate, rules)?)
            }
            _ => Order::Delete {
                drop_pending_updates: arguments.flag("drop_pending_updates"),
            },
        })
    }

    pub(super) fn webhook_info(&mut self) -> super::Outcome {
        let now = self.now;
        let bot = self.me()?;
        Ok(bot.polling.webhook_info(bot.allowed.as_deref(), now))
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
