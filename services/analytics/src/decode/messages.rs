//! Events of messages: received, edited, posted, in business chats, of guests.
//!
//! In: a message of an update. Out: the event's columns. Invariant: a message that pays or pays
//! back is that payment's event and no message's, so that each update counts once.

use gramtap_events::event::{Event, Name};

use super::blank::{by, flag, happened, prop, text, within};
use super::message::Message;
use super::payments;

/// Fills the event of a message. `props`: `forwarded`, `media_group`, `via_bot`, each only where so; `service`,
/// what the message reports where nobody wrote it; `sender_chat`, the chat in whose name it was
/// written.
pub(super) fn fill(event: &mut Event, message: Message) {
    let edited = matches!(
        event.event,
        Name::MessageEdited | Name::ChannelPostEdited | Name::BusinessMessageEdited
    );
    happened(event, message.edit_date.filter(|_| edited).or(message.date));
    event.message_id = message.id;
    event.thread_id = message.thread;
    event.reply_to_message_id = message.reply_to;
    by(event, message.from);
    within(event, message.chat);
    text(event, message.text, message.text_length);
    event.command = message.command;
    event.payload = message.payload;
    event.media = message.media.map(Into::into);
    event.media_bytes = message.media_bytes;
    flag(event, "forwarded", message.is_forwarded);
    flag(event, "media_group", message.is_in_group);
    flag(event, "via_bot", message.is_via_bot);
    prop(event, "service", message.service);
    prop(event, "sender_chat", message.sender_chat);
    if let Some(paid) = message.paid {
        event.event = Name::PaymentReceived;
        payments::fill(event, paid);
    } else if let Some(refunded) = message.refunded {
        event.event = Name::PaymentRefunded;
        payments::fill(event, refunded);
    }
}
