//! What outlives a process: the topics, the commits, and what the bots' endpoints have seen.
//!
//! In: what processes write and start. Out: records to read; a panic where a promise is broken. Invariant: the oracle knows an update
//! by its number, and a record by its offset.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use gramtap_events::Moment;
use gramtap_events::inbox::Tried;
use gramtap_telegram::Queue;
use gramtap_telegram::queue::lifetime;

use super::process::Process;
use crate::arrange::{Item, Place, Source};
use crate::tests::{at, tenant};

pub(super) const PARTITIONS: usize = 2;

/// What an item carries: its partition and its offset in the inbox.
pub(super) type Record = (usize, usize);

/// A record of the inbox.
#[derive(Clone, Copy, Debug)]
pub(super) struct Update {
    pub(super) bot: u8,
    pub(super) queue: Queue,
    /// The bot's number of it; a copy has the same.
    pub(super) number: i64,
    pub(super) at: Moment,
    pub(super) expires_at: Moment,
    /// Of a replay: when it was asked for.
    pub(super) replay: Option<Moment>,
    /// It goes elsewhere than to the bot's webhook.
    pub(super) elsewhere: bool,
    given_up: bool,
    dead: bool,
}

/// What an update is delivered once by: its bot, its number, and of a replay when it was asked for.
pub(super) type Key = (u8, i64, Option<Moment>);

/// What a bot is sent.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Fresh,
    /// Its last update once more, by Telegram.
    Again,
    /// The same because somebody asked for it.
    Replay {
        elsewhere: bool,
    },
}

impl Update {
    fn key(&self) -> Key {
        (self.bot, self.number, self.replay)
    }

    /// Which of the endpoints it goes to: those of the bots, then as many others.
    pub(super) fn endpoint(&self) -> usize {
        usize::from(self.bot) + 4 * usize::from(self.elsewhere)
    }
}

/// A record of the retry partition.
#[derive(Clone, Copy, Debug)]
pub(super) struct Again {
    pub(super) origin: usize,
    pub(super) tried: Tried,
    pub(super) next_at: Option<Moment>,
}

#[derive(Debug)]
pub(super) struct World {
    pub(super) now: i64,
    pub(super) inbox: [Vec<Update>; PARTITIONS],
    pub(super) retry: [Vec<Again>; PARTITIONS],
    /// Successes: what, when received.
    pub(super) deliveries: [Vec<(Key, Moment)>; PARTITIONS],
    pub(super) commits: BTreeMap<(Source, usize), (i64, String)>,
    /// Which endpoints work.
    pub(super) up: [bool; 8],
    /// Since when each bot wants nothing any more that was received before.
    pub(super) dropped: [Option<Moment>; 4],
    /// What endpoints have accepted, and what of that is recorded, under which records of the inbox, where in deliveries.v1.
    accepted: BTreeSet<Key>,
    recorded: BTreeMap<Key, BTreeMap<Record, usize>>,
    /// From which offset in deliveries.v1 on each partition's owner knows what was delivered.
    pub(super) known_from: [usize; PARTITIONS],
    next: [i64; 4],
}

impl World {
    pub(super) fn new() -> Self {
        Self {
            now: 1_000_000,
            inbox: Default::default(),
            retry: Default::default(),
            deliveries: Default::default(),
            commits: BTreeMap::new(),
            up: [true; 8],
            dropped: [None; 4],
            accepted: BTreeSet::new(),
            recorded: BTreeMap::new(),
            known_from: [0; PARTITIONS],
            next: [0; 4],
        }
    }

    pub(super) fn moment(&self) -> Moment {
        at(self.now)
    }

    pub(super) fn wait(&mut self, seconds: i64) {
        self.now += seconds;
    }

    /// An update is written to the inbox.
    pub(super) fn arrive(&mut self, bot: u8, queue: u8, what: Kind) {
        let now = self.moment();
        let inbox = &mut self.inbox[usize::from(bot) % PARTITIONS];
        let mut own = inbox.iter().rev();
        let last = own.find(|it| it.bot == bot && it.replay.is_none());
        let last = last.copied();
        let (name, kind) = match queue {
            0 => ("chat:1", "message"),
            1 => ("chat:2", "message"),
            2 => ("callback:7", "callback_query"),
            _ => ("inline:7", "inline_query"),
        };
        let number = &mut self.next[usize::from(bot)];
        *number += 1;
        let fresh = Update {
            bot,
            queue: name.parse().unwrap(),
            number: *number,
            at: now,
            expires_at: now.plus(lifetime(kind)),
            replay: None,
            elsewhere: false,
            given_up: false,
            dead: false,
        };
        inbox.push(match (what, last) {
            (Kind::Fresh, _) | (_, None) => fresh,
            (Kind::Again, Some(last)) => Update {
                queue: last.queue,
                number: last.number,
                expires_at: now.plus(last.expires_at.since(last.at)),
                ..fresh
            },
            (Kind::Replay { elsewhere }, Some(last)) => Update {
                queue: last.queue,
                number: last.number,
                at: last.at,
                expires_at: now.plus(Duration::from_secs(86_400)),
                replay: Some(now),
                elsewhere,
                ..fresh
            },
        });
    }

