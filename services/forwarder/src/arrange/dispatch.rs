//! All bots and partitions of this process: what to do next.
//!
//! In: assignments, records, outcomes, acknowledgements, the time; one caller, one call after another. Out: [`Decision`]s, by
//! [`Dispatch::next`], and what to commit. Invariants: an update is started only if no earlier one of its queue is waiting anywhere, if it
//! was not delivered before, and not after its expiry; a record is done once what was made of it is acknowledged, never before. A
//! restart forgets all of this and finds it again: what is done from the commits, what was delivered since from deliveries.v1, which lanes
//! are parked by reading `inbox.retry.v1` to its end before anything is started.

mod partition;
mod upkeep;

use std::collections::{BTreeSet, HashMap, VecDeque};

use gramtap_events::{Moment, TenantId};
use gramtap_telegram::Queue;

use super::lanes::{Bot, Event, View};
use super::turns::Turns;
use super::{Buried, Decision, Item, Place, Reread, Rules, Source};
use crate::consume::ledger::{Begin, Commit};
use crate::deliver::verdict::{Case, Judgement, Outcome, judge};
use partition::Partition;

pub use partition::{Assigned, Ends, Restored};

/// What this process decides from.
#[derive(Debug)]
pub struct Dispatch<P> {
    rules: Rules,
    partitions: HashMap<i32, Partition<P>>,
    bots: HashMap<TenantId, Bot<P>>,
    /// Bots whose webhook has another bound on connections than the usual one.
    connections: HashMap<TenantId, usize>,
    turns: Turns,
    timers: BTreeSet<(Moment, TenantId)>,
    /// When each bot stands in `timers`.
    woken: HashMap<TenantId, Moment>,
    decisions: VecDeque<Decision<P>>,
    /// What is under way.
    flights: HashMap<u64, (TenantId, Queue)>,
    /// Bots that have room for records which they left in `inbox.retry.v1`.
    hungry: BTreeSet<TenantId>,
    /// How many are being read again.
    rereads: usize,
    ticket: u64,
    held: usize,
    bytes: usize,
    /// There is no room; until half of it is free.
    over: bool,
    stopped: bool,
}

/// What came of an attempt.
#[derive(Clone, Debug)]
pub struct Ended<P> {
    /// The update, its last attempt included.
    pub item: Item<P>,
    /// The verdict.
    pub judgement: Judgement,
}

impl<P: Clone> Dispatch<P> {
    /// Nothing assigned, nothing known. A bound of nothing is one of one.
    #[must_use]
    pub fn new(rules: Rules) -> Self {
        Self {
            rules: rules.sane(),
            partitions: HashMap::new(),
            bots: HashMap::new(),
            connections: HashMap::new(),
            turns: Turns::default(),
            timers: BTreeSet::new(),
            woken: HashMap::new(),
            decisions: VecDeque::new(),
            flights: HashMap::new(),
            hungry: BTreeSet::new(),
            rereads: 0,
            ticket: 0,
            held: 0,
            bytes: 0,
            over: false,
            stopped: false,
        }
    }

    /// Both partitions of a number are this process' from now on. Before their first record: [`Dispatch::delivered`] for each
    /// success in deliveries.v1 from [`Restored::mark`] on.
    pub fn assigned(&mut self, now: Moment, assigned: &Assigned<'_>) -> Restored {
        self.revoked(assigned.partition);
        let (partition, restored) = Partition::new(assigned, &self.rules);
        self.partitions.insert(assigned.partition, partition);
        self.begin(now, assigned.partition);
        self.pressure(assigned.partition);
        restored
    }

    /// An update that deliveries.v1 tells was delivered. `at`: when it was received, or, where that is not known, when it was delivered.
    pub fn delivered(&mut self, partition: i32, tenant: TenantId, update_id: i64, at: Moment) {
        if let Some(partition) = self.partitions.get_mut(&partition) {
            partition.dedup.insert(tenant, update_id, at);
        }
    }

