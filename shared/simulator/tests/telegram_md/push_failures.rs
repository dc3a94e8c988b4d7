//! §2.4, webhook delivery: deadline, success, failure, expiry, 410, through sockets.
//!
//! In: answers that are wrong, late, cut or missing, on a clock that the test moves. Out: when the
//! update comes again, on which connection, and what getWebhookInfo says.

use std::time::Duration;

use gramtap_simulator::{Act, DeliveryFilter};

use crate::endpoint::{Endpoint, OK};
use crate::pushes::{ended, info, set, working};
use crate::wire::{BOT, Stage, USER};

fn status(line: &str) -> String {
    format!("HTTP/1.1 {line}\r\nContent-Length: 0\r\n\r\n")
}

#[tokio::test]
async fn row_failure_schedule() {
    let (stage, _endpoint, mut line) = working("").await;
    let clock = stage.control.clock();
    stage.control.say(BOT, USER, "again").unwrap();
    let mut attempts = 1;
    for wait in [0_u64, 2, 4, 8, 16, 32] {
        assert_eq!(line.push().await.text(), "again");
        line.answer(status("500 Internal Server Error")).await;
        attempts += 1;
        let state = ended(&stage, attempts).await;
        if wait > 0 {
            let at = clock.now() + Duration::from_secs(wait);
            assert_eq!(state.next_attempt, Some(at), "after attempt {attempts}");
            clock.advance(Duration::from_secs(wait));
        }
    }
    line.push().await;
    line.answer(status("502 Bad Gateway")).await;
    let wait = ended(&stage, attempts + 1).await.next_attempt.unwrap() - clock.now();
    assert!((60..=120).contains(&wait.as_secs()), "{wait:?}");
    let seen = info(&stage).await;
    assert_eq!(
        seen["last_error_message"],
        "Wrong response from the webhook: 502 Bad Gateway"
    );
    assert_eq!(seen["last_error_date"], clock.unix());
    let noted = stage.control.deliveries(&DeliveryFilter::ended());
    assert_eq!(
        noted.iter().map(|one| one.attempt).collect::<Vec<_>>(),
        [1, 1, 2, 3, 4, 5, 6, 7]
    );
}

#[tokio::test]
async fn row_retry_after() {
    let (stage, endpoint, mut line) = working("").await;
    let clock = stage.control.clock();
    stage.control.say(BOT, USER, "later").unwrap();
    for (attempts, (told, heeded)) in [(30_u64, 30), (999_999, 3_600)].into_iter().enumerate() {
        assert_eq!(line.push().await.text(), "later");
        let answer =
            format!("HTTP/1.1 429 Slow\r\nRetry-After: {told}\r\nContent-Length: 0\r\n\r\n");
        line.answer(answer).await;
        let state = ended(&stage, attempts + 2).await;
        let at = clock.now() + Duration::from_secs(heeded);
        assert_eq!(state.next_attempt, Some(at));
        clock.advance(Duration::from_secs(heeded));
    }
    assert!(line.closed().await, "it has idled for more than 60 s");
    assert_eq!(endpoint.line().await.push().await.text(), "later");
}

#[tokio::test]
async fn row_success_is_200_to_299_alone() {
    let (stage, _endpoint, mut line) = working("").await;
    for (answer, error) in [
        (status("201 Created"), None),
        (
            "HTTP/1.1 204 No Content\r\nServer: x\r\n\r\n".to_owned(),
            None,
        ),
        (
            "HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n".to_owned(),
            Some("302 Found"),
        ),
        (status("299 Odd"), None),
        (
            "HTTP/1.1 100 Continue\r\nServer: x\r\n\r\n".to_owned(),
            Some("100 Continue"),
        ),
        (OK.to_owned(), None),
    ] {
        if !stage
            .control
            .webhook(BOT)
            .unwrap()
            .queues
            .iter()
            .any(|one| one.updates > 0)
        {
            stage.control.say(BOT, USER, "x").unwrap();
        }
        let push = line.push().await;
        assert!(
            push.head.starts_with("POST /hook "),
            "no redirect is followed"
        );
        let before = stage.control.deliveries(&DeliveryFilter::ended()).len();
        line.answer(answer).await;
        ended(&stage, before + 1).await;
        let noted = stage
            .control
            .deliveries(&DeliveryFilter::ended())
            .pop()
            .unwrap();
        let expected = error.map(|text| format!("Wrong response from the webhook: {text}"));
        assert_eq!(noted.error, expected);
    }
}