    /// A record, as a process makes an item of it.
    pub(super) fn item(
        &self,
        source: Source,
        partition: usize,
        offset: usize,
    ) -> Option<Item<Record>> {
        let again = match source {
            Source::Inbox => None,
            Source::Retry => Some(*self.retry[partition].get(offset)?),
        };
        let origin = again.map_or(offset, |again| again.origin);
        let update = self.inbox[partition].get(origin)?;
        Some(Item {
            place: Place {
                source,
                partition: i32::try_from(partition).unwrap(),
                offset: i64::try_from(offset).unwrap(),
            },
            origin: i64::try_from(origin).unwrap(),
            tenant: tenant(update.bot),
            queue: update.queue,
            update_id: Some(update.number),
            at: update.at,
            expires_at: update.expires_at,
            tried: again.map_or_else(Tried::default, |again| again.tried),
            replay: update.replay,
            elsewhere: update.elsewhere,
            next_at: again.and_then(|again| again.next_at),
            bytes: 100,
            payload: (partition, origin),
        })
    }

    pub(super) fn update(&mut self, record: Record) -> &mut Update {
        &mut self.inbox[record.0][record.1]
    }

    /// An attempt begins.
    pub(super) fn check_start(&self, item: &Item<Record>, flying: &[Record]) {
        let (partition, offset) = item.payload;
        let update = self.inbox[partition][offset];
        let key = update.key();
        assert!(
            self.moment() <= update.expires_at,
            "started after its expiry: {item:?}"
        );
        let recorded = self.recorded.get(&key).into_iter().flatten();
        for (record, offset) in recorded {
            // Of another copy, only what its owner can know.
            let known = *record == item.payload || *offset >= self.known_from[partition];
            assert!(
                !known,
                "delivered again after its success was recorded: {item:?}"
            );
        }
        assert!(
            !self.is_dropped(item.payload),
            "started though it was dropped: {item:?}"
        );
        assert!(
            item.next_at.is_none_or(|next| next <= self.moment()),
            "started too early: {item:?}"
        );
        let same =
            |other: &Update| (other.endpoint(), other.queue) == (update.endpoint(), update.queue);
        for record in flying {
            assert!(
                !same(&self.inbox[record.0][record.1]),
                "two of a queue under way: {item:?}"
            );
        }
        let earlier = self.inbox[partition][..offset].iter().filter(|it| same(it));
        for other in earlier {
            let done = other.given_up || self.accepted.contains(&other.key());
            assert!(done, "started before {other:?}: {item:?}");
        }
    }

    /// Whether its bot had an update dropped.
    pub(super) fn is_dropped(&self, record: Record) -> bool {
        let update = self.inbox[record.0][record.1];
        let before = self.dropped[usize::from(update.bot)];
        update.replay.is_none() && before.is_some_and(|before| update.at < before)
    }

    /// The endpoint has answered 200.
    pub(super) fn accept(&mut self, record: Record) {
        let update = *self.update(record);
        self.accepted.insert(update.key());
    }

    pub(super) fn is_accepted(&self, record: Record) -> bool {
        let update = self.inbox[record.0][record.1];
        self.accepted.contains(&update.key())
    }

    pub(super) fn give_up(&mut self, record: Record) {
        self.update(record).given_up = true;
    }

    /// A success reaches deliveries.v1; its offset.
    pub(super) fn record_success(&mut self, record: Record) -> usize {
        let update = *self.update(record);
        let deliveries = &mut self.deliveries[record.0];
        let recorded = self.recorded.entry(update.key());
        recorded.or_default().insert(record, deliveries.len());
        deliveries.push((update.key(), update.at));
        deliveries.len() - 1
    }

    pub(super) fn record_dead(&mut self, record: Record) {
        let update = *self.update(record);
        let recorded = self.recorded.get(&update.key());
        assert!(
            recorded.is_none_or(|it| !it.contains_key(&record)),
            "buried though it was delivered: {update:?}"
        );
        self.update(record).dead = true;
    }

    /// How many updates of a partition, up to an offset, are for a webhook and neither accepted, given up nor dropped.
    pub(super) fn undone(&self, partition: usize, to: usize) -> u64 {
        let undone = |(offset, update): &(usize, &Update)| {
            let done = update.given_up || self.accepted.contains(&update.key());
            !done && !update.elsewhere && !self.is_dropped((partition, *offset))
        };
        let read = self.inbox[partition].iter().enumerate().take(to);
        read.filter(undone).map(|_| 1).sum()
    }

    /// Whether everything is read to its end.
    pub(super) fn is_read(&self, processes: &[Process]) -> bool {
        let cursors: Vec<_> = processes.iter().flat_map(|it| &it.cursors).collect();
        let read = |source, partition: usize, length: usize| {
            let find = cursors
                .iter()
                .find(|((s, p), _)| *s == source && *p == partition);
            find.is_some_and(|(_, cursor)| **cursor == length)
        };
        (0..PARTITIONS).all(|partition| {
            read(Source::Inbox, partition, self.inbox[partition].len())
                && read(Source::Retry, partition, self.retry[partition].len())
        })
    }

    /// At the end: each update was accepted or is a dead letter, and everything is committed.
    pub(super) fn nothing_is_lost(&self) {
        for partition in 0..PARTITIONS {
            for update in &self.inbox[partition] {
                assert!(
                    self.accepted.contains(&update.key()) || update.dead,
                    "lost: {update:?}"
                );
            }
            let lengths = [
                (Source::Inbox, self.inbox[partition].len()),
                (Source::Retry, self.retry[partition].len()),
            ];
            for (source, length) in lengths {
                let committed = self.commits.get(&(source, partition));
                let offset = committed.map_or(0, |(offset, _)| *offset);
                assert_eq!(
                    offset,
                    i64::try_from(length).unwrap(),
                    "{source:?} {partition}"
                );
            }
        }
    }
}
