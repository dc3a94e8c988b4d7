//! §2.1, how a request's bytes are read: arguments, encodings, caps, framing.
//!
//! In: requests in every shape, right and wrong. Out: what the call was understood as, or the refusal.

use std::io::Write;

use gramtap_simulator::Filter;

use crate::wire::{PATIENCE, Stage, TOKEN, call, get, outcome, post};

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
async fn what_is_no_head_is_kept_as_it_came() {
    let stage = Stage::start().await;
    stage.client().await.ask("NONSENSE\r\n\r\n").await;
    let mut client = stage.client().await;
    client.send("GET /bot123:abc/ge").await;
    client.leave().await;
    let seen = stage
        .control
        .wait_for_requests(&Filter::default(), 2, PATIENCE)
        .await;
    assert_eq!(
        (&seen[0].head[..], seen[0].status),
        (&b"NONSENSE\r\n\r\n"[..], Some(400))
    );
    assert_eq!(
        (&seen[1].head[..], seen[1].status),
        (&b"GET /bot123:abc/ge"[..], None)
    );
}
