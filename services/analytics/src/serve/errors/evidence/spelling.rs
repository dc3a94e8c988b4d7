//! Which method was meant.
//!
//! In: a name that Telegram did not know. Out: the documented one that differs in two letters at most. Pure.

use gramtap_telegram::method::KNOWN;

/// Letters that may differ.
const FAR: usize = 2;
/// No method has a longer name.
const LONGEST: usize = 64;

/// The documented name that is nearest. None: it is documented itself, or none is near.
pub(super) fn nearest(name: &str) -> Option<&'static str> {
    if name.len() > LONGEST {
        return None;
    }
    let name = name.to_lowercase();
    let measured = KNOWN
        .iter()
        .map(|known| (distance(&name, &known.to_lowercase()), *known));
    let (distance, known) = measured.min()?;
    (1..=FAR).contains(&distance).then_some(known)
}

/// Letters to put in, take out or change.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (place, letter) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = place + 1;
        for (at, other) in right.iter().enumerate() {
            let change = diagonal + usize::from(letter != *other);
            diagonal = row[at + 1];
            row[at + 1] = change.min(row[at] + 1).min(row[at + 1] + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typo_is_found_and_nothing_else() {
        for (name, meant) in [
            ("sendMesage", Some("sendMessage")),
            ("sendMessages", Some("sendMessage")),
            ("getupdate", Some("getUpdates")),
            ("sendMessage", None),
            ("launchRocket", None),
            ("", None),
        ] {
            assert_eq!(nearest(name), meant, "{name}");
        }
        assert_eq!(nearest(&"x".repeat(100_000)), None);
    }
}
