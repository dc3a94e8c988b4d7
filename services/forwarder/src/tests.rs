//! What all tests of this crate use, and the model.
//!
//! In: numbers. Out: times and bots. Invariant: the same number is the same time or bot.
#![allow(clippy::unwrap_used)]

mod model;

use gramtap_events::{Moment, TenantId};
use time::OffsetDateTime;

/// So many seconds after 1970 began.
pub(crate) fn at(seconds: i64) -> Moment {
    Moment::from(OffsetDateTime::from_unix_timestamp(seconds).unwrap())
}

/// One of 25 bots.
pub(crate) fn tenant(number: u8) -> TenantId {
    let last = char::from(b'b' + number);
    format!("{}{last}", "a".repeat(TenantId::LENGTH - 1))
        .parse()
        .unwrap()
}
