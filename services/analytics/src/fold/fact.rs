//! The columns of events and errors that numbers are made of.
//!
//! In: JSON of events.v1 and errors.v1. Out: `count.rs`. Invariant: reads every record that `gramtap_events`
//! writes, and later ones with more fields; texts are borrowed from the payload wherever they can be.

use std::borrow::Cow;

use gramtap_events::event::Direction;
use gramtap_events::failure::Class;
use gramtap_events::{Moment, TenantId};
use serde::Deserialize;

/// A text that is borrowed where it has no escapes.
#[derive(Debug, Deserialize)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

/// An event.
#[derive(Debug, Deserialize)]
pub(super) struct Fact<'a> {
    #[serde(borrow)]
    pub(super) event: Cow<'a, str>,
    pub(super) tenant: TenantId,
    pub(super) bot: Option<i64>,
    pub(super) at: Moment,
    pub(super) happened_at: Moment,
    pub(super) direction: Direction,
    #[serde(borrow)]
    pub(super) method: Option<Text<'a>>,
    pub(super) user_id: Option<i64>,
    pub(super) user_is_bot: Option<bool>,
    #[serde(borrow)]
    pub(super) language: Option<Text<'a>>,
    pub(super) is_premium: Option<bool>,
    #[serde(borrow)]
    pub(super) command: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) payload: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) media: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) callback_data: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) button_text: Option<Text<'a>>,
    pub(super) ok: Option<bool>,
    pub(super) error_code: Option<i64>,
    pub(super) error_class: Option<Class>,
    pub(super) took_ms: Option<f64>,
    pub(super) own_ms: Option<f64>,
    #[serde(borrow, default)]
    pub(super) props: Props<'a>,
}

/// What is special to calls, polls and gaps.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Props<'a> {
    /// How many polls or lost records it stands for.
    pub(super) count: Option<i64>,
    /// Why records were lost.
    #[serde(borrow)]
    pub(super) reason: Option<Text<'a>>,
    /// Who polled.
    #[serde(borrow)]
    pub(super) addr: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) agent: Option<Text<'a>>,
    /// What happened, where Telegram did not answer: why a call was not relayed among them, and the code that it was for.
    #[serde(borrow)]
    pub(super) label: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) code: Option<Text<'a>>,
    /// Telegram's time.
    pub(super) upstream_ms: Option<f64>,
}

/// An error.
#[derive(Debug, Deserialize)]
pub(super) struct Fault<'a> {
    pub(super) error_id: String,
    #[serde(borrow)]
    pub(super) group: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) template: Cow<'a, str>,
    pub(super) at: Moment,
    pub(super) tenant: TenantId,
    #[serde(borrow)]
    pub(super) origin: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) class: Cow<'a, str>,
    pub(super) code: Option<i64>,
    #[serde(borrow)]
    pub(super) method: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) description: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) advice: Cow<'a, str>,
    pub(super) chat_id: Option<i64>,
    pub(super) user_id: Option<i64>,
    pub(super) update_id: Option<i64>,
    #[serde(borrow)]
    pub(super) client: Option<Caller<'a>>,
}

/// Who made the call that failed.
#[derive(Debug, Deserialize)]
pub(super) struct Caller<'a> {
    #[serde(borrow)]
    pub(super) addr: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) agent: Option<Text<'a>>,
}

/// Microseconds since 1970.
pub(crate) fn micros(moment: Moment) -> i64 {
    let time = moment.time();
    time.unix_timestamp() * 1_000_000 + i64::from(time.microsecond())
}

/// The text of a column, empty for none.
pub(super) fn shown<'a>(text: Option<&'a Text<'_>>) -> &'a str {
    text.map_or("", |text| &text.0)
}
