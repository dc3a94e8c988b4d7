//! How far the counting is.
//!
//! In: events.v1, by a reader of its own; the offsets in SQL. Out: waits, for places drawn from a seed. Invariant: looking on changes
//! nothing.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use gramtap_analytics::store::Store;
use gramtap_bus::conformance::death::Dice;
use gramtap_bus::{Bus, Event, Isolation, Offset, TopicPartition};
use gramtap_database::Statement;
use gramtap_events::Topic;
use gramtap_events::topics::{EVENTS, SEEN};
use gramtap_tests::DEADLINE;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::counter::Counter;
use super::scripted::Week;

/// Somewhere in the week, in thousandths of what there is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    /// So many events are in events.v1.
    Events(u64),
    /// So many of them are in the sums.
    Sums(u64),
}

/// A place in the beginning of one of the parts that the week is written in, by turns told by events and by sums.
pub(super) fn place_within(dice: &mut Dice, part: usize, parts: usize) -> Place {
    let at = (part * 1_000 / parts) as u64 + u64::from(1 + dice.below(40));
    match part % 2 {
        0 => Place::Events(at),
        _ => Place::Sums(at),
    }
}

/// Looks on.
pub(super) struct Progress {
    bus: Bus,
    store: Store,
    tenants: Vec<String>,
    total: u64,
    seen: Arc<AtomicU64>,
    /// Where the last one died.
    last: (u64, u64),
    reading: JoinSet<()>,
}

impl Progress {
    pub(super) async fn watch(bus: Bus, store: &Store, week: &Week) -> Self {
        let seen = Arc::new(AtomicU64::new(0));
        let tenants: Vec<String> = week.bots.iter().map(|bot| bot.tenant.to_string()).collect();
        let reading = {
            let (reader, seen) = (from_the_end(&bus, &EVENTS).await, Arc::clone(&seen));
            let ours: HashSet<Vec<u8>> = tenants.iter().map(|it| it.clone().into_bytes()).collect();
            let mut reading = JoinSet::new();
            reading.spawn(async move {
                while let Some(Ok(event)) = reader.next().await {
                    if let Event::Record(record) = event
                        && record.key.is_some_and(|key| ours.contains(&*key))
                    {
                        seen.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
            reading
        };
        Self {
            bus,
            store: store.clone(),
            tenants,
            total: week.events,
            seen,
            last: (0, 0),
            reading,
        }
    }

    /// Waits until the counting has come to a place, and at all on since it came to the last one.
    pub(super) async fn reaches(&mut self, place: Place, counter: &mut Counter) {
        let until = Instant::now() + DEADLINE;
        loop {
            let counted = self.counted().await;
            let is_there = match place {
                Place::Events(at) => counted.0 * 1_000 >= at * self.total,
                Place::Sums(at) => counted.1 * 1_000 >= at * self.total,
            };
            if is_there && counted != self.last {
                self.last = counted;
                return;
            }
            counter.runs();
            let total = self.total;
            assert!(Instant::now() < until, "{place:?}: {counted:?} of {total}");
            // paced: nobody tells when a row of SQL changes
            sleep(Duration::from_millis(2)).await;
        }
    }

    /// Something is left to be counted, and a death of now matters.
    pub(super) async fn is_not_over(&self) {
        let (told, summed) = self.counted().await;
        let total = self.total;
        assert!(
            summed < total,
            "all was counted before the last death: of {total} events {told} are told, {summed} in the sums"
        );
    }

    /// How many events are in events.v1, and how many in the sums.
    async fn counted(&self) -> (u64, u64) {
        (
            self.seen.load(Ordering::Relaxed),
            self.summed("event").await,
        )
    }

    /// Waits until all is counted.
    pub(super) async fn ends(&self, week: &Week) {
        let until = Instant::now() + DEADLINE;
        loop {
            let counted = [self.summed("event").await, self.errors().await];
            if counted[0] >= week.events && counted[1] >= week.errors {
                return;
            }
            assert!(
                Instant::now() < until,
                "{counted:?} of {:?} events and errors are counted, {} were told",
                [week.events, week.errors],
                self.seen.load(Ordering::Relaxed),
            );
            // paced: nobody tells when a row of SQL changes
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until a process of that name has the memory of a partition.
    pub(super) async fn has_taken_over(&self, name: &str) {
        let reader = from_the_end(&self.bus, &SEEN).await;
        let marked = async {
            while let Some(Ok(event)) = reader.next().await {
                if let Event::Record(record) = event
                    && let Some(key) = record.key
                    && String::from_utf8_lossy(&key).contains(&format!("/{name}/"))
                {
                    return;
                }
            }
        };
        gramtap_tests::within("the second counter's partitions", marked).await;
    }

    async fn summed(&self, kind: &str) -> u64 {
        const SUM: Statement = Statement::new(
            "week_summed",
            "SELECT CAST(SUM(n) AS BIGINT) AS n FROM sum_labels WHERE tenant IN ($1, $2, $3) AND kind = $4",
        );
        let mut values: Vec<_> = self.tenants.iter().map(|it| it.as_str().into()).collect();
        values.push(kind.into());
        self.number(&SUM, &values).await
    }

    async fn errors(&self) -> u64 {
        const SUM: Statement = Statement::new(
            "week_errors",
            "SELECT CAST(SUM(n) AS BIGINT) AS n FROM sum_errors WHERE tenant IN ($1, $2, $3)",
        );
        let values: Vec<_> = self.tenants.iter().map(|it| it.as_str().into()).collect();
        self.number(&SUM, &values).await
    }

    async fn number(&self, statement: &Statement, values: &[gramtap_database::Value]) -> u64 {
        let row = self
            .store
            .database()
            .first(statement, values)
            .await
            .unwrap();
        let n = row.and_then(|row| row.get::<Option<i64>>("n").unwrap());
        u64::try_from(n.unwrap_or(0)).unwrap()
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.reading.abort_all();
    }
}

async fn from_the_end(bus: &Bus, topic: &'static Topic) -> gramtap_bus::Reader {
    let from = bus.ends(topic).await.unwrap().into_iter().map(|ends| {
        let partition = TopicPartition {
            topic,
            partition: ends.partition,
        };
        (partition, Offset::At(ends.high))
    });
    bus.assign(from.collect(), Isolation::Committed)
        .await
        .unwrap()
}
