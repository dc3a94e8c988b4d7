//! Reading the log without a group.
//!
//! In: partitions and offsets. Out: the inbox of a `Reader`, filled by a thread with a connection
//! of its own. Invariant: where reading begins is settled before `read` returns. Beside another
//! process's log the thread looks for news ten times a second; beside its own it is woken.

use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::fetch::{Cursor, pull};
use super::{Core, Log, file};
use crate::consume::inbox::Inbox;
use crate::consume::{Offset, Reader, Skipped, TopicPartition};
use crate::error::ConsumeError;
use crate::thread;

/// How often another process's log is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// What a reader reads ahead at most.
const RECORDS: usize = 2_000;
const BYTES: usize = 8 * 1024 * 1024;

/// See `Bus::assign`. Records of open transactions are in nobody's sight, so isolation is no
/// question here.
pub(crate) async fn read(
    log: &Log,
    from: Vec<(TopicPartition, Offset)>,
) -> Result<Reader, ConsumeError> {
    let core = Arc::clone(&log.core);
    let own = log.writer.is_some();
    let inbox = Arc::new(Inbox::new(RECORDS, BYTES));
    core.enlist(&inbox);
    let served = Arc::clone(&inbox);
    let (ready, settled) = oneshot::channel();
    thread::spawn("bus-reader", move || {
        served.served_by(std::thread::current());
        let opened = open(&core, own).and_then(|connection| {
            let cursors = from
                .into_iter()
                .map(|(at, offset)| cursor(&core, at, offset, &served));
            Ok((connection, cursors.collect::<Result<Vec<_>, _>>()?))
        });
        match opened {
            Ok((connection, cursors)) => {
                drop(ready.send(Ok(())));
                let outcome = run(&core, own, connection, cursors, &served);
                served.end(
                    outcome
                        .err()
                        .map(|error| ConsumeError::Failed(error.to_string())),
                );
            }
            Err(error) => {
                drop(ready.send(Err(error)));
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

/// A reader's connection; of a log that another process writes, the ends are read first.
fn open(core: &Core, own: bool) -> Result<Connection, ConsumeError> {
    let connection =
        file::readable(&core.path).map_err(|error| ConsumeError::Failed(error.to_string()))?;
    if !own {
        let refreshed = core.catalog.refresh(&connection);
        refreshed.map_err(|error| ConsumeError::Failed(error.to_string()))?;
    }
    Ok(connection)
}

/// A cursor that begins there; an offset outside the partition is moved to its nearest end, and
/// told.
pub(super) fn cursor(
    core: &Core,
    at: TopicPartition,
    from: Offset,
    inbox: &Inbox,
) -> Result<Cursor, ConsumeError> {
    let partitions = core.catalog.of(at.topic);
    let index = partitions
        .iter()
        .position(|it| it.number == at.partition)
        .ok_or_else(|| ConsumeError::Unknown(at.to_string()))?;
    let (low, high) = (partitions[index].low(), partitions[index].high());
    let next = match from {
        Offset::Beginning => low,
        Offset::End => high,
        Offset::At(offset) => {
            let nearest = offset.clamp(low, high);
            if nearest != offset {
                inbox.skipped(Skipped {
                    partition: at,
                    from: offset,
                    to: nearest,
                });
            }
            nearest
        }
    };
    Ok(Cursor {
        at,
        partitions,
        index,
        next,
        paused: false,
    })
}

fn run(
    core: &Core,
    own: bool,
    mut connection: Connection,
    mut cursors: Vec<Cursor>,
    inbox: &Inbox,
) -> rusqlite::Result<()> {
    let mut version = 0;
    while !inbox.closing() {
        if pull(&mut connection, &mut cursors, inbox)? {
            continue;
        }
        if own {
            std::thread::park();
            continue;
        }
        std::thread::park_timeout(LOOK);
        let now: i64 = connection.pragma_query_value(None, "data_version", |row| row.get(0))?;
        if now != version {
            version = now;
            core.catalog.refresh(&connection)?;
        }
    }
    Ok(())
}
