//! All bots and partitions of this process: what to do next.
//!
//! In: assignments, records, outcomes, acknowledgements, the time; one caller, one call after another. Out: [`Decision`]s, by
//! [`Dispatch::next`], and what to commit. Invariants: an update is started only if no earlier one of its queue is waiting anywhere, if it
//! was not delivered before, and not after its expiry; a record is done once what was made of it is acknowledged, never before. A
//! restart forgets all of this and finds it again: what is done from the commits, what was delivered since from deliveries.v1, which lanes
//! are parked by reading `inbox.retry.v1` to its end before anything is started.

mod partition;
mod upkeep;
mod waiting;

use std::collections::{BTreeSet, HashMap, VecDeque};

use gramtap_events::{Moment, TenantId};
use gramtap_telegram::Queue;

use super::lanes::{Bot, Event, View};
use super::turns::Turns;
use super::{Buried, Decision, Item, Place, Recipient, Reread, Rules, Source};
use crate::consume::ledger::{Begin, Commit};
use crate::deliver::verdict::{Case, Judgement, Outcome, judge};
use partition::Partition;

pub use partition::{Assigned, Ends, Restored};

/// What this process decides from.
#[derive(Debug)]
pub struct Dispatch<P> {
    rules: Rules,
    partitions: HashMap<i32, Partition<P>>,
    bots: HashMap<Recipient, Bot<P>>,
    /// Bots whose webhook has another bound on connections than the usual one.
    connections: HashMap<TenantId, usize>,
    /// Bots that had dropped what was received before then.
    dropped: HashMap<TenantId, Moment>,
    turns: Turns,
    timers: BTreeSet<(Moment, Recipient)>,
    /// When each bot stands in `timers`.
    woken: HashMap<Recipient, Moment>,
    decisions: VecDeque<Decision<P>>,
    /// What is under way.
    flights: HashMap<u64, (Recipient, Queue)>,
    /// Bots that have room for records which they left in `inbox.retry.v1`.
    hungry: BTreeSet<Recipient>,
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
            dropped: HashMap::new(),
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

