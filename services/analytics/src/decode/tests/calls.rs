//! Calls of many methods, polls, gaps.

use super::*;

fn sent(extra: Value) -> Value {
    let mut message = json!({"message_id": 9, "from": {"id": 7_000_000_001_i64, "is_bot": true}, "chat": {"id": 42, "type": "private"}, "date": 1_700_000_000});
    message
        .as_object_mut()
        .unwrap()
        .extend(extra.as_object().unwrap().clone());
    message
}

/// Records in metadata, unless they say otherwise; what becomes of them: read `golden/calls.jsonl`.
fn table() -> Vec<(&'static str, Value)> {
    let group = json!({"id": -1_001_234_567_890_i64, "type": "supergroup"});
    let blocked = json!({"code": 403, "description": "Forbidden: bot was blocked by the user", "retry_after": null, "migrate_to_chat_id": null});
    let flood = json!({"code": 429, "description": "Too Many Requests: retry after 35", "retry_after": 35, "migrate_to_chat_id": null});
    let http = |status: Option<u16>| json!({"verb": "POST", "shape": "multipart", "bytes_in": 60_000, "bytes_out": 40_000, "status": status});
    vec![
        (
            "a message",
            call(
                "sendMessage",
                json!({"params": {"chat_id": 42, "text_length": 5}, "result": sent(json!({"text_length": 5}))}),
            ),
        ),
        (
            "a message in mode full",
            call(
                "sendMessage",
                json!({"params": {"chat_id": 42, "text": "hello", "reply_parameters": {"message_id": 5}}, "result": sent(json!({"text": "hello"}))}),
            ),
        ),
        (
            "a message to a topic by the chat's name",
            call(
                "sendMessage",
                json!({"params": {"chat_id_is_username": true, "message_thread_id": 4, "text_length": 5}, "result": sent(json!({"chat": group, "message_thread_id": 4}))}),
            ),
        ),
        (
            "an uploaded photo",
            call(
                "sendPhoto",
                json!({"params": {"chat_id": 42, "caption_length": 3}, "files": [{"field": "photo", "name": null, "type": "image/jpeg", "bytes": 54_321}], "http": http(Some(200)), "result": sent(json!({"photo": [{"file_size": 1_200}, {"file_size": 50_000}]}))}),
            ),
        ),
        (
            "a document by its id",
            call(
                "sendDocument",
                json!({"params": {"chat_id": 42, "document": "file_id"}, "result": sent(json!({"document": {"file_size": 999}}))}),
            ),
        ),
        (
            "an album",
            call(
                "sendMediaGroup",
                json!({"params": {"chat_id": 42}, "files": [{"field": "attached", "name": null, "type": null, "bytes": 10}, {"field": "attached", "name": null, "type": null, "bytes": 20}], "result": [sent(json!({"photo": []})), sent(json!({"message_id": 10}))]}),
            ),
        ),
        (
            "a copy",
            call(
                "copyMessage",
                json!({"params": {"chat_id": 42, "from_chat_id": 77, "message_id": 3}, "result": {"message_id": 11}}),
            ),
        ),
        (
            "many copies",
            call(
                "copyMessages",
                json!({"params": {"chat_id": -5, "from_chat_id": 77, "message_ids": [1, 2, 3]}, "result": [{"message_id": 11}, {"message_id": 12}]}),
            ),
        ),
        (
            "an edit",
            call(
                "editMessageText",
                json!({"params": {"chat_id": 42, "message_id": 9, "text_length": 7}, "result": sent(json!({"text_length": 7}))}),
            ),
        ),
        (
            "an edit of an inline message",
            call(
                "editMessageText",
                json!({"params": {"inline_message_id_length": 20, "text_length": 7}, "result": true}),
            ),
        ),
        (
            "deleted messages",
            call(
                "deleteMessages",
                json!({"params": {"chat_id": -5, "message_ids": [1, 2, 3]}, "result": true}),
            ),
        ),
        (
            "an answered button",
            call(
                "answerCallbackQuery",
                json!({"params": {"callback_query_id": "4382"}, "result": true}),
            ),
        ),
        (
            "an answered inline query",
            call(
                "answerInlineQuery",
                json!({"params": {"inline_query_id": "991", "results": []}, "result": true}),
            ),
        ),
        (
            "a banned member",
            call(
                "banChatMember",
                json!({"params": {"chat_id": -5, "user_id": 77}, "result": true}),
            ),
        ),
        (
            "a file's path",
            call(
                "getFile",
                json!({"params": {"file_id": "AgAC"}, "result": {"file_size": 999}}),
            ),
        ),
        (
            "a downloaded file",
            call(
                "file",
                json!({"params": null, "http": http(Some(200)), "ok": null}),
            ),
        ),
        (
            "a webhook",
            call(
                "setWebhook",
                json!({"params": {"url": "https://bot.example.org", "secret_token": "***"}, "result": true}),
            ),
        ),
        (
            "a webhook that is removed by an empty link",
            call("setWebhook", json!({"params": {"url": ""}, "result": true})),
        ),
        (
            "a removed webhook",
            call(
                "deleteWebhook",
                json!({"params": {"drop_pending_updates": true}, "result": true}),
            ),
        ),
        (
            "another method",
            call(
                "getMe",
                json!({"result": {"id": 7_000_000_001_i64, "is_bot": true}}),
            ),
        ),
        (
            "a method of a later version, in the test environment",
            call(
                "sendHologram",
                json!({"test": true, "params": {"chat_id": 42}, "result": true}),
            ),
        ),
        (
            "nothing is kept",
            call(
                "sendMessage",
                json!({"params": null, "http": http(Some(200))}),
            ),
        ),
        (
            "a late answer that the bot did not wait for",
            call(
                "sendMessage",
                json!({"params": {"chat_id": 42}, "http": http(None), "result": sent(json!({}))}),
            ),
        ),
        (
            "a block",
            call(
                "sendMessage",
                json!({"params": {"chat_id": 42, "text_length": 5}, "http": http(Some(403)), "ok": false, "error": blocked}),
            ),
        ),
        (
            "a flood",
            call(
                "sendMessage",
                json!({"params": {"chat_id": -5}, "http": http(Some(429)), "ok": false, "error": flood}),
            ),
        ),
        (
            "a bot that left",
            call(
                "sendVideo",
                json!({"params": {"chat_id": 42}, "http": http(None), "ok": null, "origin": "client", "label": "left"}),
            ),
        ),
        (
            "a poll with updates",
            call(
                "getUpdates",
                json!({"params": {"offset": 5, "timeout": 30}}),
            ),
        ),
        (
            "a poll that clashed",
            call(
                "getUpdates",
                json!({"http": http(Some(409)), "ok": false, "error": {"code": 409, "description": "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running", "retry_after": null, "migrate_to_chat_id": null}}),
            ),
        ),
        (
            "a poll that Gramtap ended with an empty list",
            call(
                "getUpdates",
                json!({"ok": null, "origin": "gramtap", "label": "drained"}),
            ),
        ),
        (
            "empty polls",
            json!({"v": 1, "kind": "polls", "record": "ingress-0-1767225600000-3", "tenant": TENANT, "bot": 7_000_000_001_i64, "client": {"addr": "10.0.0.7", "agent": null}, "from": AT, "to": "2026-01-01T00:00:09.500000Z", "count": 3, "longest_us": 3_000_250}),
        ),
        (
            "a gap",
            json!({"v": 1, "kind": "gap", "record": "ingress-0-1767225600000-4", "tenant": TENANT, "from": AT, "to": "2026-01-01T00:05:00.000000Z", "count": 1_200, "reason": "spool_full"}),
        ),
        (
            "a stranger's call",
            call(
                "sendMessage",
                json!({"token": "unverified", "params": {"chat_id": 42, "text_length": 5}, "http": http(Some(401)), "ok": false, "error": {"code": 401, "description": "Unauthorized", "retry_after": null, "migrate_to_chat_id": null}}),
            ),
        ),
        (
            "a stranger's call that Gramtap answered",
            call(
                "getUpdates",
                json!({"token": "unverified", "http": http(Some(429)), "ok": null, "origin": "gramtap", "label": "unverified_limit", "error": {"code": 429, "description": null, "retry_after": null, "migrate_to_chat_id": null}}),
            ),
        ),
    ]
}

