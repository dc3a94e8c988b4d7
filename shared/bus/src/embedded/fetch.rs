//! Fetching: records from the file into an inbox.
//!
//! In: cursors of a reader or of a group's member, on that one's own thread and connection. Out:
//! its inbox. Invariant: the low end and the records are read in one snapshot, so that records
//! which retention took before they were read are told as skipped, and a transaction is seen whole.

use std::sync::Arc;

use bytes::Bytes;
use rusqlite::{Connection, params};

use super::catalog::{Partition, offset, place};
use super::headers;
use crate::consume::inbox::Inbox;
use crate::consume::{Skipped, TopicPartition};
use crate::message::Delivery;

/// Records and bytes that are read at once.
const RECORDS: usize = 500;
const BYTES: usize = 1024 * 1024;

/// Where reading a partition has come to.
pub(super) struct Cursor {
    pub(super) at: TopicPartition,
    pub(super) partitions: Arc<Vec<Partition>>,
    pub(super) index: usize,
    /// The next offset to read.
    pub(super) next: i64,
    pub(super) paused: bool,
}

impl Cursor {
    fn partition(&self) -> &Partition {
        &self.partitions[self.index]
    }

    /// Whether there is something to read.
    fn behind(&self) -> bool {
        !self.paused && self.next < self.partition().high()
    }
}

/// Reads once from each partition that has something, until the inbox is full. Returns whether
/// anything was read.
pub(super) fn pull(
    connection: &mut Connection,
    cursors: &mut [Cursor],
    inbox: &Inbox,
) -> rusqlite::Result<bool> {
    let mut read = false;
    for cursor in cursors.iter_mut().filter(|cursor| cursor.behind()) {
        if !inbox.room() {
            break;
        }
        fetch(connection, cursor, inbox)?;
        read = true;
    }
    // The next turn begins with another partition, so that none starves the others.
    if let Some(last) = cursors.len().checked_sub(1) {
        cursors.rotate_left(1.min(last));
    }
    Ok(read)
}

fn fetch(connection: &mut Connection, cursor: &mut Cursor, inbox: &Inbox) -> rusqlite::Result<()> {
    let id = cursor.partition().id();
    let snapshot = connection.transaction()?;
    let (low, high): (i64, i64) = snapshot
        .prepare_cached("SELECT low, next FROM partition WHERE id = ?1")?
        .query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))?;
    if cursor.next < low {
        inbox.skipped(Skipped {
            partition: cursor.at,
            from: cursor.next,
            to: low,
        });
        cursor.next = low;
    }
    let (mut found, mut bytes) = (Vec::new(), 0);
    {
        let mut query = snapshot.prepare_cached(
            "SELECT place, at, key, headers, payload FROM record WHERE place >= ?1 AND place < ?2 ORDER BY place",
        )?;
        let mut rows = query.query(params![place(id, cursor.next), place(id, high)])?;
        while found.len() < RECORDS && bytes < BYTES {
            let Some(row) = rows.next()? else {
                // Holes at the end (compaction) are passed as well.
                cursor.next = high;
                break;
            };
            let delivery = delivery(cursor.at, row)?;
            cursor.next = delivery.offset + 1;
            bytes += delivery.size();
            found.push(delivery);
        }
    }
    snapshot.commit()?;
    inbox.push(found);
    Ok(())
}

fn delivery(at: TopicPartition, row: &rusqlite::Row<'_>) -> rusqlite::Result<Delivery> {
    let blob = |column: usize| -> rusqlite::Result<Option<Bytes>> {
        let value = row.get_ref(column)?.as_blob_or_null()?;
        Ok(value.map(Bytes::copy_from_slice))
    };
    Ok(Delivery {
        topic: at.topic,
        partition: at.partition,
        offset: offset(row.get(0)?),
        timestamp: row.get(1)?,
        key: blob(2)?,
        headers: headers::decode(row.get_ref(3)?.as_blob()?),
        payload: blob(4)?,
    })
}
