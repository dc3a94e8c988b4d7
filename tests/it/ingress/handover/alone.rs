//! A process that ends while its bots have no other one to go to.
//!
//! In: one embedded ingress, bots that come back whatever happens. Out: pass or fail: it does not
//! wait for those who never stop, it answers what it has taken, and Telegram is not hammered.

use std::io::{Error, ErrorKind};
use std::time::Duration;

use gramtap_simulator::Filter;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::*;

const POLLERS: usize = 20;
const BUSY: usize = 20;
/// Each bot polls about twice a second until the listener closes, 7 s later; in a loop without a
/// pause it is hundreds of times a second.
const POLLS_MOST: usize = 30;

/// Calls until it is refused a connection. How many answers it got.
async fn call_on(
    address: SocketAddr,
    token: String,
    method: &'static str,
    body: &'static str,
) -> usize {
    let mut kept: Option<TcpStream> = None;
    let mut answered = 0;
    loop {
        let mut stream = match kept.take() {
            Some(stream) => stream,
            None => match TcpStream::connect(address).await {
                Ok(stream) => stream,
                Err(error) if is_closed(error.kind()) => return answered,
                Err(error) => panic!("{error}"),
            },
        };
        match exchange(&mut stream, &form(&token, method, body)).await {
            Ok(answer) => {
                assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
                answered += 1;
                if !answer.contains("\r\nConnection: close\r\n") {
                    kept = Some(stream);
                }
            }
            // The listener closes, with this connection in its queue or before its first request was
            // read: that is as if it had been refused, if what was sent on it went nowhere (see the
            // test's end).
            Err(_) if closes(address).await => return answered,
            Err(error) => panic!("{method} got no answer: {error}"),
        }
    }
}

/// Whether no more connections are taken from now on, or in a moment: those that are there already
/// may be closed first.
async fn closes(address: SocketAddr) -> bool {
    for _ in 0..100 {
        match TcpStream::connect(address).await {
            Err(error) if is_closed(error.kind()) => return true,
            // paced: a listener that closes tells nobody
            _ => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
    false
}

/// The listener is closed; reset: while the connection was made.
fn is_closed(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset
    )
}

async fn exchange(stream: &mut TcpStream, request: &str) -> std::io::Result<String> {
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    // Every answer here is an object at the end of which nothing is open.
    while !answer.ends_with(b"}") {
        if stream.read_buf(&mut answer).await? == 0 {
            return Err(Error::from(ErrorKind::UnexpectedEof));
        }
    }
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

#[tokio::test]
async fn who_never_stops_is_not_waited_for() {
    let telegram = Telegram::start().await;
    let installation = Installation::new(Stores::Embedded).await;
    for number in 0..POLLERS {
        telegram.control.add_bot_token(&token(number)).unwrap();
    }
    installation.add_all((0..POLLERS).map(bot)).await;
    // So that waiting for all of it fails the test.
    let patient = [("GRAMTAP_INGRESS__DRAIN_TIMEOUT", "10m")];
    let ingress = Ingress::with(&installation, "ingress", &telegram.url(), &patient).await;
    let (mut polling, mut sending) = (JoinSet::new(), JoinSet::new());
    for number in 0..POLLERS {
        polling.spawn(call_on(
            ingress.address(),
            token(number),
            "getUpdates",
            "timeout=50",
        ));
    }
    let parked = telegram.control.wait_for_polls(POLLERS, DEADLINE).await;
    assert_eq!(parked.len(), POLLERS);
    for number in 0..BUSY {
        let token = token(number % POLLERS);
        sending.spawn(call_on(
            ingress.address(),
            token,
            "sendMessage",
            "chat_id=7&text=x",
        ));
    }
    let sends = Filter::method("sendMessage");
    let sent = telegram
        .control
        .wait_for_requests(&sends, BUSY, DEADLINE)
        .await;
    assert!(sent.len() >= BUSY);
    ingress.sigterm();
    let status = ingress.ended().await;
    assert!(status.success(), "{status}");
    within("the end of polling", polling.join_all()).await;
    let answered = within("the end of sending", sending.join_all()).await;
    let sent = telegram.control.requests(&sends).len();
    assert_eq!(
        answered.iter().sum::<usize>(),
        sent,
        "what was sent is answered"
    );
    let polls = telegram
        .control
        .requests(&Filter::method("getUpdates"))
        .len();
    assert!(polls < POLLERS * POLLS_MOST, "{polls} polls at Telegram");
    println!("{polls} polls of {POLLERS} bots, {sent} messages");
}
