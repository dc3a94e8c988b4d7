//! A client that sends exactly the bytes it is told to, and reads answers strictly.
//!
//! In: request bytes of the tests. Out: [`Answer`]s. Invariant: nothing is added, nothing repaired;
//! every wait ends after 30 s, in failure.

use std::net::SocketAddr;
use std::time::Duration;

use gramtap_simulator::{Clock, Control, Simulator, SimulatorConfig, User};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
pub(crate) const TOKEN: &str = "123:abc";
pub(crate) const BOT: i64 = 123;
pub(crate) const USER: i64 = 7;

/// An answer as received.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error} in {:?}", self.text()))
    }

    pub(crate) fn result(&self) -> Value {
        let json = self.json();
        assert_eq!(json["ok"], true, "{json}");
        json["result"].clone()
    }

    /// `{code} {description}` of a failed call.
    pub(crate) fn failure(&self) -> String {
        let json = self.json();
        assert_eq!(json["ok"], false, "{json}");
        assert_eq!(json["error_code"], self.status, "{json}");
        format!(
            "{} {}",
            self.status,
            json["description"].as_str().unwrap_or_default()
        )
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head
            .lines()
            .filter_map(|line| line.split_once(": "))
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }
}

/// A connection.
pub(crate) struct Client {
    stream: TcpStream,
    rest: Vec<u8>,
}

impl Client {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        let stream = timeout(PATIENCE, TcpStream::connect(address))
            .await
            .expect("in time")
            .expect("connects");
        Self {
            stream,
            rest: Vec::new(),
        }
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        timeout(PATIENCE, self.stream.write_all(bytes.as_ref()))
            .await
            .expect("in time")
            .expect("sent");
    }

    /// Reads until the connection ends.
    pub(crate) async fn rest(&mut self) -> Vec<u8> {
        let mut rest = std::mem::take(&mut self.rest);
        // A reset ends it as well as a close does.
        timeout(PATIENCE, self.stream.read_to_end(&mut rest))
            .await
            .expect("in time")
            .ok();
        rest
    }

    /// Reads a head, with the empty line.
    pub(crate) async fn head(&mut self) -> String {
        loop {
            if let Some(at) = self.rest.windows(4).position(|four| four == b"\r\n\r\n") {
                let head: Vec<u8> = self.rest.drain(..at + 4).collect();
                return String::from_utf8(head).expect("a head is text");
            }
            assert!(
                self.more().await,
                "ended within a head: {:?}",
                String::from_utf8_lossy(&self.rest)
            );
        }
    }

    /// Reads an answer delimited by Content-Length.
    pub(crate) async fn answer(&mut self) -> Answer {
        let head = self.head().await;
        let mut answer = Answer {
            status: head
                .get(9..12)
                .and_then(|code| code.parse().ok())
                .unwrap_or_else(|| panic!("{head:?}")),
            head,
            body: Vec::new(),
        };
        let length: usize = answer
            .header("content-length")
            .and_then(|length| length.parse().ok())
            .unwrap_or(0);
        while self.rest.len() < length {
            assert!(self.more().await, "ended within a body");
        }
        answer.body = self.rest.drain(..length).collect();
        answer
    }

    pub(crate) async fn ask(&mut self, bytes: impl AsRef<[u8]>) -> Answer {
        self.send(bytes).await;
        self.answer().await
    }

    /// Closes this side, and waits for the other.
    pub(crate) async fn leave(&mut self) {
        self.stream.shutdown().await.expect("shut down");
        self.rest().await;
    }

    /// Nothing more comes, and the connection is closed by the other side.
    pub(crate) async fn closed(&mut self) -> bool {
        self.rest().await.is_empty()
    }

    async fn more(&mut self) -> bool {
        let read = timeout(PATIENCE, self.stream.read_buf(&mut self.rest))
            .await
            .expect("in time");
        matches!(read, Ok(1..))
    }
}

/// A simulator with bot 123 and user 7.
pub(crate) struct Stage {
    pub(crate) simulator: Simulator,
    pub(crate) control: Control,
}

impl Stage {
    pub(crate) async fn start() -> Self {
        Self::with(SimulatorConfig::default()).await
    }

    /// On a clock that the test moves.
    pub(crate) async fn still() -> Self {
        Self::with(SimulatorConfig {
            clock: Clock::manual(),
            ..SimulatorConfig::default()
        })
        .await
    }

    pub(crate) async fn with(config: SimulatorConfig) -> Self {
        let simulator = Simulator::start(config).await.expect("starts");
        let control = simulator.control();
        control.add_bot_token(TOKEN).expect("a token");
        control.add_user(User::new(USER, "Ann"));
        Self { simulator, control }
    }

    pub(crate) async fn client(&self) -> Client {
        Client::connect(self.simulator.http_addr().expect("listens")).await
    }

    /// One call on a connection of its own.
    pub(crate) async fn call(&self, method: &str, form: &str) -> Answer {
        self.client().await.ask(call(method, form)).await
    }
}

/// A call as a form, as most libraries send it.
pub(crate) fn call(method: &str, form: &str) -> String {
    post(
        &format!("/bot{TOKEN}/{method}"),
        "application/x-www-form-urlencoded",
        form,
    )
}

pub(crate) fn post(target: &str, content_type: &str, body: &str) -> String {
    format!(
        "POST {target} HTTP/1.1\r\nHost: x\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

pub(crate) fn get(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n")
}

/// `{status}` and, where there is one, the description of the failure.
pub(crate) async fn outcome(stage: &Stage, request: impl AsRef<[u8]>) -> String {
    let answer = stage.client().await.ask(request).await;
    match serde_json::from_slice::<serde_json::Value>(&answer.body) {
        Ok(json) if json["ok"] == false => answer.failure(),
        Ok(_) => format!("{}", answer.status),
        Err(_) => format!("{} with {} bytes", answer.status, answer.body.len()),
    }
}
