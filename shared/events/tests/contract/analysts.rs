//! The records that analytics writes.

use gramtap_events::event::{Direction, Event, Name, Via};
use gramtap_events::failure::{Class, Failure};
use gramtap_events::seen::{Instance, Seen};
use serde_json::json;

use super::*;

/// An event of which nothing is known that may be unknown.
fn bare(event: Name, id: &str) -> Event {
    let at = moment("2026-01-01T00:00:00.123456Z");
    Event {
        happened_at: moment("2026-01-01T00:00:00.000000Z"),
        ..Event::bare(event, id.to_owned(), tenant(), at, Via::Poll)
    }
}

#[test]
fn events() {
    let received = Event {
        bot: Some(BotId(7_000_000_001)),
        update_id: Some(1001),
        update_type: Some("message".into()),
        chat_id: Some(42),
        chat_type: Some("private".to_owned()),
        user_id: Some(42),
        user_is_bot: Some(false),
        language: Some("en".to_owned()),
        message_id: Some(5),
        command: Some("/start".to_owned()),
        payload: Some("promo".to_owned()),
        text_length: Some(12),
        ..bare(Name::MessageReceived, "u:k5zq3vhd2mxw7rcb4n6tpyuaej:1001")
    };
    let refused = Event {
        bot: Some(BotId(7_000_000_001)),
        direction: Direction::Out,
        via: Via::Call,
        method: Some("sendMessage".to_owned()),
        chat_id: Some(42),
        ok: Some(false),
        error_code: Some(403),
        error_group: Some("0a1b2c3d4e5f6071".to_owned()),
        error_class: Some(Class::Expected),
        took_ms: Some(84.311),
        own_ms: Some(0.409),
        ..bare(Name::MessageSent, "c:ingress-0-1767225600000-2")
    };
    let mut gap = bare(Name::Gap, "g:ingress-0-1767225600000-4");
    gap.props.insert("count".to_owned(), json!(1200));
    gap.props.insert("reason".to_owned(), json!("spool_full"));
    golden("event-received", &received, plain);
    golden("event-refused", &refused, plain);
    golden("event-gap", &gap, plain);
}

/// A call that was refused because the user has blocked the bot.
pub(super) fn blocked() -> Failure {
    Failure {
        v: Failure::VERSION,
        error_id: "c:ingress-0-1767225600000-2".to_owned(),
        group: "0a1b2c3d4e5f6071".to_owned(),
        template: "Forbidden: bot was blocked by the user".to_owned(),
        at: moment("2026-01-01T00:00:00.123456Z"),
        tenant: tenant(),
        bot: Some(BotId(7_000_000_001)),
        origin: Origin::Telegram,
        class: Class::Expected,
        code: Some(403),
        method: "sendMessage".to_owned(),
        description: Some("Forbidden: bot was blocked by the user".to_owned()),
        advice: "blocked_by_user".to_owned(),
        chat_id: Some(42),
        user_id: Some(42),
        update_id: None,
        client: Some(client()),
    }
}

#[test]
fn failures() {
    golden("error", &blocked(), plain);
}

#[test]
fn memory() {
    let seen = Seen {
        v: Seen::VERSION,
        tenant: tenant(),
        updates: vec![(990, 1001), (1003, 1003)],
        updated_at: Some(moment("2026-01-01T00:00:00.123456Z")),
        instances: vec![Instance {
            start: "ingress-0-1767225600000".to_owned(),
            below: 3,
            sequences: vec![3, 5, 9],
        }],
        unnumbered: Vec::new(),
        deliveries: Vec::new(),
    };
    golden("seen", &seen, plain);
}
