//! What reached the bus.
//!
//! In: the topics of a bus, whichever engine is behind it. Out: the records of some
//! tenants, in order. Invariant: everything that is in the topic when it is asked is read, and
//! nothing is taken for granted: key, `gt-kind` and `gt-version` are checked against the payload. Topics that are written in
//! transactions end in marks that no reader is given, so their end is told by silence.

use std::collections::HashSet;
use std::time::Duration;

use gramtap_bus::{Bus, Delivery, Event, Isolation, Offset, TopicPartition};
use gramtap_events::call::CallRecord;
use gramtap_events::delivery::Delivery as Attempt;
use gramtap_events::event::Event as Happened;
use gramtap_events::failure::Failure;
use gramtap_events::inbox::{Dead, Inbox};
use gramtap_events::record::{KIND, VERSION};
use gramtap_events::update::Update;
use gramtap_events::{Record, TenantId, Topic, topics};
use serde::de::DeserializeOwned;

use tokio::time::timeout;

use crate::within;

/// How long the next record of those that are there takes at most.
const SILENCE: Duration = Duration::from_secs(10);

/// What is in calls.v1 of these tenants.
pub async fn calls(bus: &Bus, tenants: &[TenantId]) -> Vec<CallRecord> {
    let parse = |payload: &[u8]| CallRecord::parse(payload).unwrap();
    read(bus, &topics::CALLS, tenants, parse).await
}

/// What is in updates.v1 of these tenants.
pub async fn updates(bus: &Bus, tenants: &[TenantId]) -> Vec<Update> {
    read(bus, &topics::UPDATES, tenants, json::<Update>).await
}

/// What is in inbox.v1 of these tenants.
pub async fn inbox(bus: &Bus, tenants: &[TenantId]) -> Vec<Inbox> {
    read(bus, &topics::INBOX, tenants, json::<Inbox>).await
}

/// What is in deliveries.v1 of these tenants.
pub async fn deliveries(bus: &Bus, tenants: &[TenantId]) -> Vec<Attempt> {
    read(bus, &topics::DELIVERIES, tenants, json::<Attempt>).await
}

/// What is in inbox.dead.v1 of these tenants.
pub async fn dead(bus: &Bus, tenants: &[TenantId]) -> Vec<Dead> {
    read(bus, &topics::INBOX_DEAD, tenants, json::<Dead>).await
}

/// What is in events.v1 of these tenants.
pub async fn events(bus: &Bus, tenants: &[TenantId]) -> Vec<Happened> {
    read(bus, &topics::EVENTS, tenants, json::<Happened>).await
}

/// What is in errors.v1 of these tenants.
pub async fn errors(bus: &Bus, tenants: &[TenantId]) -> Vec<Failure> {
    read(bus, &topics::ERRORS, tenants, json::<Failure>).await
}

/// Reads what is in events.v1 of a tenant and what comes, until that is enough.
pub async fn events_until(
    bus: &Bus,
    tenant: TenantId,
    enough: impl Fn(&[Happened]) -> bool,
) -> Vec<Happened> {
    until(bus, &topics::EVENTS, tenant, enough).await
}

/// The same of errors.v1.
pub async fn errors_until(
    bus: &Bus,
    tenant: TenantId,
    enough: impl Fn(&[Failure]) -> bool,
) -> Vec<Failure> {
    until(bus, &topics::ERRORS, tenant, enough).await
}

/// Reads what is in a topic of a tenant and what comes, until that is enough.
pub(crate) async fn until<R: Record + DeserializeOwned>(
    bus: &Bus,
    topic: &'static Topic,
    tenant: TenantId,
    enough: impl Fn(&[R]) -> bool,
) -> Vec<R> {
    let key = tenant.as_str().as_bytes();
    let partition = bus.partition_for(topic, key).await.unwrap();
    let from = vec![(TopicPartition { topic, partition }, Offset::Beginning)];
    let reader = bus.assign(from, Isolation::Committed).await.unwrap();
    let mut records = Vec::new();
    while !enough(&records) {
        let event = within("a record", reader.next()).await.unwrap().unwrap();
        if let Event::Record(delivery) = event
            && delivery.key.as_deref() == Some(key)
        {
            records.push(json(delivery.payload.as_deref().unwrap()));
        }
    }
    records
}

fn json<R: DeserializeOwned>(payload: &[u8]) -> R {
    serde_json::from_slice(payload).unwrap()
}

async fn read<R: Record>(
    bus: &Bus,
    topic: &'static Topic,
    tenants: &[TenantId],
    parse: impl Fn(&[u8]) -> R,
) -> Vec<R> {
    let tenants: HashSet<_> = tenants.iter().map(|it| it.as_str().as_bytes()).collect();
    let mut records = Vec::new();
    each(bus, topic, |delivery| {
        let key = delivery.key.as_deref().unwrap();
        if !tenants.contains(key) {
            return;
        }
        let record = parse(delivery.payload.as_deref().unwrap());
        assert_eq!(record.tenant().as_str().as_bytes(), key);
        assert_eq!(delivery.header(KIND).unwrap(), record.kind().as_bytes());
        let version = R::VERSION.to_string();
        assert_eq!(delivery.header(VERSION).unwrap(), version.as_bytes());
        records.push(record);
    })
    .await;
    records
}

/// Whether the marks of transactions stand between the records of a topic and at its ends; no reader is given them.
fn in_transactions(topic: &'static Topic) -> bool {
    [&topics::EVENTS, &topics::ERRORS, &topics::SEEN].contains(&topic)
}

/// Every record that is in a topic now, as it is.
pub(crate) async fn each(bus: &Bus, topic: &'static Topic, mut read: impl FnMut(&Delivery)) {
    let mut open = bus.ends(topic).await.unwrap();
    open.retain(|end| end.high > end.low);
    if open.is_empty() {
        return;
    }
    let from = open.iter().map(|end| {
        let partition = end.partition;
        (TopicPartition { topic, partition }, Offset::Beginning)
    });
    let assigned = bus.assign(from.collect(), Isolation::Committed).await;
    let reader = assigned.unwrap();
    while !open.is_empty() {
        let next = timeout(SILENCE, reader.next()).await;
        if next.is_err() && in_transactions(topic) {
            return;
        }
        let event = next.expect("a record is there").unwrap().unwrap();
        let Event::Record(delivery) = event else {
            panic!("{event:?}");
        };
        open.retain(|end| (end.partition, end.high) != (delivery.partition, delivery.offset + 1));
        read(&delivery);
    }
}
