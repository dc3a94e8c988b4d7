//! One forwarder without its sockets: it reads, starts, writes and commits as it is told by a [`Dispatch`].
//!
//! In: steps of the model, records of the [`World`]. Out: writes and commits to the world. Invariant: writes reach the topics in the order
//! of the decisions, and are acknowledged later, in that order.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use gramtap_outbound::Side;
use gramtap_outbound::guard::{Kind, Refusal};

use super::world::{Again, Record, World};
use crate::arrange::dispatch::{Assigned, Dispatch, Ends};
use crate::arrange::{Decision, Item, Place, Reread, Rules, Source};
use crate::consume::ledger;
use crate::deliver::breaker;
use crate::deliver::verdict::Outcome;

#[derive(Debug)]
pub(super) struct Process {
    pub(super) dispatch: Dispatch<Record>,
    /// What is read next, of what is assigned.
    pub(super) cursors: BTreeMap<(Source, usize), usize>,
    paused: BTreeSet<(Source, usize)>,
    flights: BTreeMap<u64, Item<Record>>,
    /// Not written yet.
    writes: VecDeque<Write>,
    /// Written, not acknowledged: what is done with it, and of a success its offset in deliveries.v1.
    acks: VecDeque<(Place, Option<usize>)>,
    rereads: VecDeque<(Reread, usize)>,
    /// What was given up, of the partitions that are assigned.
    buried: BTreeSet<Place>,
    now: i64,
}

#[derive(Debug)]
enum Write {
    Success(Item<Record>),
    Retry(Item<Record>),
    Dead(Item<Record>),
}

/// Bounds so small that all of them are met.
fn rules() -> Rules {
    Rules {
        connections: 2,
        in_flight: 5,
        per_bot: 4,
        away: 2,
        held: 10,
        bytes: 2_000,
        hold: Duration::from_secs(3),
        ledger: ledger::Bounds {
            span: 20,
            metadata: 32,
        },
        rereads: 1,
        lookback: 3,
        breaker: breaker::Rules {
            failures: 3,
            ..breaker::Rules::default()
        },
    }
}

impl Process {
    pub(super) fn new() -> Self {
        Self {
            dispatch: Dispatch::new(rules()),
            cursors: BTreeMap::new(),
            paused: BTreeSet::new(),
            flights: BTreeMap::new(),
            writes: VecDeque::new(),
            acks: VecDeque::new(),
            rereads: VecDeque::new(),
            buried: BTreeSet::new(),
            now: 0,
        }
    }

    pub(super) fn partitions(&self) -> Vec<usize> {
        let inbox = self
            .cursors
            .keys()
            .filter(|(source, _)| *source == Source::Inbox);
        inbox.map(|(_, partition)| *partition).collect()
    }

    pub(super) fn assign(&mut self, world: &mut World, partition: usize) {
        let ends = |source, length: usize| {
            let committed = world.commits.get(&(source, partition));
            Ends {
                committed: committed.map(|(offset, metadata)| (*offset, metadata.as_str())),
                low: 0,
                high: i64::try_from(length).unwrap(),
            }
        };
        let assigned = Assigned {
            partition: i32::try_from(partition).unwrap(),
            inbox: ends(Source::Inbox, world.inbox[partition].len()),
            retry: ends(Source::Retry, world.retry[partition].len()),
        };
        let restored = self.dispatch.assigned(world.moment(), &assigned);
        assert_eq!(restored.garbled, 0);
        world.known_from[partition] = start(restored.mark);
        for ((bot, number, replay), at) in &world.deliveries[partition][start(restored.mark)..] {
            let tenant = crate::tests::tenant(*bot);
            (self.dispatch).delivered(assigned.partition, tenant, *number, *replay, *at);
        }
        for (source, ends) in [
            (Source::Inbox, assigned.inbox),
            (Source::Retry, assigned.retry),
        ] {
            let from = ends.committed.map(|(offset, _)| offset);
            self.cursors.insert((source, partition), start(from));
            self.paused.remove(&(source, partition));
        }
        self.buried
            .retain(|place| place.partition != assigned.partition);
        self.learn(world);
        self.pump(world);
    }

    /// Learns what bots had dropped.
    pub(super) fn learn(&mut self, world: &World) {
        for (bot, before) in (0..).zip(world.dropped) {
            let tenant = crate::tests::tenant(bot);
            self.dispatch.set_dropped(world.moment(), tenant, before);
        }
    }

