//! Every row of the catalogue is reached, by a text that Telegram or Gramtap writes.

use super::*;

fn key(code: i64, method: &str, description: &str) -> &'static str {
    let symptom = Symptom {
        code: Some(code),
        method,
        description: Some(description),
        label: None,
    };
    of(&symptom).key
}

fn labelled(label: &str) -> &'static str {
    let symptom = Symptom {
        code: Some(502),
        method: "sendMessage",
        description: None,
        label: Some(label),
    };
    of(&symptom).key
}

/// Code, method, text, key.
const ANSWERS: &[(i64, &str, &str, &str)] = &[
    (401, "getMe", "Unauthorized", "token_revoked"),
    (
        400,
        "sendMessage",
        "Bad Request: reply markup is too long",
        "keyboard_too_long",
    ),
    (
        401,
        "getMe",
        "Unauthorized: invalid token specified",
        "token_revoked",
    ),
    (
        403,
        "sendMessage",
        "Forbidden: bot was blocked by the user",
        "blocked_by_user",
    ),
    (
        403,
        "sendMessage",
        "Forbidden: user is deactivated",
        "user_deactivated",
    ),
    (
        403,
        "sendMessage",
        "Forbidden: bot was kicked from the group chat",
        "removed_from_chat",
    ),
    (
        403,
        "sendMessage",
        "Forbidden: bot was kicked from the supergroup chat",
        "removed_from_chat",
    ),
    (
        403,
        "sendMessage",
        "Forbidden: bot is not a member of the channel chat",
        "removed_from_chat",
    ),
    (
        403,
        "sendMessage",
        "Forbidden: the group chat was deleted",
        "removed_from_chat",
    ),
    (
        403,
        "sendMessage",
        "Forbidden: bot can't initiate conversation with a user",
        "never_started",
    ),
    (
        403,
        "sendMessage",
        "Forbidden: bot can't send messages to bots",
        "never_started",
    ),
    (403, "sendMessage", "Forbidden: something new", "forbidden"),
    (
        400,
        "sendMessage",
        "Bad Request: CHAT_WRITE_FORBIDDEN",
        "rights_missing",
    ),
    (
        400,
        "banChatMember",
        "Bad Request: not enough rights to restrict/unrestrict chat member",
        "rights_missing",
    ),
    (
        400,
        "pinChatMessage",
        "Bad Request: need administrator rights in the channel chat",
        "rights_missing",
    ),
    (
        400,
        "banChatMember",
        "Bad Request: method is available only for supergroups",
        "chat_kind",
    ),
    (
        404,
        "sendMesage",
        "Not Found: method not found",
        "method_unknown",
    ),
    (404, "getMe", "Not Found", "method_unknown"),
    (404, "file", "Not Found", "file_gone"),
    (
        409,
        "getUpdates",
        "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
        "two_pollers",
    ),
    (
        409,
        "getUpdates",
        "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
        "webhook_in_the_way",
    ),
    (
        409,
        "getUpdates",
        "Conflict: terminated by setWebhook request",
        "poll_ended_by_webhook",
    ),
    (
        409,
        "setWebhook",
        "Conflict: terminated by other setWebhook",
        "poll_ended_by_webhook",
    ),
    (409, "getUpdates", "Conflict: something new", "conflict"),
    (
        421,
        "getMe",
        "Misdirected Request: unallowed token specified",
        "wrong_server",
    ),
    (
        429,
        "sendMessage",
        "Too Many Requests: retry after 5",
        "flood",
    ),
    (
        429,
        "setWebhook",
        "Too Many Requests: retry after 1",
        "webhook_too_often",
    ),
    (
        429,
        "close",
        "Too Many Requests: retry after 600",
        "closing_too_early",
    ),
    (
        400,
        "sendMessage",
        "Bad Request: chat not found",
        "chat_unknown",
    ),
    (
        400,
        "sendMessage",
        "Bad Request: PEER_ID_INVALID",
        "chat_unknown",
    ),
    (
        400,
        "sendMessage",
        "Bad Request: user not found",
        "chat_unknown",
    ),
    (
        400,
        "sendMessage",
        "Bad Request: chat_id is empty",
        "chat_unknown",
    ),
    (
        400,
        "sendMessage",
        "Bad Request: group chat was upgraded to a supergroup chat",
        "chat_migrated",
    ),
    (
        400,
        "sendMessage",
        "Bad Request: message thread not found",
        "thread_unknown",
    ),
    (
        400,
        "sendMessage",
        "Bad Request: can't parse entities: Can't find end of the entity starting at byte offset 5",
        "entities_broken",
    ),
    (
        400,
        "sendMessage",
        "Bad Request: message is too long",
        "text_too_long",
    ),
    (
        400,
        "sendPhoto",
        "Bad Request: message caption is too long",
        "text_too_long",
    ),
    (
        400,
        "sendMessage",
        "Bad Request: message text is empty",
        "text_empty",
    ),
    (
        400,
        "sendMessage",
        "Bad Request: BUTTON_DATA_INVALID",
        "button_broken",
    ),
    (
        400,
        "sendMessage",
        "Bad Request: inline keyboard button URL 'x' is invalid",
        "button_broken",
    ),
    (
        400,
        "sendMessage",
        "Bad Request: can't parse reply keyboard markup JSON object",
        "json_broken",
    ),
    (
        400,
        "sendPoll",
        "Bad Request: parameter \"question\" is required",
        "argument_missing",
    ),
    (
        400,
        "sendMessage",
        "Bad Request: something new",
        "bad_request",
    ),
    (
        400,
        "editMessageText",
        "Bad Request: message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message",
        "not_modified",
    ),
    (
        400,
        "editMessageText",
        "Bad Request: message to edit not found",
        "message_gone",
    ),
    (
        400,
        "deleteMessage",
        "Bad Request: message to delete not found",
        "message_gone",
    ),
    (
        400,
        "sendMessage",
        "Bad Request: message to be replied not found",
        "message_gone",
    ),
    (
        400,
        "deleteMessage",
        "Bad Request: message can't be deleted",
        "message_too_old",
    ),
    (
        400,
        "editMessageText",
        "Bad Request: message can't be edited",
        "message_too_old",
    ),
    (
        400,
        "answerCallbackQuery",
        "Bad Request: query is too old and response timeout expired or query ID is invalid",
        "query_expired",
    ),
    (
        400,
        "sendPhoto",
        "Bad Request: wrong file identifier/HTTP URL specified",
        "file_unavailable",
    ),
    (
        400,
        "sendPhoto",
        "Bad Request: wrong file_id or the file is temporarily unavailable",
        "file_unavailable",
    ),
    (
        400,
        "sendPhoto",
        "Bad Request: failed to get HTTP URL content",
        "url_unreachable",
    ),
    (
        400,
        "getFile",
        "Bad Request: file is too big",
        "download_too_large",
    ),
    (
        400,
        "sendDocument",
        "Bad Request: file is too big",
        "file_too_large",
    ),
    (
        400,
        "sendPhoto",
        "Bad Request: PHOTO_INVALID_DIMENSIONS",
        "media_broken",
    ),
    (
        400,
        "sendPhoto",
        "Bad Request: there is no photo in the request",
        "file_empty",
    ),
    (
        400,
        "sendVoice",
        "Bad Request: VOICE_MESSAGES_FORBIDDEN",
        "voice_forbidden",
    ),
    (
        400,
        "setWebhook",
        "Bad Request: bad webhook: webhook can be set up only on ports 80, 88, 443 or 8443",
        "webhook_refused",
    ),
    (
        400,
        "setWebhook",
        "Bad Request: bad webhook: An HTTPS URL must be provided for webhook",
        "webhook_refused",
    ),
    (
        400,
        "setWebhook",
        "Bad Request: secret token contains unallowed characters",
        "webhook_secret_refused",
    ),
    (400, "getMe", "Logged out", "logged_out"),
    (
        413,
        "sendDocument",
        "Request Entity Too Large",
        "upload_too_large",
    ),
    (
        500,
        "getMe",
        "Internal Server Error: restart",
        "server_restarts",
    ),
    (
        500,
        "getMe",
        "Requested data is inaccessible",
        "server_restarts",
    ),
    (500, "getMe", "Internal Server Error", "server_failed"),
    (502, "getMe", "Bad Gateway", "gateway"),
    (504, "getMe", "Gateway Timeout", "gateway"),
    (418, "getMe", "I'm a teapot", "unknown"),
];

