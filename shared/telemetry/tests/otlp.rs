//! Spans on the wire: the program starts itself again as a child that exports to a collector of
//! this test, which speaks as much HTTP/2 as it takes to see a request and answer it. Also that a
//! collector that is dead or dumb does not hold up the end of a process.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(
    clippy::disallowed_methods,
    reason = "a blocking collector beside a blocking test"
)]

use std::{
    borrow::Cow,
    io::{self, Read, Write},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    sync::mpsc,
    time::Duration,
};

use gramtap_telemetry::{TelemetryConfig, init_with, traceparent};

/// More than any test should need; reached only by a failure.
const LONG: Duration = Duration::from_secs(60);

fn hide_canary(text: &str) -> Cow<'_, str> {
    if text.contains("CANARY") {
        Cow::Owned(text.replace("CANARY", "***"))
    } else {
        Cow::Borrowed(text)
    }
}

fn start_child(endpoint: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_that_exports", "--ignored", "--nocapture"])
        .env("GRAMTAP_TEST_OTLP", endpoint)
        .env("OTEL_BSP_SCHEDULE_DELAY", "20")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
#[ignore = "the child of the tests here"]
fn child_that_exports() {
    // Not set if all ignored tests are run.
    let Ok(otlp_endpoint) = std::env::var("GRAMTAP_TEST_OTLP") else {
        return;
    };
    let config = TelemetryConfig {
        otlp_endpoint,
        sample: 1.0,
        ..TelemetryConfig::default()
    };
    let guard = init_with(&config, hide_canary).unwrap();
    tracing::info_span!(target: "gramtap_test", "the-span", path = "/botCANARY/getMe").in_scope(
        || {
            let header = traceparent().unwrap();
            tracing::info!(target: "gramtap_test", header, "told CANARY");
        },
    );
    tracing::info_span!(target: "stranger", "strange-span").in_scope(|| {});
    // Until the parent has seen enough.
    io::stdin().read_to_end(&mut Vec::new()).unwrap();
    drop(guard);
}

fn end(mut child: Child) -> String {
    drop(child.stdin.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn spans_arrive_masked_and_only_ours() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let child = start_child(&format!("http://{}", listener.local_addr().unwrap()));
    let (sender, received) = mpsc::channel();
    std::thread::spawn(move || collect(listener.accept().unwrap().0, &sender));
    let request = received.recv_timeout(LONG).expect("a request");
    let text = String::from_utf8_lossy(&request);
    for part in [
        "the-span",
        "/bot***/getMe",
        "told ***",
        "service.name",
        "service.version",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(
        !text.contains("CANARY") && !text.contains("strange-span"),
        "{text}"
    );
    let log = end(child);
    // The trace that the header names is the one that was exported.
    let header = log
        .split("header=\"00-")
        .nth(1)
        .expect("a header in the log");
    let trace: Vec<u8> = (0..16)
        .map(|at| u8::from_str_radix(&header[at * 2..at * 2 + 2], 16).unwrap())
        .collect();
    assert!(
        request.windows(16).any(|window| window == trace),
        "{header}"
    );
    assert!(!log.contains("spans were not exported"), "{log}");
}

#[test]
fn a_dumb_or_dead_collector_does_not_hold_up_the_end() {
    // Accepts by the system's backlog and never says a word.
    let dumb = TcpListener::bind("127.0.0.1:0").unwrap();
    let dead = TcpListener::bind("127.0.0.1:0").unwrap();
    let addresses =
        [&dumb, &dead].map(|listener| format!("http://{}", listener.local_addr().unwrap()));
    drop(dead);
    for address in addresses {
        let child = start_child(&address);
        let (sender, ended) = mpsc::channel();
        std::thread::spawn(move || sender.send(end(child)));
        ended.recv_timeout(LONG).expect("the end");
    }
}

/// Serves one connection and tells the body of each request.
fn collect(mut stream: TcpStream, requests: &mpsc::Sender<Vec<u8>>) {
    let mut preface = [0; 24];
    stream.read_exact(&mut preface).unwrap();
    assert_eq!(&preface, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    frame(&mut stream, SETTINGS, 0, 0, &[]);
    let mut body = Vec::new();
    let mut head = [0; 9];
    // Until the client leaves.
    while stream.read_exact(&mut head).is_ok() {
        let [a, b, c, kind, flags, id @ ..] = head;
        let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
        stream.read_exact(&mut payload).unwrap();
        match kind {
            SETTINGS | PING if flags & ACK == 0 => {
                frame(
                    &mut stream,
                    kind,
                    ACK,
                    0,
                    if kind == PING { &payload } else { &[] },
                );
            }
            DATA => {
                body.extend(payload);
                if flags & END_STREAM != 0 {
                    let id = u32::from_be_bytes(id);
                    // :status 200, content-type application/grpc; an empty message; grpc-status 0.
                    frame(
                        &mut stream,
                        HEADERS,
                        END_HEADERS,
                        id,
                        b"\x88\x0f\x10\x10application/grpc",
                    );
                    frame(&mut stream, DATA, 0, id, &[0; 5]);
                    frame(
                        &mut stream,
                        HEADERS,
                        END_HEADERS | END_STREAM,
                        id,
                        b"\x00\x0bgrpc-status\x010",
                    );
                    requests.send(std::mem::take(&mut body)).ok();
                }
            }
            _ => {}
        }
    }
}

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

fn frame(stream: &mut TcpStream, kind: u8, flags: u8, id: u32, payload: &[u8]) {
    let [_, length @ ..] = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut bytes = Vec::from(length);
    bytes.extend([kind, flags]);
    bytes.extend(id.to_be_bytes());
    bytes.extend(payload);
    stream.write_all(&bytes).unwrap();
}
