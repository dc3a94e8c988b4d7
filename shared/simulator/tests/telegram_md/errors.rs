//! The texts that bots are told, by the page on bot errors: each case as a bot meets it.
//!
//! In: calls that Telegram would refuse. Out: its code and its words, to the letter.

use gramtap_simulator::{Act, Chat, ChatKind, SimulatorConfig, Standing, User, WebhookRules};

use crate::wire::{BOT, PATIENCE, Stage, USER, call, get, post};

#[tokio::test]
async fn forbidden() {
    let stage = Stage::start().await;
    let control = &stage.control;
    control.add_user(User {
        deactivated: true,
        ..User::new(8, "Gone")
    });
    control.add_user(User::new(9, "Stranger"));
    control
        .set_standing(BOT, 9, Standing::NeverStarted)
        .unwrap();
    control.add_bot_token("124:x").unwrap();
    control
        .act(&Act::Block {
            bot: BOT,
            user: USER,
        })
        .unwrap();
    let chats = [
        (-10, ChatKind::Group),
        (-1_000_000_000_011, ChatKind::Supergroup),
        (-1_000_000_000_012, ChatKind::Channel),
    ];
    for (id, kind) in chats {
        control.add_chat(Chat::new(id, kind, "T"));
        control.set_standing(BOT, id, Standing::Kicked).unwrap();
    }
    control.add_chat(Chat {
        deleted: true,
        ..Chat::new(-13, ChatKind::Group, "T")
    });
    let told = async |chat: i64| {
        stage
            .call("sendMessage", &format!("chat_id={chat}&text=a"))
            .await
            .failure()
    };
    assert_eq!(
        told(USER).await,
        "403 Forbidden: bot was blocked by the user"
    );
    assert_eq!(told(8).await, "403 Forbidden: user is deactivated");
    assert_eq!(
        told(9).await,
        "403 Forbidden: bot can't initiate conversation with a user"
    );
    assert_eq!(
        told(124).await,
        "403 Forbidden: bots can't send messages to bots"
    );
    assert_eq!(
        told(-10).await,
        "403 Forbidden: bot was kicked from the group chat"
    );
    assert_eq!(
        told(-1_000_000_000_011).await,
        "403 Forbidden: bot was kicked from the supergroup chat"
    );
    assert_eq!(
        told(-1_000_000_000_012).await,
        "403 Forbidden: bot was kicked from the channel chat"
    );
    assert_eq!(told(-13).await, "403 Forbidden: the group chat was deleted");
    for (id, kind) in chats {
        control.set_standing(BOT, id, Standing::Left).unwrap();
        let name = serde_json::to_string(&kind).unwrap().replace('"', "");
        assert_eq!(
            told(id).await,
            format!("403 Forbidden: bot is not a member of the {name} chat")
        );
    }
    // Unblocked, it works again, and the bot has heard of both.
    control
        .act(&Act::Unblock {
            bot: BOT,
            user: USER,
        })
        .unwrap();
    assert_eq!(
        stage.call("sendMessage", "chat_id=7&text=a").await.status,
        200
    );
    let updates = stage.call("getUpdates", "").await.result();
    let status = |at: usize| updates[at]["my_chat_member"]["new_chat_member"]["status"].clone();
    assert_eq!((status(0), status(1)), ("kicked".into(), "member".into()));
}

#[tokio::test]
async fn row_group_upgraded() {
    let stage = Stage::start().await;
    stage.control.add_chat(Chat {
        migrated_to: Some(-1_000_000_000_014),
        ..Chat::new(-14, ChatKind::Group, "T")
    });
    let answer = stage.call("sendMessage", "chat_id=-14&text=a").await;
    assert_eq!(
        answer.text(),
        r#"{"ok":false,"error_code":400,"description":"Bad Request: group chat was upgraded to a supergroup chat","parameters":{"migrate_to_chat_id":-1000000000014}}"#
    );
}