    /// Both partitions of a number are another process' now. All that is known of them is forgotten; attempts that are under way end
    /// without consequence. Before: let them end ([`Dispatch::flying`]), and commit.
    pub fn revoked(&mut self, partition: i32) {
        if self.partitions.remove(&partition).is_none() {
            return;
        }
        let gone = self
            .bots
            .iter()
            .filter(|(_, bot)| bot.partition == partition);
        let gone: Vec<TenantId> = gone.map(|(tenant, _)| *tenant).collect();
        for tenant in gone {
            if let Some(bot) = self.bots.remove(&tenant) {
                self.held -= bot.held;
                self.bytes -= bot.bytes;
                self.rereads -= usize::from(bot.rereading.is_some());
            }
            self.hungry.remove(&tenant);
            if let Some(at) = self.woken.remove(&tenant) {
                self.timers.remove(&(at, tenant));
            }
        }
        let bots = &self.bots;
        self.flights
            .retain(|_, (tenant, _)| bots.contains_key(tenant));
        self.decisions
            .retain(|decision| decision.partition() != partition);
        // There is room again.
        self.pressure(partition);
    }

    /// How many deliveries of a bot may be under way. None: the usual number.
    pub fn set_connections(&mut self, tenant: TenantId, connections: Option<usize>) {
        match connections {
            Some(connections) => self.connections.insert(tenant, connections.max(1)),
            None => self.connections.remove(&tenant),
        };
        let connections = self.connections_of(tenant);
        if let Some(bot) = self.bots.get_mut(&tenant) {
            bot.connections = connections;
            self.turns.wait(tenant);
        }
    }

    /// A bot's webhook is another one now, or somebody says that it was mended: what waits for it is tried at once.
    pub fn renewed(&mut self, now: Moment, tenant: TenantId) {
        if let Some(number) = self.bots.get(&tenant).map(|bot| bot.partition) {
            self.with(now, tenant, number, |bot, view, out| bot.renew(view, out));
        }
    }

    /// A record was read. Records of a partition that is not assigned, and those that were read before, are left.
    pub fn record(&mut self, now: Moment, item: Item<P>) {
        let place = item.place;
        let Some(partition) = self.partitions.get_mut(&place.partition) else {
            return;
        };
        if partition.ledger(place.source).begin(place.offset) == Begin::Fresh {
            match place.source {
                Source::Inbox if !partition.started => partition.early.push(item),
                Source::Inbox => self.admit(now, item),
                Source::Retry => {
                    let counted = partition.parked_here(&item);
                    self.with(now, item.tenant, place.partition, |bot, view, out| {
                        bot.take_back(item, counted, view, out);
                    });
                }
            }
        }
        self.reached(now, place.partition, place.source);
    }

    /// Records below this place are gone: retention was faster.
    pub fn skipped(&mut self, now: Moment, to: Place) {
        if let Some(partition) = self.partitions.get_mut(&to.partition) {
            partition.ledger(to.source).skip(to.offset);
            self.reached(now, to.partition, to.source);
        }
    }

    /// An attempt has ended. `random`: any number. None: the partition went meanwhile; nothing follows, though a success is still worth
    /// its record. With a final verdict [`Dispatch::done`] is due: after the attempt's record is acknowledged where it
    /// succeeded, else after that of the dead letter, which [`Dispatch::next`] asks for.
    pub fn outcome(
        &mut self,
        now: Moment,
        ticket: u64,
        outcome: &Outcome,
        random: u64,
    ) -> Option<Ended<P>> {
        let (tenant, queue) = self.flights.remove(&ticket)?;
        let bot = self.bots.get(&tenant)?;
        let (number, item) = (bot.partition, bot.first(queue)?);
        let failed = item.tried.attempts.saturating_sub(1);
        let case = Case {
            now,
            failed,
            expires_at: item.expires_at,
            random,
        };
        let judgement = judge(outcome, &case);
        let item = item.clone();
        if let (Some(id), true) = (item.update_id, judgement.is_success()) {
            self.delivered(number, tenant, id, item.at);
        }
        let answered = matches!(outcome, Outcome::Answered { .. });
        let mut done = None;
        self.with(now, tenant, number, |bot, view, out| {
            done = bot.end(queue, &judgement, answered, view, out);
        });
        if let Some(item) = done.filter(|_| !judgement.is_success()) {
            let buried = Buried::after(item, judgement.verdict, judgement.reason);
            self.decisions.push_back(Decision::Bury(buried));
        }
        Some(Ended { item, judgement })
    }

    /// What was made of a record is acknowledged.
    pub fn done(&mut self, place: Place) {
        if let Some(partition) = self.partitions.get_mut(&place.partition) {
            partition.ledger(place.source).finish(place.offset);
            self.pressure(place.partition);
        }
    }

