//! A record as one readable line.
//!
//! In: a record of any topic. Out: time (UTC), kind, bot, what happened. Invariant: one record is one
//! line, whatever it holds: control characters become `?`, so that a chat's text cannot move the
//! cursor. A record that this version cannot read is shown as such, with its place. Pure.

use std::borrow::Cow;
use std::collections::HashMap;

use gramtap_bus::Delivery;
use gramtap_events::call::{Call, CallRecord, Gap, Origin, Polls, TokenStanding};
use gramtap_events::delivery::{Delivery as Attempt, Verdict};
use gramtap_events::event::Event;
use gramtap_events::failure::Failure;
use gramtap_events::record::KIND;
use gramtap_events::seen::{MARKER, Seen};
use gramtap_events::tenant::TenantState;
use gramtap_events::topics::{CALLS, DELIVERIES, ERRORS, EVENTS, SEEN, TENANTS, UPDATES};
use gramtap_events::update::{Update, Via};
use gramtap_events::{Moment, TenantId};
use gramtap_telegram::BotId;

use super::decoded;

const DIM: &str = "2";
const RED: &str = "31";
const GREEN: &str = "32";
const YELLOW: &str = "33";
const BLUE: &str = "34";
const CYAN: &str = "36";

/// Writes lines; learns the names of bots from the records of the registry.
pub(crate) struct Painter {
    colour: bool,
    names: HashMap<TenantId, String>,
}

impl Painter {
    pub(crate) fn new(colour: bool, names: HashMap<TenantId, String>) -> Self {
        Self { colour, names }
    }

    /// The line of a record, without its end.
    pub(crate) fn line(&mut self, delivery: &Delivery) -> String {
        self.read(delivery).unwrap_or_else(|| {
            let (topic, partition, offset) =
                (delivery.topic.name, delivery.partition, delivery.offset);
            let what = if delivery.payload.is_some() {
                "a record that is not understood"
            } else {
                "a key was deleted"
            };
            self.paint(
                YELLOW,
                &format!("{topic} partition {partition} offset {offset}: {what}"),
            )
        })
    }

    fn read(&mut self, delivery: &Delivery) -> Option<String> {
        let payload = delivery.payload.as_deref()?;
        match delivery.topic {
            topic if *topic == CALLS => Some(match CallRecord::parse(payload).ok()? {
                CallRecord::Call(call) => self.call(&call),
                CallRecord::Polls(polls) => self.polls(&polls),
                CallRecord::Gap(gap) => self.gap(&gap),
            }),
            topic if *topic == UPDATES => Some(self.update(&serde_json::from_slice(payload).ok()?)),
            topic if *topic == TENANTS => {
                Some(self.tenant(serde_json::from_slice(payload).ok()?, delivery.timestamp))
            }
            topic if *topic == DELIVERIES => {
                let attempt: Attempt = serde_json::from_slice(payload).ok()?;
                let colour = match attempt.verdict {
                    Verdict::Delivered => GREEN,
                    Verdict::Retry => YELLOW,
                    Verdict::Expired | Verdict::Dead | Verdict::Refused => RED,
                };
                let what = self.paint(colour, &decoded::delivery(&attempt));
                let (tenant, bot) = (attempt.tenant, attempt.bot);
                Some(self.row(attempt.at, "attempt", colour, tenant, bot, &what))
            }
            topic if *topic == EVENTS => {
                let event: Event = serde_json::from_slice(payload).ok()?;
                let (tenant, bot) = (event.tenant, event.bot);
                Some(self.row(
                    event.at,
                    "event",
                    BLUE,
                    tenant,
                    bot,
                    &decoded::event(&event),
                ))
            }
            topic if *topic == ERRORS => {
                let failure: Failure = serde_json::from_slice(payload).ok()?;
                let what = self.paint(RED, &decoded::failure(&failure));
                let (tenant, bot) = (failure.tenant, failure.bot);
                Some(self.row(failure.at, "error", RED, tenant, bot, &what))
            }
            topic if *topic == SEEN => {
                let at = moment(delivery.timestamp);
                if delivery
                    .header(KIND)
                    .is_some_and(|kind| kind == MARKER.as_bytes())
                {
                    let time = self.paint(DIM, &clock(at));
                    return Some(format!(
                        "{time}  seen    a process took partition {}",
                        delivery.partition
                    ));
                }
                let seen: Seen = serde_json::from_slice(payload).ok()?;
                Some(self.row(at, "seen", DIM, seen.tenant, None, &decoded::seen(&seen)))
            }
            _ => None,
        }
    }

    fn call(&self, call: &Call) -> String {
        let mut what = printable(&call.method).into_owned();
        if call.test {
            what.push_str(" (test)");
        }
        let status = call
            .http
            .status
            .map_or_else(|| "-".to_owned(), |status| status.to_string());
        let took = format!(
            "{} (own {})",
            span(call.took.total_us),
            span(call.took.own_us)
        );
        let unverified = if call.token == TokenStanding::Unverified {
            ", token not verified"
        } else {
            ""
        };
        let (colour, outcome) = outcome(call);
        let outcome = self.paint(colour, &format!("{status} {outcome}"));
        self.row(
            call.at,
            "call",
            CYAN,
            call.tenant,
            call.bot,
            &format!("{what}  {outcome}  {took}{unverified}"),
        )
    }

