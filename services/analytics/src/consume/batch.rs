//! What is to be committed together.
//!
//! In: records, decoded (`poller.rs`). Out: `publish/transaction.rs`. Invariant: the offset of a partition is that
//! behind the last of its records whose yield is in here.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use gramtap_bus::consume::Commit;
use gramtap_bus::{Delivery, Skipped, TopicPartition};
use gramtap_events::Moment;
use gramtap_events::seen::Seen;
use gramtap_telemetry::Counter;
use tokio::time::Instant;

use crate::decode::bots::Bots;
use crate::decode::decoder::{Decoder, Yield, skipped};

/// Decoded records that are not committed yet.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// By partition.
    yields: BTreeMap<i32, Yield>,
    offsets: HashMap<TopicPartition, i64>,
    records: usize,
    since: Option<Instant>,
    outcomes: BTreeMap<&'static str, u64>,
}

impl Batch {
    /// Decodes a record into it.
    pub(super) fn add(&mut self, decoder: &mut Decoder, bots: &Bots, delivery: &Delivery) {
        let into = self.yields.entry(delivery.partition).or_default();
        let outcome = decoder.decode(delivery, bots, into);
        let at = TopicPartition {
            topic: delivery.topic,
            partition: delivery.partition,
        };
        self.count(outcome.label(), 1);
        self.reach(at, delivery.offset + 1);
    }

    /// Tells records that were gone before they were read.
    pub(super) fn skip(&mut self, gone: Skipped) {
        let Skipped {
            partition,
            from,
            to,
        } = gone;
        tracing::warn!(
            topic = partition.topic.name,
            partition = partition.partition,
            from,
            to,
            "records are gone"
        );
        let into = self.yields.entry(partition.partition).or_default();
        into.events.push(skipped(gone, Moment::now()));
        self.count("lost", u64::try_from(to - from).unwrap_or_default());
        self.reach(partition, to);
    }

    fn count(&mut self, outcome: &'static str, records: u64) {
        *self.outcomes.entry(outcome).or_default() += records;
    }

    fn reach(&mut self, partition: TopicPartition, offset: i64) {
        self.offsets.insert(partition, offset);
        self.records += 1;
        self.since.get_or_insert_with(Instant::now);
    }

    /// How many records it holds.
    pub(super) fn len(&self) -> usize {
        self.records
    }

    /// When it is to be committed, if it holds anything.
    pub(super) fn due(&self, window: Duration) -> Option<Instant> {
        self.since.map(|since| since + window)
    }

    /// What came of the records, partition by partition.
    pub(crate) fn yields(&self) -> impl Iterator<Item = &Yield> {
        self.yields.values()
    }

    /// The memories that have changed.
    pub(super) fn changed<'a>(
        &'a self,
        decoders: &'a HashMap<i32, Decoder>,
    ) -> impl Iterator<Item = Seen> + 'a {
        self.yields.iter().flat_map(|(partition, yielded)| {
            let decoder = decoders.get(partition);
            let kept = move |tenant| decoder.and_then(|decoder| decoder.kept(tenant));
            yielded.changed.iter().copied().filter_map(kept)
        })
    }

    /// The offsets to go on from.
    pub(crate) fn offsets(&self) -> Vec<Commit> {
        let commit = |(partition, offset): (&TopicPartition, &i64)| Commit {
            partition: *partition,
            offset: *offset,
            metadata: String::new(),
        };
        self.offsets.iter().map(commit).collect()
    }

    /// It is committed: counts what became of its records.
    pub(super) fn committed(self) {
        for (outcome, records) in self.outcomes {
            Counter::Decoded { outcome }.add(records);
        }
        Counter::DecodeBatches { result: "ok" }.inc();
    }
}
