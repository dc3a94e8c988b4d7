//! Bodies: how they are delimited, where they end, and what follows them.
//!
//! In: the engine of `malformed.rs`. Out: pass or fail. Invariant: Telegram receives the body that the
//! bot's framing says, or nothing; never a request that was part of another one.

use super::row::*;
use super::*;

const BODY: &str = "chat_id=7";

/// A call of getChat with these fields, and all that follows them.
fn call(name: &'static str, rest: &str) -> Row {
    let head = "POST /bot{T}/getChat HTTP/1.1|Host: x|{A}|Content-Type: application/x-www-form-urlencoded|";
    Row::new(name, format!("{head}{rest}"))
}

/// A call whose body looks like another one.
fn a_request_as_body() -> String {
    let body = format!("GET /bot{TOKEN}/deleteWebhook HTTP/1.1|Host: x||");
    let length = body.replace('|', "\r\n").len();
    format!("GET /bot{{T}}/getMe HTTP/1.1|Host: x|{{A}}|Content-Length: {length}||{body}")
}

#[tokio::test]
async fn lengths() {
    let large = "{K}".repeat(20);
    let length = |name, value: &str| call(name, &format!("Content-Length:{value}||{BODY}{{S}}"));
    play(vec![
        length("a length", " 9").works_and_so_does_the_next(),
        length("zeros first", " 0009").works_and_so_does_the_next(),
        length("a plus sign", " +9").refused("400 Bad Request"),
        length("a minus sign", " -9").refused("400 Bad Request"),
        length("hexadecimal", " 0x9").refused("400 Bad Request"),
        length("a list", " 9, 9").refused("400 Bad Request"),
        length("no number", "").refused("400 Bad Request"),
        length("a number and more", " 9 9").refused("400 Bad Request"),
        length("beyond 64 bits", " 18446744073709551625").refused("400 Bad Request"),
        length("beyond 32 bits", " 4294967296")
            .same("413 Request Entity Too Large [telegram length] | closed")
            .reaches(&["  (not taken)"])
            .told("getChat 413 edge empty"),
        call("two lengths", &format!("Content-Length: 9|Content-Length: 10||{BODY}{{S}}"))
            .refused("400 Bad Request"),
        call("one length twice", &format!("Content-Length: 9|Content-Length: 9||{BODY}{{S}}"))
            .refused("400 Bad Request"),
        call("a length of 0", "Content-Length: 0||{S}")
            .same("400 Bad Request [telegram] error: Bad Request: chat_id is empty | 200 OK [telegram] DELETED | open")
            .reaches(&["POST /botT/getChat", "GET /botT/deleteWebhook"])
            .told("getChat 400 telegram + deleteWebhook 200 telegram"),
        call("no length", &format!("|{BODY}{{S}}"))
            .differs("400 Bad Request [telegram] error: Bad Request: chat_id is empty | 400 Bad Request [telegram length] | closed", "closed", why::GARBAGE)
            .reaches_at_most(&["POST /botT/getChat"])
            .told("getChat - telegram OR getChat - client client_left"),
        call("no length, nothing", "|")
            .same("400 Bad Request [telegram] error: Bad Request: chat_id is empty | open")
            .reaches(&["POST /botT/getChat"])
            .told("getChat 400 telegram"),
        call("the connection's length", &format!("Connection: Content-Length|Content-Length: 9||{BODY}{{S}}")).works_and_so_does_the_next(),
        call("Expect", &format!("Expect: 100-continue|Content-Length: 9||{BODY}"))
            .differs(GIVES_CHAT, "100 Continue [] | 200 OK [telegram] CHAT | open", why::CONTINUES)
            .reaches(&["POST /botT/getChat"])
            .told("getChat 200 telegram"),
        call("WebSocket with a length", &format!("Connection: Upgrade|Upgrade: websocket|Content-Length: 9||{BODY}{{S}}"))
            .differs("200 OK [telegram] CHAT | 200 OK [telegram] DELETED | open", "200 OK [telegram] CHAT | closed", why::UPGRADES)
            .reaches(&["POST /botT/getChat"])
            .told("getChat 200 telegram"),
        call("WebSocket with a large length", &format!("Connection: Upgrade|Upgrade: websocket|Content-Length: 20012||{BODY}&x={large}{{S}}"))
            .differs("200 OK [telegram] CHAT | 200 OK [telegram] DELETED | open", "200 OK [telegram] CHAT | closed", why::UPGRADES)
            .reaches(&["POST /botT/getChat"])
            .told("getChat 200 telegram"),
        Row::new(
            "GET with a body",
            format!("GET /bot{{T}}/getChat HTTP/1.1|Host: x|{{A}}|Content-Type: application/x-www-form-urlencoded|Content-Length: 9||{BODY}"),
        ).same(GIVES_CHAT).reaches(&["GET /botT/getChat"]).told("getChat 200 telegram"),
        Row::new("a second request as a body", a_request_as_body()).works(),
        Row::new("HTTP/1.0 without a length", "POST /bot{T}/getMe HTTP/1.0|Host: x|{A}||")
            .differs("200 OK [telegram] ME | closed", REFUSED, why::ACTIX),
        Row::new("a body for a path of nobody", "POST /nothing HTTP/1.1|Host: x|{A}|Content-Length: 4||abcd{S}")
            .differs("404 Not Found [telegram] error: Not Found | 200 OK [telegram] DELETED | open", "404 Not Found [gramtap path_unknown] error: Not Found | 200 OK [telegram] DELETED | open", why::OWN_404)
            .reaches(&["GET /botT/deleteWebhook"])
            .told("deleteWebhook 200 telegram"),
        call("cut", "Content-Length: 9||chat").then(Then::HangsUp).cut_upload("closed"),
        call("cut, large", &format!("Content-Length: 90000||{BODY}{{K}}")).then(Then::HangsUp)
            .cut_upload("closed"),
    ])
    .await;
}

