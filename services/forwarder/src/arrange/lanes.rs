//! One bot: its queues, what is under way, what it left in `inbox.retry.v1`.
//!
//! In: its records and outcomes, from `dispatch.rs`. Out: [`Event`]s, and updates to start. A lane is one queue: updates in the order of
//! their origin, the first of which may be under way. A lane that has to wait long is parked: all of it is written to
//! `inbox.retry.v1`, and so is whatever comes for it, until the last of it that is there is done. Invariants: of a lane only the first
//! is started; in `inbox.retry.v1` a lane's updates stand in the order of their origin, so nothing is parked behind a later one: it
//! waits in memory then. Memory: `Rules::per_bot`, what has to wait so,
//! and about 150 bytes for each queue that has anything in `inbox.retry.v1`.

mod flight;
mod lane;
mod unwanted;

use std::collections::{BTreeSet, HashMap, VecDeque};

use gramtap_events::{Moment, TenantId};
use gramtap_telegram::Queue;

use super::{Buried, Item, Rules, Source};
use crate::deliver::breaker::{Breaker, Gate};
use crate::deliver::dedup::Dedup;
use lane::Lane;
use unwanted::{expired, is_dropped, known, unwanted};

/// What happened to an update that is not in its lane any more, or that a lane waits for.
#[derive(Debug)]
pub(super) enum Event<P> {
    /// To be written to `inbox.retry.v1`.
    Parked(Item<P>),
    /// Given up.
    Buried(Buried<P>),
    /// Delivered before.
    Duplicate(Item<P>),
    /// A lane waits until the inbox is read beyond this offset.
    Behind(i64, Queue),
}

/// What a bot must know of the world.
pub(super) struct View<'a> {
    pub(super) now: Moment,
    pub(super) tenant: TenantId,
    pub(super) rules: &'a Rules,
    pub(super) dedup: &'a Dedup,
    /// Whether `inbox.retry.v1` has been read to where it ended when the partition was assigned. Before, nothing is started.
    pub(super) started: bool,
    /// Every update of the inbox below this offset is in its lane, or done.
    pub(super) inbox_to: i64,
    /// There is no room for any bot.
    pub(super) over: bool,
    /// Updates that were received before this are not wanted any more.
    pub(super) dropped_before: Option<Moment>,
}

/// One bot.
#[derive(Debug)]
pub(super) struct Bot<P> {
    pub(super) partition: i32,
    /// Deliveries under way at most.
    pub(super) connections: usize,
    lanes: HashMap<Queue, Lane<P>>,
    /// Lanes whose first update may start, in the order in which they became so. May name lanes that cannot any more.
    ready: VecDeque<Queue>,
    /// When a lane that waits is to be looked at.
    timers: BTreeSet<(Moment, Queue)>,
    breaker: Breaker,
    /// Deliveries under way.
    pub(super) flying: usize,
    /// Updates in memory, and their bytes.
    pub(super) held: usize,
    pub(super) bytes: usize,
    /// Updates that are known and not done: in memory, and in `inbox.retry.v1`.
    pub(super) waiting: u64,
    /// From this offset on, its records in `inbox.retry.v1` are not in memory.
    pub(super) deferred: Option<i64>,
    /// The request to read them again.
    pub(super) rereading: Option<u64>,
}

impl<P: Clone> Bot<P> {
    pub(super) fn new(partition: i32, connections: usize, rules: &Rules) -> Self {
        Self {
            partition,
            connections,
            lanes: HashMap::new(),
            ready: VecDeque::new(),
            timers: BTreeSet::new(),
            breaker: Breaker::new(rules.breaker),
            flying: 0,
            held: 0,
            bytes: 0,
            waiting: 0,
            deferred: None,
            rereading: None,
        }
    }

    /// Whether nothing is known of it that could be lost.
    pub(super) fn is_idle(&self) -> bool {
        self.lanes.is_empty() && self.rereading.is_none() && self.breaker.is_calm()
    }

    /// Whether no more of its updates are taken into memory.
    fn is_full(&self, view: &View<'_>) -> bool {
        view.over || self.held >= self.room(view.rules)
    }

    /// Whether records that were left in the topic are to be read again.
    pub(super) fn is_hungry(&self, rules: &Rules, over: bool) -> bool {
        let waits = self.deferred.is_some() && self.rereading.is_none();
        waits && !over && self.held <= self.room(rules) / 2
    }

    /// What is in memory and not under way.
    #[cfg(test)]
    pub(super) fn unstarted(&self) -> impl Iterator<Item = &Item<P>> {
        let waiting = |lane: &'_ Lane<P>| usize::from(lane.flying.is_some());
        let lanes = self.lanes.values();
        lanes.flat_map(move |lane| lane.items.iter().skip(waiting(lane)))
    }

    fn room(&self, rules: &Rules) -> usize {
        match self.breaker.is_away() {
            true => rules.away,
            false => rules.per_bot,
        }
    }

    /// The first update of a lane.
    pub(super) fn first(&self, queue: Queue) -> Option<&Item<P>> {
        self.lanes.get(&queue)?.items.front()
    }

    /// What `waiting` is the sum of.
    #[cfg(test)]
    pub(super) fn counted(&self) -> u64 {
        self.lanes.values().map(Lane::waiting).sum()
    }

