//! The simulator as a whole: TLS, many polls, the same bytes again, no token shown.
//!
//! In: simulators with unusual settings. Out: what no part shows alone.

use std::sync::Arc;
use std::time::Duration;

use gramtap_simulator::{
    Act, CaptureConfig, Clock, ConnectionState, Filter, SimulatorConfig, User,
};
use rustls_pki_types::{CertificateDer, ServerName, pem::PemObject};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::wire::{BOT, PATIENCE, Stage, TOKEN, USER, call, get, post};

#[tokio::test]
async fn https_with_its_own_authority() {
    let config = SimulatorConfig {
        tls_names: vec!["api.telegram.org".to_owned()],
        ..SimulatorConfig::default()
    };
    let stage = Stage::with(config).await;
    let mut roots = rustls::RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(stage.simulator.ca_pem().as_bytes()).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let client = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(client));
    for name in ["localhost", "127.0.0.1", "api.telegram.org"] {
        let stream = TcpStream::connect(stage.simulator.tls_addr().unwrap())
            .await
            .unwrap();
        let mut stream = connector
            .connect(ServerName::try_from(name).unwrap(), stream)
            .await
            .unwrap();
        stream
            .write_all(
                format!("GET /bot{TOKEN}/getMe HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                    .as_bytes(),
            )
            .await
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(
            answer.starts_with("HTTP/1.1 200 OK") && answer.contains("Connection: close"),
            "{name} {answer}"
        );
    }
    assert!(
        stage
            .control
            .requests(&Filter::default())
            .iter()
            .all(|one| one.tls)
    );
}

#[tokio::test]
async fn hundreds_of_polls_wait_and_are_answered() {
    let config = SimulatorConfig {
        accept_any_token: true,
        capture: CaptureConfig {
            enabled: false,
            ..CaptureConfig::default()
        },
        ..SimulatorConfig::default()
    };
    let stage = Stage::with(config).await;
    let mut clients = Vec::new();
    for bot in 1_000..1_300 {
        let mut client = stage.client().await;
        client
            .send(get(&format!("/bot{bot}:x/getUpdates?timeout=50")))
            .await;
        clients.push((bot, client));
    }
    assert_eq!(stage.control.wait_for_polls(300, PATIENCE).await.len(), 300);
    let waiting = stage
        .control
        .connections()
        .iter()
        .filter(|one| one.state == ConnectionState::Waiting)
        .count();
    assert_eq!(waiting, 300);
    for (bot, client) in &mut clients {
        assert!(
            stage
                .control
                .say(*bot, USER, &format!("to {bot}"))
                .unwrap()
                .told
        );
        assert_eq!(
            client.answer().await.result()[0]["message"]["text"],
            format!("to {bot}")
        );
    }
    assert_eq!(
        (
            stage.control.total_requests(),
            stage.control.requests(&Filter::default()).len()
        ),
        (300, 0)
    );
    drop(clients);
    stage.simulator.shutdown().await;
}

/// What a session of calls is answered, byte for byte.
async fn session(stage: &Stage) -> Vec<u8> {
    stage.control.add_bot_token(TOKEN).unwrap();
    stage.control.add_user(User::new(USER, "Ann"));
    let mut client = stage.client().await;
    let mut bytes = Vec::new();
    for request in [
        call("getMe", ""),
        call(
            "sendMessage",
            "chat_id=7&text=hi&reply_markup={\"inline_keyboard\":[[{\"text\":\"a\",\"callback_data\":\"b\"}]]}",
        ),
        call("sendPhoto", "chat_id=7&photo=https://host/a.jpg"),
        call(
            "sendPoll",
            "chat_id=7&question=q&options=[\"a\",\"b\"]&is_anonymous=false",
        ),
        call("sendDice", "chat_id=7"),
    ] {
        let answer = client.ask(request).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        bytes.extend_from_slice(answer.head.as_bytes());
        bytes.extend_from_slice(&answer.body);
    }
    stage
        .control
        .act(&Act::Press {
            bot: BOT,
            user: USER,
            chat: None,
            message_id: 1,
            data: "b".to_owned(),
        })
        .unwrap();
    stage
        .control
        .act(&Act::Vote {
            bot: BOT,
            user: USER,
            chat: None,
            message_id: 3,
            options: vec![1],
        })
        .unwrap();
    let updates = client.ask(call("getUpdates", "")).await;
    assert_eq!(updates.result()[1]["poll_answer"]["option_ids"][0], 1);
    bytes.extend_from_slice(&updates.body);
    bytes
}

