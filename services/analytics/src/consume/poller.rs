//! One life of the consumer: joins the group, decodes, commits, until it is told to end or something fails.
//!
//! In: the bus. Out: decoders' yields, to `publish/transaction.rs`. Invariant: a partition's decoder is restored before its
//! first record and thrown away when the partition goes, after its batch was committed; any failure
//! throws all of them away (`consume.rs` begins again).

use std::collections::HashMap;
use std::time::Duration;

use gramtap_actors::DrainToken;
use gramtap_bus::{Bus, Consumer, ConsumerOptions, Event, Transactor};
use gramtap_events::Topic;
use gramtap_events::topics::{CALLS, DELIVERIES, INBOX, SEEN, UPDATES};
use tokio::time::Instant;

use super::batch::Batch;
use super::roll::{Roll, Source};
use super::{DecodeError, Options, restore};
use crate::decode::decoder::Decoder;
use crate::publish::transaction::publish;

/// How long leaving the group may take.
const LEAVE: Duration = Duration::from_secs(10);
/// Records read ahead, so that they are there when a commit is over.
const READ_AHEAD: usize = 10_000;
const READ_AHEAD_BYTES: usize = 32 * 1024 * 1024;

/// What is decoded.
pub(super) const READ: [&Topic; 4] = [&CALLS, &UPDATES, &INBOX, &DELIVERIES];

/// Lives once. `committed` counts the batches, whatever the end is.
pub(super) async fn serve(
    bus: &Bus,
    source: &Source,
    options: &Options,
    stop: &DrainToken,
    committed: &mut u64,
) -> Result<(), DecodeError> {
    let mut counts = [0; 5];
    for (count, topic) in counts.iter_mut().zip(READ.into_iter().chain([&SEEN])) {
        *count = bus.partitions(topic).await?;
    }
    if counts.iter().any(|count| *count != counts[0]) {
        return Err(DecodeError::Partitions(counts));
    }
    let transactor = format!("{}.{}", options.group, options.instance);
    let transactor = bus.transactor(&transactor).await?;
    let membership = ConsumerOptions {
        member: Some(options.instance.clone()),
        max_records: READ_AHEAD,
        max_bytes: READ_AHEAD_BYTES,
        // What is known of one bot shares one memory.
        together: true,
        ..ConsumerOptions::default()
    };
    let consumer = bus.consumer(&options.group, &READ, membership).await?;
    let mut poller = Poller {
        bus,
        options,
        consumer,
        transactor,
        roll: Roll::new(source),
        decoders: HashMap::new(),
        batch: Batch::default(),
        committed,
    };
    let ended = poller.poll(stop).await;
    if !poller.consumer.close(LEAVE).await {
        tracing::warn!("the group was not left in time");
    }
    ended
}

struct Poller<'a> {
    bus: &'a Bus,
    options: &'a Options,
    consumer: Consumer,
    transactor: Transactor,
    roll: Roll,
    /// Of the partitions that are ours, by number.
    decoders: HashMap<i32, Decoder>,
    batch: Batch,
    committed: &'a mut u64,
}

impl Poller<'_> {
    async fn poll(&mut self, stop: &DrainToken) -> Result<(), DecodeError> {
        loop {
            let event = tokio::select! {
                biased;
                () = stop.draining() => return self.commit().await,
                () = until(self.batch.due(self.options.window)) => None,
                event = self.consumer.next() => Some(event),
            };
            match event {
                None => self.commit().await?,
                Some(Some(Ok(event))) => self.take(event).await?,
                // The consumer goes on by itself, and has said so in the log.
                Some(Some(Err(error))) if error.retry() => {}
                Some(Some(Err(error))) => return Err(error.into()),
                Some(None) => return Err(gramtap_bus::ConsumeError::Closed.into()),
            }
            if self.batch.len() >= self.options.max_records {
                self.commit().await?;
            }
        }
    }

    async fn take(&mut self, event: Event) -> Result<(), DecodeError> {
        match event {
            Event::Record(delivery) => {
                self.roll.look_up(&delivery).await?;
                let decoder = self.decoders.get_mut(&delivery.partition);
                let decoder = decoder.ok_or(DecodeError::Unassigned)?;
                self.batch.add(decoder, &self.roll.bots, &delivery);
            }
            Event::Skipped(gone) => self.batch.skip(gone),
            Event::Assigned(assigned) => {
                let numbers = assigned.iter().map(|it| it.partition.partition);
                let mut numbers: Vec<i32> = numbers
                    .filter(|it| !self.decoders.contains_key(it))
                    .collect();
                numbers.sort_unstable();
                numbers.dedup();
                let instance = &self.options.instance;
                let restored =
                    restore::decoders(self.bus, &mut self.transactor, instance, &numbers).await?;
                self.decoders.extend(restored);
            }
            Event::Revoked(revoked) if revoked.lost => return Err(DecodeError::Lost),
            Event::Revoked(revoked) => {
                self.commit().await?;
                for it in &revoked.partitions {
                    self.decoders.remove(&it.partition);
                }
                revoked.release();
            }
        }
        Ok(())
    }

    async fn commit(&mut self) -> Result<(), DecodeError> {
        if self.batch.len() == 0 {
            return Ok(());
        }
        let batch = std::mem::take(&mut self.batch);
        let changed = batch.changed(&self.decoders);
        publish(
            &mut self.transactor,
            &self.consumer.membership(),
            &batch,
            changed,
        )
        .await?;
        batch.committed();
        *self.committed += 1;
        Ok(())
    }
}

/// Waits until then; for ever where there is no then.
async fn until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}
