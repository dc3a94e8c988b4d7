//! The differences that Gramtap may make between a library and Telegram. There are no others.
//!
//! In: [`Found`] differences (`run.rs`). Out: which entry allows one, if any does. Invariant: an
//! entry names the side, what of the message, and where it applies, and has its reason; one that
//! was not needed in a whole run fails the test, so this list is no longer than it must be.

use super::compare::{Aspect, Difference};

/// Which of the things that are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// What Telegram received.
    Request,
    /// What the library received.
    Answer,
    /// What the library made of it.
    Library,
}

/// A difference and where it was found.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) library: &'static str,
    pub(crate) door: &'static str,
    pub(crate) step: &'static str,
    pub(crate) side: Side,
    pub(crate) difference: Difference,
}

/// A difference that is allowed.
pub(crate) struct Allowed {
    side: Side,
    aspect: Aspect,
    /// Empty: whatever header; else its name in lower case.
    header: &'static str,
    /// Empty: every step.
    step: &'static str,
    /// Why it cannot be otherwise, or need not be.
    pub(crate) reason: &'static str,
}

/// The list.
pub(crate) const ALLOWED: [Allowed; 0] = [];

impl Allowed {
    fn fits(&self, found: &Found) -> bool {
        self.side == found.side
            && self.aspect == found.difference.aspect
            && (self.header.is_empty() || self.header == found.difference.header)
            && (self.step.is_empty() || self.step == found.step)
    }
}

/// The place in the list of the entry that allows a difference.
pub(crate) fn entry(found: &Found) -> Option<usize> {
    ALLOWED.iter().position(|allowed| allowed.fits(found))
}