    /// Of what is in memory nothing was dropped but what is under way.
    pub(super) fn check_dropped(&self, world: &World) {
        let dropped = self
            .dispatch
            .unstarted()
            .filter(|it| world.is_dropped(it.payload));
        let dropped: Vec<_> = dropped.collect();
        assert!(
            dropped.is_empty(),
            "waits though it was dropped: {dropped:?}"
        );
    }

    /// Gives a partition up in good order: writes are finished, done is committed, attempts under way are left.
    pub(super) fn release(&mut self, world: &mut World, partition: usize) {
        while !self.writes.is_empty() {
            self.write(world);
        }
        while !self.acks.is_empty() {
            self.told();
        }
        self.commit(world, false);
        self.dispatch.revoked(i32::try_from(partition).unwrap());
        self.cursors.retain(|(_, number), _| *number != partition);
        self.flights.retain(|_, item| item.payload.0 != partition);
        self.writes.clear();
    }

    /// Does what is decided.
    pub(super) fn pump(&mut self, world: &mut World) {
        self.now = world.now;
        while let Some(decision) = self.dispatch.next(world.moment()) {
            match decision {
                Decision::Deliver(ticket, item) => {
                    let flying: Vec<_> = self.flights.values().map(|it| it.payload).collect();
                    world.check_start(&item, &flying);
                    self.flights.insert(ticket, item);
                    assert!(self.flights.len() <= rules().in_flight);
                }
                Decision::Park(item) => self.writes.push_back(Write::Retry(item)),
                Decision::Bury(buried) => {
                    let place = buried.item.place;
                    assert!(self.buried.insert(place), "buried twice: {buried:?}");
                    let dropped = buried.cause == "dropped";
                    assert!(
                        !dropped || world.is_dropped(buried.item.payload),
                        "never dropped: {buried:?}"
                    );
                    world.give_up(buried.item.payload);
                    self.writes.push_back(Write::Dead(buried.item));
                }
                Decision::Duplicate(item) => {
                    let (partition, origin) = item.payload;
                    let twin = |again: &Again| again.origin == origin;
                    let there = item.place.source == Source::Inbox
                        && world.retry[partition].iter().any(twin);
                    assert!(
                        there || world.is_accepted(item.payload),
                        "dropped: {item:?}"
                    );
                }
                Decision::Pause(source, number) => {
                    assert!(
                        self.paused
                            .insert((source, usize::try_from(number).unwrap()))
                    );
                }
                Decision::Resume(source, number) => {
                    assert!(
                        self.paused
                            .remove(&(source, usize::try_from(number).unwrap()))
                    );
                }
                Decision::Reread(reread) => {
                    let from = usize::try_from(reread.from).unwrap();
                    self.rereads.push_back((reread, from));
                }
            }
        }
    }

    /// What waits is told: of partitions that are read to where they ended, no less than what the oracle knows to wait.
    pub(super) fn check_waiting(&self, world: &World) {
        self.dispatch.check_waiting();
        for (number, bots) in self.dispatch.waiting() {
            let partition = usize::try_from(number).unwrap();
            let least = world.undone(partition, self.cursors[&(Source::Inbox, partition)]);
            assert!(bots.values().sum::<u64>() >= least, "{least}, not {bots:?}");
        }
    }

    /// Memory is bounded: beyond the bound only what cannot be parked behind a later update.
    pub(super) fn check_memory(&self) {
        let (held, bytes) = self.dispatch.held();
        assert_eq!(bytes, held * 100);
        assert!(held <= rules().held + 10, "{held} in memory");
    }

    /// Reads one record of one of its partitions.
    pub(super) fn read(&mut self, world: &mut World, turn: u8) {
        let open: Vec<_> = self
            .cursors
            .keys()
            .filter(|it| !self.paused.contains(it))
            .collect();
        let Some((source, partition)) = open
            .get(usize::from(turn) % open.len().max(1))
            .copied()
            .copied()
        else {
            return;
        };
        let cursor = self.cursors.entry((source, partition)).or_default();
        if let Some(item) = world.item(source, partition, *cursor) {
            *cursor += 1;
            self.dispatch.record(world.moment(), item);
            self.pump(world);
        }
    }

