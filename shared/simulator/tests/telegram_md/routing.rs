//! §2.1, request routing and parsing, row by row.

use std::io::Write;

use gramtap_simulator::{Filter, Mode, SimulatorConfig};

use crate::wire::{BOT, Stage, TOKEN, call, get, post};

/// `{status}` and, where there is one, the description of the failure.
async fn outcome(stage: &Stage, request: impl AsRef<[u8]>) -> String {
    let answer = stage.client().await.ask(request).await;
    match serde_json::from_slice::<serde_json::Value>(&answer.body) {
        Ok(json) if json["ok"] == false => answer.failure(),
        Ok(_) => format!("{}", answer.status),
        Err(_) => format!("{} with {} bytes", answer.status, answer.body.len()),
    }
}

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
async fn row_arguments() {
    let stage = Stage::start().await;
    let send = |query: &str, content_type: &str, body: &str| {
        post(
            &format!("/bot{TOKEN}/sendMessage?{query}"),
            content_type,
            body,
        )
    };
    let form = "application/x-www-form-urlencoded; charset=utf-8";
    let table = [
        // Query first, then body; the first value wins.
        (send("chat_id=7&text=query", form, "text=body"), "query"),
        (send("", form, "chat_id=7&text=first&text=second"), "first"),
        (send("chat_id=7", form, "text=a%2Bb+c%D0%96"), "a+b cЖ"),
        (send("chat_id=7&text=a%2Bb+c%D0%96", "", ""), "a+b cЖ"),
        // By substring of the type, whatever stands around it.
        (
            send(
                "chat_id=7",
                "text/json, APPLICATION/JSON",
                r#"{"text":"json"}"#,
            ),
            "json",
        ),
        // JSON values that are no strings keep their raw text.
        (
            send("", "application/json", r#"{"chat_id":7,"text":12.50}"#),
            "12.50",
        ),
        (
            send(
                "",
                "application/json",
                r#"{"chat_id":"7","text":"stringified"}"#,
            ),
            "stringified",
        ),
        // What was read before malformed JSON counts.
        (
            send("", "application/json", r#"{"chat_id":7,"text":"kept","x":"#),
            "kept",
        ),
        // Other types are ignored.
        (
            send("chat_id=7&text=query", "text/plain", "text=body"),
            "query",
        ),
        (send("0=d&chat_id=7&text=junk", form, "0=d"), "junk"),
    ];
    for (request, text) in table {
        let answer = stage.client().await.ask(&request).await;
        assert_eq!(answer.result()["text"], text, "{request:?}");
    }
    // A GET with a body is read like any other (pyTelegramBotAPI async sends such).
    let body = "chat_id=7&text=get";
    let get = format!(
        "GET /bot{TOKEN}/sendMessage HTTP/1.1\r\nHost: x\r\nContent-Type: {form}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    assert_eq!(stage.client().await.ask(get).await.result()["text"], "get");
    let empty = send("", "application/json", "null");
    assert_eq!(
        outcome(&stage, empty).await,
        "400 Bad Request: message text is empty"
    );
}

#[tokio::test]
async fn row_request_encodings() {
    let stage = Stage::start().await;
    let plain = b"chat_id=7&text=packed";
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(plain).unwrap();
    let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    zlib.write_all(plain).unwrap();
    let request = |encoding: &str, body: &[u8]| {
        let mut request = format!(
            "POST /bot{TOKEN}/sendMessage HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Content-Encoding: {encoding}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        )
        .into_bytes();
        request.extend_from_slice(body);
        request
    };
    assert_eq!(
        outcome(&stage, request("gzip", &gzip.finish().unwrap())).await,
        "200"
    );
    assert_eq!(
        outcome(&stage, request("deflate", &zlib.finish().unwrap())).await,
        "200"
    );
    assert_eq!(
        outcome(&stage, request("br", plain)).await,
        "415 with 0 bytes"
    );
    assert_eq!(
        outcome(&stage, request("gzip", plain)).await,
        "400 with 0 bytes"
    );
    let coded = |coding: &str| {
        format!(
            "POST /bot{TOKEN}/getMe HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: {coding}\r\n\r\n0\r\n\r\n"
        )
    };
    assert_eq!(outcome(&stage, coded("chunked")).await, "200");
    assert_eq!(outcome(&stage, coded("gzip")).await, "501 with 0 bytes");
    assert_eq!(
        outcome(&stage, coded("gzip, chunked")).await,
        "501 with 0 bytes"
    );
}

#[tokio::test]
async fn row_caps() {
    let stage = Stage::start().await;
    let head = |size: usize| {
        format!(
            "GET /bot{TOKEN}/getMe?x={} HTTP/1.1\r\nHost: x\r\n\r\n",
            "a".repeat(size)
        )
    };
    assert_eq!(outcome(&stage, head(250_000)).await, "200");
    assert_eq!(outcome(&stage, head(263_000)).await, "431 with 0 bytes");
    let body = |size: usize| call("getMe", &"a".repeat(size));
    assert_eq!(outcome(&stage, body(1 << 20)).await, "200");
    assert_eq!(
        outcome(&stage, body((1 << 20) + 1)).await,
        "413 with 0 bytes"
    );
    let many = format!(
        "GET /bot{TOKEN}/getMe HTTP/1.1\r\n{}\r\n",
        "X-A: b\r\n".repeat(200)
    );
    assert_eq!(outcome(&stage, many).await, "200");
}

#[tokio::test]
async fn parser_errors_close_and_answers_keep_the_connection() {
    let stage = Stage::start().await;
    let mut client = stage.client().await;
    let refused = client
        .ask("PUT / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n")
        .await;
    assert_eq!(
        (refused.header("connection"), refused.header("content-type")),
        (Some("close"), None)
    );
    // What was smuggled behind it is never looked at.
    assert!(client.closed().await);
    assert_eq!(stage.control.requests(&Filter::default()).len(), 1);

    let mut client = stage.client().await;
    for _ in 0..3 {
        let answer = client.ask(get("/nothing")).await;
        assert_eq!(
            (answer.status, answer.header("connection")),
            (404, Some("keep-alive"))
        );
    }
    // Two in one packet: the second is answered after the first.
    client
        .send([get("/bot123:abc/getMe"), get("/nothing")].concat())
        .await;
    assert_eq!(
        (client.answer().await.status, client.answer().await.status),
        (200, 404)
    );
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

#[tokio::test]
async fn ambiguous_framing_is_refused_and_nothing_behind_it_is_read() {
    let stage = Stage::start().await;
    let smuggled = "GET /bot123:abc/logOut HTTP/1.1\r\nHost: x\r\n\r\n";
    for headers in [
        "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length: 5\r\nContent-Length: 5\r\n",
        "Content-Length: 5, 5\r\n",
        "Content-Length: -1\r\n",
        "Host: x\r\n folded: y\r\n",
    ] {
        let mut client = stage.client().await;
        let refused = client
            .ask(format!(
                "POST /bot123:abc/getMe HTTP/1.1\r\n{headers}\r\n0\r\n\r\n{smuggled}"
            ))
            .await;
        assert_eq!(
            (refused.status, refused.body.len()),
            (400, 0),
            "{headers:?}"
        );
        assert!(client.closed().await, "{headers:?}");
    }
    for chunks in ["x\r\n", "2\nab\r\n0\r\n\r\n", "2\r\nabc\r\n0\r\n\r\n"] {
        let request = format!(
            "POST /bot123:abc/getMe HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}{smuggled}"
        );
        let mut client = stage.client().await;
        assert_eq!(client.ask(request).await.status, 400, "{chunks:?}");
        assert!(client.closed().await);
    }
    assert!(stage.control.requests(&Filter::method("logOut")).is_empty());
}