#[tokio::test]
async fn bad_requests() {
    let stage = Stage::start().await;
    let long = "x".repeat(4_097);
    let caption = "x".repeat(1_025);
    stage.call("sendMessage", "chat_id=7&text=same").await;
    stage.control.say(BOT, USER, "by a person").unwrap();
    let table = [
        ("sendMessage", "text=a", "chat_id is empty"),
        ("sendMessage", "chat_id=8&text=a", "chat not found"),
        ("sendMessage", "chat_id=@nobody&text=a", "chat not found"),
        ("sendMessage", "chat_id=seven&text=a", "chat not found"),
        ("sendMessage", "chat_id=7", "message text is empty"),
        (
            "sendMessage",
            "chat_id=7&text=%20%0A",
            "message text is empty",
        ),
        (
            "sendMessage",
            "chat_id=7&text=%ff",
            "text must be encoded in UTF-8",
        ),
        (
            "sendMessage",
            &format!("chat_id=7&text={long}"),
            "message is too long",
        ),
        (
            "sendMessage",
            "chat_id=7&text=<b>a&parse_mode=HTML",
            "can't parse entities: Can't find end tag corresponding to start tag \"b\"",
        ),
        (
            "sendMessage",
            "chat_id=7&text=a_b&parse_mode=Markdown",
            "can't parse entities: Can't find end of the entity starting at byte offset 1",
        ),
        (
            "sendMessage",
            "chat_id=7&text=a&reply_to_message_id=99",
            "message to be replied not found",
        ),
        (
            "sendMessage",
            "chat_id=7&text=a&reply_parameters={\"message_id\":99}",
            "message to be replied not found",
        ),
        (
            "sendMessage",
            "chat_id=7&text=a&reply_markup={",
            "can't parse reply keyboard markup JSON object",
        ),
        (
            "sendMessage",
            "chat_id=7&text=a&reply_markup={\"inline_keyboard\":[[{\"text\":\"a\",\"callback_data\":\"\"}]]}",
            "BUTTON_DATA_INVALID",
        ),
        (
            "editMessageText",
            "chat_id=7&message_id=1&text=same",
            "message is not modified: specified new message content and reply markup are exactly the same as a current content \
             and reply markup of the message",
        ),
        (
            "editMessageText",
            "chat_id=7&message_id=99&text=a",
            "message to edit not found",
        ),
        (
            "editMessageText",
            "chat_id=7&message_id=2&text=a",
            "message can't be edited",
        ),
        (
            "editMessageText",
            "chat_id=7&text=a",
            "message identifier is not specified",
        ),
        (
            "deleteMessage",
            "chat_id=7&message_id=99",
            "message to delete not found",
        ),
        (
            "forwardMessage",
            "chat_id=7&from_chat_id=7&message_id=99",
            "message to forward not found",
        ),
        (
            "copyMessage",
            "chat_id=7&from_chat_id=7&message_id=99",
            "message to copy not found",
        ),
        ("sendPhoto", "chat_id=7", "there is no photo in the request"),
        (
            "sendPhoto",
            "chat_id=7&photo=nonsense",
            "wrong file identifier/HTTP URL specified",
        ),
        (
            "sendPhoto",
            "chat_id=7&photo=attach://nothing",
            "wrong file identifier/HTTP URL specified",
        ),
        (
            "sendPhoto",
            "chat_id=7&photo=https://host.invalid/a.jpg",
            "failed to get HTTP URL content",
        ),
        (
            "sendPhoto",
            &format!("chat_id=7&photo=https://x/a&caption={caption}"),
            "message caption is too long",
        ),
        (
            "sendMediaGroup",
            "chat_id=7&media=[]",
            "there are no messages to send",
        ),
        (
            "getFile",
            "file_id=nonsense",
            "wrong file_id or the file is temporarily unavailable",
        ),
        (
            "answerCallbackQuery",
            "callback_query_id=1",
            "query is too old and response timeout expired or query ID is invalid",
        ),
        (
            "answerInlineQuery",
            "inline_query_id=1&results=[]",
            "query is too old and response timeout expired or query ID is invalid",
        ),
        (
            "sendChatAction",
            "chat_id=7&action=dancing",
            "wrong parameter action in request",
        ),
        ("getChat", "chat_id=8", "chat not found"),
        ("getChatMember", "chat_id=7&user_id=8", "user not found"),
        (
            "setMyCommands",
            "commands=[{\"command\":\"Ab\",\"description\":\"c\"}]",
            "BOT_COMMAND_INVALID",
        ),
        (
            "sendPoll",
            "chat_id=7&question=q&options=[]",
            "poll must have at least 1 option",
        ),
        (
            "setWebhook",
            "url=https://x&secret_token=a.b",
            "secret token contains unallowed characters",
        ),
    ];
    for (method, form, expected) in table {
        let shown = &form[..form.len().min(80)];
        assert_eq!(
            stage.call(method, form).await.failure(),
            format!("400 Bad Request: {expected}"),
            "{method} {shown}"
        );
    }
}

