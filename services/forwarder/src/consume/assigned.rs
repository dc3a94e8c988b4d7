//! What the former owner of a partition has left.
//!
//! In: partitions that were just assigned, the topics' ends, deliveries.v1 from the last commit's mark on. Out: a
//! [`Dispatch`] that knows all of it, and the marks to commit from now on. Invariant: of what was delivered and told before, nothing is
//! started again; no record of the partition is handed on before this is done.

use std::collections::HashMap;

use futures_util::future::join_all;
use gramtap_bus::{
    Assigned, Bus, Committed, ConsumeError, Consumer, Ends, Event, Isolation, Offset,
    TopicPartition,
};
use gramtap_events::delivery::{Delivery, Verdict};
use gramtap_events::{Moment, Topic, topics};
use gramtap_telemetry::Counter;

use super::ForwardError;
use super::doubts::{self, Doubts};
use crate::arrange::Source;
use crate::arrange::dispatch::{self, Dispatch};

/// Where the partitions of the topics begin and end.
pub(super) struct Extents {
    inbox: Vec<Ends>,
    retry: Vec<Ends>,
    deliveries: Vec<Ends>,
}

impl Extents {
    /// Asks the bus.
    pub(super) async fn ask(bus: &Bus) -> Result<Self, ConsumeError> {
        Ok(Self {
            inbox: bus.ends(&topics::INBOX).await?,
            retry: bus.ends(&topics::INBOX_RETRY).await?,
            deliveries: bus.ends(&topics::DELIVERIES).await?,
        })
    }
}

/// Takes numbers over of which both partitions were assigned. Returns for each where deliveries.v1 ended.
pub(super) async fn take<P: Clone>(
    bus: &Bus,
    extents: &Extents,
    dispatch: &mut Dispatch<P>,
    doubts: &mut Doubts,
    assigned: &[Assigned],
) -> Result<HashMap<i32, i64>, ForwardError> {
    let [inbox, retry, told] = [&topics::INBOX, &topics::INBOX_RETRY, &topics::DELIVERIES];
    let mut marks = HashMap::new();
    let mut from = Vec::new();
    let mut open = HashMap::new();
    for first in assigned.iter().filter(|it| it.partition.topic == inbox) {
        let number = first.partition.partition;
        let second = assigned
            .iter()
            .find(|it| it.partition == of(retry, number))
            .ok_or(ForwardError::Unassigned)?;
        let found = [
            ends(&extents.inbox, number, first.committed.as_ref()),
            ends(&extents.retry, number, second.committed.as_ref()),
        ];
        let [Some(inbox), Some(retry)] = found else {
            return Err(ForwardError::Unassigned);
        };
        for (source, ends, given) in [
            (Source::Inbox, inbox, first),
            (Source::Retry, retry, second),
        ] {
            let committed = given.committed.as_ref();
            if committed.is_some_and(|it| doubts::read(&it.metadata).1) {
                doubts.add(source, number, ends.high);
            }
        }
        let known = dispatch.assigned(
            Moment::now(),
            &dispatch::Assigned {
                partition: number,
                inbox,
                retry,
            },
        );
        for _ in 0..known.garbled {
            Counter::ForwarderRecords { outcome: "garbled" }.inc();
            tracing::error!(
                partition = number,
                "what was committed is not understood, updates may be delivered again"
            );
        }
        let told_ends = extents.deliveries.iter().find(|it| it.partition == number);
        let (low, high) = told_ends.map_or((0, 0), |it| (it.low, it.high));
        let start = known.mark.unwrap_or(low).max(low);
        if start < high {
            from.push((of(told, number), Offset::At(start)));
            open.insert(number, high);
        }
        marks.insert(number, high);
    }
    let read = restore(bus, dispatch, from, open).await?;
    tracing::info!(
        partitions = marks.len(),
        deliveries = read,
        "partitions were taken over"
    );
    Ok(marks)
}

/// Reads what was delivered, up to where each partition ended. Returns how many successes there were.
async fn restore<P: Clone>(
    bus: &Bus,
    dispatch: &mut Dispatch<P>,
    from: Vec<(TopicPartition, Offset)>,
    mut open: HashMap<i32, i64>,
) -> Result<u64, ForwardError> {
    let mut read = 0;
    if open.is_empty() {
        return Ok(read);
    }
    let reader = bus.assign(from, Isolation::Committed).await?;
    while !open.is_empty() {
        let (number, to) = match reader.next().await {
            Some(Ok(Event::Record(record))) => {
                let payload = record.payload.as_deref().unwrap_or_default();
                match serde_json::from_slice::<Delivery>(payload) {
                    Ok(delivery) => {
                        read += u64::from(remember(dispatch, record.partition, &delivery))
                    }
                    Err(error) => {
                        Counter::ForwarderRecords {
                            outcome: "unreadable",
                        }
                        .inc();
                        tracing::error!(%error, partition = record.partition, offset = record.offset, "a delivery cannot be read");
                    }
                }
                (record.partition, record.offset + 1)
            }
            Some(Ok(Event::Skipped(gone))) => (gone.partition.partition, gone.to),
            Some(Err(error)) if !error.retry() => return Err(error.into()),
            Some(_) => continue,
            None => return Err(ConsumeError::Closed.into()),
        };
        if open.get(&number).is_some_and(|high| to >= *high) {
            open.remove(&number);
        }
    }
    Ok(read)
}

fn remember<P: Clone>(dispatch: &mut Dispatch<P>, number: i32, delivery: &Delivery) -> bool {
    let Some(update_id) = delivery
        .update_id
        .filter(|_| delivery.verdict == Verdict::Delivered)
    else {
        return false;
    };
    dispatch.delivered(
        number,
        delivery.tenant,
        update_id,
        delivery.replay,
        delivery.at,
    );
    true
}

fn of(topic: &'static Topic, partition: i32) -> TopicPartition {
    TopicPartition { topic, partition }
}

fn ends<'a>(
    all: &[Ends],
    number: i32,
    committed: Option<&'a Committed>,
) -> Option<dispatch::Ends<'a>> {
    let ends = all.iter().find(|it| it.partition == number)?;
    Some(dispatch::Ends {
        committed: committed.map(|it| (it.offset, doubts::read(&it.metadata).0)),
        low: ends.low,
        high: ends.high,
    })
}

/// Commits again what was committed, as that of a partition which is somebody's from now on: whoever finds it so knows that it was not left
/// in order.
pub(super) async fn open(consumer: &Consumer, extents: &Extents, assigned: &[Assigned]) {
    let each = assigned.iter().map(async |given| {
        let all = match given.partition.topic == &topics::INBOX {
            true => &extents.inbox,
            false => &extents.retry,
        };
        let low = all.iter().find(|it| it.partition == given.partition.partition);
        let (offset, metadata) = match &given.committed {
            Some(committed) => (committed.offset, doubts::read(&committed.metadata).0),
            None => (low.map_or(0, |it| it.low), ""),
        };
        let metadata = format!("{metadata}{}", doubts::OPEN);
        if let Err(error) = consumer.commit(given.partition, offset, &metadata).await {
            tracing::warn!(%error, partition = %given.partition, "a kill soon would go unnoticed by the next owner");
        }
    });
    join_all(each).await;
}
