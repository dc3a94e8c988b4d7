//! Counts a window again.
//!
//! In: a span of hours; events and errors as long as their topics keep them. Out: the same tables. How: the records of the
//! window, from the mark (`fold_marks`) an hour before it to where the sums stand, are folded in memory, and only what belongs
//! to the window is left of them. Then, in one transaction that holds all offsets, the last few records are read, the window's rows
//! are deleted, the new ones written, and the audience of its dates counted anew. Batches wait meanwhile and go on after it. Invariant:
//! afterwards the window's sums are those of its records; counting the same records again changes nothing.
//!
//! Windows are whole days of UTC, because bounds of labels are. What is not kept by day is only ever added to: when users were first
//! and last seen, what they said last, names of errors' groups. Deliveries, whose topic is kept for a shorter time, stay as they were counted. Records gone from the topic: refused, nothing changes.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use gramtap_bus::{Bus, Event, Isolation, Offset, TopicPartition};
use gramtap_database::{Statement, Transaction};
use gramtap_events::{TenantId, topics};

use super::{Store, StoreError, apply, audience, zones};
use crate::fold::{Folded, Zones};
use crate::zone::{DAY, HOUR};

const POSITIONS: Statement = Statement::new(
    "refold_positions",
    "SELECT topic, part, next_offset FROM fold_offsets",
);
pub(super) const START: Statement = Statement::new(
    "refold_start",
    "SELECT MAX(first_offset) AS first FROM fold_marks WHERE topic = $1 AND part = $2 AND hour <= $3",
);
const TENANTS: Statement = Statement::new(
    "refold_tenants",
    "SELECT DISTINCT tenant FROM bot_user_days WHERE day >= $1 AND day < $2",
);
/// Rows of a day: by its seconds, by its number, by its microseconds.
const BY_SECOND: [&Statement; 5] = [
    &Statement::new(
        "refold_labels",
        "DELETE FROM sum_labels WHERE hour / 86400 >= $1 / 86400 AND hour / 86400 < $2 / 86400",
    ),
    &Statement::new(
        "refold_calls",
        "DELETE FROM sum_calls WHERE hour >= $1 AND hour < $2",
    ),
    &Statement::new(
        "refold_latency",
        "DELETE FROM sum_latency WHERE hour >= $1 AND hour < $2 AND side IN ('telegram', 'own')",
    ),
    &Statement::new(
        "refold_pollers",
        "DELETE FROM sum_pollers WHERE hour >= $1 AND hour < $2",
    ),
    &Statement::new(
        "refold_errors",
        "DELETE FROM sum_errors WHERE hour >= $1 AND hour < $2",
    ),
];
const BY_DAY: [&Statement; 4] = [
    &Statement::new(
        "refold_day_labels",
        "DELETE FROM day_labels WHERE day >= $1 AND day < $2",
    ),
    &Statement::new(
        "refold_hits",
        "DELETE FROM error_hits WHERE day >= $1 AND day < $2",
    ),
    &Statement::new(
        "refold_days",
        "DELETE FROM bot_user_days WHERE day >= $1 AND day < $2",
    ),
    &Statement::new(
        "refold_refused",
        "DELETE FROM refused WHERE day >= $1 AND day < $2",
    ),
];
const BY_TIME: [&Statement; 1] = [&Statement::new(
    "refold_examples",
    "DELETE FROM error_examples WHERE at >= $1 AND at < $2",
)];
pub(super) const STATEMENTS: [&Statement; 13] = [
    &POSITIONS,
    &START,
    &TENANTS,
    BY_SECOND[0],
    BY_SECOND[1],
    BY_SECOND[2],
    BY_SECOND[3],
    BY_SECOND[4],
    BY_DAY[0],
    BY_DAY[1],
    BY_DAY[2],
    BY_DAY[3],
    BY_TIME[0],
];

/// So many records may be read while everybody waits.
const TAIL: i64 = 2_000;