    /// Whether a delivery may start.
    pub(super) fn is_runnable(&self, now: Moment) -> bool {
        !self.ready.is_empty()
            && self.flying < self.connections
            && self.breaker.gate(now) == Gate::Open
    }

    /// When to look at it again.
    pub(super) fn wakes_at(&self, now: Moment) -> Option<Moment> {
        let timer = self.timers.first().map(|(at, _)| *at);
        let gate = match self.breaker.gate(now) {
            Gate::At(at) if !self.ready.is_empty() => Some(at),
            _ => None,
        };
        timer.into_iter().chain(gate).min()
    }

    /// A record of the inbox.
    pub(super) fn admit(&mut self, item: Item<P>, view: &View<'_>, out: &mut Vec<Event<P>>) {
        if let Some(event) = unwanted(&item, view) {
            return out.push(event(item));
        }
        let full = self.is_full(view) || self.breaker.is_away();
        let lane = self.lanes.entry(item.queue).or_default();
        // A later one is parked already: this one cannot stand behind it.
        let first = lane.parked > 0 && item.origin < lane.last_parked;
        self.waiting += 1;
        if !first && (lane.parked > 0 || full) {
            lane.park(&item);
            return out.push(Event::Parked(item));
        }
        self.put(item, view, out);
    }

    /// A record of `inbox.retry.v1`. `counted`: it was parked by this process since the partition was assigned.
    pub(super) fn take_back(
        &mut self,
        item: Item<P>,
        counted: bool,
        view: &View<'_>,
        out: &mut Vec<Event<P>>,
    ) {
        if !counted && known(&item, view) {
            return out.push(Event::Duplicate(item));
        }
        let full = self.is_full(view);
        let lane = self.lanes.entry(item.queue).or_default();
        if !counted {
            lane.park(&item);
            self.waiting += 1;
        }
        if is_dropped(&item, view) {
            return self.discard(item, view, out);
        }
        if self.deferred.is_some() || (full && view.now <= item.expires_at) {
            self.deferred.get_or_insert(item.place.offset);
            return;
        }
        self.put(item, view, out);
    }

    /// A record of `inbox.retry.v1` that was left there. False: there is no room for it yet.
    pub(super) fn reread(
        &mut self,
        item: Item<P>,
        view: &View<'_>,
        out: &mut Vec<Event<P>>,
    ) -> bool {
        if is_dropped(&item, view) {
            let first = self.first(item.queue);
            let is_under_way = first.is_some_and(|first| first.place == item.place);
            if !is_under_way {
                self.discard(item, view, out);
            }
            return true;
        }
        if self.is_full(view) && view.now <= item.expires_at {
            return false;
        }
        self.put(item, view, out);
        true
    }

    fn put(&mut self, item: Item<P>, view: &View<'_>, out: &mut Vec<Event<P>>) {
        let (queue, bytes) = (item.queue, item.bytes);
        let lane = self.lanes.entry(queue).or_default();
        let Some(at) = lane.put(item) else { return };
        self.held += 1;
        self.bytes += bytes;
        if at == 0 {
            self.settle(queue, view, out);
        }
    }

    /// The time of some lanes has come.
    pub(super) fn tick(&mut self, view: &View<'_>, out: &mut Vec<Event<P>>) {
        while let Some((at, queue)) = self.timers.first().copied()
            && at <= view.now
        {
            self.timers.pop_first();
            self.settle(queue, view, out);
        }
    }

    /// Looks at every lane again.
    pub(super) fn settle_all(&mut self, view: &View<'_>, out: &mut Vec<Event<P>>) {
        let queues: Vec<Queue> = self.lanes.keys().copied().collect();
        for queue in queues {
            self.settle(queue, view, out);
        }
    }

    /// Gives up what has expired, or is not wanted any more, at the head of a lane, and finds out what the next one waits for.
    pub(super) fn settle(&mut self, queue: Queue, view: &View<'_>, out: &mut Vec<Event<P>>) {
        loop {
            let Some(lane) = self.lanes.get_mut(&queue).filter(|it| it.flying.is_none()) else {
                return;
            };
            if let Some(timer) = lane.timer.take() {
                self.timers.remove(&(timer, queue));
            }
            let Some(head) = lane.items.front() else {
                if lane.parked == 0 {
                    self.lanes.remove(&queue);
                }
                return;
            };
            if let Some(event) = unwanted(head, view).or_else(|| expired(head, view)) {
                let Some(item) = self.pop(queue) else { return };
                out.push(event(item));
                continue;
            }
            let behind = head.place.source == Source::Retry && head.origin >= view.inbox_to;
            let next_at = head.next_at.filter(|at| *at > view.now);
            if !behind && view.started && next_at.is_none() && !lane.queued {
                lane.queued = true;
                self.ready.push_back(queue);
            }
            if behind {
                out.push(Event::Behind(head.origin, queue));
            }
            let timer = next_at.unwrap_or_else(|| head.over_at());
            lane.timer = Some(timer);
            self.timers.insert((timer, queue));
            return;
        }
    }

    /// Takes the first update out of a lane.
    fn pop(&mut self, queue: Queue) -> Option<Item<P>> {
        let item = self.lanes.get_mut(&queue)?.pop()?;
        self.waiting = self.waiting.saturating_sub(1);
        self.forget(&item);
        Some(item)
    }

    fn forget(&mut self, item: &Item<P>) {
        self.held -= 1;
        self.bytes -= item.bytes;
    }
}
