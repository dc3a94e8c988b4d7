//! The webhooks of many bots, on a thread of their own.
//!
//! In: requests to `/{bot's place}`. Out: 200, at once, and what came when. One bot in ten is a sleeper: while they sleep, every other one of them hangs, until it
//! wakes and closes the connection without an answer, and the others answer 502. Invariant: each request is written down when it has come whole, with what it was
//! answered, before that is sent.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::now;

/// Whether a bot's endpoint is one of those that sleep.
pub(super) fn is_sleeper(place: usize) -> bool {
    place % 10 == 9
}

struct Came {
    place: usize,
    tag: u64,
    update_id: i64,
    at: u64,
    /// None: it was not answered.
    status: Option<u16>,
}

struct State {
    came: Mutex<Vec<Came>>,
    /// Highest tag so far, and which were answered 200.
    taken: Mutex<Vec<bool>>,
    count: AtomicUsize,
    asleep: watch::Sender<bool>,
}

/// See the file's header. Ends with the process.
pub(super) struct Endpoints {
    address: SocketAddr,
    state: Arc<State>,
}

impl Endpoints {
    #[expect(
        clippy::disallowed_methods,
        reason = "a panic there leaves updates without an answer, and the test fails"
    )]
    pub(super) fn start() -> Self {
        let state = Arc::new(State {
            came: Mutex::default(),
            taken: Mutex::default(),
            count: AtomicUsize::new(0),
            asleep: watch::channel(false).0,
        });
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let listener = TcpListener::from_std(listener).unwrap();
                let mut served = JoinSet::new();
                loop {
                    tokio::select! {
                        accepted = listener.accept() => {
                            let (stream, _) = accepted.unwrap();
                            served.spawn(serve(stream, Arc::clone(&shared)));
                        }
                        Some(ended) = served.join_next() => {
                            ended.unwrap();
                        }
                    }
                }
            });
        });
        Self { address, state }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sleepers sleep or wake.
    pub(super) fn sleep(&self, asleep: bool) {
        self.state.asleep.send_replace(asleep);
    }

    /// Whether the update of a tag was answered 200.
    pub(super) fn has(&self, tag: u64) -> bool {
        let taken = self.state.taken.lock().unwrap();
        taken.get(usize::try_from(tag).unwrap()) == Some(&true)
    }

    /// How many were.
    pub(super) fn count(&self) -> usize {
        self.state.count.load(Ordering::Relaxed)
    }

    /// All requests so far.
    pub(super) fn came(&self) -> Vec<Value> {
        let came = self.state.came.lock().unwrap();
        let line = |it: &Came| json!({"bot": it.place, "tag": it.tag, "update_id": it.update_id, "at": it.at, "status": it.status});
        came.iter().map(line).collect()
    }
}

impl State {
    fn note(&self, came: Came) {
        if came.status == Some(200) {
            let (mut taken, tag) = (
                self.taken.lock().unwrap(),
                usize::try_from(came.tag).unwrap(),
            );
            if taken.len() <= tag {
                taken.resize(tag + 1, false);
            }
            if !std::mem::replace(&mut taken[tag], true) {
                self.count.fetch_add(1, Ordering::Relaxed);
            }
        }
        self.came.lock().unwrap().push(came);
    }
}

async fn serve(mut stream: TcpStream, state: Arc<State>) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut asleep = state.asleep.subscribe();
    let mut read = Vec::new();
    loop {
        let end = loop {
            if let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
            more(&mut stream, &mut read).await?;
        };
        let head = String::from_utf8(read.drain(..end).collect()).unwrap();
        let place = head.split('/').nth(1)?.split(' ').next()?.parse().unwrap();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("Content-Length: "));
        let length: usize = length.unwrap().parse().unwrap();
        while read.len() < length {
            more(&mut stream, &mut read).await?;
        }
        let body: Value = serde_json::from_slice(&read[..length]).unwrap();
        read.drain(..length);
        let hangs = is_sleeper(place) && *asleep.borrow();
        let status = match (hangs, place / 10 % 2) {
            (false, _) => Some(200),
            (true, 0) => None,
            (true, _) => Some(502),
        };
        state.note(Came {
            place,
            tag: tag(&body),
            update_id: body["update_id"].as_i64().unwrap(),
            at: now(),
            status,
        });
        match status {
            Some(200) => stream
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                .await
                .ok()?,
            Some(_) => stream
                .write_all(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
                .await
                .ok()?,
            None => {
                asleep.wait_for(|asleep| !asleep).await.ok()?;
                return None;
            }
        }
    }
}

/// What `telegram.rs` has written into an update.
fn tag(body: &Value) -> u64 {
    let texts = [
        &body["message"]["text"],
        &body["callback_query"]["data"],
        &body["inline_query"]["query"],
    ];
    let tag = texts.into_iter().find_map(Value::as_str);
    tag.unwrap().parse().unwrap()
}

async fn more(stream: &mut TcpStream, read: &mut Vec<u8>) -> Option<()> {
    matches!(stream.read_buf(read).await, Ok(1..)).then_some(())
}
