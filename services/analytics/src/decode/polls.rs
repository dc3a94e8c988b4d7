//! Events that count apart: polls, calls of unverified tokens, losses.
//!
//! In: getUpdates calls and folds of empty ones, calls by tokens that Telegram has never accepted, gaps. Out:
//! the events `polled`, `call_unverified` and `gap`. Invariant: none of them is about a chat or a user, so that no number
//! of the bot can come of them; each says how much it stands for.

use gramtap_events::call::{Call, Client, Gap, Polls};
use gramtap_events::event::{Event, Name, Via};

use super::blank::{Head, prop};
use super::calls::{begun, milliseconds};
use super::failure::Fault;

/// Adds what a getUpdates call tells that brought updates or failed. `props`: `count` (1), `addr` and `agent` of the poller.
pub(super) fn polled(event: &mut Event, call: &Call) {
    prop(event, "count", Some(1));
    poller(event, &call.client);
}

/// The event of a fold of empty polls; `happened_at` is when the first was asked, `at` when the last was answered. `props`: `count`,
/// `longest_ms`, `addr` and `agent` of the poller.
pub(super) fn folded(polls: &Polls) -> Event {
    let head = Head {
        tenant: polls.tenant,
        bot: polls.bot,
        at: polls.to,
    };
    let id = format!("c:{}", polls.record.as_str());
    let mut event = head.event(Name::Polled, id, Via::Call);
    event.method = Some("getUpdates".to_owned());
    event.happened_at = polls.from;
    event.ok = Some(true);
    prop(&mut event, "count", Some(polls.count));
    prop(
        &mut event,
        "longest_ms",
        Some(milliseconds(polls.longest_us)),
    );
    poller(&mut event, &polls.client);
    event
}

fn poller(event: &mut Event, client: &Client) {
    prop(event, "addr", client.addr.as_deref());
    prop(event, "agent", client.agent.as_deref());
}

/// The event of a call by a token that Telegram has not accepted so far. It names neither chat nor user, and its error is none
/// of the bot's: errors.v1 does not have it. `props`: those of every call, `addr` and `agent` of who called, `code` of the
/// address that was called if it was refused there, `advice` if it failed.
pub(super) fn unverified(call: Call, fault: Option<&Fault>) -> Event {
    let mut event = begun(&call, Name::CallUnverified, fault);
    poller(&mut event, &call.client);
    prop(&mut event, "code", call.code.as_deref());
    prop(&mut event, "advice", fault.map(|fault| fault.advice.key));
    event
}

/// The event of records that were lost before they reached the bus. `props`: `count`, `reason` (a fixed word).
pub(super) fn gap(gap: &Gap) -> Event {
    let head = Head {
        tenant: gap.tenant,
        bot: None,
        at: gap.to,
    };
    let id = format!("g:{}", gap.record.as_str());
    let mut event = head.event(Name::Gap, id, Via::Poll);
    event.happened_at = gap.from;
    prop(&mut event, "count", Some(gap.count));
    prop(&mut event, "reason", Some(&*gap.reason));
    event
}

/// The event of records that analytics could not read, or that were gone before it did. `props`: as of a gap.
pub(super) fn lost(head: Head, place: &str, count: u64, reason: &'static str) -> Event {
    let mut event = head.event(Name::Gap, format!("g:{place}"), Via::Poll);
    prop(&mut event, "count", Some(count));
    prop(&mut event, "reason", Some(reason));
    event
}
