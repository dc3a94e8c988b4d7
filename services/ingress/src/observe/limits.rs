//! What a copy may hold, and why one is not whole.
//!
//! In: the configuration's `[capture]`. Out: read by the taps (`request.rs`, `answer.rs`);
//! [`Cut`] is counted by the caller and told in records (`params_cut`, `result_cut`, `cut`).
//! Invariant: a limit only ever shortens a copy, never what is relayed.

/// Bounds of the copies, in bytes. See `[capture]` of the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CaptureLimits {
    /// A request's JSON, form, query or multipart fields, and the answer of a call.
    pub(crate) body: usize,
    /// One update.
    pub(crate) update: usize,
    /// All updates of one answer to getUpdates.
    pub(crate) answer: usize,
}

/// Why a copy is not whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Cut {
    /// Beyond one of [`CaptureLimits`].
    TooLarge,
    /// The worker's budget was spent.
    Budget,
    /// An encoding that is not known, or bytes that are not what they claim to be.
    Unreadable,
    /// The body itself ended early.
    Unfinished,
}

impl Cut {
    /// A fixed word for metrics.
    #[must_use]
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::TooLarge => "too_large",
            Self::Budget => "budget",
            Self::Unreadable => "unreadable",
            Self::Unfinished => "unfinished",
        }
    }
}
