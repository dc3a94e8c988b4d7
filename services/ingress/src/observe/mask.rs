//! Lets through what a bot's privacy mode allows.

use gramtap_events::tenant::Privacy;

/// The key that ids are replaced with in `pseudonymous` mode; one per bot.
pub type PseudonymKey = [u8; 32];

/// What is kept of one bot's bodies.
#[derive(Clone)]
pub struct Mask {
    privacy: Privacy,
    _key: PseudonymKey,
}

impl Mask {
    /// The mask of a bot. `key` counts in `pseudonymous` mode only.
    #[must_use]
    pub fn new(privacy: Privacy, key: PseudonymKey) -> Self {
        Self { privacy, _key: key }
    }

    /// The mode.
    #[must_use]
    pub fn privacy(&self) -> Privacy {
        self.privacy
    }
}

impl std::fmt::Debug for Mask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Mask({})", self.privacy.as_str())
    }
}