#[tokio::test]
async fn chunks() {
    let te = |name, field: &str| call(name, &format!("{field}||9|{BODY}|0||{{S}}"));
    let chunks =
        |name, chunks: &str| call(name, &format!("Transfer-Encoding: chunked||{chunks}{{S}}"));
    play(vec![
        te("chunked", "Transfer-Encoding: chunked").works_and_so_does_the_next(),
        te("chunked in capitals", "Transfer-Encoding: CHUNKED").works_and_so_does_the_next(),
        te("length and chunks", "Content-Length: 9|Transfer-Encoding: chunked")
            .refused("400 Bad Request"),
        te("chunks and length", "Transfer-Encoding: chunked|Content-Length: 4")
            .refused("400 Bad Request"),
        te("chunks and a length of 0", "Transfer-Encoding: chunked|Content-Length: 0")
            .refused("400 Bad Request"),
        te("chunked twice", "Transfer-Encoding: chunked|Transfer-Encoding: chunked")
            .refused("501 Not Implemented"),
        te("chunked, then identity", "Transfer-Encoding: chunked|Transfer-Encoding: identity")
            .refused("501 Not Implemented"),
        te("identity", "Transfer-Encoding: identity").refused("501 Not Implemented"),
        te("identity and a length", "Transfer-Encoding: identity|Content-Length: 9")
            .refused("501 Not Implemented"),
        te("gzip, chunked", "Transfer-Encoding: gzip, chunked").refused("501 Not Implemented"),
        te("chunked, gzip", "Transfer-Encoding: chunked, gzip").refused("501 Not Implemented"),
        te("nearly chunked", "Transfer-Encoding: xchunked").refused("501 Not Implemented"),
        te("chunked with a tab", "Transfer-Encoding:\tchunked").works_and_so_does_the_next(),
        te("chunked with a vertical tab", "Transfer-Encoding: \u{b}chunked")
            .refused("400 Bad Request"),
        te("chunked in a fold", "Transfer-Encoding:| chunked").refused("400 Bad Request"),
        te("a space before the colon", "Transfer-Encoding : chunked").refused("400 Bad Request"),
        te("chunked in quotes", "Transfer-Encoding: \"chunked\"").refused("501 Not Implemented"),
        te("the connection's chunks", "Connection: Transfer-Encoding|Transfer-Encoding: chunked").works_and_so_does_the_next(),
        Row::new(
            "HTTP/1.0 in chunks",
            format!("POST /bot{{T}}/getChat HTTP/1.0|Host: x|{{A}}|Transfer-Encoding: chunked||9|{BODY}|0||{{S}}"),
        )
            .differs("400 Bad Request [telegram] error: Bad Request: chat_id is empty | closed", REFUSED, why::ACTIX),
        chunks("an extension", "9;a=\"b\"|chat_id=7|0||").works_and_so_does_the_next(),
        chunks("an extension with LF", "9;a\nb|chat_id=7|0||")
            .cut_upload("400 Bad Request [telegram length] | closed"),
        chunks("a trailer", "9|chat_id=7|0|X-A: b||").works_and_so_does_the_next(),
        chunks("a trailer with a length", "9|chat_id=7|0|Content-Length: 5||").works_and_so_does_the_next(),
        chunks("in capitals and zeros", "0000000009|chat_id=7|00||").works_and_so_does_the_next(),
        chunks("no size", "|chat_id=7|0||")
            .cut_upload("400 Bad Request [telegram length] | closed"),
        chunks("a size with 0x", "0x9|chat_id=7|0||")
            .cut_upload("400 Bad Request [telegram length] | closed"),
        chunks("a size below 0", "-9|chat_id=7|0||")
            .cut_upload("400 Bad Request [telegram length] | closed"),
        chunks("a size beyond 64 bits", "10000000000000009|chat_id=7|0||")
            .cut_upload("400 Bad Request [telegram length] | closed"),
        chunks("a size and LF", "9\nchat_id=7|0||")
            .cut_upload("400 Bad Request [telegram length] | closed"),
        chunks("a space before the size", " 9|chat_id=7|0||")
            .cut_upload("400 Bad Request [telegram length] | closed"),
        chunks("a space behind the size", "9 |chat_id=7|0||").works_and_so_does_the_next(),
        chunks("no line end behind a chunk", "9|chat_id=70||")
            .cut_upload("400 Bad Request [telegram length] | closed"),
        chunks("another end behind a chunk", "9|chat_id=7xx0||")
            .cut_upload("400 Bad Request [telegram length] | closed"),
        call("chunks cut in a size", "Transfer-Encoding: chunked||9|chat_id=7|").then(Then::HangsUp)
            .cut_upload("closed"),
        call("chunks cut in a chunk", "Transfer-Encoding: chunked||9|chat").then(Then::HangsUp)
            .cut_upload("closed"),
        call("chunks cut before the end", "Transfer-Encoding: chunked||9|chat_id=7|0|").then(Then::HangsUp)
            .cut_upload("closed"),
    ])
    .await;
}
