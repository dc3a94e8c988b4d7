//! A `gramtap-forwarder` process of a test's own, and the inbox that it reads.
//!
//! In: an installation (`installation.rs`), updates. Out: a running process (`service.rs`); what it wrote of some bots. Invariant: updates are sealed
//! and written here as ingress does it, with the headers that Telegram sends. Kafka's topics and the group are shared by all tests, so one installation
//! at a time forwards on servers: whoever has the [`Round`], and what others have left counts as done.

use std::ops::Deref;
use std::process::ExitStatus;

use gramtap_bus::{Bus, Message};
use gramtap_events::delivery::Delivery;
use gramtap_events::inbox::{Dead, Inbox, Retry};
use gramtap_events::topics::{INBOX, INBOX_RETRY};
use gramtap_events::{Mint, Moment, Record, TenantId};
use gramtap_telegram::queue::Head;
use gramtap_tenants::{Keys, Part, Place};
use serde_json::Value;
use tokio::sync::{Mutex, MutexGuard};

use crate::analytics::commit_the_ends;
use crate::records;
use crate::service::Service;
use crate::{Endpoint, Installation, Stores};

/// The group that forwards, as the code has it.
const GROUP: &str = "gramtap-forward";

static ROUND: Mutex<()> = Mutex::const_new(());

/// The right to forward on the servers.
#[derive(Debug)]
pub struct Round(#[expect(dead_code, reason = "it is held")] Option<MutexGuard<'static, ()>>);

/// Waits until no other test forwards on the servers. An embedded installation need not wait.
pub(crate) async fn turn(stores: Stores) -> Round {
    Round(match stores {
        Stores::Embedded => None,
        Stores::Servers => Some(ROUND.lock().await),
    })
}

/// The same, and begins at the ends of the topics.
pub async fn round(installation: &Installation, stores: Stores) -> Round {
    let round = turn(stores).await;
    if stores == Stores::Embedded {
        return round;
    }
    let bus = installation.open_bus();
    commit_the_ends(&bus, GROUP, &[&INBOX, &INBOX_RETRY]).await;
    round
}

/// A running forwarder.
#[derive(Debug)]
pub struct Forwarder(Service);

impl Forwarder {
    /// Starts one that may call these endpoints; `more` goes to its environment. `process` names its folder in the installation, and is its name
    /// in the group.
    pub async fn start(
        _: &Round,
        installation: &Installation,
        process: &str,
        endpoints: &[&Endpoint],
        more: &[(&str, &str)],
    ) -> Self {
        let ports: Vec<String> = endpoints
            .iter()
            .map(|endpoint| format!("\"{}\"", endpoint.address().port()))
            .collect();
        let ports = format!("[{}]", ports.join(","));
        let mut environment = vec![
            ("GRAMTAP_FORWARDER__INSTANCE", process),
            ("GRAMTAP_WEBHOOKS__ALLOW", r#"["127.0.0.0/8"]"#),
            ("GRAMTAP_WEBHOOKS__PORTS", ports.as_str()),
            ("GRAMTAP_WEBHOOKS__HTTP", "true"),
        ];
        environment.extend(more);
        let line = ["gramtap-forwarder"];
        Self(Service::start(installation, &line, process, &environment).await)
    }

    /// Kills it.
    pub async fn kill(self) {
        self.0.kill().await;
    }

    /// Waits until it has ended.
    pub async fn ended(self) -> ExitStatus {
        self.0.ended().await
    }

    /// Ends it; it has to end in order.
    pub async fn stop(self) {
        self.0.stop().await;
    }
}

impl Deref for Forwarder {
    type Target = Service;

    fn deref(&self) -> &Service {
        &self.0
    }
}

/// Takes updates in, in ingress's place.
#[derive(Debug)]
pub struct Inboxes {
    keys: Keys,
    mint: Mint,
}

impl Inboxes {
    /// For an installation.
    #[must_use]
    pub fn new(installation: &Installation) -> Self {
        let now = Moment::now().time().unix_timestamp();
        Self {
            keys: installation.keys(),
            mint: Mint::new("tests", now.unsigned_abs()),
        }
    }

    /// The record of an update that was received at a time, pushed with this secret.
    #[must_use]
    pub fn record(&self, tenant: TenantId, update: &Value, secret: &str, at: Moment) -> Inbox {
        let body = serde_json::to_vec(update).unwrap();
        let head = Head::read(&body).unwrap();
        let mut headers = vec![
            ("Content-Type", "application/json"),
            ("Accept-Encoding", "gzip, deflate"),
            ("X-Forwarded-For", "192.0.2.7"),
        ];
        if !secret.is_empty() {
            headers.insert(0, ("X-Telegram-Bot-Api-Secret-Token", secret));
        }
        let record = self.mint.mint();
        let place = Place {
            tenant,
            record: &record,
            update_id: head.update_id,
        };
        let seal = |part, bytes: &[u8]| self.keys.seal_update(place, part, bytes).unwrap();
        Inbox {
            v: Inbox::VERSION,
            tenant,
            at,
            update_id: head.update_id,
            kind: head.kind.name().into_owned().into(),
            queue: head.queue,
            headers: seal(Part::Headers, &serde_json::to_vec(&headers).unwrap()),
            body: seal(Part::Body, &body),
            replay: None,
            record,
        }
    }

    /// Takes updates in, as received now.
    pub async fn take(&self, bus: &Bus, tenant: TenantId, updates: &[Value]) {
        for update in updates {
            put(bus, &self.record(tenant, update, "", Moment::now())).await;
        }
    }
}

/// Writes a record.
pub async fn put(bus: &Bus, record: &Inbox) {
    bus.produce(Message::of(record).unwrap()).await.unwrap();
}

/// A message of a chat.
#[must_use]
pub fn message(update_id: i64, chat: i64, text: &str) -> Value {
    serde_json::json!({
        "update_id": update_id,
        "message": {"message_id": update_id, "date": 1, "text": text, "chat": {"id": chat, "type": "private"}},
    })
}

/// What is in deliveries.v1 of a tenant, read until that is enough.
pub async fn deliveries_until(
    bus: &Bus,
    tenant: TenantId,
    enough: impl Fn(&[Delivery]) -> bool,
) -> Vec<Delivery> {
    records::until(bus, &gramtap_events::topics::DELIVERIES, tenant, enough).await
}

/// What was parked of a tenant, read until there is so much.
pub async fn parked_until(bus: &Bus, tenant: TenantId, count: usize) -> Vec<Retry> {
    let enough = |found: &[Retry]| found.len() >= count;
    records::until(bus, &INBOX_RETRY, tenant, enough).await
}

/// The dead letters of a tenant, read until there are so many.
pub async fn dead_until(bus: &Bus, tenant: TenantId, count: usize) -> Vec<Dead> {
    let enough = |found: &[Dead]| found.len() >= count;
    records::until(bus, &gramtap_events::topics::INBOX_DEAD, tenant, enough).await
}
