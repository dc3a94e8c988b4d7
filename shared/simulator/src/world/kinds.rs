//! Which kinds of update a bot gets.
//!
//! In: the name of a kind, and what the bot asked for. Out: whether it gets this one. Invariant: a kind
//! that is not known is not withheld.

/// Kinds that a bot gets only if it asks for them by name.
const ONLY_IF_ASKED: [&str; 3] = ["chat_member", "message_reaction", "message_reaction_count"];

/// Whether a bot that asked for these kinds (`None`: for none) gets this one.
pub(super) fn allows(allowed: Option<&[&'static str]>, kind: &str) -> bool {
    match allowed {
        None => !ONLY_IF_ASKED.contains(&kind),
        // A kind newer than this list cannot be asked for, and is not to be lost.
        Some(list) => list.contains(&kind) || !gramtap_telegram::update::KNOWN.contains(&kind),
    }
}
