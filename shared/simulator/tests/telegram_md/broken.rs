//! Answers that are broken on the wire: cut, slow, oddly framed, too early; connections that end.
//!
//! In: one fault at a time. Out: the exact bytes that reach a client, and what the journal says of it.

use std::io::Read;
use std::time::Duration;

use gramtap_simulator::{Closing, ConnectionRules, Delimited, Early, Fault, Filter, Part};

use crate::wire::{BOT, PATIENCE, Stage, TOKEN, get};

fn me() -> String {
    get(&format!("/bot{TOKEN}/getMe"))
}

/// The rest of a connection after one getMe under a fault.
async fn played(stage: &Stage, fault: Fault) -> String {
    stage.control.clear_faults();
    stage.control.fault(fault.times(1));
    let mut client = stage.client().await;
    client.send(me()).await;
    String::from_utf8_lossy(&client.rest().await).into_owned()
}

#[tokio::test]
async fn cuts() {
    let stage = Stage::start().await;
    assert_eq!(played(&stage, Fault::cut(Part::Head, 0, false)).await, "");
    assert_eq!(played(&stage, Fault::cut(Part::Head, 0, true)).await, "");
    assert_eq!(
        played(&stage, Fault::cut(Part::Head, 20, false)).await,
        "HTTP/1.1 200 OK\r\nSer"
    );
    let whole_head = played(&stage, Fault::cut(Part::Body, 0, false)).await;
    assert!(
        whole_head.ends_with("\r\n\r\n") && whole_head.contains("Content-Length: "),
        "{whole_head}"
    );
    let body = played(&stage, Fault::cut(Part::Body, 10, false)).await;
    assert!(body.ends_with("\r\n\r\n{\"ok\":true"), "{body}");
    let chunks = Fault {
        delimited: Some(Delimited::Chunked),
        chunk: Some(6),
        ..Fault::cut(Part::Body, 13, false)
    };
    let chunks = played(&stage, chunks).await;
    assert!(
        chunks.ends_with("\r\n\r\n6\r\n{\"ok\":\r\n6\r")
            && chunks.contains("Transfer-Encoding: chunked"),
        "{chunks}"
    );
    // What was cut before its head has no status; the call was carried out all the same.
    let seen = stage.control.requests(&Filter::method("getMe"));
    let statuses: Vec<Option<u16>> = seen.iter().map(|one| one.status).collect();
    assert_eq!(
        statuses,
        [None, None, None, Some(200), Some(200), Some(200)]
    );
    assert!(seen.iter().all(|one| one.fault.is_some()));
}

#[tokio::test]
async fn framings() {
    let stage = Stage::start().await;
    let until_close = played(&stage, Fault::delimited(Delimited::Close)).await;
    assert!(
        until_close.contains("Connection: close\r\n")
            && !until_close.contains("\r\nContent-Length"),
        "{until_close}"
    );
    assert!(until_close.ends_with('}'), "{until_close}");

    stage.control.fault(
        Fault {
            chunk: Some(5),
            ..Fault::delimited(Delimited::Chunked)
        }
        .times(1),
    );
    let mut client = stage.client().await;
    client.send(me()).await;
    let head = client.head().await;
    assert!(
        head.contains("Transfer-Encoding: chunked\r\nConnection: keep-alive\r\n")
            && !head.contains("\r\nContent-Length"),
        "{head}"
    );
    stage.control.close_connections(None, false);
    let body = String::from_utf8(client.rest().await).unwrap();
    assert!(
        body.starts_with("5\r\n{\"ok\"\r\n5\r\n:true\r\n") && body.ends_with("\r\n0\r\n\r\n"),
        "{body}"
    );

    stage
        .control
        .fault(Fault::delimited(Delimited::LengthAndChunked).times(1));
    let mut client = stage.client().await;
    client.send(me()).await;
    let head = client.head().await;
    assert!(
        head.contains("Content-Length: ") && head.contains("Transfer-Encoding: chunked"),
        "{head}"
    );
}