#[tokio::test]
async fn after_a_reset_the_same_calls_give_the_same_bytes() {
    let clock = Clock::real().with_fixed_date(1_800_000_000);
    let stage = Stage::with(SimulatorConfig {
        clock,
        ..SimulatorConfig::default()
    })
    .await;
    let first = session(&stage).await;
    assert!(String::from_utf8_lossy(&first).contains("Date: Fri, 15 Jan 2027 08:00:00 GMT"));
    stage.control.reset();
    assert_eq!(session(&stage).await, first);
    let other = Stage::with(SimulatorConfig {
        clock: Clock::real().with_fixed_date(1_800_000_000),
        ..SimulatorConfig::default()
    })
    .await;
    assert_eq!(session(&other).await, first);
}

#[tokio::test]
async fn a_front_server_may_compress_for_those_who_accept_it() {
    let config = SimulatorConfig {
        compress: true,
        ..SimulatorConfig::default()
    };
    let stage = Stage::with(config).await;
    let mut client = stage.client().await;
    let plain = client.ask(get(&format!("/bot{TOKEN}/getMe"))).await;
    assert_eq!(
        (plain.header("content-encoding"), &plain.result()["id"]),
        (None, &BOT.into())
    );
    client
        .send(format!(
            "GET /bot{TOKEN}/getMe HTTP/1.1\r\nHost: x\r\nAccept-Encoding: deflate, gzip\r\n\r\n"
        ))
        .await;
    let head = client.head().await;
    assert!(
        head.contains("Content-Encoding: gzip\r\n")
            && head.contains("Transfer-Encoding: chunked\r\n"),
        "{head}"
    );
}

#[tokio::test]
async fn row_new_bots_per_address() {
    let config = SimulatorConfig {
        new_bots_limit: true,
        accept_any_token: true,
        clock: Clock::manual(),
        ..SimulatorConfig::default()
    };
    let stage = Stage::with(config).await;
    let mut client = stage.client().await;
    let me =
        |bot: u32, from: &str| format!("GET /bot{bot}:x/getMe HTTP/1.1\r\nHost: x\r\n{from}\r\n");
    for bot in 1..=20 {
        assert_eq!(client.ask(me(bot, "")).await.status, 200);
    }
    assert_eq!(
        client.ask(me(21, "")).await.failure(),
        "429 Too Many Requests: retry after 60"
    );
    assert_eq!(
        client.ask(me(1, "")).await.status,
        200,
        "it is live already"
    );
    // Loopback is a private address: whoever speaks from there may speak for others.
    assert_eq!(
        client
            .ask(me(21, "X-Real-IP: 203.0.113.9\r\n"))
            .await
            .status,
        200
    );
    stage.control.clock().advance(Duration::from_secs(60));
    assert_eq!(client.ask(me(22, "")).await.status, 200);
}

#[tokio::test]
async fn no_debug_shows_a_token() {
    let stage = Stage::start().await;
    stage.control.add_bot_token("55:s3cr3t-canary").unwrap();
    let mut client = stage.client().await;
    client
        .ask(get(
            "/bot55:s3cr3t-canary/setWebhook?url=https://x/s3cr3t-canary",
        ))
        .await;
    client
        .ask(post(
            "/bot55:s3cr3t-canary/sendMessage",
            "application/json",
            r#"{"text":"s3cr3t-canary"}"#,
        ))
        .await;
    client.send(get("/bot55:s3cr3t-canary/deleteWebhook")).await;
    stage
        .control
        .wait_for_requests(
            &Filter {
                answered: true,
                ..Filter::default()
            },
            3,
            PATIENCE,
        )
        .await;
    let shown = format!(
        "{:?} {:?} {:?} {:?} {:?}",
        stage.simulator,
        stage.control,
        stage.control.requests(&Filter::default()),
        stage.control.bots(),
        stage.control.connections()
    );
    assert!(
        shown.contains("55") && !shown.contains("s3cr3t-canary"),
        "{shown}"
    );
}
