//! Reading Kafka without a group.
//!
//! In: partitions and offsets. Out: the inbox of a `Reader`, filled by a polling thread of its
//! own. Invariant: where reading begins is settled before `read` returns, so that a tail misses
//! nothing that is written afterwards. No offset is ever committed, no group joined: the group's
//! name is only there because librdkafka asks for one.

use std::sync::Arc;
use std::time::Instant;

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::{ClientConfig, Offset as At, TopicPartitionList};
use tokio::sync::oneshot;

use super::consumer::isolation;
use super::context::Context;
use super::fetch::Fetching;
use super::question::ends_of;
use super::{Kafka, QUESTION, fault};
use crate::consume::inbox::Inbox;
use crate::consume::{Isolation, Offset, Reader, Skipped, TopicPartition};
use crate::error::ConsumeError;
use crate::thread;

/// What a reader reads ahead at most.
const RECORDS: usize = 2_000;
const BYTES: usize = 8 * 1024 * 1024;

type Native = BaseConsumer<Context>;

/// See `Bus::assign`.
pub(crate) async fn read(
    kafka: &Kafka,
    from: Vec<(TopicPartition, Offset)>,
    seen: Isolation,
) -> Result<Reader, ConsumeError> {
    let mut config = kafka.reading();
    config
        .set("group.id", "gramtap-reader")
        .set("isolation.level", isolation(seen));
    let inbox = Arc::new(Inbox::new(RECORDS, BYTES));
    let served = Arc::clone(&inbox);
    let (ready, settled) = oneshot::channel();
    thread::spawn("bus-reader", move || {
        served.served_by(std::thread::current());
        let topics = from.iter().map(|(at, _)| at.topic);
        let fetching = Fetching::new(Arc::clone(&served), topics, false);
        match begin(&config, &from, &fetching) {
            Ok(native) => {
                ready.send(Ok(())).ok();
                let outcome = fetching.run(&native, || {});
                drop(native);
                served.end(outcome.err());
            }
            Err(error) => {
                ready.send(Err(error)).ok();
                served.end(None);
            }
        }
    })
    .map_err(|error| ConsumeError::Failed(error.to_string()))?;
    match settled.await {
        Ok(result) => result.map(|()| Reader { inbox }),
        Err(_) => Err(ConsumeError::Failed("the reader's thread ended".to_owned())),
    }
}

fn begin(
    config: &ClientConfig,
    from: &[(TopicPartition, Offset)],
    fetching: &Fetching,
) -> Result<Native, ConsumeError> {
    let broken = |error| fault::read(&error);
    let native: Native = config
        .create_with_context(Context::new("reader"))
        .map_err(broken)?;
    let until = Instant::now() + QUESTION;
    let mut list = TopicPartitionList::new();
    for (at, offset) in from {
        let (low, high) = ends_of(&native, *at, until)?;
        let next = match *offset {
            Offset::Beginning => low,
            Offset::End => high,
            Offset::At(offset) => {
                let nearest = offset.clamp(low, high);
                if nearest != offset {
                    fetching.inbox.skipped(Skipped {
                        partition: *at,
                        from: offset,
                        to: nearest,
                    });
                }
                nearest
            }
        };
        list.add_partition_offset(at.topic.name, at.partition, At::Offset(next))
            .map_err(broken)?;
        fetching.cursors().next.insert(*at, Some(next));
    }
    native.assign(&list).map_err(broken)?;
    Ok(native)
}