#[test]
fn every_call_has_its_event_and_every_failed_one_its_error() {
    let mut rows = Vec::new();
    for (about, record) in table() {
        let (event, failure) = decoded(&topics::CALLS, &record);
        if let Some(failure) = &failure {
            assert_eq!(failure.error_id, event.event_id, "{about}");
            assert_eq!(Some(&failure.group), event.error_group.as_ref(), "{about}");
            assert_eq!(
                (Some(failure.class), failure.code),
                (event.error_class, event.error_code),
                "{about}"
            );
            assert_eq!(
                (failure.chat_id, failure.user_id),
                (event.chat_id, event.user_id),
                "{about}"
            );
        }
        rows.push(json!({"about": about, "event": columns(&event), "error": failure.as_ref().map(columns)}));
    }
    hold("calls.jsonl", &rows);
}

/// Whatever a stranger sends, no column that a number of the bot is made of is filled.
#[test]
fn a_webhook_that_goes_past_us_counts_as_an_error() {
    for (label, advice) in [
        (None, None),
        (Some("webhook_bypasses"), Some("webhook_bypasses")),
    ] {
        let changes =
            json!({"params": {"url": "https://bot.example"}, "result": true, "label": label});
        let (event, failure) = decoded(&topics::CALLS, &call("setWebhook", changes));
        assert_eq!(event.ok, Some(advice.is_none()));
        assert_eq!(failure.map(|failure| failure.advice).as_deref(), advice);
    }
}

#[test]
fn a_strangers_call_names_nobody_and_is_no_error_of_the_bot() {
    for (about, mut record) in table() {
        if record["kind"] != "call" {
            continue;
        }
        record["token"] = json!("unverified");
        let (event, failure) = decoded(&topics::CALLS, &record);
        assert_eq!(
            event.event,
            gramtap_events::event::Name::CallUnverified,
            "{about}"
        );
        assert!(failure.is_none(), "{about}");
        let about_whom = (
            event.chat_id,
            event.user_id,
            event.message_id,
            event.text_length,
            &event.text,
        );
        assert_eq!(about_whom, (None, None, None, None, &None), "{about}");
    }
}
