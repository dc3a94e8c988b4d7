//! Fills a database with the sums of the traffic, the way that analytics does: folded in batches, each added in one transaction.
//!
//! In: `traffic.rs`, a store. Out: the tables of sums. Invariant: where the sums stand says how much is in there already, so a
//! fill that was cut off goes on, and a full database is left as it is.

use std::collections::BTreeMap;
use std::time::Instant;

use gramtap_analytics::fold::{Folded, Zones};
use gramtap_analytics::store::{Applied, Batch, Store};
use gramtap_bus::TopicPartition;
use gramtap_events::Topic;
use gramtap_events::topics::{ERRORS, EVENTS};
use tokio::runtime::Runtime;

use super::traffic::{Bot, make};

/// Records of a batch.
const BATCH: u64 = 20_000;
/// Events between two lines of progress.
const TELL: i64 = 500_000;

/// Adds what is missing of `count` events.
pub(crate) fn fill(runtime: &Runtime, store: &Store, bots: &[Bot], count: i64) {
    let zones = runtime.block_on(store.zones()).unwrap();
    let stands = |topic| runtime.block_on(store.position(of(topic))).unwrap();
    let (began, known) = (Instant::now(), stands(&EVENTS));
    let mut fill = Fill {
        runtime,
        store,
        zones,
        events: Part::of(&EVENTS, known),
        errors: Part::of(&ERRORS, stands(&ERRORS)),
    };
    let (mut made, mut told) = (0, known);
    make(bots, count, |record| {
        let is_event = record.topic.name == EVENTS.name;
        made += i64::from(is_event);
        let part = if is_event {
            &mut fill.events
        } else {
            &mut fill.errors
        };
        part.add(record.payload, &fill.zones);
        if fill.events.folded.records + fill.errors.folded.records < BATCH {
            return;
        }
        fill.flush();
        if fill.events.next >= told + TELL {
            told = fill.events.next;
            let spent = began.elapsed().as_secs_f64();
            eprintln!(
                "  {told} of {count} events added, {:.0} a second",
                (told - known) as f64 / spent
            );
        }
    });
    fill.flush();
    assert_eq!((made, fill.events.next), (count, count));
}

fn of(topic: &'static Topic) -> TopicPartition {
    TopicPartition {
        topic,
        partition: 0,
    }
}

/// The records of a topic that are not added yet.
struct Part {
    topic: &'static Topic,
    /// Records that were there before.
    skip: i64,
    expected: i64,
    next: i64,
    folded: Folded,
}

impl Part {
    fn of(topic: &'static Topic, known: i64) -> Self {
        Self {
            topic,
            skip: known,
            expected: known,
            next: known,
            folded: Folded::default(),
        }
    }

    fn add(&mut self, payload: &[u8], zones: &Zones) {
        if self.skip > 0 {
            self.skip -= 1;
            return;
        }
        self.folded.add(self.topic, payload, zones);
        self.next += 1;
    }

    fn take(&mut self) -> Batch {
        let batch = Batch {
            partition: of(self.topic),
            expected: self.expected,
            next: self.next,
            marks: BTreeMap::new(),
            folded: std::mem::take(&mut self.folded),
        };
        assert_eq!(batch.folded.unread, 0);
        self.expected = self.next;
        batch
    }
}

struct Fill<'a> {
    runtime: &'a Runtime,
    store: &'a Store,
    zones: Zones,
    events: Part,
    errors: Part,
}

impl Fill<'_> {
    fn flush(&mut self) {
        let batches = [self.events.take(), self.errors.take()];
        let batches: Vec<Batch> = batches
            .into_iter()
            .filter(|it| it.next > it.expected)
            .collect();
        if batches.is_empty() {
            return;
        }
        let applied = self
            .runtime
            .block_on(self.store.apply(batches, &self.zones));
        assert_eq!(applied.unwrap(), Applied::Kept { lost: Vec::new() });
    }
}
