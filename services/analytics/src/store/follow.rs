//! Reads events, errors and deliveries and adds them to the sums, for as long as the process lives.
//!
//! In: events.v1, errors.v1, deliveries.v1 and inbox.dead.v1, committed records alone. Out: batches, to `apply.rs`. A group says which partitions are this
//! process's, and for nothing else: it commits no offsets and its records are not looked at. What is counted is read from the
//! offsets in SQL, by a reader without a group. Invariant: after anything that leaves open what was kept (an error, a partition
//! that another has taken, a changed zone) all that is in memory is dropped and reading begins again where SQL stands.
//! SQL away: tries again with growing pauses, ten seconds apart at most; the bus keeps what waits.

mod reading;

use std::time::Duration;

use gramtap_actors::DrainToken;
use gramtap_bus::{Bus, Consumer, ConsumerOptions, Event, Isolation, Offset, TopicPartition};
use gramtap_events::{Topic, topics};
use gramtap_telemetry::{Counter, Gauge, Histogram};
use tokio::time::{Instant, sleep, sleep_until};

use super::{Applied, Store, StoreError};
use reading::Reading;

/// How long to wait before the next try, in milliseconds.
const PAUSES: [u64; 8] = [50, 100, 250, 500, 1_000, 2_000, 5_000, 10_000];

/// What is counted.
const READ: [&Topic; 4] = [
    &topics::EVENTS,
    &topics::ERRORS,
    &topics::DELIVERIES,
    &topics::INBOX_DEAD,
];

/// How the sums follow the topics.
#[derive(Clone, Debug)]
pub struct FollowOptions {
    /// The group that shares the partitions.
    pub group: String,
    /// This member's stable name, as of [`ConsumerOptions::member`].
    pub member: Option<String>,
    /// Records of a batch at most.
    pub records: u64,
    /// How long records wait for a batch to fill.
    pub every: Duration,
}

impl Default for FollowOptions {
    fn default() -> Self {
        Self {
            group: "gramtap-fold".to_owned(),
            member: None,
            records: 20_000,
            every: Duration::from_millis(500),
        }
    }
}

/// Follows until draining begins; what was read until then is added first.
///
/// # Errors
/// Those after which trying again is of no use: the schema is another version's, the bus gave up.
pub async fn follow(
    bus: &Bus,
    store: &Store,
    options: &FollowOptions,
    stop: &DrainToken,
) -> Result<(), StoreError> {
    let membership = ConsumerOptions {
        member: options.member.clone(),
        max_records: 1,
        max_bytes: 1,
        // What is known of one bot changes the same rows.
        together: true,
        ..ConsumerOptions::default()
    };
    let member = bus.consumer(&options.group, &READ, membership).await?;
    let mut follower = Follower {
        bus,
        store,
        options,
        member,
        owned: Vec::new(),
        reading: None,
        failures: 0,
    };
    let ended = follower.run(stop).await;
    follower.member.close(Duration::from_secs(5)).await;
    ended
}

struct Follower<'a> {
    bus: &'a Bus,
    store: &'a Store,
    options: &'a FollowOptions,
    member: Consumer,
    /// What the group has given to this process.
    owned: Vec<TopicPartition>,
    /// None: to be opened.
    reading: Option<Reading>,
    /// Tries in a row that came to nothing.
    failures: usize,
}

