//! Gives decoders the memory that was committed with the last events.
//!
//! In: seen.v1, read from its beginning. Out: a decoder of each partition, for `poller.rs`. Invariant: whatever
//! a former owner has committed is in it: a marker is written first, and reading ends only when it has come
//! by; a transaction that was still open when it was written stands before it, and is waited for.

use std::collections::{HashMap, HashSet};

use bytes::Bytes;
use gramtap_bus::{
    Bus, ConsumeError, Event, Header, Isolation, Message, Offset, TopicPartition, Transactor,
    partition_of,
};
use gramtap_events::record::KIND;
use gramtap_events::seen::{MARKER, Seen};
use gramtap_events::topics::SEEN;

use super::DecodeError;
use crate::decode::decoder::Decoder;

/// The decoders of these partitions.
pub(super) async fn decoders(
    bus: &Bus,
    transactor: &mut Transactor,
    instance: &str,
    numbers: &[i32],
) -> Result<HashMap<i32, Decoder>, DecodeError> {
    let mut decoders: HashMap<i32, Decoder> = HashMap::new();
    if numbers.is_empty() {
        return Ok(decoders);
    }
    decoders.extend(numbers.iter().map(|number| (*number, Decoder::default())));
    let mark = format!("{:016x}", rand::random::<u64>());
    let count = bus.partitions(&SEEN).await?;
    let mut transaction = transactor.begin().await?;
    for number in numbers {
        transaction
            .produce(marker(instance, *number, count, &mark))
            .await?;
    }
    transaction.commit().await?;

    let begin = |number: &i32| {
        let partition = TopicPartition {
            topic: &SEEN,
            partition: *number,
        };
        (partition, Offset::Beginning)
    };
    let reader = bus
        .assign(numbers.iter().map(begin).collect(), Isolation::Committed)
        .await?;
    let mut behind: HashSet<i32> = numbers.iter().copied().collect();
    let mut memories = 0_u64;
    while !behind.is_empty() {
        let record = match reader.next().await {
            Some(Ok(Event::Record(record))) => record,
            Some(Err(error)) if !error.retry() => return Err(error.into()),
            Some(_) => continue,
            None => return Err(ConsumeError::Closed.into()),
        };
        let payload = record.payload.as_deref().unwrap_or_default();
        if record.header(KIND).is_some_and(|kind| kind == MARKER) {
            if payload == mark.as_bytes() {
                behind.remove(&record.partition);
            }
            continue;
        }
        match serde_json::from_slice::<Seen>(payload) {
            Ok(seen) => {
                memories += 1;
                if let Some(decoder) = decoders.get_mut(&record.partition) {
                    decoder.restore(seen);
                }
            }
            // Without it repeats of one bot may be counted again: worse would be to count nobody.
            Err(error) => {
                tracing::error!(%error, partition = record.partition, offset = record.offset, "memory cannot be read")
            }
        }
    }
    tracing::info!(
        partitions = numbers.len(),
        memories,
        "memory of what was counted is restored"
    );
    Ok(decoders)
}

/// A record that lands in a partition; the next one of the same instance takes its place.
fn marker(instance: &str, number: i32, count: i32, mark: &str) -> Message {
    let keys = (0_u32..).map(|salt| format!("{MARKER}/{instance}/{number}/{salt}"));
    let mut keys = keys.skip_while(|key| partition_of(key.as_bytes(), count) != number);
    let key = keys.next().unwrap_or_default();
    let mut message = Message::new(&SEEN, key, Bytes::copy_from_slice(mark.as_bytes()));
    message.headers.push(Header::new(KIND, MARKER));
    message
}
