//! §2.1, where a request goes: request line, path, method, token, and what an answer looks like.
//!
//! In: targets and tokens, row by row. Out: status and description.

use gramtap_simulator::{Mode, SimulatorConfig};

use crate::wire::{BOT, Stage, TOKEN, get, outcome, post};

#[tokio::test]
async fn row_request_line() {
    let stage = Stage::start().await;
    let me = format!("/bot{TOKEN}/getMe");
    let table = [
        (format!("GET {me} HTTP/1.1\r\nHost: x\r\n\r\n"), "200"),
        (format!("POST {me} HTTP/1.1\r\nHost: x\r\n\r\n"), "200"),
        (format!("GET {me} HTTP/1.0\r\n\r\n"), "200"),
        (
            format!("PUT {me} HTTP/1.1\r\nHost: x\r\n\r\n"),
            "501 with 0 bytes",
        ),
        (
            format!("HEAD {me} HTTP/1.1\r\nHost: x\r\n\r\n"),
            "501 with 0 bytes",
        ),
        (
            format!("OPTIONS {me} HTTP/1.1\r\nHost: x\r\n\r\n"),
            "501 with 0 bytes",
        ),
        (
            format!("get {me} HTTP/1.1\r\nHost: x\r\n\r\n"),
            "501 with 0 bytes",
        ),
        (
            format!("GET {me} HTTP/2.0\r\nHost: x\r\n\r\n"),
            "505 with 0 bytes",
        ),
        (
            format!("GET http://api.telegram.org{me} HTTP/1.1\r\nHost: x\r\n\r\n"),
            "404 Not Found: absolute URI is specified in the Request-Line",
        ),
        ("GET\r\n\r\n".to_owned(), "400 with 0 bytes"),
    ];
    for (request, expected) in table {
        assert_eq!(outcome(&stage, &request).await, expected, "{request:?}");
    }
}

#[tokio::test]
async fn row_path() {
    let stage = Stage::start().await;
    let table = [
        ("/bot123%3Aabc%2FgetMe", "200"),
        ("/%62ot123:abc/getMe", "200"),
        ("/bot123:abc/%67etMe", "200"),
        ("//bot123:abc/getMe", "404 Not Found"),
        ("/bot123:abc", "404 Not Found"),
        ("/", "404 Not Found"),
        ("/nothing/of/ours", "404 Not Found"),
        ("/bot123:abc/test", "404 Not Found"),
        ("/bot123:abc/testMe", "404 Not Found"),
        ("/bot123:abc/getMe/", "404 Not Found: method not found"),
        ("/bot123:abc//getMe", "404 Not Found: method not found"),
        ("/bot123:abc/../getMe", "404 Not Found: method not found"),
        ("/bot123:abc/getMe%00", "404 Not Found: method not found"),
        // Another world: the bot is not there.
        ("/bot123:abc/test/getMe", "401 Unauthorized"),
    ];
    for (target, expected) in table {
        assert_eq!(outcome(&stage, get(target)).await, expected, "{target}");
    }
}

