//! In which order updates are delivered, and what waits where.
//!
//! In: records of `consume`, outcomes of `deliver`, the time. Out: [`Decision`]s. `lanes.rs` is one recipient, a bot's webhook as a rule: a lane for each of the bot's queues, a bound
//! on what is under way, its breaker. `turns.rs` is whose turn it is among bots. [`dispatch`] puts them together with the ledgers of the
//! partitions. Invariant: of a queue one update is under way at a time, the earliest; what waits long, and all that is behind it in its
//! queue, waits in `inbox.retry.v1` instead of in memory. Overloaded: a bot's surplus goes to (or stays in) `inbox.retry.v1`; beyond a bound for
//! all bots together the inbox is paused.

pub mod dispatch;
mod lanes;
mod turns;

use std::time::Duration;

use gramtap_events::delivery::Verdict;
use gramtap_events::inbox::{Dead, Inbox, Retry, Tried};
use gramtap_events::{Moment, TenantId};
use gramtap_telegram::Queue;
use gramtap_telegram::queue::lifetime;

use crate::consume::ledger;
use crate::deliver::breaker;

/// Bounds.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// Deliveries of one bot under way, where its webhook was set without `max_connections`.
    pub connections: usize,
    /// Deliveries under way of all bots together.
    pub in_flight: usize,
    /// Updates of one bot in memory.
    pub per_bot: usize,
    /// The same of a bot whose endpoint is away: enough to probe with.
    pub away: usize,
    /// Updates in memory of all bots together.
    pub held: usize,
    /// Their bytes.
    pub bytes: usize,
    /// An update that is tried again within this waits in memory; one that waits longer, and those behind it, in `inbox.retry.v1`.
    pub hold: Duration,
    /// Of a partition: how far reading may be ahead of what is done, how much is committed of that.
    pub ledger: ledger::Bounds,
    /// Bots whose updates are read again at the same time.
    pub rereads: usize,
    /// How many records of deliveries.v1 before the last commit's mark are read at an assignment, so that updates which Telegram sent
    /// again are known.
    pub lookback: i64,
    /// When an endpoint is taken for away.
    pub breaker: breaker::Rules,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            connections: 40,
            in_flight: 1_000,
            per_bot: 256,
            away: 4,
            held: 20_000,
            bytes: 128 * 1024 * 1024,
            hold: Duration::from_secs(5),
            ledger: ledger::Bounds {
                span: 1 << 24,
                metadata: ledger::METADATA,
            },
            rereads: 2,
            lookback: 20_000,
            breaker: breaker::Rules::default(),
        }
    }
}

impl Rules {
    /// Without bounds that let nothing through.
    fn sane(mut self) -> Self {
        let bounds = [
            &mut self.connections,
            &mut self.in_flight,
            &mut self.per_bot,
            &mut self.away,
            &mut self.held,
            &mut self.bytes,
            &mut self.rereads,
        ];
        bounds
            .into_iter()
            .for_each(|bound| *bound = (*bound).max(1));
        self
    }
}

/// How long a replay is tried, whatever its kind is: somebody has asked for it.
const REPLAYED: Duration = Duration::from_secs(24 * 60 * 60);

/// Who receives updates of a bot: its webhook, or, of replays, somebody else. Each has lanes, connections and a turn of its own, and neither waits for
/// the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Recipient {
    /// The bot.
    pub tenant: TenantId,
    /// Not its webhook.
    pub elsewhere: bool,
}

impl From<TenantId> for Recipient {
    /// The bot's webhook.
    fn from(tenant: TenantId) -> Self {
        Self {
            tenant,
            elsewhere: false,
        }
    }
}

/// Which of the two topics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// `inbox.v1`
    Inbox,
    /// `inbox.retry.v1`
    Retry,
}

/// Where a record stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Its topic.
    pub source: Source,
    /// Its partition. Those of the same number hold the same bots.
    pub partition: i32,
    /// Its offset.
    pub offset: i64,
}

