//! Events of members: the bot blocked and unblocked, added and removed; others' standing changed.
//!
//! In: `my_chat_member` and `chat_member` updates. Out: the event's name and columns. Invariant: only what
//! the update says: a first message is no start, and leaving is told by the status before and
//! after, not by the one alone.

use gramtap_events::event::{Event, Name};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::blank::{by, flag, happened, prop, within};
use super::shapes::{Chat, User};

/// A change of a member's standing.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Change {
    chat: Option<Chat>,
    from: Option<User>,
    date: Option<i64>,
    old_chat_member: Standing,
    new_chat_member: Standing,
    invite_link: Option<IgnoredAny>,
    via_join_request: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Standing {
    status: Option<String>,
    /// Of one who is restricted.
    is_member: Option<bool>,
    user: User,
}

impl Standing {
    /// Whether one with this standing is in the chat.
    fn is_inside(&self) -> bool {
        match self.status.as_deref() {
            Some("creator" | "administrator" | "member") => true,
            Some("restricted") => self.is_member.unwrap_or(false),
            _ => false,
        }
    }

    fn is(&self, status: &str) -> bool {
        self.status.as_deref() == Some(status)
    }
}

/// The event of a change of the bot's own standing. In a private chat a user can only block and
/// unblock the bot; Telegram reports nothing else there today, and what it might is a start.
pub(super) fn own(event: &mut Event, change: Change) {
    let private = change.chat.as_ref().and_then(|chat| chat.kind.as_deref()) == Some("private");
    let (old, new) = (&change.old_chat_member, &change.new_chat_member);
    event.event = match (private, old.is_inside(), new.is_inside()) {
        (true, _, false) => Name::BotBlocked,
        (true, _, true) if old.is("kicked") => Name::BotUnblocked,
        (true, ..) => Name::BotStarted,
        (false, false, true) => Name::BotAdded,
        (false, true, false) => Name::BotRemoved,
        (false, true, true) => Name::BotPromoted,
        // Such as banned after it had left: nothing changes for the bot.
        (false, false, false) => Name::MemberChanged,
    };
    fill(event, change);
}

/// Fills the columns: `user_id` is who made the change. `props`: `old`, `new` (statuses), `member_id` whose standing
/// it is, `joined` and `left` where a member came or went, `invited` by a link, `join_request`.
pub(super) fn fill(event: &mut Event, change: Change) {
    let (old, new) = (change.old_chat_member, change.new_chat_member);
    by(event, change.from);
    within(event, change.chat);
    happened(event, change.date);
    flag(event, "joined", !old.is_inside() && new.is_inside());
    flag(event, "left", old.is_inside() && !new.is_inside());
    flag(event, "invited", change.invite_link.is_some());
    flag(event, "join_request", change.via_join_request);
    prop(event, "member_id", new.user.id);
    prop(event, "old", old.status);
    prop(event, "new", new.status);
}