impl Follower<'_> {
    async fn run(&mut self, stop: &DrainToken) -> Result<(), StoreError> {
        loop {
            if self.reading.is_none() && !self.owned.is_empty() {
                let opened = tokio::select! {
                    () = stop.draining() => return Ok(()),
                    opened = self.open() => opened,
                };
                match opened {
                    Ok(reading) => self.reading = Some(reading),
                    Err(error) => self.failed(error, stop).await?,
                }
            }
            let due = self.reading.as_ref().and_then(|reading| reading.due);
            tokio::select! {
                biased;
                () = stop.draining() => return self.flush(stop).await,
                event = self.member.next() => match event.transpose() {
                    Ok(Some(event)) => self.rebalanced(event, stop).await?,
                    Ok(None) => return Ok(()),
                    Err(error) if error.retry() => tracing::warn!(%error, "the group waits"),
                    Err(error) => return Err(error.into()),
                },
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => self.flush(stop).await?,
                event = next(self.reading.as_ref()), if self.reading.is_some() => match event.transpose() {
                    Ok(Some(event)) => {
                        self.read(event);
                        if self.reading.as_ref().is_some_and(|it| it.records >= self.options.records) {
                            self.flush(stop).await?;
                        }
                    }
                    Ok(None) => self.reading = None,
                    Err(error) => {
                        self.flush(stop).await?;
                        self.failed(error.into(), stop).await?;
                    }
                },
            }
        }
    }

    /// Begins to read all partitions where SQL stands.
    async fn open(&self) -> Result<Reading, StoreError> {
        let zones = self.store.zones().await?;
        let mut positions = Vec::new();
        for partition in &self.owned {
            positions.push((*partition, self.store.position(*partition).await?));
        }
        let from = positions
            .iter()
            .map(|(partition, position)| (*partition, Offset::At(*position)));
        let reader = self
            .bus
            .assign(from.collect(), Isolation::Committed)
            .await?;
        Ok(Reading::new(reader, zones, &positions))
    }

    /// The group gives partitions, or takes them away.
    async fn rebalanced(&mut self, event: Event, stop: &DrainToken) -> Result<(), StoreError> {
        match event {
            Event::Assigned(assigned) => {
                self.flush(stop).await?;
                for assigned in assigned {
                    // The group's own reading is of no use.
                    self.member.pause(assigned.partition);
                    self.owned.retain(|known| *known != assigned.partition);
                    self.owned.push(assigned.partition);
                }
                self.reading = None;
            }
            Event::Revoked(revoked) => {
                if !revoked.lost {
                    self.flush(stop).await?;
                }
                self.owned
                    .retain(|known| !revoked.partitions.contains(known));
                self.reading = None;
                revoked.release();
            }
            Event::Record(_) | Event::Skipped(_) => {}
        }
        Ok(())
    }

    fn read(&mut self, event: Event) {
        let Some(reading) = &mut self.reading else {
            return;
        };
        match event {
            Event::Record(record) => reading.add(&record, self.options.every),
            Event::Skipped(gone) => {
                let topic = gone.partition.topic.name;
                let count = u64::try_from(gone.to - gone.from).unwrap_or(0);
                Counter::FoldRecords {
                    topic,
                    result: "skipped",
                }
                .add(count);
                tracing::error!(partition = %gone.partition, count, "records were gone before they were counted");
            }
            Event::Assigned(_) | Event::Revoked(_) => {}
        }
    }

    /// Adds what was read.
    async fn flush(&mut self, stop: &DrainToken) -> Result<(), StoreError> {
        let Some(reading) = &mut self.reading else {
            return Ok(());
        };
        reading.due = None;
        if reading.records == 0 {
            return Ok(());
        }
        let began = Instant::now();
        let batches = reading.take();
        let counted: Vec<_> = batches
            .iter()
            .map(|it| (it.partition.topic.name, it.folded.records, it.folded.unread))
            .collect();
        let applied = self.store.apply(batches, &reading.zones).await;
        Histogram::FoldSeconds.record(began.elapsed());
        match applied {
            Ok(Applied::Kept { lost }) if lost.is_empty() => {
                self.failures = 0;
                Gauge::FoldLagSeconds.set(reading.lag());
                for (topic, records, unread) in counted {
                    Counter::FoldRecords {
                        topic,
                        result: "counted",
                    }
                    .add(records);
                    Counter::FoldRecords {
                        topic,
                        result: "unread",
                    }
                    .add(unread);
                }
                Ok(())
            }
            Ok(Applied::Kept { lost }) => {
                Counter::FoldRetries { reason: "taken" }.inc();
                tracing::warn!(
                    partitions = lost.len(),
                    "offsets stand elsewhere, reading again from there"
                );
                self.again(stop).await;
                Ok(())
            }
            Ok(Applied::Rezoned) => {
                Counter::FoldRetries { reason: "rezoned" }.inc();
                self.reading = None;
                Ok(())
            }
            Err(error) => self.failed(error, stop).await,
        }
    }

    /// Something came to nothing: begin again after a pause, or end.
    async fn failed(&mut self, error: StoreError, stop: &DrainToken) -> Result<(), StoreError> {
        if !error.retry() {
            return Err(error);
        }
        Counter::FoldRetries {
            reason: error.label(),
        }
        .inc();
        tracing::warn!(%error, "sums wait");
        self.again(stop).await;
        Ok(())
    }

    async fn again(&mut self, stop: &DrainToken) {
        self.reading = None;
        let pause = PAUSES
            .get(self.failures)
            .or(PAUSES.last())
            .copied()
            .unwrap_or(0);
        self.failures += 1;
        tokio::select! {
            () = stop.draining() => {}
            () = sleep(Duration::from_millis(pause)) => {}
        }
    }
}

async fn next(reading: Option<&Reading>) -> Option<Result<Event, gramtap_bus::ConsumeError>> {
    match reading {
        Some(reading) => reading.reader.next().await,
        None => std::future::pending().await,
    }
}