#[tokio::test]
async fn queries_are_answered_in_time_or_not_at_all() {
    let stage = Stage::still().await;
    stage.call("sendMessage", "chat_id=7&text=a&reply_markup={\"inline_keyboard\":[[{\"text\":\"a\",\"callback_data\":\"b\"}]]}").await;
    let press = Act::Press {
        bot: BOT,
        user: USER,
        chat: None,
        message_id: 1,
        data: "b".to_owned(),
    };
    let query = stage.control.act(&press).unwrap().query_id.unwrap();
    let update = stage.call("getUpdates", "").await.result();
    assert_eq!(update[0]["callback_query"]["id"], query.as_str());
    assert_eq!(
        update[0]["callback_query"]["message"]["reply_markup"]["inline_keyboard"][0][0]["callback_data"],
        "b"
    );
    let answer = format!("callback_query_id={query}&text=ok");
    assert_eq!(
        stage.call("answerCallbackQuery", &answer).await.result(),
        true
    );
    // Another bot cannot answer it, and nobody can when its time is over.
    stage.control.add_bot_token("124:x").unwrap();
    let late =
        "400 Bad Request: query is too old and response timeout expired or query ID is invalid";
    let other = post(
        "/bot124:x/answerCallbackQuery",
        "application/x-www-form-urlencoded",
        &answer,
    );
    assert_eq!(stage.client().await.ask(other).await.failure(), late);
    stage
        .control
        .clock()
        .advance(std::time::Duration::from_secs(150));
    assert_eq!(
        stage.call("answerCallbackQuery", &answer).await.failure(),
        late
    );
}

#[tokio::test]
async fn messages_older_than_two_days_stay() {
    let stage = Stage::still().await;
    stage.call("sendMessage", "chat_id=7&text=a").await;
    stage
        .control
        .clock()
        .advance(std::time::Duration::from_secs(48 * 3_600 + 1));
    let failure = stage
        .call("deleteMessage", "chat_id=7&message_id=1")
        .await
        .failure();
    assert_eq!(
        failure,
        "400 Bad Request: message can't be deleted for everyone"
    );
}

#[tokio::test]
async fn webhook_addresses_as_the_cloud_wants_them() {
    let config = SimulatorConfig {
        webhook_rules: WebhookRules::Cloud,
        ..SimulatorConfig::default()
    };
    let stage = Stage::with(config).await;
    for (url, expected) in [
        (
            "http://bot.example",
            "An HTTPS URL must be provided for webhook",
        ),
        (
            "https://bot.example:8080",
            "Webhook can be set up only on ports 80, 88, 443 or 8443",
        ),
        ("https://127.0.0.1", "IP address 127.0.0.1 is reserved"),
    ] {
        let failure = stage
            .call("setWebhook", &format!("url={url}"))
            .await
            .failure();
        assert_eq!(failure, format!("400 Bad Request: bad webhook: {expected}"));
    }
}

#[tokio::test]
async fn a_revoked_token_ends_the_poll_too() {
    let stage = Stage::start().await;
    let mut client = stage.client().await;
    client.send(call("getUpdates", "timeout=50")).await;
    assert_eq!(stage.control.wait_for_polls(1, PATIENCE).await.len(), 1);
    stage.control.remove_bot(BOT).unwrap();
    assert_eq!(client.answer().await.failure(), "401 Unauthorized");
    assert_eq!(
        stage
            .client()
            .await
            .ask(get("/bot123:abc/getMe"))
            .await
            .failure(),
        "401 Unauthorized"
    );
}