    fn polls(&self, polls: &Polls) -> String {
        let what = format!(
            "{} empty, the longest {}",
            polls.count,
            span(polls.longest_us)
        );
        self.row(polls.to, "polls", DIM, polls.tenant, polls.bot, &what)
    }

    fn gap(&self, gap: &Gap) -> String {
        let lost = format!(
            "{} records lost since {}: {}",
            gap.count,
            clock(gap.from),
            printable(&gap.reason)
        );
        self.row(
            gap.to,
            "gap",
            RED,
            gap.tenant,
            None,
            &self.paint(RED, &lost),
        )
    }

    fn update(&self, update: &Update) -> String {
        let number = update
            .update_id
            .map_or_else(|| "-".to_owned(), |number| number.to_string());
        let kind = update.kind.as_deref().map_or(Cow::Borrowed("-"), printable);
        let via = if update.via == Via::Webhook {
            ", by webhook"
        } else {
            ""
        };
        let cut = if update.cut {
            ", too large to be kept"
        } else {
            ""
        };
        self.row(
            update.at,
            "update",
            GREEN,
            update.tenant,
            update.bot,
            &format!("{kind}  {number}{via}{cut}"),
        )
    }

    fn tenant(&mut self, state: TenantState, timestamp: i64) -> String {
        let standing = match (state.deleted_at, state.gone) {
            (None, _) => "connected",
            (Some(_), false) => "removed, relayed for a day more",
            (Some(_), true) => "removed",
        };
        let code = state.code.as_deref().unwrap_or("-");
        let what = format!(
            "{standing}, code {}, privacy {}",
            printable(code),
            state.privacy.as_str()
        );
        match state.name {
            Some(name) => self.names.insert(state.tenant, name),
            None => self.names.remove(&state.tenant),
        };
        self.row(
            moment(timestamp),
            "tenant",
            YELLOW,
            state.tenant,
            state.bot,
            &what,
        )
    }

    fn row(
        &self,
        at: Moment,
        kind: &str,
        colour: &str,
        tenant: TenantId,
        bot: Option<BotId>,
        what: &str,
    ) -> String {
        let time = self.paint(DIM, &clock(at));
        let kind = self.paint(colour, &format!("{kind:6}"));
        format!("{time}  {kind}  {}  {what}", self.bot(tenant, bot))
    }

    fn bot(&self, tenant: TenantId, bot: Option<BotId>) -> String {
        match (self.names.get(&tenant), bot) {
            (Some(name), _) => printable(name).into_owned(),
            (None, Some(bot)) => bot.to_string(),
            (None, None) if tenant == TenantId::UNATTRIBUTED => "unattributed".to_owned(),
            (None, None) => tenant.to_string(),
        }
    }

    fn paint(&self, colour: &str, text: &str) -> String {
        match self.colour {
            true => format!("\u{1b}[{colour}m{text}\u{1b}[0m"),
            false => text.to_owned(),
        }
    }
}

/// How a call ended, and its colour.
fn outcome(call: &Call) -> (&'static str, String) {
    let label = call
        .label
        .as_deref()
        .map(|label| format!(" {}", printable(label)))
        .unwrap_or_default();
    match (&call.error, call.origin) {
        (_, Origin::Client) => (YELLOW, format!("the bot left{label}")),
        (None, _) => (GREEN, format!("ok{label}")),
        (Some(error), origin) => {
            let who = match origin {
                Origin::Telegram | Origin::Client => "",
                Origin::Edge => "Telegram's front server: ",
                Origin::Network => "network: ",
                Origin::Gramtap => "gramtap: ",
                Origin::Endpoint => "webhook: ",
            };
            let text = error.description.as_deref().map_or_else(
                || error.code.to_string(),
                |text| printable(text).into_owned(),
            );
            (RED, format!("{who}{text}{label}"))
        }
    }
}

/// A text without what would end the line or move the cursor.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    match text.contains(char::is_control) {
        true => Cow::Owned(text.replace(char::is_control, "?")),
        false => Cow::Borrowed(text),
    }
}

/// `12:34:56.789`, UTC.
fn clock(at: Moment) -> String {
    at.to_string().get(11..23).unwrap_or_default().to_owned()
}

/// Microseconds in the unit that suits them.
fn span(micros: u64) -> String {
    let whole = |unit: u64| (micros / unit, micros % unit * 10 / unit);
    match micros {
        0..1_000 => format!("{micros} us"),
        1_000..1_000_000 => {
            let (whole, tenth) = whole(1_000);
            format!("{whole}.{tenth} ms")
        }
        _ => {
            let (whole, tenth) = whole(1_000_000);
            format!("{whole}.{tenth} s")
        }
    }
}

/// A broker's time, in milliseconds.
fn moment(timestamp: i64) -> Moment {
    let time = time::OffsetDateTime::from_unix_timestamp_nanos(i128::from(timestamp) * 1_000_000);
    time.map_or_else(|_| Moment::now(), Moment::from)
}

#[cfg(test)]
mod tests;