    /// An update was delivered, as an attempt or deliveries.v1 tells. `replay`: of a replay, when it was asked for. `at`: when the update was
    /// received, or, where that is not known, when it was delivered.
    pub fn delivered(
        &mut self,
        partition: i32,
        tenant: TenantId,
        update_id: i64,
        replay: Option<Moment>,
        at: Moment,
    ) {
        let Some(partition) = self.partitions.get_mut(&partition) else {
            return;
        };
        match replay {
            Some(asked) => partition.dedup.insert_replay(tenant, update_id, asked),
            None => partition.dedup.insert(tenant, update_id, at),
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
        let gone: Vec<Recipient> = gone.map(|(recipient, _)| *recipient).collect();
        for recipient in gone {
            if let Some(bot) = self.bots.remove(&recipient) {
                self.held -= bot.held;
                self.bytes -= bot.bytes;
                self.rereads -= usize::from(bot.rereading.is_some());
            }
            self.hungry.remove(&recipient);
            if let Some(at) = self.woken.remove(&recipient) {
                self.timers.remove(&(at, recipient));
            }
        }
        let bots = &self.bots;
        self.flights
            .retain(|_, (recipient, _)| bots.contains_key(recipient));
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
        for recipient in of(tenant) {
            if let Some(bot) = self.bots.get_mut(&recipient) {
                bot.connections = connections;
                self.turns.wait(recipient);
            }
        }
    }

    /// A bot's webhook is another one now, or somebody says that it was mended: what waits for it is tried at once.
    pub fn renewed(&mut self, now: Moment, tenant: TenantId) {
        let webhook = Recipient::from(tenant);
        if let Some(number) = self.bots.get(&webhook).map(|bot| bot.partition) {
            self.with(now, webhook, number, |bot, view, out| bot.renew(view, out));
        }
    }

    /// The bot had dropped what was received before then: what of that waits, or is read from now on, is given up. What is under way is let
    /// end, and replays stay. None: nothing.
    pub fn set_dropped(&mut self, now: Moment, tenant: TenantId, before: Option<Moment>) {
        let known = match before {
            Some(before) => self.dropped.insert(tenant, before),
            None => self.dropped.remove(&tenant),
        };
        let webhook = Recipient::from(tenant);
        let number = self.bots.get(&webhook).map(|bot| bot.partition);
        if let Some(number) = number.filter(|_| known < before) {
            self.with(now, webhook, number, |bot, view, out| {
                bot.drop_waiting(view, out)
            });
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
                    self.with(now, item.recipient(), place.partition, |bot, view, out| {
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
        let (recipient, queue) = self.flights.remove(&ticket)?;
        let tenant = recipient.tenant;
        let bot = self.bots.get(&recipient)?;
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
            self.delivered(number, tenant, id, item.replay, item.at);
        }
        let answered = matches!(outcome, Outcome::Answered { .. });
        let mut done = None;
        self.with(now, recipient, number, |bot, view, out| {
            done = bot.end(queue, &judgement, answered, view, out);
        });
        if let Some(partition) = self.partitions.get_mut(&number)
            && let Some(item) = &done
        {
            partition.decide(item.place);
        }
        if let Some(item) = done.filter(|_| !judgement.is_success()) {
            let buried = Buried::after(item, judgement.verdict, judgement.reason);
            self.decisions.push_back(Decision::Bury(buried));
        }
        Some(Ended { item, judgement })
    }

    /// What was made of a record is acknowledged.
    pub fn done(&mut self, place: Place) {
        if let Some(partition) = self.partitions.get_mut(&place.partition) {
            partition.finish(place);
            self.pressure(place.partition);
        }
    }

    /// A record that [`Decision::Reread`] asked for, or one that was met on the way: of another bot (`item` none), or for another
    /// recipient. False: enough; stop reading.
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
        let decided = partition.decided.contains(&offset);
        let ledger = partition.ledger(Source::Retry);
        let caught_up = offset.saturating_add(1) >= ledger.position();
        let open = offset < ledger.position() && !ledger.is_done(offset) && !decided;
        let item = item.filter(|item| open && item.recipient() == asked.recipient);
        let current = self
            .bots
            .get(&asked.recipient)
            .and_then(|bot| bot.rereading);
        if current != Some(asked.ticket) {
            return false;
        }
        let mut more = !caught_up;
        self.with(now, asked.recipient, asked.partition, |bot, view, out| {
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
        let current = self
            .bots
            .get(&asked.recipient)
            .and_then(|bot| bot.rereading);
        if current == Some(asked.ticket) {
            self.with(now, asked.recipient, asked.partition, |bot, _, _| {
                bot.rereading = None;
            });
        }
    }

    /// The time that [`Dispatch::wakes_at`] told has come. To call it at any other time does no harm.
    pub fn tick(&mut self, now: Moment) {
        while let Some((at, recipient)) = self.timers.first().copied()
            && at <= now
        {
            let Some(bot) = self.bots.get(&recipient) else {
                self.timers.remove(&(at, recipient));
                continue;
            };
            self.with(now, recipient, bot.partition, |bot, view, out| {
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
            let recipient = self.turns.take()?;
            let Some(bot) = self.bots.get(&recipient).filter(|bot| bot.is_runnable(now)) else {
                continue;
            };
            let (number, ticket) = (bot.partition, self.ticket + 1);
            let mut started = None;
            self.with(now, recipient, number, |bot, view, out| {
                started = bot.start(ticket, view, out);
            });
            if let Some(item) = started {
                self.ticket = ticket;
                self.flights.insert(ticket, (recipient, item.queue));
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

    /// Whether anything is known of a bot: updates that wait, a state of its endpoint.
    #[must_use]
    pub fn holds(&self, tenant: TenantId) -> bool {
        of(tenant).any(|recipient| self.bots.contains_key(&recipient))
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

/// Who receives updates of a bot.
fn of(tenant: TenantId) -> impl Iterator<Item = Recipient> {
    let elsewhere = [false, true].into_iter();
    elsewhere.map(move |elsewhere| Recipient { tenant, elsewhere })
}

#[cfg(test)]
mod tests;
