//! What each mode lets through.
#![allow(clippy::unwrap_used)]

mod canaries;
mod corpus;
mod schema;

use serde_json::{Value, json};

use super::*;

const KEY: PseudonymKey = [7; 32];

fn update(privacy: Privacy, update: &Value) -> Value {
    let masked = Mask::new(privacy, KEY)
        .update(Node::parse(update.to_string().as_bytes()).unwrap())
        .unwrap();
    serde_json::from_str(masked.update.unwrap().get()).unwrap()
}

fn params(privacy: Privacy, method: &str, params: &Value) -> Value {
    let text = params.to_string();
    let Some(Node::Object(members)) = Node::parse(text.as_bytes()) else {
        return Value::Null;
    };
    let masked = Mask::new(privacy, KEY).params(&Method::named(method), members);
    serde_json::from_str(masked.unwrap().get()).unwrap()
}

fn result(privacy: Privacy, method: &str, result: &Value) -> Option<Value> {
    let text = result.to_string();
    let masked = Mask::new(privacy, KEY).result(
        &Method::named(method),
        Node::parse(text.as_bytes()).unwrap(),
    )?;
    serde_json::from_str(masked.get()).ok()
}

fn start() -> Value {
    json!({
        "update_id": 1001,
        "message": {
            "message_id": 5,
            "from": {"id": 42, "is_bot": false, "first_name": "Ann", "username": "ann", "language_code": "en", "is_premium": true},
            "chat": {"id": 42, "first_name": "Ann", "type": "private"},
            "date": 1_700_000_000,
            "text": "/start promo",
            "entities": [{"offset": 0, "length": 6, "type": "bot_command"}]
        }
    })
}

#[test]
fn a_start_in_each_mode() {
    assert_eq!(
        update(Privacy::Metadata, &start()),
        json!({
            "update_id": 1001,
            "message": {
                "message_id": 5,
                "from": {"id": 42, "is_bot": false, "language_code": "en", "is_premium": true},
                "chat": {"id": 42, "type": "private"},
                "date": 1_700_000_000,
                "text_length": 12,
                "entities": [{"offset": 0, "length": 6, "type": "bot_command"}],
                "command": "/start",
                "payload": "promo"
            }
        })
    );
    let hidden = update(Privacy::Pseudonymous, &start());
    let id = hidden["message"]["from"]["id"].as_i64().unwrap();
    assert!(id >= 1 << 51);
    assert_eq!(hidden["message"]["chat"]["id"], id);
    assert_eq!(hidden["message"]["message_id"], 5);
    assert_eq!(hidden["message"]["payload"], "promo");
    let mut full = start();
    full["message"]["command"] = json!("/start");
    full["message"]["payload"] = json!("promo");
    assert_eq!(update(Privacy::Full, &full), full);
    let off = Mask::new(Privacy::Off, KEY)
        .update(Node::parse(start().to_string().as_bytes()).unwrap())
        .unwrap();
    assert_eq!(
        (off.update_id, off.kind.as_deref(), off.update.is_none()),
        (Some(1001), Some("message"), true)
    );
}