#[tokio::test]
async fn row_method_name() {
    let stage = Stage::start().await;
    let form = "application/x-www-form-urlencoded";
    for (request, expected) in [
        (get("/bot123:abc/GETME"), "200"),
        (post("/bot123:abc/", form, "method=getMe"), "200"),
        (
            post("/bot123:abc/", "application/json", r#"{"method":"getMe"}"#),
            "200",
        ),
        (get("/bot123:abc/?method=getMe"), "200"),
        (
            post("/bot123:abc/getMe", form, "method=noSuchMethod"),
            "200",
        ),
        (
            post("/bot123:abc/", form, ""),
            "404 Not Found: method not found",
        ),
        (
            get("/bot123:abc/noSuchMethod"),
            "404 Not Found: method not found",
        ),
        // Known to the Bot API, not modelled here.
        (get("/bot123:abc/verifyUser"), "200"),
        (get("/bot123:abc/getMyStarBalance"), "200"),
    ] {
        assert_eq!(outcome(&stage, &request).await, expected, "{request:?}");
    }
}

#[tokio::test]
async fn row_token_checks() {
    let long = format!("123:{}", "a".repeat(77));
    let table = [
        (TOKEN, "200", "200"),
        ("123:other", "401 Unauthorized", "401 Unauthorized"),
        ("999:abc", "401 Unauthorized", "401 Unauthorized"),
        (
            "123",
            "404 Not Found",
            "401 Unauthorized: invalid token specified",
        ),
        (
            "0123:abc",
            "404 Not Found",
            "401 Unauthorized: invalid token specified",
        ),
        (
            "",
            "404 Not Found",
            "401 Unauthorized: invalid token specified",
        ),
        (
            "TOKEN",
            "404 Not Found",
            "401 Unauthorized: invalid token specified",
        ),
        (
            long.as_str(),
            "404 Not Found",
            "401 Unauthorized: invalid token specified",
        ),
        ("123:a%0D%0Ab", "404 Not Found", "401 Unauthorized"),
    ];
    let production = Stage::start().await;
    let bundled = Stage::with(SimulatorConfig {
        mode: Mode::Bundled,
        ..SimulatorConfig::default()
    })
    .await;
    for (token, in_production, in_bundled) in table {
        let request = get(&format!("/bot{token}/getMe"));
        assert_eq!(
            outcome(&production, &request).await,
            in_production,
            "{token}"
        );
        assert_eq!(outcome(&bundled, &request).await, in_bundled, "{token}");
    }
    // The token is looked at before the method.
    assert_eq!(
        outcome(&production, get("/bot123:other/noSuchMethod")).await,
        "401 Unauthorized"
    );
}

#[tokio::test]
async fn any_token_may_be_a_bot() {
    let config = SimulatorConfig {
        accept_any_token: true,
        accept_any_chat: true,
        ..SimulatorConfig::default()
    };
    let stage = Stage::with(config).await;
    let me = stage
        .client()
        .await
        .ask(get("/bot777:whatever/getMe"))
        .await
        .result();
    assert_eq!(
        (&me["id"], &me["username"]),
        (&777.into(), &"bot777_bot".into())
    );
    assert_eq!(
        outcome(&stage, get("/bot777:another/getMe")).await,
        "401 Unauthorized"
    );
    let sent = stage
        .client()
        .await
        .ask(get("/bot777:whatever/sendMessage?chat_id=5&text=hi"))
        .await
        .result();
    assert_eq!(sent["chat"]["type"], "private");
    let group = stage
        .client()
        .await
        .ask(get(
            "/bot777:whatever/sendMessage?chat_id=-1001234567890&text=hi",
        ))
        .await
        .result();
    assert_eq!(group["chat"]["type"], "supergroup");
}

#[tokio::test]
async fn row_answers() {
    let stage = Stage::start().await;
    let answer = stage.client().await.ask(get("/bot123:abc/getMe")).await;
    let names: Vec<&str> = answer
        .head
        .lines()
        .skip(1)
        .filter_map(|line| line.split_once(':'))
        .map(|(name, _)| name)
        .collect();
    assert_eq!(
        names,
        [
            "Server",
            "Date",
            "Content-Type",
            "Content-Length",
            "Connection",
            "Strict-Transport-Security",
            "Access-Control-Allow-Origin",
            "Access-Control-Allow-Methods",
            "Access-Control-Expose-Headers"
        ]
    );
    assert_eq!(answer.result()["id"], BOT);
    let described = stage.call("deleteWebhook", "").await;
    assert_eq!(
        described.text(),
        r#"{"ok":true,"result":true,"description":"Webhook is already deleted"}"#
    );
}

#[tokio::test]
async fn expect_is_answered_in_production() {
    let stage = Stage::start().await;
    let mut client = stage.client().await;
    let body = "chat_id=7&text=expected";
    client
        .send(format!(
            "POST /bot{TOKEN}/sendMessage HTTP/1.1\r\nHost: x\r\nExpect: 100-Continue\r\nContent-Type: \
             application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n",
            body.len()
        ))
        .await;
    assert_eq!(client.head().await, "HTTP/1.1 100 Continue\r\n\r\n");
    assert_eq!(client.ask(body).await.result()["text"], "expected");
}
