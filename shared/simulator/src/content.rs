//! Bytes that need not be in memory.
//!
//! In: an upload, a URL's stand-in, or a size (`world/files.rs`). Out: pieces for `connection/send.rs`.
//! Invariant: the same content gives the same bytes for every cut of every range.
//! A content of any size made from a pattern costs no memory.

use std::fmt;
use std::ops::Range;
use std::sync::LazyLock;

use bytes::Bytes;

/// What an answer or a file consists of.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Content {
    Held(Bytes),
    /// `length` bytes made up from `seed`.
    Pattern {
        length: u64,
        seed: u64,
    },
}

/// Bytes after which a pattern repeats, per seed: prime, so that no power-of-two cut lines up with it.
const PERIOD: u64 = 251;

/// Of a pattern at most this much is given at once.
const AT_ONCE: usize = 64 << 10;
/// So many bytes from every place in a period.
static PATTERN: LazyLock<Bytes> = LazyLock::new(|| {
    (0..PERIOD)
        .map(|at| at as u8)
        .cycle()
        .take(AT_ONCE + PERIOD as usize)
        .collect()
});

impl Content {
    pub(crate) fn length(&self) -> u64 {
        match self {
            Self::Held(bytes) => bytes.len() as u64,
            Self::Pattern { length, .. } => *length,
        }
    }

    /// At most `most` bytes of `range`, from its start; the range must lie within the content.
    pub(crate) fn piece(&self, range: &Range<u64>, most: usize) -> Bytes {
        let take = usize::try_from(range.end.saturating_sub(range.start))
            .unwrap_or(usize::MAX)
            .min(most);
        match self {
            Self::Held(bytes) => {
                let start = usize::try_from(range.start)
                    .unwrap_or(usize::MAX)
                    .min(bytes.len());
                bytes.slice(start..bytes.len().min(start.saturating_add(take)))
            }
            Self::Pattern { seed, .. } => {
                let first = (range.start.wrapping_add(*seed) % PERIOD) as usize;
                PATTERN.slice(first..first + take.min(AT_ONCE))
            }
        }
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The bytes may hold tokens.
        write!(f, "Content({} bytes)", self.length())
    }
}

impl From<Bytes> for Content {
    fn from(bytes: Bytes) -> Self {
        Self::Held(bytes)
    }
}

impl From<String> for Content {
    fn from(text: String) -> Self {
        Self::Held(text.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_do_not_depend_on_the_cut() {
        for content in [
            Content::Pattern {
                length: 1_000,
                seed: 9,
            },
            Content::from(Bytes::from(vec![7; 1_000])),
        ] {
            let whole = content.piece(&(0..1_000), 5_000);
            assert_eq!(whole.len() as u64, content.length());
            let mut again = Vec::new();
            while again.len() < 1_000 {
                again.extend_from_slice(&content.piece(&(again.len() as u64..1_000), 37));
            }
            assert_eq!(whole, again);
            assert_eq!(content.piece(&(990..1_000), 37), whole.slice(990..));
        }
    }
}
