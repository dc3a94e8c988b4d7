//! Decodes the records of one partition.
//!
//! In: records of calls.v1, updates.v1, inbox.v1 and deliveries.v1, each in order (`consume/`), the memories kept of the partition's bots.
//! Out: events, errors and the bots whose memory has changed, gathered in a [`Yield`]. Invariant: what was counted is
//! not counted again, and what cannot be read is told as a gap: nothing stops a partition. A decoder whose yield was
//! not committed remembers what nobody has: throw it away.

use std::collections::{BTreeSet, HashMap};

use gramtap_bus::{self as bus, Skipped};
use gramtap_events::call::CallRecord;
use gramtap_events::delivery::Delivery;
use gramtap_events::event::Event;
use gramtap_events::failure::Failure;
use gramtap_events::inbox::Inbox;
use gramtap_events::seen::Seen;
use gramtap_events::update::Update;
use gramtap_events::{Moment, TenantId, Topic, topics};
use time::OffsetDateTime;

use super::blank::Head;
use super::bots::{Bots, Opened};
use super::seen::Memory;
use super::{calls, deliveries, polls, updates};

/// What a partition's bots have been counted of, and how their records become events.
#[derive(Debug, Default)]
pub struct Decoder {
    memories: HashMap<TenantId, Memory>,
}

/// What came of a batch of records.
#[derive(Debug, Default)]
pub struct Yield {
    /// In the order of the records.
    pub events: Vec<Event>,
    /// The same.
    pub errors: Vec<Failure>,
    /// The bots whose memory has changed.
    pub changed: BTreeSet<TenantId>,
}

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It has an event.
    Event,
    /// It was counted before.
    Repeat,
    /// It has an event that says that it could not be read.
    Unreadable,
    /// An update whose seal could not be opened: it has an event and an error.
    Unopened,
    /// Somebody wants an update delivered again: it is no new one.
    Replay,
    /// An attempt to deliver that is followed by another.
    Attempt,
    /// An update for a bot that had been removed: it is not told of.
    Removed,
}

impl Outcome {
    /// The fixed word for metrics.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Repeat => "repeat",
            Self::Unreadable => "unreadable",
            Self::Unopened => "unopened",
            Self::Replay => "replay",
            Self::Attempt => "attempt",
            Self::Removed => "removed",
        }
    }
}

impl Decoder {
    /// Takes over what was kept of a bot; of several records the last counts.
    pub fn restore(&mut self, seen: Seen) {
        self.memories.insert(seen.tenant, Memory::restored(seen));
    }

    /// What is to be kept of a bot.
    #[must_use]
    pub fn kept(&self, tenant: TenantId) -> Option<Seen> {
        let memory = self.memories.get(&tenant)?;
        Some(memory.kept(tenant))
    }

    /// Decodes a record.
    pub fn decode(&mut self, delivery: &bus::Delivery, bots: &Bots, into: &mut Yield) -> Outcome {
        let payload = delivery.payload.as_deref().unwrap_or_default();
        let read = match delivery.topic.name {
            name if name == topics::UPDATES.name => {
                serde_json::from_slice(payload).map(|update| self.update(update, into))
            }
            name if name == topics::INBOX.name => {
                serde_json::from_slice(payload).map(|inbox| self.inbox(inbox, bots, into))
            }
            name if name == topics::DELIVERIES.name => {
                serde_json::from_slice(payload).map(|delivery| self.delivery(delivery, into))
            }
            _ => CallRecord::parse(payload).map(|record| self.call(record, into)),
        };
        read.unwrap_or_else(|error| {
            let (topic, offset) = (delivery.topic.name, delivery.offset);
            // The error names a place and a kind of token, nothing of what stands there.
            let (line, column) = (error.line(), error.column());
            tracing::warn!(
                topic,
                partition = delivery.partition,
                offset,
                line,
                column,
                "record cannot be read"
            );
            into.events.push(unreadable(delivery));
            Outcome::Unreadable
        })
    }