#[test]
fn what_analysts_need_survives() {
    let table = [
        (
            json!({"update_id": 1, "callback_query": {
                "id": "4382bfdwdsb323b2d9", "from": {"id": 7, "is_bot": false, "first_name": "B"}, "chat_instance": "-123456789012",
                "data": "buy:17", "message": {"message_id": 3, "chat": {"id": -1001, "type": "supergroup", "title": "T"},
                    "date": 5, "text": "Choose", "reply_to_message": {"reply_markup": {"inline_keyboard": [[{"text": "X"}]]}},
                    "reply_markup": {"inline_keyboard": [[{"text": "Buy", "callback_data": "buy:17"}, {"text": "Site", "url": "https://x.y"}, {"text": "Copy", "copy_text": {"text": "secret"}}]]}}}}),
            json!({"update_id": 1, "callback_query": {
                "from": {"id": 7, "is_bot": false}, "chat_instance": "-123456789012",
                "data": "buy:17", "message": {"message_id": 3, "chat": {"id": -1001, "type": "supergroup"},
                    "date": 5, "text_length": 6, "reply_to_message": {"reply_markup": {"inline_keyboard": [[{"text_length": 1}]]}},
                    "reply_markup": {"inline_keyboard": [[{"text": "Buy", "callback_data": "buy:17"}, {"text": "Site"}, {"text": "Copy", "copy_text": {"text_length": 6}}]]}}}}),
        ),
        (
            json!({"update_id": 2, "message": {"message_id": 4, "chat": {"id": 9, "type": "private"}, "date": 5, "caption": "🎉 hi",
                "photo": [{"file_id": "AgAC", "file_unique_id": "AQ", "file_size": 1200, "width": 90, "height": 60}],
                "document": {"file_name": "diary.pdf", "mime_type": "application/pdf", "file_size": 10}, "sticker": {"emoji": "👍", "set_name": "joes"},
                "location": {"latitude": 48.5, "longitude": 2.25}, "contact": {"phone_number": "79990001122", "first_name": "C", "user_id": 8},
                "via_bot": {"id": 11, "is_bot": true, "first_name": "V", "username": "v_bot"}, "media_group_id": "13579"}}),
            json!({"update_id": 2, "message": {"message_id": 4, "chat": {"id": 9, "type": "private"}, "date": 5, "caption_length": 5,
                "photo": [{"file_size": 1200, "width": 90, "height": 60}],
                "document": {"mime_type": "application/pdf", "file_size": 10}, "sticker": {"emoji": "👍"},
                "location": {}, "contact": {"user_id": 8}, "via_bot": {"id": 11, "is_bot": true}, "media_group_id": "13579"}}),
        ),
        (
            json!({"update_id": 3, "my_chat_member": {"chat": {"id": 9, "type": "private", "first_name": "D"}, "from": {"id": 9, "is_bot": false}, "date": 6,
                "old_chat_member": {"user": {"id": 1, "is_bot": true}, "status": "member"}, "new_chat_member": {"user": {"id": 1, "is_bot": true}, "status": "kicked", "until_date": 0, "custom_title": "x"}}}),
            json!({"update_id": 3, "my_chat_member": {"chat": {"id": 9, "type": "private"}, "from": {"id": 9, "is_bot": false}, "date": 6,
                "old_chat_member": {"user": {"id": 1, "is_bot": true}, "status": "member"}, "new_chat_member": {"user": {"id": 1, "is_bot": true}, "status": "kicked", "until_date": 0}}}),
        ),
        (
            json!({"update_id": 4, "pre_checkout_query": {"id": "77", "from": {"id": 9, "is_bot": false}, "currency": "XTR", "total_amount": 100, "invoice_payload": "order 5 of Ann", "order_info": {"name": "Ann", "phone_number": "1", "shipping_address": {"city": "Paris"}}}}),
            json!({"update_id": 4, "pre_checkout_query": {"id": "77", "from": {"id": 9, "is_bot": false}, "currency": "XTR", "total_amount": 100, "order_info": {"shipping_address": {}}}}),
        ),
        (
            json!({"update_id": 5, "message_reaction": {"chat": {"id": 9, "type": "private"}, "message_id": 3, "date": 6, "old_reaction": [], "new_reaction": [{"type": "emoji", "emoji": "❤"}]}}),
            json!({"update_id": 5, "message_reaction": {"chat": {"id": 9, "type": "private"}, "message_id": 3, "date": 6, "old_reaction": [], "new_reaction": [{"type": "emoji", "emoji": "❤"}]}}),
        ),
        (
            json!({"update_id": 6, "message": {"message_id": 4, "web_app_data": {"data": "my diary", "button_text": "Open"}, "text": "/find John Smith", "quote": {"text": "/start x"}}}),
            json!({"update_id": 6, "message": {"message_id": 4, "web_app_data": {"button_text_length": 4}, "text_length": 16, "quote": {"text_length": 8, "command": "/start", "payload": "x"}, "command": "/find"}}),
        ),
        (
            json!({"update_id": 7, "subscription": {"user": {"id": 5, "is_bot": false}, "invoice_payload": "p", "state": "active"}}),
            json!({"update_id": 7, "subscription": {"user": {"id": 5, "is_bot": false}, "state": "active"}}),
        ),
        (
            json!({"update_id": 8, "hologram": {"from": {"id": 5, "nick": "E"}, "beam": "text", "number": 2, "size": 3, "wave": 1.5, "is_on": true, "tags": ["a"]}}),
            json!({"update_id": 8, "hologram": {"from": {"id": 5}, "size": 3, "is_on": true, "tags": []}}),
        ),
    ];
    for (seen, kept) in table {
        assert_eq!(update(Privacy::Metadata, &seen), kept);
        assert_eq!(update(Privacy::Metadata, &kept), kept, "filtered again");
    }
}