    /// A record that [`Decision::Reread`] asked for, or one of another bot that was met on the way (`item` none). False: enough; stop
    /// reading.
    pub fn reread(
        &mut self,
        now: Moment,
        asked: &Reread,
        offset: i64,
        item: Option<Item<P>>,
    ) -> bool {
        let Some(partition) = self.partitions.get_mut(&asked.partition) else {
            return false;
        };
        let ledger = partition.ledger(Source::Retry);
        let caught_up = offset.saturating_add(1) >= ledger.position();
        let item = item.filter(|_| offset < ledger.position() && !ledger.is_done(offset));
        let current = self.bots.get(&asked.tenant).and_then(|bot| bot.rereading);
        if current != Some(asked.ticket) {
            return false;
        }
        let mut more = !caught_up;
        self.with(now, asked.tenant, asked.partition, |bot, view, out| {
            let taken = item.is_none_or(|item| bot.reread(item, view, out));
            bot.deferred = match (taken, caught_up) {
                (false, _) => Some(offset),
                (true, false) => Some(offset.saturating_add(1)),
                (true, true) => None,
            };
            more = more && taken;
            if !more {
                bot.rereading = None;
            }
        });
        more
    }

    /// Reading again failed; it is asked for anew.
    pub fn reread_failed(&mut self, now: Moment, asked: &Reread) {
        let current = self.bots.get(&asked.tenant).and_then(|bot| bot.rereading);
        if current == Some(asked.ticket) {
            self.with(now, asked.tenant, asked.partition, |bot, _, _| {
                bot.rereading = None;
            });
        }
    }

    /// The time that [`Dispatch::wakes_at`] told has come. To call it at any other time does no harm.
    pub fn tick(&mut self, now: Moment) {
        while let Some((at, tenant)) = self.timers.first().copied()
            && at <= now
        {
            let Some(bot) = self.bots.get(&tenant) else {
                self.timers.remove(&(at, tenant));
                continue;
            };
            self.with(now, tenant, bot.partition, |bot, view, out| {
                bot.tick(view, out)
            });
        }
    }

    /// When something is to be done though nothing happens.
    #[must_use]
    pub fn wakes_at(&self) -> Option<Moment> {
        self.timers.first().map(|(at, _)| *at)
    }

    /// What to do next. None: nothing until something happens, or until [`Dispatch::wakes_at`].
    pub fn next(&mut self, now: Moment) -> Option<Decision<P>> {
        loop {
            if let Some(decision) = self.decisions.pop_front() {
                return Some(decision);
            }
            if let Some(reread) = self.reread_next() {
                return Some(Decision::Reread(reread));
            }
            if self.stopped || self.flights.len() >= self.rules.in_flight {
                return None;
            }
            let tenant = self.turns.take()?;
            let Some(bot) = self.bots.get(&tenant).filter(|bot| bot.is_runnable(now)) else {
                continue;
            };
            let (number, ticket) = (bot.partition, self.ticket + 1);
            let mut started = None;
            self.with(now, tenant, number, |bot, view, out| {
                started = bot.start(ticket, view, out);
            });
            if let Some(item) = started {
                self.ticket = ticket;
                self.flights.insert(ticket, (tenant, item.queue));
                self.decisions.push_back(Decision::Deliver(ticket, item));
            }
        }
    }

    /// Starts nothing from now on.
    pub fn stop(&mut self) {
        self.stopped = true;
    }

    /// How many deliveries are under way; of one partition, or of all.
    #[must_use]
    pub fn flying(&self, partition: Option<i32>) -> usize {
        let bots = self.bots.values();
        let bots = bots.filter(|bot| partition.is_none_or(|number| bot.partition == number));
        bots.map(|bot| bot.flying).sum()
    }

    /// Updates in memory, and their bytes.
    #[must_use]
    pub fn held(&self) -> (usize, usize) {
        (self.held, self.bytes)
    }

    /// What to commit, if anything was done since. `mark`: the offset in deliveries.v1 below which [`Dispatch::done`] was called for
    /// every success.
    pub fn commit(&mut self, source: Source, partition: i32, mark: Option<i64>) -> Option<Commit> {
        let partition = self.partitions.get_mut(&partition)?;
        let mark = partition.mark(mark);
        partition.ledger(source).commit(mark)
    }

    /// A commit failed.
    pub fn uncommitted(&mut self, source: Source, partition: i32) {
        if let Some(partition) = self.partitions.get_mut(&partition) {
            partition.ledger(source).uncommitted();
        }
    }
}

#[cfg(test)]
mod tests;
