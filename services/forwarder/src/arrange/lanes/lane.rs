//! One queue of one bot.
//!
//! In: its updates. Out: the first of them. Invariant: updates stand in the order of their origin; none is put before the one
//! that is under way; `parked` counts the lane's records in `inbox.retry.v1` that are not done, those in memory included.

use std::collections::VecDeque;

use gramtap_events::Moment;

use super::super::{Item, Source};

#[derive(Debug)]
pub(super) struct Lane<P> {
    pub(super) items: VecDeque<Item<P>>,
    /// The ticket of the first one, while it is under way.
    pub(super) flying: Option<u64>,
    /// It stands in the bot's list of lanes that are ready.
    pub(super) queued: bool,
    /// When it is to be looked at.
    pub(super) timer: Option<Moment>,
    /// Records in `inbox.retry.v1` that are not done.
    pub(super) parked: u64,
    /// The highest origin of these, or of those before them.
    pub(super) last_parked: i64,
}

impl<P> Default for Lane<P> {
    fn default() -> Self {
        Self {
            items: VecDeque::new(),
            flying: None,
            queued: false,
            timer: None,
            parked: 0,
            last_parked: i64::MIN,
        }
    }
}

impl<P: Clone> Lane<P> {
    /// Puts an update in its place: which one from the first. None: this very record is in the lane already.
    pub(super) fn put(&mut self, item: Item<P>) -> Option<usize> {
        let after = |other: &Item<P>| other.origin <= item.origin;
        let at = match self.items.back().is_none_or(after) {
            true => self.items.len(),
            false => self.items.partition_point(after),
        };
        let same = self.items.range(..at).rev();
        let mut same = same.take_while(|it| it.origin == item.origin);
        if same.any(|other| other.place == item.place) {
            return None;
        }
        let at = at.max(usize::from(self.flying.is_some()));
        self.items.insert(at, item);
        Some(at)
    }

    pub(super) fn start(&mut self, ticket: u64, now: Moment) -> Option<Item<P>> {
        let head = self.items.front_mut()?;
        self.flying = Some(ticket);
        head.tried.attempts = head.tried.attempts.saturating_add(1);
        head.tried.first_at.get_or_insert(now);
        head.tried.last_at = Some(now);
        Some(head.clone())
    }

    /// The first one is tried again. `counts`: not if the attempt failed for a reason of ours.
    pub(super) fn fail(&mut self, next_at: Moment, counts: bool) {
        if let Some(head) = self.items.front_mut() {
            head.next_at = Some(next_at);
            if !counts {
                head.tried.attempts = head.tried.attempts.saturating_sub(1);
            }
        }
    }

    pub(super) fn pop(&mut self) -> Option<Item<P>> {
        let item = self.items.pop_front()?;
        self.left(&item);
        Some(item)
    }

    /// Takes out what is not under way and answers to this.
    pub(super) fn take_out(&mut self, which: impl Fn(&Item<P>) -> bool) -> Vec<Item<P>> {
        let under_way = usize::from(self.flying.is_some()).min(self.items.len());
        let waiting = self.items.split_off(under_way);
        let (out, stay): (Vec<_>, Vec<_>) = waiting.into_iter().partition(which);
        self.items.extend(stay);
        out.iter().for_each(|item| self.left(item));
        out
    }

    /// An update is not in the lane any more; its record in `inbox.retry.v1`, if it has one, is done soon.
    pub(super) fn left(&mut self, item: &Item<P>) {
        if item.place.source == Source::Retry {
            self.parked = self.parked.saturating_sub(1);
        }
    }

    /// A record of it is in `inbox.retry.v1`, or will be.
    pub(super) fn park(&mut self, item: &Item<P>) {
        self.parked += 1;
        self.last_parked = self.last_parked.max(item.origin);
    }

    /// Whether all of it may be written to `inbox.retry.v1`: nothing of it is there.
    pub(super) fn may_park(&self) -> bool {
        self.flying.is_none() && self.parked == 0 && !self.items.is_empty()
    }

    /// Whether its updates may be taken out of memory: all of them are in `inbox.retry.v1`.
    pub(super) fn may_be_left(&self) -> bool {
        let durable = |item: &Item<P>| item.place.source == Source::Retry;
        self.flying.is_none() && self.items.iter().all(durable)
    }

    /// Updates that are not done.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> u64 {
        let only_here = self
            .items
            .iter()
            .filter(|item| item.place.source == Source::Inbox);
        self.parked + only_here.map(|_| 1).sum::<u64>()
    }

    pub(super) fn offsets(&self) -> impl Iterator<Item = i64> {
        self.items.iter().map(|item| item.place.offset)
    }

    /// Takes out the first that stands at an offset or behind it, and all after it.
    pub(super) fn leave(&mut self, cut: i64) -> VecDeque<Item<P>> {
        let at = self.offsets().position(|offset| offset >= cut);
        at.map_or_else(VecDeque::new, |at| self.items.split_off(at))
    }
}
