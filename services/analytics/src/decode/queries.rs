//! Events of what users press, type and vote.
//!
//! In: callback queries, inline queries and their results, polls. Out: the event's columns.
//! Invariant: these updates have no date of their own, so `happened_at` stays the time of receipt: the date inside
//! a callback query is that of the message with the button.

use gramtap_events::event::Event;
use serde::Deserialize;

use super::blank::{by, flag, prop, text, within};
use super::message::Message;
use super::shapes::{Chat, User};

/// A pressed button.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Pressed {
    from: Option<User>,
    message: Option<Message>,
    inline_message_id: Option<String>,
    chat_instance: Option<String>,
    data: Option<String>,
    data_length: Option<i64>,
    game_short_name: Option<String>,
}

/// An inline query, or the result that was chosen of one.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Inline {
    from: Option<User>,
    query: Option<String>,
    query_length: Option<i64>,
    chat_type: Option<String>,
    result_id: Option<String>,
}

/// The numbers of a poll.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Poll {
    id: Option<String>,
    total_voter_count: Option<i64>,
    is_closed: bool,
}

/// A vote.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Vote {
    poll_id: Option<String>,
    user: Option<User>,
    voter_chat: Option<Chat>,
    option_ids: Vec<i64>,
}

/// Fills the event of a pressed button; its text is looked up among the buttons of its message. `props`: `inline`
/// where the message was sent by way of an inline query (then there is no chat), `game`, `data_length` of data
/// too long to be kept.
pub(super) fn pressed(event: &mut Event, pressed: Pressed) {
    by(event, pressed.from);
    if let Some(message) = pressed.message {
        event.message_id = message.id;
        event.thread_id = message.thread;
        within(event, message.chat);
        let data = pressed.data.as_deref();
        event.button_text = data.and_then(|data| message.markup?.text_of(data));
    } else {
        let inline = pressed.inline_message_id.is_some() || pressed.chat_instance.is_some();
        flag(event, "inline", inline);
    }
    event.callback_data = pressed.data;
    prop(event, "data_length", pressed.data_length);
    prop(event, "game", pressed.game_short_name);
}

/// Fills the event of an inline query or of a chosen result. `props`: `from` (kind of the chat it was typed in, `sender`
/// for that with the bot), `result_id` where the privacy mode keeps it.
pub(super) fn inline(event: &mut Event, inline: Inline) {
    by(event, inline.from);
    text(event, inline.query, inline.query_length);
    prop(event, "from", inline.chat_type);
    prop(event, "result_id", inline.result_id);
}

/// Fills the event of a poll's new numbers. `props`: `poll_id`, `voters`, `closed` where so.
pub(super) fn poll(event: &mut Event, poll: Poll) {
    prop(event, "poll_id", poll.id);
    prop(event, "voters", poll.total_voter_count);
    flag(event, "closed", poll.is_closed);
}

/// Fills the event of a vote. `props`: `poll_id`, `options` (their positions; none: the vote was taken back).
pub(super) fn vote(event: &mut Event, vote: Vote) {
    by(event, vote.user);
    within(event, vote.voter_chat);
    prop(event, "poll_id", vote.poll_id);
    prop(event, "options", Some(vote.option_ids));
}
