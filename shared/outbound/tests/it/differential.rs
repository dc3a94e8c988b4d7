//! The same bytes to this client and to hyper's: both must make the same of them.
//!
//! In: generated answers, valid and flawed, cut into writes. Where the two may differ, and why,
//! is the list in `intended`; any other difference fails.

use std::{cell::Cell, net::SocketAddr, time::Duration};

use bytes::Bytes;
use futures_util::StreamExt;
use gramtap_outbound::{Cause, Fault, Malformed, Outgoing, RequestHead, Upstream};
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::TokioIo;
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use crate::server::run;

/// What a client makes of an answer.
#[derive(Debug)]
struct Reading {
    /// Nothing: no valid head.
    head: Option<Head>,
    body: Vec<u8>,
    whole: bool,
    /// What was wrong; hyper does not tell as exactly.
    flaw: Option<Malformed>,
}

impl Reading {
    const NOTHING: Self = Self {
        head: None,
        body: Vec::new(),
        whole: false,
        flaw: None,
    };

    fn agrees(&self, other: &Self) -> bool {
        (&self.head, &self.body, self.whole) == (&other.head, &other.body, other.whole)
    }
}

#[derive(Debug, Clone, PartialEq)]
struct Head {
    status: u16,
    /// Names in lower case, in order of name, then of appearance: hyper keeps no other order.
    headers: Vec<(String, Vec<u8>)>,
}

impl Head {
    fn new<'a>(status: u16, headers: impl Iterator<Item = (&'a [u8], &'a [u8])>) -> Self {
        let mut headers: Vec<_> = headers
            .map(|(name, value)| {
                (
                    String::from_utf8_lossy(name).to_ascii_lowercase(),
                    value.to_vec(),
                )
            })
            .collect();
        headers.sort_by(|one, other| one.0.cmp(&other.0));
        Self { status, headers }
    }
}

/// Writes the pieces to each connection once it has asked, then closes.
async fn serve(listener: &TcpListener, pieces: &[Vec<u8>]) {
    let (mut tcp, _) = listener.accept().await.unwrap();
    tcp.set_nodelay(true).unwrap();
    let mut request = [0; 1024];
    assert!(tcp.read(&mut request).await.unwrap() > 0);
    for piece in pieces {
        // The client may have left at a flaw.
        if tcp.write_all(piece).await.is_err() {
            return;
        }
        tokio::task::yield_now().await;
    }
    tcp.shutdown().await.ok();
    // Until the client closes, so that no reset overtakes the data.
    while tcp.read(&mut request).await.unwrap_or(0) > 0 {}
}

async fn ours(address: SocketAddr, method: &str) -> Reading {
    let pool = crate::server::pool();
    let upstream = Upstream::new(&format!("http://{address}"), None, None).unwrap();
    let head = RequestHead {
        method: method.as_bytes(),
        target: b"/",
        headers: [],
    };
    let answer = match pool
        .send(&upstream, head, Outgoing::None, pool.limits())
        .await
    {
        Ok(answer) => answer,
        Err(fault) => {
            assert!(
                ["closed", "malformed"].contains(&fault.label()),
                "{fault:?}"
            );
            return Reading {
                flaw: flaw(&fault),
                ..Reading::NOTHING
            };
        }
    };
    let head = Some(Head::new(answer.head.status(), answer.head.headers()));
    let mut reading = Reading {
        head,
        whole: true,
        ..Reading::NOTHING
    };
    let mut incoming = answer.body;
    while let Some(part) = incoming.next().await {
        match part {
            Ok(part) => reading.body.extend(part),
            Err(fault) => {
                reading.whole = false;
                reading.flaw = flaw(&fault);
            }
        }
    }
    reading
}

fn flaw(fault: &Fault) -> Option<Malformed> {
    match fault.cause() {
        Cause::Malformed(flaw) => Some(*flaw),
        _ => None,
    }
}

