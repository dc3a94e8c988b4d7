//! What Telegram answers, and what stands in front of it answers in its place.
//!
//! In: the engine of `malformed.rs`, faults of the simulator. Out: pass or fail. Invariant: what can be
//! passed on is passed on as it is; what breaks the rules of HTTP becomes a 502 of Gramtap's own;
//! what follows an answer never becomes another call's.

use gramtap_simulator::{Closing, Cut, Delimited, Part};

use super::row::*;
use super::*;

fn row(name: &'static str, fault: Fault) -> Row {
    Row::new(name, "GET /bot{T}/getMe HTTP/1.1|Host: x|{A}||").answered(fault.method("getMe"))
}

/// A field of the answer, as written here.
fn field(name: &str, value: &str) -> Fault {
    Fault {
        headers: vec![(name.to_owned(), value.to_owned())],
        ..Fault::default()
    }
}

#[tokio::test]
async fn answers() {
    let gzip = Fault {
        gzip: true,
        ..Fault::default()
    };
    let chunks = |size| Fault {
        chunk: Some(size),
        ..Fault::delimited(Delimited::Chunked)
    };
    let cut_in_chunks = Fault {
        cut: Some(Cut {
            part: Part::Body,
            after: 20,
            reset: false,
        }),
        ..chunks(6)
    };
    let with = |status, reason: &str| Fault {
        status: Some(status),
        reason: Some(reason.to_owned()),
        ..Fault::default()
    };
    let interim = |all: &[u16]| Fault {
        interim: all.to_vec(),
        ..Fault::default()
    };
    let closes = |how| Fault {
        close: Some(how),
        ..Fault::default()
    };
    let behind = |length: &str| Fault {
        body: Some(
            "{\"ok\":true,\"result\":1}HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nother"
                .to_owned(),
        ),
        headers: vec![("Content-Length".to_owned(), length.to_owned())],
        ..Fault::delimited(Delimited::Close)
    };
    play(vec![
        row("HTML 502", Fault::nginx(502))
            .same("502 Bad Gateway [telegram content-type=text/html length] PAGE | open")
            .reaches(&["GET /botT/getMe"])
            .told("getMe 502 edge page"),
        row("HTML 413", Fault::nginx(413))
            .same("413 Request Entity Too Large [telegram content-type=text/html length] PAGE | open")
            .reaches(&["GET /botT/getMe"])
            .told("getMe 413 edge page"),
        row(
            "HTML 200",
            Fault {
                status: Some(200),
                ..Fault::nginx(502)
            },
        )
            .same("200 OK [telegram content-type=text/html length] PAGE | open")
            .reaches(&["GET /botT/getMe"])
            .told("getMe 200 edge page"),
        row("empty 200", Fault::empty(200))
            .same("200 OK [telegram length] | open")
            .reaches(&["GET /botT/getMe"])
            .told("getMe 200 edge empty"),
        row("empty 504", Fault::empty(504))
            .same("504 Gateway Timeout [telegram length] | open")
            .reaches(&["GET /botT/getMe"])
            .told("getMe 504 edge empty"),
        row("204", Fault::empty(204))
            .same("204 No Content [telegram] | open")
            .reaches(&["GET /botT/getMe"])
            .told("getMe 204 edge empty"),
        row("304", Fault::empty(304))
            .same("304 Not Modified [telegram] | open")
            .reaches(&["GET /botT/getMe"])
            .told("getMe 304 edge empty"),
        row(
            "a redirect",
            Fault {
                status: Some(302),
                ..field("Location", "https://example.org/bot1:a/getMe")
            },
        )
            .same("302 Found [telegram json location=https://example.org/bot1:a/getMe length] {\"ok\":true,\"result\":true} | open")
            .reaches(&["GET /botT/getMe"])
            .told("getMe 302 telegram"),
        row("401", Fault::status(401))
            .same("401 Unauthorized [telegram] error: Unauthorized | open")
            .reaches(&["GET /botT/getMe"])
            .told("getMe 401 telegram"),
        row("409", Fault::status(409))
            .same("409 Conflict [telegram] error: Conflict | open")
            .reaches(&["GET /botT/getMe"])
            .told("getMe 409 telegram"),
        row("429", Fault::flood(7))
            .same("429 Too Many Requests [telegram json retry-after=7 length]")
            .reaches(&["GET /botT/getMe"])
            .told("getMe 429 telegram"),
        row("a status of its own", with(599, "Whatever"))
            .same("599 Whatever [telegram] error: Unknown | open")
            .reaches(&["GET /botT/getMe"])
            .told("getMe 599 telegram"),
        row("a phrase of its own", with(403, "You shall not pass"))
            .same("403 You shall not pass [telegram] error: Forbidden | open")
            .reaches(&["GET /botT/getMe"])
            .told("getMe 403 telegram"),
        row("no phrase", with(200, ""))
            .same("200  [telegram] {\"ok\":true,\"result\":true} | open")
            .reaches_as_me(),
        row(
            "no JSON",
            Fault {
                body: Some("{\"ok\":tr".to_owned()),
                ..Fault::default()
            },
        )
            .same("200 OK [telegram] {\"ok\":tr | open")
            .reaches(&["GET /botT/getMe"])
            .told("getMe 200 telegram unread"),
        row(
            "no Content-Type",
            Fault {
                content_type: Some(String::new()),
                ..Fault::default()
            },
        ).same("200 OK [telegram length] ME | open").reaches_as_me(),
        row("gzip", gzip.clone())
            .same("200 OK [telegram content-encoding=gzip json length] bytes [1f, 8b, 08, 00")
            .reaches_as_me(),
        row(
            "gzip in chunks",
            Fault {
                gzip: true,
                ..chunks(7)
            },
        )
            .same("200 OK [telegram content-encoding=gzip json chunks] bytes [1f, 8b, 08, 00")
            .reaches_as_me(),
        row(
            "a coding that is not there",
            field("Content-Encoding", "gzip"),
        )
            .same("200 OK [telegram content-encoding=gzip json length] ME | open")
            .reaches(&["GET /botT/getMe"])
            .told("getMe 200 edge page"),
        row("chunks", chunks(5)).same("200 OK [telegram json chunks] ME | open").reaches_as_me(),
        row("until close", Fault::delimited(Delimited::Close))
            .differs("200 OK [telegram json until close] ME | closed", "200 OK [telegram json chunks] ME | open", why::IN_CHUNKS)
            .reaches_as_me(),
        row(
            "length and chunks",
            Fault::delimited(Delimited::LengthAndChunked),
        ).no_answer("200 OK [telegram json chunks] ME | open", "malformed", why::STRICT),
        row("two lengths", field("Content-Length", "5"))
            .no_answer(GIVES_ME, "malformed", why::STRICT),
        row("more than its length", behind("21"))
            .differs("200 OK [telegram] {\"ok\":true,\"result\":1 | }HTTP/1.1 200 OK [length] other | closed", "200 OK [telegram] {\"ok\":true,\"result\":1 | open", why::CONNECTIONS)
            .reaches_as_me(),
        row("less than its length", behind("999"))
            .same("200 OK [telegram json length=999 cut]")
            .reaches(&["GET /botT/getMe"])
            .told("getMe 200 network cut"),
        row("a length that is none", behind("+21"))
            .no_answer("200 OK [telegram] {\"ok\":true,\"result\":1 | }HTTP/1.1 200 OK [length] other | closed", "malformed", why::STRICT),
        row("a folded field", field("X-A", "a\r\n b"))
            .no_answer("200 OK [telegram  b=? json x-a=a length] ME | open", "malformed", why::STRICT),
        row("a field without a colon", field("X-A", "a\r\nnonsense"))
            .no_answer("200 OK [telegram json nonsense=? x-a=a length] ME | open", "malformed", why::STRICT),
        row("a field with NUL", field("X-A", "a\0b"))
            .no_answer("200 OK [telegram json x-a=a\0b length] ME | open", "malformed", why::STRICT),
        row("bare LF", field("X-A", "a\nX-B: b"))
            .no_answer("200 OK [telegram json x-a=a\nX-B: b length] ME | open", "malformed", why::STRICT),
        row("CR", field("X-A", "a\rb"))
            .no_answer("200 OK [telegram json x-a=a\rb length] ME | open", "malformed", why::STRICT),
        row("letters beyond ASCII", field("X-A", "привет"))
            .same("200 OK [telegram json x-a=привет length] ME | open")
            .reaches_as_me(),
        row(
            "cookies",
            Fault {
                headers: vec![
                    ("Set-Cookie".to_owned(), "a=1".to_owned()),
                    ("Set-Cookie".to_owned(), "b=2".to_owned()),
                ],
                ..Fault::default()
            },
        )
            .same("200 OK [telegram json set-cookie=a=1 set-cookie=b=2 length] ME | open")
            .reaches_as_me(),
        row("fields of the connection", field("Keep-Alive", "timeout=5")).works(),
        row("103 first", interim(&[103]))
            .differs("103 Early Hints [] | 200 OK [telegram] ME | open", GIVES_ME, why::INTERIM)
            .reaches_as_me(),
        row("100 first", interim(&[100, 100]))
            .differs("100 Continue [] | 100 Continue [] | 200 OK [telegram] ME | open", GIVES_ME, why::INTERIM)
            .reaches_as_me(),
        row("closes", closes(Closing::Announced))
            .differs("200 OK [telegram] ME | closed", GIVES_ME, why::CONNECTIONS)
            .reaches_as_me(),
        row("closes in silence", closes(Closing::Silent))
            .differs("200 OK [telegram] ME | closed", GIVES_ME, why::CONNECTIONS)
            .reaches_as_me(),
        row("cut before the head", Fault::cut(Part::Head, 0, false))
            .no_answer("closed", "closed", why::NO_ANSWER),
        row("reset before the head", Fault::cut(Part::Head, 0, true))
            .no_answer("closed", "receive", why::NO_ANSWER),
        row("cut in the head", Fault::cut(Part::Head, 40, false))
            .no_answer("HTTP/1.1 200 OK\r\nServer: nginx/1.18.0\r\nD [head cut] | closed", "closed", why::NO_ANSWER),
        row("cut before the body", Fault::cut(Part::Body, 0, false))
            .same("200 OK [telegram json length=325 cut] | closed")
            .reaches(&["GET /botT/getMe"])
            .told("getMe 200 network cut"),
        row("cut in the body", Fault::cut(Part::Body, 10, false))
            .same("200 OK [telegram json length=325 cut] {\"ok\":true | closed")
            .reaches(&["GET /botT/getMe"])
            .told("getMe 200 network cut"),
        row("cut in chunks", cut_in_chunks)
            .same("200 OK [telegram json chunks cut] {\"ok\":true,\" | closed")
            .reaches(&["GET /botT/getMe"])
            .told("getMe 200 network cut"),
        row("a head of 100 KB", field("X-A", &"a".repeat(100_000)))
            .no_answer("200 OK [telegram json x-a=A length] ME | open", "malformed", why::STRICT),
    ])
    .await;
}