#[test]
fn pseudonyms_are_the_same_wherever_an_id_stands() {
    let pressed = update(
        Privacy::Pseudonymous,
        &json!({"update_id": 1, "callback_query": {"id": "9876543210987654321", "from": {"id": 42}, "chat_instance": "-5"}}),
    );
    let answered = params(
        Privacy::Pseudonymous,
        "answerCallbackQuery",
        &json!({"callback_query_id": "9876543210987654321", "user_id": "42", "chat_id": 42}),
    );
    let query = &pressed["callback_query"];
    assert_ne!(query["id"], "9876543210987654321");
    assert_eq!(query["id"], answered["callback_query_id"]);
    assert_eq!(query["from"]["id"], answered["user_id"]);
    assert_eq!(answered["chat_id"], answered["user_id"]);
    let instance: i64 = query["chat_instance"].as_str().unwrap().parse().unwrap();
    assert!(instance <= -(1 << 51));
    let service = update(
        Privacy::Pseudonymous,
        &json!({"update_id": 1, "message": {"from": {"id": 777_000}}}),
    );
    assert_eq!(service["message"]["from"]["id"], 777_000);
}

#[test]
fn kinds_are_named_or_other() {
    let table = [
        (
            json!({"update_id": 1, "callback_query": {}}),
            Some("callback_query"),
        ),
        (
            json!({"hologram": {}, "update_id": 1}),
            Some("other:hologram"),
        ),
        (
            json!({"update_id": 1, "hologram": {}, "message": {}}),
            Some("message"),
        ),
        (json!({"update_id": 1, "Ann Smith": {}}), Some("other:")),
        (json!({"update_id": 1}), None),
    ];
    for (update, kind) in table {
        let masked = Mask::new(Privacy::Metadata, KEY)
            .update(Node::parse(update.to_string().as_bytes()).unwrap())
            .unwrap();
        assert_eq!(masked.kind.as_deref(), kind, "{update}");
    }
    assert!(
        Mask::new(Privacy::Full, KEY)
            .update(Node::parse(b"[1]").unwrap())
            .is_none()
    );
}

