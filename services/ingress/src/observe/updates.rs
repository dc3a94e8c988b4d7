//! The updates of one answer to getUpdates, filtered as they pass by.
//!
//! In: decoded bytes of the answer (`answer.rs`), split at its elements (`split.rs`). Out: [`Seen`], for
//! `record.rs`. Invariant: an update is filtered by its bot's [`Mask`] as soon as it is whole, so that none is
//! held unfiltered for longer than it streams by; what is held is claimed from the budget. One
//! that is too large, or for which the budget has no room, is told as cut with what is known of it.

use std::borrow::Cow;

use gramtap_privacy::tree::Node;
use gramtap_privacy::{Mask, MaskedUpdate};
use serde_json::value::RawValue;

use super::budget::{Budget, Claim};
use super::limits::{CaptureLimits, Cut};
use super::split::{Element, Splitter};

/// An update that passed by, already filtered.
#[derive(Debug)]
pub(crate) struct Seen {
    /// Telegram's number, where it was seen.
    pub(crate) update_id: Option<i64>,
    /// The name of the field beside it, or `other:<name>`, where it was seen.
    pub(crate) kind: Option<Cow<'static, str>>,
    /// What the privacy mode lets through.
    pub(crate) update: Option<Box<RawValue>>,
    /// Why it is not here.
    pub(crate) cut: Option<Cut>,
}

/// A poll's answer in the making.
pub(super) struct Updates {
    splitter: Splitter,
    seen: Vec<Seen>,
    beyond: u64,
    mask: Mask,
    /// For the update in the making, and for those that are made.
    making: Claim,
    made: Claim,
}

/// Telegram gives 100 updates at most.
pub(super) const MOST_UPDATES: usize = 1000;

impl Updates {
    pub(super) fn new(limits: &CaptureLimits, budget: &Budget, mask: &Mask) -> Self {
        Self {
            splitter: Splitter::new(limits),
            seen: Vec::new(),
            beyond: 0,
            mask: mask.clone(),
            making: budget.claim(),
            made: budget.claim(),
        }
    }

    /// What the copy is held by until it is turned into records.
    pub(super) fn claim(&mut self) -> &mut Claim {
        &mut self.made
    }

    /// The answer around the updates.
    pub(super) fn envelope(&self) -> &[u8] {
        self.splitter.envelope().0
    }

    /// Why the answer itself is not whole: an update that was not told is told by nothing else.
    pub(super) fn cut(&self) -> Option<Cut> {
        let (_, around) = self.splitter.envelope();
        let inside = self.splitter.inside_element().then_some(Cut::Unfinished);
        around.or(inside)
    }

    /// The updates, how many there were beyond, and what holds them.
    pub(super) fn finish(self) -> (Vec<Seen>, u64, Option<Claim>) {
        (self.seen, self.beyond, Some(self.made))
    }

    /// The next bytes of the answer.
    pub(super) fn take(&mut self, bytes: &[u8]) {
        let Self {
            splitter,
            seen,
            beyond,
            mask,
            making,
            made,
        } = self;
        splitter.push(
            bytes,
            making,
            &mut |element| match seen.len() < MOST_UPDATES {
                true => seen.push(Seen::of(element, mask, made)),
                false => *beyond += 1,
            },
        );
    }
}

impl Seen {
    fn of(element: Element<'_>, mask: &Mask, claim: &mut Claim) -> Self {
        match element {
            Element::Cut(bytes, cut) => Self::cut(bytes, cut),
            Element::Whole(bytes) => Self::read(bytes, mask).held_by(claim),
        }
    }

    fn read(bytes: &[u8], mask: &Mask) -> Self {
        let whole = mask.update_in(bytes);
        whole.map_or_else(
            || Self::cut(bytes, Cut::Unreadable),
            |masked| Self::of_masked(masked, None),
        )
    }

    /// One that is not all there, or cannot be read.
    fn cut(bytes: &[u8], cut: Cut) -> Self {
        Self::of_masked(MaskedUpdate::beginning(bytes), Some(cut))
    }

    /// An update that is all there. `None`: it is none.
    pub(super) fn whole(update: Node<'_>, mask: &Mask) -> Option<Self> {
        mask.update(update)
            .map(|masked| Self::of_masked(masked, None))
    }

    fn of_masked(masked: MaskedUpdate, cut: Option<Cut>) -> Self {
        Self {
            update_id: masked.update_id,
            kind: masked.kind,
            update: masked.update,
            cut,
        }
    }

    /// The same, if the budget has room for it.
    fn held_by(mut self, claim: &mut Claim) -> Self {
        let size = self.update.as_ref().map_or(0, |update| update.get().len());
        if !claim.grow(size) {
            self.update = None;
            self.cut = Some(Cut::Budget);
        }
        self
    }
}
