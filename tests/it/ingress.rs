//! The real `gramtap-ingress` process before the simulated Telegram.
//!
//! In: the harness of `tests/src`; for some Kafka, Redis and Postgres (deploy/dev/services). Out: pass
//! or fail. `same.rs`: answers and records of calls; `doors.rs`: whose calls pass; `tls.rs`: the same in
//! TLS; `junk.rs`: calls in a bot's name; `malformed.rs`: requests and answers that break the rules of
//! HTTP; `leaving.rs`: bots that hang up, a process that is told to end; `handover.rs`: the same behind
//! a balancer, with many bots; `transfers.rs`: large files; `canary.rs`: tokens stay out of all that
//! is written; `cluster.rs`: two processes on servers, told by `reader.rs`; `outages.rs`: servers that
//! are away; `panics.rs`: actors that panic; `pushes.rs`: updates by webhook, `inbox.rs`: those that are taken in first; `takeover.rs`: a bot sets its webhook, `dropped.rs`: and has what waits dropped. Invariant: each test has a simulator and an
//! installation of its own.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod canary;
mod cluster;
mod doors;
mod dropped;
mod handover;
mod inbox;
mod junk;
mod leaving;
mod malformed;
mod outages;
mod panics;
mod pushes;
mod reader;
mod same;
mod takeover;
mod tls;
mod transfers;

use gramtap_events::call::{Call, CallRecord};
use gramtap_simulator::{Clock, Control, Simulator, SimulatorConfig, User};
use gramtap_tests::Client;

const BOT: i64 = 7_000_000_123;
const TOKEN: &str = "7000000123:AAcanary-of-the-bots-own-token_0001";
const USER: i64 = 7;

/// A simulated Telegram in which the same calls always give the same answers.
struct Telegram {
    simulator: Simulator,
    control: Control,
}

impl Telegram {
    async fn start() -> Self {
        Self::with(SimulatorConfig::default()).await
    }

    async fn with(config: SimulatorConfig) -> Self {
        let config = SimulatorConfig {
            clock: Clock::real().with_fixed_date(1_760_000_000),
            accept_any_chat: true,
            ..config
        };
        let simulator = Simulator::start(config).await.unwrap();
        let control = simulator.control();
        control.add_bot_token(TOKEN).unwrap();
        control.add_user(User::new(USER, "Ann"));
        Self { simulator, control }
    }

    fn url(&self) -> String {
        self.simulator.http_url()
    }

    /// A connection that does not go through Gramtap.
    async fn client(&self) -> Client {
        Client::connect(self.simulator.http_addr().unwrap()).await
    }
}

fn get(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: gramtap.test\r\n\r\n")
}

fn post(target: &str, kind: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST {target} HTTP/1.1\r\nHost: gramtap.test\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

/// A call as most libraries make it.
fn form(token: &str, method: &str, body: &str) -> String {
    let target = format!("/bot{token}/{method}");
    post(&target, "application/x-www-form-urlencoded", body)
}

/// The records that are all calls: no fold, no gap.
fn only_calls(records: Vec<CallRecord>) -> Vec<Call> {
    let call = |record| match record {
        CallRecord::Call(call) => call,
        other => panic!("{other:?}"),
    };
    records.into_iter().map(call).collect()
}
