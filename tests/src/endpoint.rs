//! A bot's webhook that answers with exactly the bytes it is told to.
//!
//! In: connections, answers of the test. Out: [`Pushed`] requests as received. Invariant: nothing is added to an answer and nothing of a request is
//! lost; without an answer in store it is 200 with nothing in it. Ends with its guard.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::within;

/// What is said when nothing else is to be said.
const FINE: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

/// A request as received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pushed {
    /// The request line and the headers, a line each, as written.
    pub head: Vec<String>,
    /// The body.
    pub body: Vec<u8>,
}

impl Pushed {
    /// The first header of a name, in any case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.iter().filter_map(|line| line.split_once(": "));
        let mut lines = lines.filter(|(other, _)| other.eq_ignore_ascii_case(name));
        lines.next().map(|(_, value)| value)
    }
}

#[derive(Debug, Default)]
struct State {
    answers: Mutex<VecDeque<Vec<u8>>>,
    pushed: Mutex<Vec<Pushed>>,
    came: Notify,
}

/// A running endpoint.
#[derive(Debug)]
pub struct Endpoint {
    address: SocketAddr,
    state: Arc<State>,
    /// Ends with it.
    _task: JoinSet<()>,
}

impl Endpoint {
    /// Listens on a port of the system's choice.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::<State>::default();
        let shared = Arc::clone(&state);
        let mut task = JoinSet::new();
        task.spawn(async move {
            let mut served = JoinSet::<()>::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                served.spawn(serve(stream, Arc::clone(&shared)));
            }
        });
        Self {
            address,
            state,
            _task: task,
        }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What the next request is answered with.
    pub fn answer(&self, bytes: impl Into<Vec<u8>>) {
        self.state.answers.lock().unwrap().push_back(bytes.into());
    }

    /// All requests so far.
    #[must_use]
    pub fn pushed(&self) -> Vec<Pushed> {
        self.state.pushed.lock().unwrap().clone()
    }

    /// Waits until there are so many requests.
    pub async fn wait(&self, count: usize) -> Vec<Pushed> {
        let enough = async {
            loop {
                let came = self.state.came.notified();
                if self.pushed().len() >= count {
                    return;
                }
                came.await;
            }
        };
        within("a push", enough).await;
        self.pushed()
    }
}

async fn serve(mut stream: TcpStream, state: Arc<State>) {
    let mut read = Vec::new();
    loop {
        let end = loop {
            if let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") {
                break end;
            }
            if !matches!(stream.read_buf(&mut read).await, Ok(1..)) {
                return;
            }
        };
        let head: Vec<u8> = read.drain(..end + 4).collect();
        let head = String::from_utf8(head).unwrap();
        let head: Vec<String> = head.trim_end().lines().map(str::to_owned).collect();
        let mut pushed = Pushed {
            head,
            body: Vec::new(),
        };
        let length = pushed
            .header("content-length")
            .map_or(0, |it| it.parse().unwrap());
        while read.len() < length {
            if !matches!(stream.read_buf(&mut read).await, Ok(1..)) {
                return;
            }
        }
        pushed.body = read.drain(..length).collect();
        state.pushed.lock().unwrap().push(pushed);
        state.came.notify_waiters();
        let answer = state.answers.lock().unwrap().pop_front();
        let answer = answer.unwrap_or_else(|| FINE.to_vec());
        if stream.write_all(&answer).await.is_err() {
            return;
        }
    }
}