/// An update that waits.
#[derive(Clone, Debug)]
pub struct Item<P> {
    /// Its record.
    pub place: Place,
    /// The offset that it was taken in at: the order within its queue.
    pub origin: i64,
    /// The bot.
    pub tenant: TenantId,
    /// The queue that it waits in.
    pub queue: Queue,
    /// Telegram's number of it.
    pub update_id: Option<i64>,
    /// When it was received.
    pub at: Moment,
    /// The last moment at which it may be delivered.
    pub expires_at: Moment,
    /// The attempts so far; the one under way included.
    pub tried: Tried,
    /// Not to be tried before this.
    pub next_at: Option<Moment>,
    /// Of a replay: when it was asked for.
    pub replay: Option<Moment>,
    /// It goes elsewhere than to the bot's webhook, and tells nothing of that.
    pub elsewhere: bool,
    /// What it takes of memory.
    pub bytes: usize,
    /// The record; cheap to clone.
    pub payload: P,
}

impl<P> Item<P> {
    /// A record of `inbox.v1`.
    pub fn inbox(partition: i32, offset: i64, inbox: &Inbox, bytes: usize, payload: P) -> Self {
        let replay = inbox.replay.as_ref();
        Self {
            place: Place {
                source: Source::Inbox,
                partition,
                offset,
            },
            origin: offset,
            tenant: inbox.tenant,
            queue: inbox.queue,
            update_id: inbox.update_id,
            at: inbox.at,
            expires_at: match replay {
                Some(replay) => replay.at.plus(REPLAYED),
                None => inbox.at.plus(lifetime(&inbox.kind)),
            },
            tried: Tried::default(),
            next_at: None,
            replay: replay.map(|replay| replay.at),
            elsewhere: replay.is_some_and(|replay| replay.to.is_some()),
            bytes,
            payload,
        }
    }

    /// A record of `inbox.retry.v1`.
    pub fn retry(partition: i32, offset: i64, retry: &Retry, bytes: usize, payload: P) -> Self {
        let place = Place {
            source: Source::Retry,
            partition,
            offset,
        };
        Self {
            place,
            origin: retry.origin,
            tried: retry.tried,
            next_at: retry.next_at,
            ..Self::inbox(partition, offset, &retry.inbox, bytes, payload)
        }
    }
}

impl<P> Item<P> {
    /// Who receives it.
    #[must_use]
    pub fn recipient(&self) -> Recipient {
        Recipient {
            tenant: self.tenant,
            elsewhere: self.elsewhere,
        }
    }

    /// Its record in `inbox.retry.v1`. `inbox`: as it was taken in.
    pub fn to_retry(&self, inbox: Inbox) -> Retry {
        Retry {
            inbox,
            origin: self.origin,
            tried: self.tried,
            next_at: self.next_at,
        }
    }
}

/// What is to be done. Whoever does it tells [`dispatch::Dispatch`] what came of it.
#[derive(Clone, Debug)]
pub enum Decision<P> {
    /// Hand it to the bot, then call [`dispatch::Dispatch::outcome`] with the ticket.
    Deliver(u64, Item<P>),
    /// Write [`Item::to_retry`], in the order of the decisions; once that is acknowledged, call [`dispatch::Dispatch::done`].
    Park(Item<P>),
    /// Write [`Buried::to_dead`]; once that is acknowledged, call [`dispatch::Dispatch::done`].
    Bury(Buried<P>),
    /// It was delivered before, or is there twice. Nothing to do but to count it.
    Duplicate(Item<P>),
    /// Read a partition no further.
    Pause(Source, i32),
    /// Read it on.
    Resume(Source, i32),
    /// Read a bot's records in `inbox.retry.v1` again and hand them to [`dispatch::Dispatch::reread`].
    Reread(Reread),
}

/// An update that is given up.
#[derive(Clone, Debug)]
pub struct Buried<P> {
    /// The update.
    pub item: Item<P>,
    /// Expired, dead or refused.
    pub verdict: Verdict,
    /// The cause: a fixed word.
    pub cause: &'static str,
    /// An attempt ended so, and has its own record. False: its time was over before its turn came; deliveries.v1 gets a record of
    /// attempt 0.
    pub attempted: bool,
}

impl<P> Buried<P> {
    /// Its record in `inbox.dead.v1`. `inbox`: as it was taken in.
    pub fn to_dead(&self, inbox: Inbox) -> Dead {
        Dead {
            inbox,
            cause: self.cause.into(),
            tried: self.item.tried,
        }
    }
}

/// Records that were left in the topic because the bot had enough in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reread {
    /// Each request has another number.
    pub ticket: u64,
    /// Whom for.
    pub recipient: Recipient,
    /// The partition of `inbox.retry.v1`.
    pub partition: i32,
    /// The offset to begin at.
    pub from: i64,
}

#[cfg(test)]
mod tests;