async fn hypers(address: SocketAddr, method: &str) -> Reading {
    let tcp = TcpStream::connect(address).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(tcp))
        .await
        .unwrap();
    let driver = tokio::task::spawn_local(async move { connection.await.ok() });
    let request = hyper::Request::builder()
        .method(method)
        .uri("/")
        .header("host", "h");
    let outcome = sender
        .send_request(request.body(Empty::<Bytes>::new()).unwrap())
        .await;
    let Ok(response) = outcome else {
        return Reading::NOTHING;
    };
    let headers = response
        .headers()
        .iter()
        .map(|(n, v)| (n.as_str().as_bytes(), v.as_bytes()));
    let head = Some(Head::new(response.status().as_u16(), headers));
    let mut reading = Reading {
        head,
        whole: true,
        ..Reading::NOTHING
    };
    let mut incoming = response.into_body();
    while let Some(frame) = incoming.frame().await {
        match frame {
            Ok(frame) => reading.body.extend(frame.into_data().unwrap_or_default()),
            Err(_) => reading.whole = false,
        }
    }
    drop(sender);
    driver.abort();
    reading
}

/// Where we refuse on purpose what hyper takes; there is no case the other way round.
fn intended(bytes: &[u8], ours: &Reading, hypers: &Reading) -> bool {
    let on_purpose = match ours.flaw {
        // RFC 9112, 2.2 lets a recipient take LF for CR LF; two that differ in it can be played
        // against each other.
        Some(Malformed::BareLf) => true,
        // RFC 9112, 6.1 lets a recipient let chunked win over a length, and warns of it.
        Some(Malformed::TwoFramings) => true,
        // Codings that nobody asked for; hyper hands them out undecoded, until the close.
        // It also takes them from HTTP/1.0.
        Some(Malformed::TransferEncoding) => true,
        // A sign, a list of equal numbers, no number: hyper reads a list, and takes no number
        // for no body.
        Some(Malformed::Length) => true,
        // To hyper an upgrade that nobody asked for is a final answer.
        Some(Malformed::Switched) => true,
        // Empty lines before the status line.
        Some(Malformed::StatusLine) => bytes.starts_with(b"\r\n"),
        // White space after a chunk's size; RFC 9112, 7.1 has none there.
        Some(Malformed::ChunkSize) => bytes.windows(3).any(|three| three == b"1 \r"),
        // hyper does not look into trailers that it drops.
        Some(Malformed::Trailer) => true,
        _ => false,
    };
    // What we did hand out is what hyper did.
    on_purpose
        && (ours.head.is_none() || ours.head == hypers.head)
        && hypers.body.starts_with(&ours.body)
}

