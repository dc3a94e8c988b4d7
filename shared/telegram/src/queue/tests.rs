//! Each kind of update finds the queue that Telegram's server puts it into.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::UpdateKind;
use crate::update::KNOWN;

/// Kind, body, queue.
const TABLE: &[(&str, &str, &str)] = &[
    (
        "message",
        r#"{"message_id":1,"from":{"id":7},"chat":{"id":-1001,"type":"group"},"text":"a"}"#,
        "chat:-1001",
    ),
    (
        "edited_message",
        r#"{"chat":{"id":42},"from":{"id":7}}"#,
        "chat:42",
    ),
    ("channel_post", r#"{"chat":{"id":-1002}}"#, "chat:-1002"),
    (
        "edited_channel_post",
        r#"{"chat":{"id":-1002}}"#,
        "chat:-1002",
    ),
    (
        "business_connection",
        r#"{"id":"x","user":{"id":7},"user_chat_id":8}"#,
        "connection:7",
    ),
    (
        "business_message",
        r#"{"business_connection_id":"x","chat":{"id":9}}"#,
        "business:9",
    ),
    (
        "edited_business_message",
        r#"{"chat":{"id":9}}"#,
        "business:9",
    ),
    (
        "deleted_business_messages",
        r#"{"chat":{"id":9},"message_ids":[1]}"#,
        "business:9",
    ),
    (
        "guest_message",
        r#"{"chat":{"id":9},"guest_query_id":"1"}"#,
        "guest:9",
    ),
    (
        "message_reaction",
        r#"{"chat":{"id":-1},"user":{"id":7}}"#,
        "reaction:-1",
    ),
    (
        "message_reaction_count",
        r#"{"chat":{"id":-1}}"#,
        "reactions:-1",
    ),
    (
        "inline_query",
        r#"{"id":"5","from":{"id":7},"query":"chat"}"#,
        "inline:7",
    ),
    (
        "chosen_inline_result",
        r#"{"result_id":"5","from":{"id":7}}"#,
        "chosen:7",
    ),
    (
        "callback_query",
        r#"{"id":"5","from":{"id":7},"message":{"chat":{"id":-1}}}"#,
        "callback:7",
    ),
    ("shipping_query", r#"{"from":{"id":7}}"#, "checkout:7"),
    ("pre_checkout_query", r#"{"from":{"id":7}}"#, "checkout:7"),
    ("purchased_paid_media", r#"{"from":{"id":7}}"#, "purchase:7"),
    (
        "poll",
        r#"{"id":"5161231231231231231","question":"?"}"#,
        "poll:5161231231231231231",
    ),
    (
        "poll_answer",
        r#"{"poll_id":"5161231231231231231","user":{"id":7}}"#,
        "poll:5161231231231231231",
    ),
    (
        "my_chat_member",
        r#"{"chat":{"id":-1},"from":{"id":7},"old_chat_member":{"user":{"id":1}}}"#,
        "own:-1",
    ),
    (
        "chat_member",
        r#"{"chat":{"id":-1},"from":{"id":7},"old_chat_member":{"user":{"id":8}}}"#,
        "member:8",
    ),
    (
        "chat_join_request",
        r#"{"chat":{"id":-1},"from":{"id":8}}"#,
        "member:8",
    ),
    ("chat_boost", r#"{"chat":{"id":-1}}"#, "boost:-1"),
    ("removed_chat_boost", r#"{"chat":{"id":-1}}"#, "boost:-1"),
    (
        "managed_bot",
        r#"{"user":{"id":7},"bot":{"id":8}}"#,
        "managed:7",
    ),
    ("subscription", r#"{"user":{"id":7}}"#, "subscription:7"),
    (
        "stopped_message_generation",
        r#"{"chat":{"id":9}}"#,
        "generation:9",
    ),
    // Unknown kinds have one queue, unreadable ones their class'.
    ("hologram", r#"{"chat":{"id":9}}"#, "other"),
    ("message", r#"{"chat":"?"}"#, "chat"),
    ("poll", r#"{"id":"x"}"#, "poll"),
    ("callback_query", "null", "callback"),
];

#[test]
fn each_kind_has_telegrams_queue() {
    for (kind, body, queue) in TABLE {
        let update = format!(r#"{{"update_id":5,"{kind}":{body}}}"#);
        let head = Head::read(update.as_bytes()).unwrap();
        assert_eq!(head.queue.to_string(), *queue, "{update}");
        assert_eq!(head.update_id, Some(5));
        assert_eq!(head.kind, UpdateKind::named(kind));
        let turned = format!(r#"{{ "{kind}" : {body} , "update_id":5 , "later" : [1]}}"#);
        assert_eq!(Head::read(turned.as_bytes()), Some(head), "{turned}");
    }
}

#[test]
fn every_known_kind_has_one_rule_and_one_example() {
    let rules: Vec<_> = RULES.iter().map(|(kind, ..)| *kind).collect();
    assert_eq!(rules, KNOWN);
    let examples: BTreeSet<_> = TABLE.iter().map(|(kind, ..)| *kind).collect();
    assert!(KNOWN.iter().all(|kind| examples.contains(kind)));
    let used: BTreeSet<_> = RULES.iter().map(|(_, class, ..)| *class).collect();
    assert_eq!(used.len() + 1, Class::ALL.len());
}

#[test]
fn lifetimes_are_telegrams() {
    let short = [
        ("inline_query", 30),
        ("callback_query", 150),
        ("shipping_query", 150),
        ("pre_checkout_query", 150),
        ("stopped_message_generation", 150),
        ("chosen_inline_result", 600),
    ];
    for kind in KNOWN.iter().chain(&["other:hologram", ""]) {
        let named = short.iter().find(|(name, _)| name == kind);
        let seconds = named.map_or(86_400, |(_, seconds)| *seconds);
        assert_eq!(lifetime(kind), Duration::from_secs(seconds), "{kind}");
    }
}

#[test]
fn what_is_no_update_is_none_and_what_lacks_parts_is_read() {
    for none in [
        "",
        "[]",
        "5",
        "{",
        r#"{"update_id":1,"message":{}"#,
        "\u{feff}{}",
    ] {
        assert_eq!(Head::read(none.as_bytes()), None, "{none}");
    }
    let head = |text: &str| Head::read(text.as_bytes()).unwrap();
    assert_eq!(head("{}").update_id, None);
    assert_eq!(head("{}").queue, Queue::OTHER);
    assert_eq!(head(r#"{"update_id":"5"}"#).update_id, None);
    assert_eq!(
        head(r#"{"\u006dessage":{"chat":{"id":1}}}"#).queue,
        Queue::OTHER
    );
}

#[test]
fn a_queue_of_a_later_version_is_read_as_other() {
    let read = |text| serde_json::from_str::<Queue>(text).unwrap();
    assert_eq!(read("\"hologram:5\""), Queue::OTHER);
    assert_eq!(read("\"chat:x\""), Queue::OTHER);
    assert_eq!("hologram:5".parse::<Queue>(), Err(QueueError));
}

proptest! {
    #[test]
    fn a_queue_is_read_as_it_was_written(class in 0..Class::ALL.len(), id: i64) {
        let queue = Queue { class: Class::ALL[class], id };
        prop_assert_eq!(queue.to_string().parse(), Ok(queue));
        let text = serde_json::to_string(&queue).unwrap();
        prop_assert_eq!(serde_json::from_str::<Queue>(&text).unwrap(), queue);
    }

    #[test]
    fn no_bytes_panic(bytes: Vec<u8>, text in r#"\{("update_id"|"message"|"chat"|:|,|\{|\}|[0-9"\\]){0,20}"#) {
        drop(Head::read(&bytes));
        drop(Head::read(text.as_bytes()));
    }
}