    /// Ends an attempt.
    pub(super) fn end(&mut self, world: &mut World, which: usize, how: u8) {
        let Some(ticket) = self
            .flights
            .keys()
            .nth(which % self.flights.len().max(1))
            .copied()
        else {
            return;
        };
        let item = self.flights.remove(&ticket).unwrap();
        let update = *world.update(item.payload);
        let answered = |status, seconds: Option<u64>| Outcome::Answered {
            status,
            retry_after: seconds.map(Duration::from_secs),
        };
        let failed = |label, side| Outcome::Failed { label, side };
        let outcome = match (world.up[update.endpoint()], how) {
            (_, 0..=3) => failed("pool_full", Side::Internal),
            (_, 4..=7) => Outcome::Refused(Refusal::Address(Kind::Private)),
            (_, 8..=11) => Outcome::Impossible("damaged"),
            (true, 12..=35) => answered(500, None),
            (true, 36..=50) => answered(429, Some(u64::from(how))),
            // The endpoint has it, and its answer is lost.
            (true, 51..=60) => {
                world.accept(item.payload);
                failed("closed", Side::Upstream)
            }
            (true, _) => answered(200, None),
            (false, 12..=99) => answered(502, None),
            (false, _) => failed("connect", Side::Upstream),
        };
        let ended = self
            .dispatch
            .outcome(world.moment(), ticket, &outcome, u64::from(how));
        let ended = ended.expect("it is under way");
        assert_eq!(ended.item.payload, item.payload);
        if ended.judgement.is_success() {
            world.accept(item.payload);
            self.writes.push_back(Write::Success(ended.item));
        }
        self.pump(world);
    }

    /// Ends all attempts, with success.
    pub(super) fn end_all(&mut self, world: &mut World) {
        while !self.flights.is_empty() {
            self.end(world, 0, u8::MAX);
        }
    }

    /// The next write reaches its topic.
    pub(super) fn write(&mut self, world: &mut World) {
        let Some(write) = self.writes.pop_front() else {
            return;
        };
        let (place, success) = match write {
            Write::Success(item) => (item.place, Some(world.record_success(item.payload))),
            Write::Retry(item) => {
                let (partition, origin) = item.payload;
                world.retry[partition].push(Again {
                    origin,
                    tried: item.tried,
                    next_at: item.next_at,
                });
                (item.place, None)
            }
            Write::Dead(item) => {
                world.record_dead(item.payload);
                (item.place, None)
            }
        };
        self.acks.push_back((place, success));
    }

    /// The next write is acknowledged.
    pub(super) fn told(&mut self) {
        if let Some((place, _)) = self.acks.pop_front() {
            self.dispatch.done(place);
        }
    }

    pub(super) fn reread(&mut self, world: &World, fails: bool) {
        let Some((asked, cursor)) = self.rereads.pop_front() else {
            return;
        };
        let now = world.moment();
        if fails {
            return self.dispatch.reread_failed(now, &asked);
        }
        let partition = usize::try_from(asked.partition).unwrap();
        let Some(item) = world.item(Source::Retry, partition, cursor) else {
            return self.dispatch.reread_failed(now, &asked);
        };
        let offset = item.place.offset;
        let item = Some(item).filter(|item| item.tenant == asked.recipient.tenant);
        if self.dispatch.reread(now, &asked, offset, item) {
            self.rereads.push_front((asked, cursor + 1));
        }
    }

    pub(super) fn commit(&mut self, world: &mut World, fails: bool) {
        for partition in self.partitions() {
            let number = i32::try_from(partition).unwrap();
            let waiting = self
                .acks
                .iter()
                .filter(|(place, _)| place.partition == number);
            let untold = waiting.filter_map(|(_, offset)| *offset).min();
            let mark = untold.unwrap_or(world.deliveries[partition].len());
            let mark = i64::try_from(mark).unwrap();
            for source in [Source::Inbox, Source::Retry] {
                let Some(commit) = self.dispatch.commit(source, number, Some(mark)) else {
                    continue;
                };
                if fails {
                    self.dispatch.uncommitted(source, number);
                    continue;
                }
                let old = world
                    .commits
                    .insert((source, partition), (commit.offset, commit.metadata));
                assert!(old.is_none_or(|(offset, _)| offset <= commit.offset));
            }
        }
    }

    pub(super) fn tick(&mut self, world: &World) {
        self.now = world.now;
        self.dispatch.tick(world.moment());
    }

    /// Whether nothing is going on.
    pub(super) fn is_quiet(&self) -> bool {
        let (held, _) = self.dispatch.held();
        held == 0
            && self.flights.is_empty()
            && self.writes.is_empty()
            && self.acks.is_empty()
            && self.rereads.is_empty()
    }
}

fn start(offset: Option<i64>) -> usize {
    usize::try_from(offset.unwrap_or_default()).unwrap()
}