#[test]
fn parameters_as_clients_write_them() {
    let table = [
        (
            "sendMessage",
            json!({"chat_id": "42", "text": "Hi Ann", "parse_mode": "HTML", "disable_notification": "True", "entities": "null",
                "reply_markup": "{\"inline_keyboard\":[[{\"text\":\"Buy\",\"callback_data\":\"buy\"}]]}", "reply_to_message_id": "", "0": "d"}),
            json!({"chat_id": 42, "text_length": 6, "parse_mode": "HTML", "disable_notification": true,
                "reply_markup": {"inline_keyboard": [[{"text": "Buy", "callback_data": "buy"}]]}}),
        ),
        (
            "sendMessage",
            json!({"chat_id": "@channel", "text": 12345, "reply_markup": {"keyboard": [["Yes", {"text": "No"}]], "resize_keyboard": true, "input_field_placeholder": "name?"}}),
            json!({"chat_id_is_username": true, "text_length": 5, "reply_markup": {"keyboard": [["Yes", {"text": "No"}]], "resize_keyboard": true}}),
        ),
        (
            "sendMediaGroup",
            json!({"chat_id": 42, "media": "[{\"type\":\"photo\",\"media\":\"attach://joes_passport\",\"caption\":\"abc\"},{\"type\":\"video\",\"media\":\"https://x.y/z\"},{\"type\":\"photo\",\"media\":\"AgACAg\"}]"}),
            json!({"chat_id": 42, "media": [{"type": "photo", "media": "upload", "caption_length": 3}, {"type": "video", "media": "url"}, {"type": "photo", "media": "file_id"}]}),
        ),
        (
            "setWebhook",
            json!({"url": "https://joe:pw@bot.example.org:8443/hook/123456:AAF-abcdefghijklmnopqrstuvwxyz_0123", "secret_token": "hush", "max_connections": "40", "allowed_updates": "[\"message\",\"callback_query\"]", "ip_address": "1.2.3.4", "drop_pending_updates": true}),
            json!({"url": "https://bot.example.org:8443", "secret_token": "***", "max_connections": 40, "allowed_updates": ["message", "callback_query"], "drop_pending_updates": true}),
        ),
        (
            "answerCallbackQuery",
            json!({"callback_query_id": "98765", "text": "Done", "url": "https://t.me/x?start=1", "cache_time": 3}),
            json!({"callback_query_id": "98765", "text_length": 4, "cache_time": 3}),
        ),
        (
            "sendInvoice",
            json!({"chat_id": 1, "title": "Shoes", "description": "for Ann", "payload": "order", "provider_token": "123:LIVE:x", "currency": "EUR", "prices": "[{\"label\":\"Shoes\",\"amount\":500}]", "start_parameter": "shoes-1"}),
            json!({"chat_id": 1, "description_length": 7, "provider_token": "***", "currency": "EUR", "prices": [{"amount": 500}], "start_parameter": "shoes-1"}),
        ),
        (
            "setMyCommands",
            json!({"commands": "[{\"command\":\"start\",\"description\":\"Begin\"}]"}),
            json!({"commands": [{"command": "start", "description_length": 5}]}),
        ),
        (
            "getUpdates",
            json!({"offset": "-1", "limit": "100", "timeout": "50", "allowed_updates": ""}),
            json!({"offset": -1, "limit": 100, "timeout": 50}),
        ),
        (
            "",
            json!({"method": "sendMessage", "chat_id": 7}),
            json!({"method": "sendMessage", "chat_id": 7}),
        ),
    ];
    for (method, sent, kept) in table {
        assert_eq!(params(Privacy::Metadata, method, &sent), kept, "{method}");
        assert_eq!(
            params(Privacy::Metadata, method, &kept),
            kept,
            "{method} again"
        );
    }
}

#[test]
fn results() {
    let token = json!("123456789:AAF-abcdefghijklmnopqrstuvwxyz_0123");
    let table = [
        (
            "sendMessage",
            json!({"message_id": 9, "chat": {"id": 42, "type": "private", "first_name": "A"}, "date": 1, "text": "/start x", "reply_markup": {"inline_keyboard": [[{"text": "Buy"}]]}}),
            Some(
                json!({"message_id": 9, "chat": {"id": 42, "type": "private"}, "date": 1, "text_length": 8, "reply_markup": {"inline_keyboard": [[{"text": "Buy"}]]}}),
            ),
        ),
        (
            "getChat",
            json!({"id": 42, "pinned_message": {"reply_markup": {"inline_keyboard": [[{"text": "Buy"}]]}}}),
            Some(
                json!({"id": 42, "pinned_message": {"reply_markup": {"inline_keyboard": [[{"text_length": 3}]]}}}),
            ),
        ),
        (
            "getChatAdministrators",
            json!([{"status": "creator", "user": {"id": 1, "username": "a"}}]),
            Some(json!([{"status": "creator", "user": {"id": 1}}])),
        ),
        ("getChatMemberCount", json!(17), Some(json!(17))),
        ("deleteMessage", json!(true), Some(json!(true))),
        ("exportChatInviteLink", json!("https://t.me/+secret"), None),
        (
            "getFile",
            json!({"file_id": "A", "file_unique_id": "B", "file_size": 5, "file_path": "photos/joe.jpg"}),
            Some(json!({"file_size": 5})),
        ),
        (
            "getWebhookInfo",
            json!({"url": "https://x.example/secret", "has_custom_certificate": false, "pending_update_count": 3, "last_error_date": 9, "last_error_message": "Wrong response from the webhook: 403 \"Ann\" left"}),
            Some(
                json!({"url": "https://x.example", "has_custom_certificate": false, "pending_update_count": 3, "last_error_date": 9, "last_error_message": "Wrong response from the webhook: 403 \"…\" left"}),
            ),
        ),
        ("getManagedBotToken", token.clone(), Some(json!("***"))),
        (
            "replaceManagedBotToken",
            json!({"token": token}),
            Some(json!("***")),
        ),
    ];
    for (method, seen, kept) in table {
        assert_eq!(result(Privacy::Metadata, method, &seen), kept, "{method}");
    }
    assert_eq!(
        result(
            Privacy::Full,
            "exportChatInviteLink",
            &json!("https://t.me/+secret")
        ),
        Some(json!("https://t.me/+secret"))
    );
    assert_eq!(
        result(Privacy::Full, "getManagedBotToken", &token),
        Some(json!("***"))
    );
    assert_eq!(result(Privacy::Off, "getManagedBotToken", &token), None);
    assert_eq!(result(Privacy::Off, "getMe", &json!({"id": 1})), None);
}