    fn update(&mut self, update: Update, into: &mut Yield) -> Outcome {
        let tenant = update.tenant;
        let memory = self.memories.entry(tenant).or_default();
        let admitted = match updates::number(&update) {
            Some(number) => memory.admit_update(number, update.at),
            None => memory.admit_unnumbered(&update.record),
        };
        if !admitted {
            return Outcome::Repeat;
        }
        into.changed.insert(tenant);
        into.events.push(updates::event(update));
        Outcome::Event
    }

    fn inbox(&mut self, inbox: Inbox, bots: &Bots, into: &mut Yield) -> Outcome {
        if inbox.replay.is_some() {
            return Outcome::Replay;
        }
        match bots.open(inbox) {
            Opened::Update(update) => self.update(update, into),
            Opened::Removed => Outcome::Removed,
            Opened::Unopened(update, error) => {
                let outcome = self.update(update, into);
                let event = into.events.last_mut().filter(|_| outcome == Outcome::Event);
                let Some(event) = event else { return outcome };
                into.errors.push(deliveries::unopened(event, error.label()));
                Outcome::Unopened
            }
        }
    }

    fn delivery(&mut self, delivery: Delivery, into: &mut Yield) -> Outcome {
        if !delivery.verdict.is_final() {
            return Outcome::Attempt;
        }
        let memory = self.memories.entry(delivery.tenant).or_default();
        if !memory.admit_delivery(&delivery.record) {
            return Outcome::Repeat;
        }
        into.changed.insert(delivery.tenant);
        let (event, failure) = deliveries::event(delivery);
        into.events.push(event);
        into.errors.extend(failure);
        Outcome::Event
    }

    fn call(&mut self, record: CallRecord, into: &mut Yield) -> Outcome {
        let (tenant, id) = match &record {
            CallRecord::Call(call) => (call.tenant, &call.record),
            CallRecord::Polls(polls) => (polls.tenant, &polls.record),
            CallRecord::Gap(gap) => (gap.tenant, &gap.record),
        };
        let memory = self.memories.entry(tenant).or_default();
        if !memory.admit_call(id) {
            return Outcome::Repeat;
        }
        into.changed.insert(tenant);
        let event = match record {
            CallRecord::Call(call) => {
                let (event, failure) = calls::event(call);
                into.errors.extend(failure);
                event
            }
            CallRecord::Polls(fold) => polls::folded(&fold),
            CallRecord::Gap(gap) => polls::gap(&gap),
        };
        into.events.push(event);
        Outcome::Event
    }
}

/// The event of a record that is none. Whose it was, its key tells.
fn unreadable(delivery: &bus::Delivery) -> Event {
    let key = delivery
        .key
        .as_deref()
        .and_then(|key| str::from_utf8(key).ok());
    let tenant = key.and_then(|key| key.parse().ok());
    let nanos = i128::from(delivery.timestamp) * 1_000_000;
    let head = Head {
        tenant: tenant.unwrap_or(TenantId::UNATTRIBUTED),
        bot: None,
        at: OffsetDateTime::from_unix_timestamp_nanos(nanos)
            .unwrap_or(OffsetDateTime::UNIX_EPOCH)
            .into(),
    };
    let place = place(delivery.topic, delivery.partition, delivery.offset);
    polls::lost(head, &place, 1, "unreadable")
}

/// The event of records that retention took before they were read, noticed then.
#[must_use]
pub fn skipped(skipped: Skipped, at: Moment) -> Event {
    let head = Head {
        tenant: TenantId::UNATTRIBUTED,
        bot: None,
        at,
    };
    let Skipped {
        partition,
        from,
        to,
    } = skipped;
    let count = u64::try_from(to.saturating_sub(from)).unwrap_or_default();
    let place = place(partition.topic, partition.partition, from);
    polls::lost(head, &place, count, "retention")
}

fn place(topic: &Topic, partition: i32, offset: i64) -> String {
    format!("{}/{partition}/{offset}", topic.name)
}
