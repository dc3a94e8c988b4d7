//! What reached the bus.
//!
//! In: calls.v1 and updates.v1 of a bus, whichever engine is behind it. Out: the records of some
//! tenants, in order. Invariant: everything that is in the topic when it is asked is read, and
//! nothing is taken for granted: key, `gt-kind` and `gt-version` are checked against the payload.

use std::collections::HashSet;

use gramtap_bus::{Bus, Delivery, Event, Isolation, Offset, TopicPartition};
use gramtap_events::call::CallRecord;
use gramtap_events::record::{KIND, VERSION};
use gramtap_events::update::Update;
use gramtap_events::{Record, TenantId, Topic, topics};
use serde::de::DeserializeOwned;

use crate::within;

/// What is in calls.v1 of these tenants.
pub async fn calls(bus: &Bus, tenants: &[TenantId]) -> Vec<CallRecord> {
    let parse = |payload: &[u8]| CallRecord::parse(payload).unwrap();
    read(bus, &topics::CALLS, tenants, parse).await
}

/// What is in updates.v1 of these tenants.
pub async fn updates(bus: &Bus, tenants: &[TenantId]) -> Vec<Update> {
    read(bus, &topics::UPDATES, tenants, json::<Update>).await
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
        let event = within("a record", reader.next()).await.unwrap().unwrap();
        let Event::Record(delivery) = event else {
            panic!("{event:?}");
        };
        open.retain(|end| (end.partition, end.high) != (delivery.partition, delivery.offset + 1));
        read(&delivery);
    }
}
