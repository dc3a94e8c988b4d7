//! Updates that are not delivered any more: delivered before, dropped by their bot, or too late.
//!
//! In: what has been delivered, what was dropped, the time. Out: repeats, and what is given up. Invariant: what was delivered is never given up; a replay is asked for
//! whatever became of its update; what is under way is let end.

use std::time::Duration;

use gramtap_events::Moment;
use gramtap_events::delivery::Verdict;
use gramtap_telegram::Queue;

use super::super::{Buried, Item};
use super::{Bot, Event, View};
use crate::deliver::verdict::{DROPPED, Reason};

impl<P: Clone> Bot<P> {
    /// A record of `inbox.retry.v1` that nobody wants is left there.
    pub(super) fn discard(&mut self, item: Item<P>, view: &View<'_>, out: &mut Vec<Event<P>>) {
        let queue = item.queue;
        if let Some(lane) = self.lanes.get_mut(&queue) {
            lane.left(&item);
            self.waiting = self.waiting.saturating_sub(1);
        }
        out.extend(unwanted(&item, view).map(|event| event(item)));
        self.settle(queue, view, out);
    }

    /// The bot had dropped what waits: all of it is given up that is not under way.
    pub(in crate::arrange) fn drop_waiting(&mut self, view: &View<'_>, out: &mut Vec<Event<P>>) {
        let queues: Vec<Queue> = self.lanes.keys().copied().collect();
        for queue in queues {
            let Some(lane) = self.lanes.get_mut(&queue) else {
                continue;
            };
            for item in lane.take_out(|item| is_dropped(item, view)) {
                self.waiting = self.waiting.saturating_sub(1);
                self.forget(&item);
                out.extend(unwanted(&item, view).map(|event| event(item)));
            }
            self.settle(queue, view, out);
        }
    }
}

/// Whether an update was delivered before.
pub(super) fn known<P>(item: &Item<P>, view: &View<'_>) -> bool {
    let known = |id| match item.replay {
        Some(asked) => view.dedup.contains_replay(view.tenant, id, asked),
        None => view.dedup.contains(view.tenant, id, item.at),
    };
    item.update_id.is_some_and(known)
}

/// Whether the bot had an update dropped. A replay is asked for whatever happened to its update.
pub(super) fn is_dropped<P>(item: &Item<P>, view: &View<'_>) -> bool {
    let before = view.dropped_before.filter(|_| item.replay.is_none());
    before.is_some_and(|before| item.at < before)
}

/// What becomes of an update that nobody wants, whatever it waits for.
pub(super) fn unwanted<P>(item: &Item<P>, view: &View<'_>) -> Option<fn(Item<P>) -> Event<P>> {
    if known(item, view) {
        return Some(Event::Duplicate);
    }
    is_dropped(item, view).then_some(|item| Event::Buried(Buried::dropped(item)))
}

/// What becomes of an update whose time is over.
pub(super) fn expired<P>(item: &Item<P>, view: &View<'_>) -> Option<fn(Item<P>) -> Event<P>> {
    (view.now > item.expires_at).then_some(|item| Event::Buried(Buried::expired(item)))
}

impl<P> Item<P> {
    /// The first moment at which it may not be delivered any more.
    pub(super) fn over_at(&self) -> Moment {
        self.expires_at.plus(Duration::from_micros(1))
    }
}

impl<P> Buried<P> {
    fn expired(item: Item<P>) -> Self {
        Self {
            item,
            verdict: Verdict::Expired,
            cause: "expired",
            attempted: false,
        }
    }

    fn dropped(item: Item<P>) -> Self {
        Self {
            item,
            verdict: Verdict::Dead,
            cause: DROPPED,
            attempted: false,
        }
    }

    /// An attempt's verdict was final.
    pub(in crate::arrange) fn after(
        item: Item<P>,
        verdict: Verdict,
        reason: Option<Reason>,
    ) -> Self {
        Self {
            item,
            verdict,
            cause: match (verdict, reason) {
                (Verdict::Expired, _) | (_, None) => "expired",
                (_, Some(reason)) => reason.label,
            },
            attempted: true,
        }
    }
}
