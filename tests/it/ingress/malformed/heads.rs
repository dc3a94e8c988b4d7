//! Request lines and header fields that break the rules, or are seldom used.
//!
//! In: the engine of `malformed.rs`. Out: pass or fail. Invariant: what two readers may read in two
//! ways is refused, and no byte of it reaches Telegram.

use super::row::*;
use super::*;

fn line(name: &'static str, line: &str) -> Row {
    Row::new(name, format!("{line}|Host: x|{{A}}||"))
}

fn field(name: &'static str, field: &str) -> Row {
    Row::new(
        name,
        format!("GET /bot{{T}}/getMe HTTP/1.1|Host: x|{{A}}|{field}||"),
    )
}

#[tokio::test]
async fn request_lines() {
    play(vec![
        line("HTTP/1.0", "GET /bot{T}/getMe HTTP/1.0")
            .differs("200 OK [telegram] ME | closed", "HTTP/1.0 200 OK [telegram] ME | closed", why::VERSION)
            .reaches_as_me(),
        line(
            "HTTP/1.0 that stays",
            "GET /bot{T}/getMe HTTP/1.0|Connection: keep-alive",
        ).differs(GIVES_ME, "HTTP/1.0 200 OK [telegram] ME | open", why::VERSION).reaches_as_me(),
        Row::new(
            "HTTP/1.0 without a host",
            "GET /bot{T}/getMe HTTP/1.0|{A}||",
        )
            .differs("200 OK [telegram] ME | closed", "HTTP/1.0 400 Bad Request [gramtap host_malformed] {\"ok\":false,\"error_code\":400,\"description\":\"Bad Request: the Host header is missing, given twice or malformed\"} | closed", why::HOSTS),
        line("HTTP/1.2", "GET /bot{T}/getMe HTTP/1.2").refused("505 HTTP Version Not Supported"),
        line("HTTP/2.0", "GET /bot{T}/getMe HTTP/2.0").refused("505 HTTP Version Not Supported"),
        line("no version", "GET /bot{T}/getMe").refused("400 Bad Request"),
        line("two spaces", "GET  /bot{T}/getMe HTTP/1.1").differs(ABSOLUTE, REFUSED, why::ACTIX),
        line(
            "a space in the target",
            "GET /bot{T}/getMe and more HTTP/1.1",
        ).differs(NO_METHOD, REFUSED, why::ACTIX),
        line("a tab", "GET\t/bot{T}/getMe\tHTTP/1.1").refused("400 Bad Request"),
        line("NUL", "GET /bot{T}/getMe\0 HTTP/1.1").refused("400 Bad Request"),
        line("CR", "GET /bot{T}/getMe\r HTTP/1.1").refused("400 Bad Request"),
        line("a line end first", "|GET /bot{T}/getMe HTTP/1.1")
            .differs("400 Bad Request [telegram length] | closed", GIVES_ME, why::LENIENT)
            .reaches_as_me(),
        line("no HTTP", "hello").refused("400 Bad Request"),
        Row::new("TLS", "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\u{1}||").refused("400 Bad Request"),
        Row::new("HTTP/2 at once", "PRI * HTTP/2.0||SM||")
            .refused("505 HTTP Version Not Supported"),
        Row::new("bare LF", "GET /bot{T}/getMe HTTP/1.1\nHost: x\n{A}\n\n")
            .differs("400 Bad Request [telegram length] | closed", GIVES_ME, why::LENIENT)
            .reaches_as_me(),
        Row::new(
            "bare LF once",
            "GET /bot{T}/getMe HTTP/1.1|Host: x\nX-A: b|{A}||",
        )
            .differs("400 Bad Request [telegram length] | closed", GIVES_ME, why::LENIENT)
            .reaches_as_me(),
        Row::new(
            "bare LF, a second request",
            "GET /bot{T}/getMe HTTP/1.1\nHost: x\n{A}\n\n{S}",
        )
            .differs("400 Bad Request [telegram length] | closed", "200 OK [telegram] ME | 200 OK [telegram] DELETED | open", why::LENIENT)
            .reaches(&["GET /botT/getMe", "GET /botT/deleteWebhook"])
            .told("getMe 200 telegram + deleteWebhook 200 telegram"),
        Row::new("pipelined", "GET /bot{T}/getMe HTTP/1.1|Host: x|{A}||{S}")
            .same("200 OK [telegram] ME | 200 OK [telegram] DELETED | open")
            .reaches(&["GET /botT/getMe", "GET /botT/deleteWebhook"])
            .told("getMe 200 telegram + deleteWebhook 200 telegram"),
        Row::new(
            "pipelined, behind the last",
            "GET /bot{T}/getMe HTTP/1.1|Host: x|Connection: close|{A}||{S}",
        )
            .differs("200 OK [telegram] ME | closed", "200 OK [telegram] ME | 200 OK [telegram] DELETED | open", why::LAST)
            .reaches(&["GET /botT/getMe", "GET /botT/deleteWebhook"])
            .told("getMe 200 telegram + deleteWebhook 200 telegram"),
    ])
    .await;
}