#[test]
fn full_masks_secrets_and_reads_parameters_alike() {
    let token = "123456789:AAF-abcdefghijklmnopqrstuvwxyz_0123";
    let sent = json!({"chat_id": "42", "text": "[\"Ann\"]", "url": format!("https://a:b@h/{token}"), "secret_token": "s",
        "reply_markup": "{\"a\":\"b\\u0061\"}", token: "key", "photo": format!("https://api.telegram.org/file/bot{}/x.jpg", token.replace(':', "%3A")), "provider_token": null});
    assert_eq!(
        params(Privacy::Full, "setWebhook", &sent),
        json!({"chat_id": 42, "text": "[\"Ann\"]", "url": "https://***@h/123456789:***", "secret_token": "***",
        "reply_markup": {"a": "ba"}, "123456789:***": "key", "photo": "https://api.telegram.org/file/bot123456789%3A***/x.jpg", "provider_token": null})
    );
}

#[test]
fn files_texts_and_ids_outside_bodies() {
    let file = |field: &str, kind: &str| File {
        field: field.to_owned(),
        name: Some("joe 1234567:AAF-abcdefghijklmnopqrstuvwxyz_0123".to_owned()),
        kind: Some(kind.to_owned()),
        bytes: 9,
    };
    let files = [
        file("photo", "image/png"),
        file("joes_passport", "x/y"),
        file("certificate", "application/x-secret"),
    ];
    let kept = Mask::new(Privacy::Metadata, KEY).files(&files);
    let shown: Vec<_> = kept
        .iter()
        .map(|file| {
            (
                file.field.as_str(),
                file.kind.as_deref(),
                file.name.is_none(),
                file.bytes,
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            ("photo", Some("image/png"), true, 9),
            ("attached", None, true, 9),
            ("certificate", Some("application/*"), true, 9)
        ]
    );
    let full = Mask::new(Privacy::Full, KEY).files(&files);
    assert_eq!(
        (full[1].field.as_str(), full[1].name.as_deref()),
        ("joes_passport", Some("joe 1234567:***"))
    );
    assert!(Mask::new(Privacy::Off, KEY).files(&files).is_empty());

    let text = "Bad Request: Unsupported start tag \"ann\" in /bot12:ab/x";
    let shown = |privacy| Mask::new(privacy, KEY).description(text);
    assert_eq!(shown(Privacy::Off), None);
    assert_eq!(
        shown(Privacy::Metadata).unwrap(),
        "Bad Request: Unsupported start tag \"…\" in /bot12:***/x"
    );
    assert_eq!(
        shown(Privacy::Full).unwrap(),
        "Bad Request: Unsupported start tag \"ann\" in /bot12:***/x"
    );

    assert_eq!(Mask::new(Privacy::Off, KEY).id(-5), None);
    assert_eq!(Mask::new(Privacy::Metadata, KEY).id(-5), Some(-5));
    assert!(Mask::new(Privacy::Pseudonymous, KEY).id(-5).unwrap() < -5);
    assert_eq!(plain("curl/8 жж", 8), "curl/8 ");
    assert!(!format!("{:?}", Mask::new(Privacy::Full, KEY)).contains('7'));
}