/// Answers with some of their parts drawn from a hat of the odd.
fn answers() -> impl Strategy<Value = Vec<u8>> {
    let start = prop_oneof![
        8 => Just("HTTP/1.1 200 OK\r\n".to_owned()),
        1 => "HTTP/1\\.[01] (20[0-6]|304|404|500) [a-z]{0,3}\r\n",
        1 => prop::sample::select(vec![
            "HTTP/1.1 100 \r\n\r\nHTTP/1.1 200 OK\r\n", "HTTP/1.1 200\r\n", "HTTP/1.1 200 OK\n",
            "HTTP/1.1 101 x\r\n", "HTTP/1.2 200 OK\r\n", "\r\nHTTP/1.1 200 OK\r\n", "ICY 200 OK\r\n",
            "HTTP/1.1  200 OK\r\n", "HTTP/1.1 1000 OK\r\n", "HTTP/1.1 20 OK\r\n",
        ]).prop_map(str::to_owned),
    ];
    let header = prop_oneof![
        4 => "[A-Za-z][a-z-]{0,5}: ?[ -~]{0,8}\r\n",
        1 => prop::sample::select(vec![
            "A : b\r\n", " A: b\r\n", "A: b\r\n c\r\n", "A\r\n", ": b\r\n", "A: b\n", "A: \u{7f}\r\n",
            "A: b\rc\r\n", "A:\tb\t\r\n", "Connection: close\r\n", "A: \u{e4}\r\n", "Trailer: X\r\n",
        ]).prop_map(str::to_owned),
    ];
    let framing = prop_oneof![
        6 => Just(vec!["Content-Length: 5\r\n"]),
        6 => Just(vec!["Transfer-Encoding: chunked\r\n"]),
        3 => Just(vec![]),
        3 => prop::collection::vec(prop::sample::select(vec![
            "Content-Length: 5\r\n", "content-length: 05\r\n", "Content-Length: 6\r\n",
            "Content-Length: +5\r\n", "Content-Length: 5, 5\r\n", "Content-Length: x\r\n",
            "Content-Length:\r\n", "Transfer-Encoding: chunked\r\n", "Transfer-Encoding: gzip\r\n",
            "Transfer-Encoding: gzip, chunked\r\n", "Transfer-Encoding: Chunked\r\n",
            "Content-Length: 99999999999999999999\r\n",
        ]), 1..3),
    ];
    let body = prop_oneof![
        3 => Just("hello".to_owned()),
        3 => Just("5\r\nhello\r\n0\r\n\r\n".to_owned()),
        2 => prop::collection::vec(prop::sample::select(vec![
            "5\r\nhello\r\n", "1\r\nx\r\n", "0A\r\n0123456789\r\n", "1;a=b\r\nx\r\n", "0\r\n\r\n",
            "0\r\nA: b\r\n\r\n", "1 \r\nx\r\n", "1\nx\n", "g\r\n", "0\r\nA\r\n\r\n", "1\r\nxy\r\n",
            "FFFFFFFFFFFFFFFFF\r\n", "hello", "\r\n", "", "1;\r\nx\r\n", "0;a\r\n\r\n",
        ]), 0..5).prop_map(|parts| parts.concat()),
        1 => "[a-z0-9\r\n;]{0,12}",
    ];
    (start, prop::collection::vec(header, 0..3), framing, body).prop_map(
        |(start, headers, framing, body)| {
            format!("{start}{}{}\r\n{body}", headers.concat(), framing.concat()).into_bytes()
        },
    )
}

#[test]
fn we_read_answers_as_hyper_does_or_more_strictly() {
    let cuts = prop::collection::vec(any::<prop::sample::Index>(), 0..4);
    let strategy = (
        answers(),
        cuts,
        prop::sample::select(vec!["GET", "HEAD", "POST"]),
    );
    let mut runner = TestRunner::new(Config::with_cases(256));
    let (agreed, stricter) = (Cell::new(0), Cell::new(0));
    let outcome = runner.run(&strategy, |(bytes, cuts, method)| {
        let mut places: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        places.extend([0, bytes.len()]);
        places.sort_unstable();
        let pieces: Vec<_> = places
            .windows(2)
            .map(|pair| bytes[pair[0]..pair[1]].to_vec())
            .collect();
        let (ours, hypers) = run(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let both = async {
                let (reading, ()) = tokio::join!(ours(address, method), serve(&listener, &pieces));
                let (hypers, ()) = tokio::join!(hypers(address, method), serve(&listener, &pieces));
                (reading, hypers)
            };
            tokio::time::timeout(Duration::from_secs(20), both)
                .await
                .expect("a hang")
        });
        let text = String::from_utf8_lossy(&bytes);
        if ours.agrees(&hypers) {
            agreed.set(agreed.get() + 1);
        } else {
            stricter.set(stricter.get() + 1);
            prop_assert!(
                intended(&bytes, &ours, &hypers),
                "{text:?}\nours {ours:?}\nhyper's {hypers:?}"
            );
        }
        Ok(())
    });
    outcome.unwrap();
    let (agreed, stricter) = (agreed.get(), stricter.get());
    assert!(
        agreed > 2 * stricter,
        "{agreed} agreed, {stricter} not: the generator is too odd"
    );
}