#[tokio::test]
async fn interim_answers_and_gzip() {
    let stage = Stage::start().await;
    stage.control.fault(
        Fault {
            interim: vec![100, 103],
            ..Fault::default()
        }
        .times(1),
    );
    let mut client = stage.client().await;
    client.send(me()).await;
    assert_eq!(client.head().await, "HTTP/1.1 100 Continue\r\n\r\n");
    assert_eq!(client.head().await, "HTTP/1.1 103 Early Hints\r\n\r\n");
    assert_eq!(client.answer().await.status, 200);

    stage.control.fault(
        Fault {
            gzip: true,
            ..Fault::default()
        }
        .times(1),
    );
    let packed = client.ask(me()).await;
    assert_eq!(packed.header("content-encoding"), Some("gzip"));
    let mut plain = String::new();
    flate2::read::GzDecoder::new(&packed.body[..])
        .read_to_string(&mut plain)
        .unwrap();
    assert!(plain.starts_with(r#"{"ok":true"#), "{plain}");
}

#[tokio::test]
async fn slow_answers_come_in_pieces_of_time() {
    let stage = Stage::still().await;
    stage
        .control
        .fault(Fault::slow(Part::Body, 4, 1_000).times(1));
    let mut client = stage.client().await;
    client.send(me()).await;
    let clock = stage.control.clock().clone();
    // Each second of the clock brings four bytes more.
    let ticking = async {
        loop {
            clock.advance(Duration::from_secs(1));
            tokio::task::yield_now().await;
        }
    };
    let answer = tokio::select! { never = ticking => never, answer = client.answer() => answer };
    assert_eq!(answer.result()["id"], BOT);
    stage
        .control
        .wait_for_requests(
            &Filter {
                answered: true,
                ..Filter::default()
            },
            1,
            PATIENCE,
        )
        .await;
    let seen = stage.control.requests(&Filter::method("getMe"));
    let took = seen[0].answered.unwrap() - seen[0].arrived;
    assert!(
        took >= Duration::from_secs((answer.body.len() as u64).div_ceil(4) - 1),
        "{took:?}"
    );
}

#[tokio::test]
async fn an_early_413_while_the_upload_comes() {
    let stage = Stage::start().await;
    let head = format!(
        "POST /bot{TOKEN}/sendDocument HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=B\r\nContent-Length: 3000000\r\n\r\n"
    );
    stage
        .control
        .fault(Fault::too_large_early(Early::Drain).method("sendDocument"));
    let mut client = stage.client().await;
    let answer = client.ask(&head).await;
    assert_eq!(
        (answer.status, answer.header("connection")),
        (413, Some("close"))
    );
    // The server reads on: an upload of any size can be finished.
    for _ in 0..30 {
        client.send(vec![b'x'; 100_000]).await;
    }
    stage.control.clear_faults();

    stage.control.fault(Fault::too_large_early(Early::Close));
    let mut client = stage.client().await;
    client.send(&head).await;
    assert_eq!(client.answer().await.status, 413);
    assert!(client.closed().await);
}

#[tokio::test]
async fn connections_end_after_so_many_requests_or_in_silence() {
    let stage = Stage::start().await;
    stage.control.set_connection_rules(ConnectionRules {
        close_after: Some(2),
        announce: true,
        idle_close_ms: None,
    });
    let mut client = stage.client().await;
    assert_eq!(
        client.ask(me()).await.header("connection"),
        Some("keep-alive")
    );
    assert_eq!(client.ask(me()).await.header("connection"), Some("close"));
    assert!(client.closed().await);

    stage.control.set_connection_rules(ConnectionRules {
        close_after: Some(1),
        announce: false,
        idle_close_ms: None,
    });
    let mut client = stage.client().await;
    assert_eq!(
        client.ask(me()).await.header("connection"),
        Some("keep-alive")
    );
    assert!(client.closed().await);

    stage.control.set_connection_rules(ConnectionRules {
        idle_close_ms: Some(20),
        ..ConnectionRules::default()
    });
    let mut client = stage.client().await;
    assert!(client.closed().await);
    stage
        .control
        .set_connection_rules(ConnectionRules::default());

    for closing in [Closing::Announced, Closing::Silent] {
        stage.control.fault(
            Fault {
                close: Some(closing),
                ..Fault::default()
            }
            .times(1),
        );
        let mut client = stage.client().await;
        let expected = if closing == Closing::Announced {
            "close"
        } else {
            "keep-alive"
        };
        assert_eq!(client.ask(me()).await.header("connection"), Some(expected));
        assert!(client.closed().await);
    }

    let mut idle = stage.client().await;
    idle.ask(me()).await;
    assert_eq!(stage.control.close_connections(None, true), 1);
    assert!(idle.closed().await);
}
