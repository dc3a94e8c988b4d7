//! Requests that break the rules of HTTP, or use those that are seldom used.
//!
//! In: exact bytes, sent to an embedded ingress and to the simulator. Out: pass or fail: the statuses
//! of both, as the table says. Invariant: no row makes the process less able to answer the next.

use gramtap_tests::{Ingress, Installation, Stores};

use super::*;

/// The statuses of the interim answers and the answer; `-` if the connection was closed without one.
async fn outcome(mut client: Client, request: &str) -> String {
    client.send(request).await;
    let head = request.starts_with("HEAD");
    let mut interim = String::new();
    loop {
        let answer = match head {
            true => client.answer_to_head().await,
            false => client.answer().await,
        };
        let Some(answer) = answer else {
            return format!("{interim}-");
        };
        let status = answer.status();
        if status >= 200 {
            return format!("{interim}{status}");
        }
        interim.push_str(&format!("{status} "));
    }
}

#[tokio::test]
async fn what_breaks_the_rules_is_refused_and_what_is_rare_passes() {
    let telegram = Telegram::start().await;
    let installation = Installation::new(Stores::Embedded).await;
    installation.add(Some(BOT)).await;
    let ingress = Ingress::start(&installation, "ingress", &telegram.url()).await;
    let get_me = format!("GET /bot{TOKEN}/getMe HTTP/1.1\r\n");
    let send = format!(
        "POST /bot{TOKEN}/sendMessage HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    );
    let body = "chat_id=7&text=hello";
    // What is sent, then the outcome through Gramtap and from the simulator directly.
    let rows = [
        ("plain", format!("{get_me}Host: x\r\n\r\n"), "200", "200"),
        (
            "two lengths",
            format!("{send}Content-Length: 20\r\nContent-Length: 21\r\n\r\n{body}"),
            "400",
            "400",
        ),
        (
            "the same length twice",
            format!("{send}Content-Length: 20\r\nContent-Length: 20\r\n\r\n{body}"),
            "400",
            "400",
        ),
        (
            "length and chunks",
            format!(
                "{send}Content-Length: 20\r\nTransfer-Encoding: chunked\r\n\r\n14\r\n{body}\r\n0\r\n\r\n"
            ),
            "400",
            "400",
        ),
        (
            "a length that is none",
            format!("{send}Content-Length: +20\r\n\r\n{body}"),
            "400",
            "400",
        ),
        (
            "chunks",
            format!("{send}Transfer-Encoding: chunked\r\n\r\n14\r\n{body}\r\n0\r\n\r\n"),
            "200",
            "200",
        ),
        (
            "bare line feeds",
            format!("{get_me}Host: x\r\n\r\n").replace("\r\n", "\n"),
            "200",
            "400",
        ),
        (
            "a folded header",
            format!("{get_me}Host: x\r\nX-Folded: a\r\n b\r\n\r\n"),
            "400",
            "400",
        ),
        (
            "a space before the colon",
            format!("{get_me}Host: x\r\nX-Spaced : a\r\n\r\n"),
            "400",
            "400",
        ),
        (
            "a whole URL",
            format!("GET http://x/bot{TOKEN}/getMe HTTP/1.1\r\nHost: x\r\n\r\n"),
            "404",
            "404",
        ),
        (
            "two hosts",
            format!("{get_me}Host: x\r\nHost: y\r\n\r\n"),
            "400",
            "200",
        ),
        ("no host", format!("{get_me}\r\n"), "400", "200"),
        (
            "two slashes",
            format!("GET //bot{TOKEN}/getMe HTTP/1.1\r\nHost: x\r\n\r\n"),
            "404",
            "404",
        ),
        (
            "HEAD",
            format!("HEAD /bot{TOKEN}/getMe HTTP/1.1\r\nHost: x\r\n\r\n"),
            "501",
            "501",
        ),
        (
            "GET with a body",
            format!(
                "GET /bot{TOKEN}/sendMessage HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 20\r\n\r\n{body}"
            ),
            "200",
            "200",
        ),
        (
            "Expect",
            format!("{send}Expect: 100-continue\r\nContent-Length: 20\r\n\r\n{body}"),
            "100 200",
            "200",
        ),
        (
            "HTTP/1.0",
            format!("GET /bot{TOKEN}/getMe HTTP/1.0\r\nHost: x\r\n\r\n"),
            "200",
            "200",
        ),
        ("no HTTP", "hello\r\n\r\n".to_owned(), "400", "400"),
    ];
    let mut differing = Vec::new();
    for (name, request, through, direct) in &rows {
        let before = telegram.control.total_requests();
        let got_through = outcome(ingress.client().await, request).await;
        let reached = telegram.control.total_requests() - before;
        let got = [got_through, outcome(telegram.client().await, request).await];
        // What is refused never reaches Telegram, in whole or in part.
        let refused = matches!(*through, "400" | "404");
        if reached != u64::from(!refused) {
            differing.push(format!("{name}: {reached} requests reached Telegram"));
        }
        if got != [*through, *direct] {
            differing.push(format!("{name}: {got:?}, not {:?}", [through, direct]));
        }
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
    ingress.stop().await;
}