#[tokio::test]
async fn row_deadline() {
    let (stage, endpoint, mut line) = working("").await;
    let clock = stage.control.clock();
    stage.control.say(BOT, USER, "slow").unwrap();
    line.push().await;
    // All but the end of an answer is no answer.
    line.answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{")
        .await;
    clock.advance(Duration::from_millis(59_999));
    assert_eq!(stage.control.webhook(BOT).unwrap().in_flight, 1);
    clock.advance(Duration::from_millis(1));
    assert!(line.closed().await);
    ended(&stage, 2).await;
    assert_eq!(
        info(&stage).await["last_error_message"],
        "Read timeout expired"
    );
    let mut line = endpoint.line().await;
    assert_eq!(line.push().await.text(), "slow");
}

#[tokio::test]
async fn row_failure_cut_connections() {
    let stage = Stage::still().await;
    let endpoint = Endpoint::start().await;
    set(&stage, &endpoint, "").await;
    stage.control.say(BOT, USER, "x").unwrap();
    let clock = stage.control.clock();
    let cuts = [
        "",
        "HTTP/1.1 200 OK\r\nCont",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n{\"me",
    ];
    for (at, cut) in cuts.into_iter().enumerate() {
        let mut line = endpoint.line().await;
        line.push().await;
        line.answer(cut).await;
        drop(line);
        ended(&stage, at + 1).await;
        assert_eq!(
            info(&stage).await["last_error_message"],
            "Webhook connection closed"
        );
        // Nothing has succeeded: the next connection may be opened two seconds after this one.
        clock.advance(Duration::from_secs([2, 2, 4][at]));
    }
    let address = endpoint.address;
    let mut line = endpoint.line().await;
    drop(endpoint);
    line.push().await;
    drop(line);
    ended(&stage, 4).await;
    clock.advance(Duration::from_secs(8));
    ended(&stage, 5).await;
    assert_eq!(
        info(&stage).await["last_error_message"],
        "Connection refused",
        "{address}"
    );
}

#[tokio::test]
async fn what_is_no_answer_is_a_failure_with_a_word() {
    for (answer, error) in [
        ("SSH-2.0-OpenSSH_9.2\r\n\r\n", "Not Implemented"),
        ("HTTP/2 200 OK\r\n\r\n", "HTTP Version Not Supported"),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
            "Unimplemented: unsupported transfer-encoding",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 1\r\n\r\n",
            "unsupported Content-Encoding",
        ),
    ] {
        let (stage, _endpoint, mut line) = working("").await;
        stage.control.say(BOT, USER, "x").unwrap();
        line.push().await;
        line.answer(answer).await;
        assert!(line.closed().await, "{answer:?}");
        ended(&stage, 2).await;
        assert_eq!(
            info(&stage).await["last_error_message"],
            error,
            "{answer:?}"
        );
    }
}

#[tokio::test]
async fn row_expiry() {
    let (stage, _endpoint, mut line) = working("").await;
    let clock = stage.control.clock();
    let (bot, user) = (BOT, USER);
    let query = Act::InlineQuery {
        bot,
        user,
        query: String::new(),
        offset: String::new(),
    };
    stage.control.act(&query).unwrap();
    for (attempt, wait) in [0_u64, 2, 4, 8, 0].into_iter().enumerate() {
        assert_eq!(line.push().await.update()["inline_query"]["query"], "");
        line.answer(status("500 x")).await;
        ended(&stage, attempt + 2).await;
        clock.advance(Duration::from_secs(wait));
    }
    // 14 s old, and the next attempt would come at 30.
    let state = stage.control.webhook(BOT).unwrap();
    assert_eq!(
        (
            state.pending_updates,
            state.expired_updates,
            state.queues.len()
        ),
        (0, 1, 0)
    );
    assert_eq!(info(&stage).await["pending_update_count"], 0);
}

#[tokio::test]
async fn row_410() {
    let (stage, endpoint, mut line) = working("").await;
    let clock = stage.control.clock();
    let gone = "HTTP/1.1 410 Gone\r\nRetry-After: 1800\r\nContent-Length: 0\r\n\r\n";
    stage.control.say(BOT, USER, "x").unwrap();
    line.push().await;
    line.answer(gone).await;
    ended(&stage, 2).await;
    clock.advance(Duration::from_secs(23 * 3_600));
    let mut line = endpoint.line().await;
    line.push().await;
    line.answer(gone).await;
    ended(&stage, 3).await;
    assert_eq!(
        info(&stage).await["url"],
        endpoint.url(),
        "23 h are not more than 23 h"
    );
    clock.advance(Duration::from_secs(1_800));
    let mut line = endpoint.line().await;
    line.push().await;
    line.answer(status("410 Gone")).await;
    ended(&stage, 4).await;
    let seen = info(&stage).await;
    assert_eq!(
        (&seen["url"], &seen["pending_update_count"]),
        (&"".into(), &1.into())
    );
    assert!(line.closed().await);
    let updates = stage.call("getUpdates", "").await.result();
    assert_eq!(updates[0]["message"]["text"], "x");
}

#[tokio::test]
async fn row_transport_addresses() {
    for (url, error) in [
        (
            "http://203.0.113.9/",
            "IP address 203.0.113.9 is public: the simulated Telegram pushes to private addresses only",
        ),
        (
            "http://a..b/",
            "Failed to resolve host: Name or service not known",
        ),
    ] {
        let stage = Stage::still().await;
        stage
            .call("setWebhook", &format!("url={url}"))
            .await
            .result();
        stage.control.say(BOT, USER, "x").unwrap();
        ended(&stage, 1).await;
        assert_eq!(info(&stage).await["last_error_message"], error, "{url}");
    }
}

#[tokio::test]
async fn a_head_over_4096_bytes_is_never_sent() {
    let stage = Stage::still().await;
    let endpoint = Endpoint::start().await;
    let url = format!("{}/{}", endpoint.url(), "a".repeat(4_096));
    stage
        .call("setWebhook", &format!("url={url}"))
        .await
        .result();
    stage.control.say(BOT, USER, "x").unwrap();
    ended(&stage, 1).await;
    assert_eq!(info(&stage).await["last_error_message"], "URL is too long");
    assert!(!endpoint.rings().await);
}
