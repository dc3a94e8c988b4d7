//! What a label may be: bounded, and storable in both engines.
//!
//! In: texts that users and bots have made up. Out: keys of sums. Invariant: no label is longer than
//! [`LONGEST`] characters, and none holds a NUL, which Postgres refuses. Pure.

use std::borrow::Cow;

/// Characters of a label; what is longer is cut and ends in an ellipsis.
pub(super) const LONGEST: usize = 128;

/// A text as it is stored.
pub(super) fn label(text: &str) -> Cow<'_, str> {
    bounded(text, LONGEST)
}

/// A text of at most `longest` characters.
pub(super) fn bounded(text: &str, longest: usize) -> Cow<'_, str> {
    let fits = text.len() <= longest || text.chars().nth(longest).is_none();
    if fits && !text.contains('\0') {
        return Cow::Borrowed(text);
    }
    let clean = |sign: char| if sign == '\0' { '\u{fffd}' } else { sign };
    let mut kept: String = text.chars().map(clean).take(longest).collect();
    if !fits {
        kept.pop();
        kept.push('…');
    }
    Cow::Owned(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_bounded_and_without_nul() {
        assert_eq!(label("/start"), "/start");
        assert_eq!(label("a\0b"), "a\u{fffd}b");
        let long = "é".repeat(LONGEST + 1);
        assert_eq!(label(&long).chars().count(), LONGEST);
        assert!(label(&long).ends_with('…'));
        let fits = "é".repeat(LONGEST);
        assert_eq!(label(&fits), fits);
    }
}
