//! `gramtap.errors.v1`: one record for each call that failed.
//!
//! In: analytics, `decode/`. Out: the errors section, analysts. Invariant: `error_id` is the `event_id`
//! of the failed call's event, so that the two join; `advice` is a key of the catalogue in
//! `gramtap_telegram::advice`; errors of one `group` differ in nothing that a reader could act on.

use gramtap_telegram::BotId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use gramtap_telegram::advice::Class;

use crate::call::{Client, Origin};
use crate::{Moment, Record, TenantId, Topic, topics};

/// A failure.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Failure {
    /// Version of this shape.
    pub v: u16,
    /// The `event_id` of the event of the call, the delivery or the update.
    pub error_id: String,
    /// Failures of one tenant, method, code and template have the same: 16 hexadecimal digits.
    pub group: String,
    /// The description with numbers, ids, names and quotations replaced.
    pub template: String,
    /// When the call was made, or the last attempt to deliver.
    pub at: Moment,
    /// The bot, as this installation knows it.
    pub tenant: TenantId,
    /// Telegram's id of the bot.
    #[schemars(with = "Option<i64>")]
    pub bot: Option<BotId>,
    /// Who failed.
    pub origin: Origin,
    /// How much it matters.
    pub class: Class,
    /// Telegram's `error_code`, or the HTTP status; null where there was none.
    pub code: Option<i64>,
    /// The method; `webhook` for an update that could not be delivered.
    pub method: String,
    /// The description that the privacy mode lets through, or Gramtap's word for what happened.
    pub description: Option<String>,
    /// A key of the catalogue of advice.
    pub advice: String,
    /// The chat it was meant for.
    pub chat_id: Option<i64>,
    /// The user it was meant for.
    pub user_id: Option<i64>,
    /// The update that it answered, where that is known.
    pub update_id: Option<i64>,
    /// Who called.
    pub client: Option<Client>,
}

impl Record for Failure {
    const TOPIC: &'static Topic = &topics::ERRORS;
    const VERSION: u16 = 1;

    fn kind(&self) -> &'static str {
        "error"
    }

    fn tenant(&self) -> TenantId {
        self.tenant
    }
}
