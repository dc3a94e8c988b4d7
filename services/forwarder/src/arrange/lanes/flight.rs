//! What is under way, and what the endpoint's state means for what is not.
//!
//! In: turns and outcomes, from `dispatch.rs`. Out: updates to start, updates to park. Invariant: while the endpoint is away, nothing of the
//! inbox stays in memory but what cannot be parked, and of what is parked only a few to probe with.

use gramtap_events::delivery::Verdict;
use gramtap_telegram::Queue;

use super::super::Item;
use super::lane::Lane;
use super::{Bot, Event, View};
use crate::deliver::breaker::Breaker;
use crate::deliver::verdict::Judgement;

impl<P: Clone> Bot<P> {
    /// Starts the update whose turn it is.
    pub(in crate::arrange) fn start(
        &mut self,
        ticket: u64,
        view: &View<'_>,
        out: &mut Vec<Event<P>>,
    ) -> Option<Item<P>> {
        while let Some(queue) = self.ready.pop_front() {
            let Some(lane) = self.lanes.get_mut(&queue) else {
                continue;
            };
            lane.queued = false;
            self.settle(queue, view, out);
            let Some(lane) = self.lanes.get_mut(&queue).filter(|lane| lane.queued) else {
                continue;
            };
            // Put there a moment ago.
            self.ready.pop_back();
            lane.queued = false;
            if let Some(timer) = lane.timer.take() {
                self.timers.remove(&(timer, queue));
            }
            let item = lane.start(ticket, view.now)?;
            self.flying += 1;
            self.breaker.start(view.now, queue);
            return Some(item);
        }
        None
    }

    /// An attempt ended. `answered`: with a status. The update, where it is done; none where it is tried again.
    pub(in crate::arrange) fn end(
        &mut self,
        queue: Queue,
        judgement: &Judgement,
        answered: bool,
        view: &View<'_>,
        out: &mut Vec<Event<P>>,
    ) -> Option<Item<P>> {
        let was_away = self.breaker.is_away();
        let elsewhere = self.first(queue).is_some_and(|item| item.elsewhere);
        match judgement.verdict {
            // What is said of one address holds for no other.
            _ if elsewhere => self.breaker.release(view.now, queue),
            Verdict::Delivered => self.breaker.succeed(view.now),
            _ if judgement.is_endpoints_failure() => {
                self.breaker.fail(view.now, queue, answered);
            }
            _ => self.breaker.release(view.now, queue),
        }
        self.flying -= 1;
        let full = self.is_full(view);
        let away = self.breaker.is_away();
        let lane = self.lanes.get_mut(&queue)?;
        lane.flying = None;
        let done = match judgement.next_at {
            Some(next_at) => {
                let waits = next_at.since(view.now) > view.rules.hold;
                lane.fail(next_at, judgement.is_endpoints_failure());
                if (waits || full || away) && lane.may_park() {
                    self.park(queue, out);
                }
                None
            }
            None => self.pop(queue),
        };
        if away && !was_away {
            self.retreat(view, out);
        }
        self.settle(queue, view, out);
        done
    }

    /// The endpoint is another one, or was mended: nothing that was said of it holds.
    pub(in crate::arrange) fn renew(&mut self, view: &View<'_>, out: &mut Vec<Event<P>>) {
        self.breaker = Breaker::new(view.rules.breaker);
        for lane in self.lanes.values_mut().filter(|it| it.flying.is_none()) {
            lane.items.iter_mut().for_each(|item| item.next_at = None);
        }
        self.settle_all(view, out);
    }

    /// Writes a whole lane to `inbox.retry.v1`.
    fn park(&mut self, queue: Queue, out: &mut Vec<Event<P>>) {
        let Some(lane) = self.lanes.get_mut(&queue) else {
            return;
        };
        let items = std::mem::take(&mut lane.items);
        for item in &items {
            lane.park(item);
        }
        for item in items {
            self.forget(&item);
            out.push(Event::Parked(item));
        }
    }

    /// The endpoint is away: what is in memory is parked, or left in the topic but for a few to probe with.
    fn retreat(&mut self, view: &View<'_>, out: &mut Vec<Event<P>>) {
        let lanes = &self.lanes;
        let parked = lanes.iter().filter(|(_, lane)| lane.may_park());
        let parked: Vec<Queue> = parked.map(|(queue, _)| *queue).collect();
        for queue in parked {
            self.park(queue, out);
        }
        let left = self.lanes.values().filter(|lane| lane.may_be_left());
        let mut offsets: Vec<i64> = left.flat_map(Lane::offsets).collect();
        offsets.sort_unstable();
        if let Some(cut) = offsets.get(view.rules.away).copied() {
            let lanes = self.lanes.values_mut();
            let left = lanes.filter(|lane| lane.may_be_left());
            let left: Vec<_> = left.flat_map(|lane| lane.leave(cut)).collect();
            left.iter().for_each(|item| self.forget(item));
            let from = left.iter().map(|item| item.place.offset).min();
            self.deferred = self.deferred.into_iter().chain(from).min();
            self.rereading = None;
        }
        self.settle_all(view, out);
    }
}
