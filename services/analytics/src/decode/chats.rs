//! Events of chats: reactions, requests to join, boosts, business accounts; and of unknown kinds.
//!
//! In: the bodies of these updates. Out: the event's columns. Invariant: a kind that this version
//! does not know still tells who, where and when, if it names them as the others do.

use gramtap_events::event::Event;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::blank::{by, flag, happened, prop, within};
use super::shapes::{Chat, User};

/// A body with the members that most kinds have.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Body {
    from: Option<User>,
    user: Option<User>,
    chat: Option<Chat>,
    user_chat_id: Option<i64>,
    message_id: Option<i64>,
    message_thread_id: Option<i64>,
    date: Option<i64>,
    remove_date: Option<i64>,
    is_enabled: Option<bool>,
    message_ids: Option<Vec<IgnoredAny>>,
    invite_link: Option<IgnoredAny>,
    state: Option<String>,
    boost: Option<Boost>,
    source: Option<Source>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Boost {
    add_date: Option<i64>,
    source: Option<Source>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Source {
    source: Option<String>,
    user: Option<User>,
}

/// A changed reaction, or the new numbers of anonymous ones.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Reactions {
    chat: Option<Chat>,
    user: Option<User>,
    actor_chat: Option<Chat>,
    message_id: Option<i64>,
    date: Option<i64>,
    old_reaction: Vec<Reaction>,
    new_reaction: Vec<Reaction>,
    reactions: Vec<Counted>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Reaction {
    #[serde(rename = "type")]
    kind: Option<String>,
    emoji: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Counted {
    total_count: Option<i64>,
}

/// Fills the event of any of these. `props`: `enabled` of a business connection; `messages`, how many were deleted;
/// `invited` by a link; `source` of a boost; `state` of a subscription.
pub(super) fn fill(event: &mut Event, body: Body) {
    let (added, source) = match body.boost {
        Some(boost) => (boost.add_date, boost.source),
        None => (None, body.source),
    };
    let source = source.unwrap_or_default();
    by(event, body.from.or(body.user).or(source.user));
    within(event, body.chat);
    event.chat_id = event.chat_id.or(body.user_chat_id);
    happened(event, body.date.or(added).or(body.remove_date));
    event.message_id = body.message_id;
    event.thread_id = body.message_thread_id;
    prop(event, "enabled", body.is_enabled);
    prop(event, "messages", body.message_ids.map(|ids| ids.len()));
    flag(event, "invited", body.invite_link.is_some());
    prop(event, "source", source.source);
    prop(event, "state", body.state);
}

/// Fills the event of reactions. `props`: `old` and `new`, lists of emoji (or `custom_emoji`, `paid`); `reactions`, the sum of
/// anonymous ones; `actor_chat` in whose name somebody reacted.
pub(super) fn reactions(event: &mut Event, change: Reactions) {
    by(event, change.user);
    within(event, change.chat);
    happened(event, change.date);
    event.message_id = change.message_id;
    let actor = change.actor_chat.and_then(|chat| chat.id);
    prop(event, "actor_chat", actor);
    if event.event == gramtap_events::event::Name::ReactionsCounted {
        let counts = change.reactions.iter().filter_map(|it| it.total_count);
        let sum = counts.fold(0_i64, i64::saturating_add);
        return prop(event, "reactions", Some(sum));
    }
    prop(event, "old", Some(named(change.old_reaction)));
    prop(event, "new", Some(named(change.new_reaction)));
}

fn named(reactions: Vec<Reaction>) -> Vec<Value> {
    let names = reactions.into_iter().map(|it| it.emoji.or(it.kind));
    names.map(Value::from).collect()
}
