//! What a kind of update brings with it.
//!
//! In: the name of a kind. Out: who gets it, and how long it waits. Invariant: a kind that is not
//! known is neither withheld nor dropped early.

use std::time::Duration;

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

/// How long an update waits before it is dropped (telegram.md §2.4).
pub(super) fn life(kind: &str) -> Duration {
    Duration::from_secs(match kind {
        "inline_query" => 30,
        "callback_query" | "shipping_query" | "pre_checkout_query" => 150,
        "chosen_inline_result" => 600,
        _ => 86_400,
    })
}
