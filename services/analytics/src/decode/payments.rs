//! Events of payments and of what leads to them.
//!
//! In: payments inside messages, checkout and shipping queries, bought media. Out: the event's
//! columns. Invariant: amounts are in the smallest unit of their currency, as Telegram counts.

use gramtap_events::event::Event;
use serde::Deserialize;

use super::blank::{by, flag, prop};
use super::shapes::User;

/// A payment, or its refund.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Payment {
    currency: Option<String>,
    total_amount: Option<i64>,
    invoice_payload: Option<String>,
    is_recurring: bool,
    is_first_recurring: bool,
}

/// A query that the bot has to answer before a payment, or news of bought media.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Purchase {
    from: Option<User>,
    currency: Option<String>,
    total_amount: Option<i64>,
    invoice_payload: Option<String>,
    paid_media_payload: Option<String>,
}

/// Fills the columns of a payment. `props`: `invoice_payload` (mode `full`), `recurring` and `first` of
/// subscriptions, only where so.
pub(super) fn fill(event: &mut Event, payment: Payment) {
    event.amount = payment.total_amount;
    event.currency = payment.currency;
    prop(event, "invoice_payload", payment.invoice_payload);
    flag(event, "recurring", payment.is_recurring);
    flag(event, "first", payment.is_first_recurring);
}

/// Fills the event of a query about a payment, or of bought media. `props`: `invoice_payload` (mode `full`), which
/// is the bot's own word for what is bought.
pub(super) fn purchase(event: &mut Event, purchase: Purchase) {
    by(event, purchase.from);
    event.amount = purchase.total_amount;
    event.currency = purchase.currency;
    let payload = purchase.invoice_payload.or(purchase.paid_media_payload);
    prop(event, "invoice_payload", payload);
}