#[tokio::test]
async fn header_fields() {
    let many = |count| {
        (0..count)
            .map(|number| format!("X-{number}: a|"))
            .collect::<String>()
    };
    play(vec![
        field("a folded field", "X-A: a| b").refused("400 Bad Request"),
        field("a folded field, first", " X-A: a").refused("400 Bad Request"),
        field("a space before the colon", "X-A : a").refused("400 Bad Request"),
        field("no colon", "nonsense").refused("400 Bad Request"),
        field("no name", ": a").refused("400 Bad Request"),
        field("a name with signs", "X(A): a").refused("400 Bad Request"),
        field("NUL", "X-A: a\0b").refused("400 Bad Request"),
        field("CR", "X-A: a\rb").refused("400 Bad Request"),
        field(
            "a second request in a field",
            "X-A: a\r\r\n\rGET /bot{T}/deleteWebhook HTTP/1.1",
        ).refused("400 Bad Request"),
        field("a control character", "X-A: a\u{1}b").refused("400 Bad Request"),
        field("letters beyond ASCII", "X-A: привет").works(),
        field("an empty field", "X-A:").works(),
        field("90 fields", many(87).trim_end_matches('|')).works(),
        field("200 fields", many(200).trim_end_matches('|'))
            .differs(GIVES_ME, "431 Request Header Fields Too Large [length] | closed", why::LIMITS),
        field("a field of 100 KB", &format!("X-A: {}", "{K}".repeat(100))).works(),
        field("close", "Connection: close").same("200 OK [telegram] ME | closed").reaches_as_me(),
        field("close in capitals", "Connection: CLOSE")
            .same("200 OK [telegram] ME | closed")
            .reaches_as_me(),
        field("fields of the connection", "Connection: X-A|X-A: a").works(),
        field(
            "Upgrade",
            "Connection: Upgrade|Upgrade: h2c|HTTP2-Settings: AAMAAABkAAQAAP__",
        ).differs(GIVES_ME, "200 OK [telegram] ME | closed", why::UPGRADES).reaches_as_me(),
        field(
            "WebSocket, a second request",
            "Connection: Upgrade|Upgrade: websocket||{S}",
        )
            .differs("200 OK [telegram] ME | 200 OK [telegram] DELETED | 400 Bad Request [telegram length] | closed", "200 OK [telegram] ME | closed", why::UPGRADES)
            .reaches_as_me(),
        field(
            "where the bot is",
            "X-Real-IP: 203.0.113.7|Forwarded: for=203.0.113.7|Via: 1.1 x",
        ).works(),
        field("Expect without a body", "Expect: 100-continue")
            .differs(GIVES_ME, "100 Continue [] | 200 OK [telegram] ME | open", why::CONTINUES)
            .reaches_as_me(),
        field("Expect of something else", "Expect: nothing").works(),
        field("TE", "TE: trailers").works(),
    ])
    .await;
}