/// Offsets by partition.
type Offsets = BTreeMap<(&'static str, i32), i64>;

impl Store {
    /// Counts a window again: the days (UTC) that have a part in `window`, in seconds since 1970. Returns how many records were read.
    ///
    /// # Errors
    /// [`StoreError::Gone`] if records of the window are gone from the topics.
    pub async fn refold(&self, bus: &Bus, window: Range<i64>) -> Result<u64, StoreError> {
        let from = window.start.div_euclid(DAY) * DAY;
        let to = (window.end + DAY - 1).div_euclid(DAY) * DAY;
        let zones = self.zones().await?;
        let mut folded = Folded::default();
        let mut ends = offsets(self.database.fetch(&POSITIONS, &[]).await?)?;
        let mut next = self.starts(&ends, from).await?;
        loop {
            read(bus, &next, &ends, &zones, (from, to), &mut folded).await?;
            let mut transaction = self.database.begin().await?;
            zones::hold(&mut transaction).await?;
            if apply::version(&mut transaction).await? != zones.version {
                transaction.rollback().await?;
                return Box::pin(self.refold(bus, window)).await;
            }
            let now = offsets(transaction.fetch(&POSITIONS, &[]).await?)?;
            next = ends.clone();
            let left: i64 = now
                .iter()
                .map(|(key, end)| end - next.get(key).unwrap_or(&0))
                .sum();
            ends = now;
            if left > TAIL {
                transaction.rollback().await?;
                continue;
            }
            read(bus, &next, &ends, &zones, (from, to), &mut folded).await?;
            let records = folded.records;
            self.replace(&mut transaction, folded, &zones, (from, to))
                .await?;
            transaction.commit().await?;
            return Ok(records);
        }
    }

    /// Where each partition's part of a window begins.
    async fn starts(&self, ends: &Offsets, from: i64) -> Result<Offsets, StoreError> {
        let mut starts = Offsets::new();
        for (topic, part) in ends.keys() {
            // A record comes to the bus after it happened; the hour is for clocks that differ.
            let values = [
                (*topic).into(),
                i64::from(*part).into(),
                (from - HOUR).into(),
            ];
            let row = self.database.first(&START, &values).await?;
            let first = row.map_or(Ok(None), |row| row.get::<Option<i64>>("first"))?;
            starts.insert((*topic, *part), first.unwrap_or(0));
        }
        Ok(starts)
    }

    async fn replace(
        &self,
        transaction: &mut Transaction,
        mut folded: Folded,
        zones: &Zones,
        (from, to): (i64, i64),
    ) -> Result<(), StoreError> {
        let bounds = [(from / DAY).into(), (to / DAY).into()];
        let mut tenants: BTreeSet<TenantId> = folded.bots.keys().copied().collect();
        for row in transaction.fetch(&TENANTS, &bounds).await? {
            tenants.extend(row.get::<String>("tenant")?.parse::<TenantId>());
        }
        for day in from / DAY..to / DAY {
            for (statements, unit) in [
                (&BY_SECOND[..], DAY),
                (&BY_DAY, 1),
                (&BY_TIME, DAY * 1_000_000),
            ] {
                for statement in statements {
                    let values = [(day * unit).into(), ((day + 1) * unit).into()];
                    transaction.execute(statement, &values).await?;
                }
            }
        }
        self.add(transaction, &mut folded, zones).await?;
        for tenant in tenants {
            let zone = zones.of(tenant);
            let dates = zone.date(from)..zone.date(to - 1) + 1;
            audience::recount(transaction, tenant, zone, dates.start, dates.end).await?;
        }
        Ok(())
    }
}

fn offsets(rows: Vec<gramtap_database::Row>) -> Result<Offsets, StoreError> {
    let mut offsets = Offsets::new();
    for row in rows {
        let (topic, part): (String, i64) = (row.get("topic")?, row.get("part")?);
        let known = [&topics::EVENTS, &topics::ERRORS];
        let topic = known.into_iter().find(|known| known.name == topic);
        if let (Some(topic), Ok(part)) = (topic, i32::try_from(part)) {
            offsets.insert((topic.name, part), row.get("next_offset")?);
        }
    }
    Ok(offsets)
}

/// Folds what lies between two sets of offsets, as far as it belongs to the window. Every end is one behind a record, because it was reached by counting one.
async fn read(
    bus: &Bus,
    next: &Offsets,
    ends: &Offsets,
    zones: &Zones,
    (from, to): (i64, i64),
    folded: &mut Folded,
) -> Result<(), StoreError> {
    for topic in [&topics::EVENTS, &topics::ERRORS] {
        for ((_, partition), end) in ends.iter().filter(|((name, _), _)| *name == topic.name) {
            let partition = TopicPartition {
                topic,
                partition: *partition,
            };
            let start = next
                .get(&(topic.name, partition.partition))
                .copied()
                .unwrap_or(0);
            if start >= *end {
                continue;
            }
            let mut part = Folded::default();
            let reader = bus
                .assign(vec![(partition, Offset::At(start))], Isolation::Committed)
                .await?;
            loop {
                match reader.next().await.transpose() {
                    Ok(Some(Event::Record(record))) if record.offset < *end => {
                        if let Some(payload) = &record.payload {
                            part.add(topic, payload, zones);
                        }
                        if record.offset + 1 >= *end {
                            break;
                        }
                    }
                    Ok(Some(Event::Skipped(gone))) => {
                        let (wanted, low) = (gone.from, gone.to);
                        return Err(StoreError::Gone {
                            partition,
                            wanted,
                            low,
                        });
                    }
                    Ok(Some(_)) => break,
                    Ok(None) => return Err(gramtap_bus::ConsumeError::Closed.into()),
                    Err(error) if error.retry() => tracing::warn!(%error, "reading a window waits"),
                    Err(error) => return Err(error.into()),
                }
            }
            part.keep(from, to);
            folded.join(part);
        }
    }
    Ok(())
}