const LABELS: &[(&str, &str)] = &[
    ("bot_mismatch", "address_of_another_bot"),
    ("bot_unknown", "bot_not_connected"),
    ("code_unknown", "bot_not_connected"),
    ("path_unknown", "path_malformed"),
    ("unverified_limit", "tokens_unverified"),
    ("client_left", "bot_left"),
    ("drained", "restarting"),
    ("pool_full", "gramtap_busy"),
    ("internal", "gramtap_failed"),
    ("connect_timeout", "telegram_unreachable"),
    ("idle", "answer_lost"),
    ("cut", "answer_lost"),
    ("page", "gateway"),
    ("endpoint_unresolved", "endpoint_unresolved"),
    ("endpoint_unreachable", "endpoint_unreachable"),
    ("endpoint_tls", "endpoint_tls"),
    ("endpoint_broke_off", "endpoint_broke_off"),
    ("endpoint_timeout", "endpoint_timeout"),
    ("endpoint_malformed", "endpoint_malformed"),
    ("endpoint_redirects", "endpoint_redirects"),
    ("endpoint_denies", "endpoint_denies"),
    ("endpoint_not_found", "endpoint_not_found"),
    ("endpoint_gone", "endpoint_gone"),
    ("endpoint_busy", "endpoint_busy"),
    ("endpoint_refuses", "endpoint_refuses"),
    ("endpoint_fails", "endpoint_fails"),
    ("endpoint_odd", "endpoint_odd"),
    ("endpoint_missing", "endpoint_missing"),
    ("webhook_bypasses", "webhook_bypasses"),
    ("endpoint_unsendable", "endpoint_unsendable"),
    ("expired", "expired"),
    ("dropped", "dropped"),
    ("reply_no_token", "reply_no_token"),
    ("reply_forbidden", "reply_forbidden"),
    ("reply_unreadable", "reply_unreadable"),
    ("reply_too_large", "reply_too_large"),
    ("reply_timeout", "reply_timeout"),
    ("address_metadata", "endpoint_blocked"),
    ("unknown_key", "update_unopenable"),
];

