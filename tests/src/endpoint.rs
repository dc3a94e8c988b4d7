//! A bot's webhook that answers with exactly the bytes it is told to.
//!
//! In: connections, answers of the test, or a function that makes them. Out: [`Pushed`] requests as received. Invariant: nothing is added to an answer and
//! nothing of a request is lost; without an answer in store it is 200 with nothing in it. Ends with its guard.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Barrier, Notify, Semaphore};
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
    /// The update.
    #[must_use]
    pub fn update(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The text of its message.
    #[must_use]
    pub fn text(&self) -> String {
        let text = self.update()["message"]["text"].as_str().map(str::to_owned);
        text.unwrap_or_default()
    }

    /// The first header of a name, in any case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.iter().filter_map(|line| line.split_once(": "));
        let mut lines = lines.filter(|(other, _)| other.eq_ignore_ascii_case(name));
        lines.next().map(|(_, value)| value)
    }
}

/// What an endpoint does with a request.
#[derive(Clone, Debug)]
pub enum Reaction {
    /// Says these bytes.
    Say(Vec<u8>),
    /// Closes the connection without a word.
    Close,
    /// Says nothing for ever.
    Sleep,
    /// Is fine once so many requests wait for it.
    Meet(Arc<Barrier>),
    /// Is fine once there is a permit for it.
    Wait(Arc<Semaphore>),
}

impl Reaction {
    /// A status with nothing else; more lines of the head may follow it.
    #[must_use]
    pub fn status(line: &str) -> Self {
        Self::Say(format!("HTTP/1.1 {line}\r\nContent-Length: 0\r\n\r\n").into())
    }

    /// 200.
    #[must_use]
    pub fn fine() -> Self {
        Self::Say(FINE.to_vec())
    }

    /// The words that are said when their time has come. None: the connection is closed.
    async fn words(self) -> Option<Vec<u8>> {
        match self {
            Self::Say(words) => return Some(words),
            Self::Close => return None,
            Self::Sleep => std::future::pending().await,
            Self::Meet(barrier) => {
                barrier.wait().await;
            }
            Self::Wait(permits) => permits.acquire().await.unwrap().forget(),
        }
        Some(FINE.to_vec())
    }
}

type React = dyn Fn(&Pushed) -> Reaction + Send + Sync;

#[derive(Default)]
struct State {
    answers: Mutex<VecDeque<Vec<u8>>>,
    react: Option<Box<React>>,
    pushed: Mutex<Vec<Pushed>>,
    came: Notify,
}

/// A running endpoint.
pub struct Endpoint {
    address: SocketAddr,
    state: Arc<State>,
    /// Ends with it.
    _task: JoinSet<()>,
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Endpoint({})", self.address)
    }
}

impl Endpoint {
    /// Listens on a port of the system's choice.
    pub async fn start() -> Self {
        Self::with(State::default()).await
    }

    /// The same, with a function that is asked what to do with each request.
    pub async fn reacting(react: impl Fn(&Pushed) -> Reaction + Send + Sync + 'static) -> Self {
        Self::with(State {
            react: Some(Box::new(react)),
            ..State::default()
        })
        .await
    }

    async fn with(state: State) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(state);
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
        // What is no text is shown as such.
        let head = String::from_utf8_lossy(&head);
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
        let reaction = match &state.react {
            Some(react) => react(&pushed),
            None => {
                let answer = state.answers.lock().unwrap().pop_front();
                answer.map_or_else(Reaction::fine, Reaction::Say)
            }
        };
        state.pushed.lock().unwrap().push(pushed);
        state.came.notify_waiters();
        let Some(answer) = reaction.words().await else {
            return;
        };
        if stream.write_all(&answer).await.is_err() {
            return;
        }
    }
}