#[test]
fn texts_of_telegram_and_words_of_gramtap_find_their_rows() {
    let mut reached = std::collections::BTreeSet::new();
    for (code, method, text, expected) in ANSWERS {
        assert_eq!(
            key(*code, method, text),
            *expected,
            "{code} {method}: {text}"
        );
        reached.insert(*expected);
    }
    for (label, expected) in LABELS {
        assert_eq!(labelled(label), *expected, "{label}");
        reached.insert(*expected);
    }
    for label in ["page", "empty"] {
        // The code tells more, where it does.
        let page = |code| Symptom {
            code: Some(code),
            method: "getMe",
            description: None,
            label: Some(label),
        };
        assert_eq!(of(&page(504)).key, "gateway");
        assert_eq!(of(&page(200)).key, "not_the_bot_api");
        reached.insert("not_the_bot_api");
    }
    let unreached: Vec<_> = all()
        .map(|row| row.key)
        .filter(|key| !reached.contains(key))
        .collect();
    assert_eq!(unreached, [""; 0], "rows that no text above reaches");
}

#[test]
fn case_is_no_matter_and_a_missing_text_finds_the_general_row() {
    assert_eq!(
        key(403, "sendMessage", "FORBIDDEN: BOT WAS BLOCKED BY THE USER"),
        "blocked_by_user"
    );
    assert_eq!(key(403, "sendMessage", ""), "forbidden");
    let nothing = Symptom {
        code: None,
        method: "getMe",
        description: None,
        label: None,
    };
    assert_eq!(of(&nothing).key, "unknown");
}

#[test]
fn keys_are_words_and_found_again() {
    let mut keys = std::collections::BTreeSet::new();
    for row in all() {
        let is_word = row
            .key
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        assert!(is_word && keys.insert(row.key), "{}", row.key);
        assert!(named(row.key).is_some_and(|found| std::ptr::eq(found, row)));
        for text in [row.title, row.meaning, row.remedy] {
            assert!(!text.is_empty() && !text.ends_with(' '), "{}", row.key);
        }
    }
    assert!(named("of_a_later_version").is_none());
}
