//! Every request, exactly as it arrived.
//!
//! In: heads, bodies, answers and departures from `connection.rs`, in that order per request.
//! Out: [`Captured`] for the control API. Invariant: bytes are kept as received, framing and case
//! included. Bounded by number and bytes: the oldest requests go first; of one body at most a limit
//! is kept, its size is exact. Switched off, it costs one branch. `Debug` shows no bytes, as they hold tokens.

mod captured;

use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};

use crate::changes::Changes;
use crate::config::CaptureConfig;
use crate::http::head::Head;
use crate::http::intake::Taken;
use crate::route::{Environment, Route};
use crate::shelf::Shelf;

pub use captured::{Captured, CapturedFile};

/// Who sent a request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin {
    pub(crate) connection: u64,
    pub(crate) tls: bool,
    pub(crate) peer: SocketAddr,
}

/// The journal.
pub(crate) struct Journal {
    config: CaptureConfig,
    entries: Mutex<Shelf<Entry>>,
    changes: Changes,
}

struct Entry {
    captured: Captured,
    body: BytesMut,
}

impl Journal {
    pub(crate) fn new(config: CaptureConfig, changes: Changes) -> Self {
        Self {
            entries: Mutex::new(Shelf::new(config.requests, config.bytes)),
            config,
            changes,
        }
    }

    /// A head has arrived; gives the request's id.
    pub(crate) fn begin(
        &self,
        origin: Origin,
        head: &Head,
        route: &Route,
        arrived: Duration,
    ) -> u64 {
        self.enter(arrived, || {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            let pair = |(name, value): &(Bytes, Bytes)| (text(name), text(value));
            let environment = match route {
                Route::Call { environment, .. } | Route::File { environment, .. } => *environment,
                _ => Environment::Production,
            };
            Captured {
                head: head.raw.clone(),
                verb: text(&head.verb),
                target: text(&head.target),
                headers: head.headers.iter().map(pair).collect(),
                bot: route.bot(),
                method: route.method(),
                environment,
                ..Captured::of(origin)
            }
        })
    }

    /// Something arrived that is no head, or only a part of one; gives the request's id.
    pub(crate) fn begin_broken(&self, origin: Origin, raw: &[u8], arrived: Duration) -> u64 {
        self.enter(arrived, || Captured {
            head: Bytes::copy_from_slice(raw),
            ..Captured::of(origin)
        })
    }

    fn enter(&self, arrived: Duration, make: impl FnOnce() -> Captured) -> u64 {
        let mut entries = self.lock();
        if !self.config.enabled {
            return entries.skip();
        }
        let captured = make();
        let id = entries.add(captured.head.len(), |id| Entry {
            captured: Captured {
                id,
                arrived,
                ..captured
            },
            body: BytesMut::new(),
        });
        drop(entries);
        self.changes.tell();
        id
    }

    /// More of the body has arrived, as it is on the wire.
    pub(crate) fn body(&self, id: u64, bytes: &[u8]) {
        if !self.config.enabled || bytes.is_empty() {
            return;
        }
        let mut entries = self.lock();
        let mut kept = 0;
        if let Some(entry) = entries.get(id) {
            entry.captured.body_size += bytes.len() as u64;
            kept = self
                .config
                .body_limit
                .saturating_sub(entry.body.len())
                .min(bytes.len());
            entry.body.extend_from_slice(&bytes[..kept]);
        }
        entries.grow(id, kept);
    }

    /// The body is complete.
    pub(crate) fn complete(&self, id: u64, taken: &Taken) {
        self.change(id, |captured| {
            captured.arguments = taken.arguments.owned();
            captured.files = taken.files.iter().map(CapturedFile::of).collect();
            captured.complete = true;
        });
    }

    /// An answer was written.
    pub(crate) fn answered(&self, id: u64, status: Option<u16>, now: Duration) {
        self.change(id, |captured| {
            captured.status = status;
            captured.answered = Some(now);
        });
    }

    /// The client left before its answer was written.
    pub(crate) fn left(&self, id: u64, now: Duration) {
        self.change(id, |captured| {
            captured.left.get_or_insert(now);
        });
    }

    /// A fault was played.
    pub(crate) fn faulted(&self, id: u64, fault: u64) {
        self.change(id, |captured| captured.fault = Some(fault));
    }

    /// Those that fit, oldest first.
    pub(crate) fn list(&self, fits: impl Fn(&Captured) -> bool) -> Vec<Captured> {
        let entries = self.lock();
        let whole = |entry: &Entry| Captured {
            body: Bytes::copy_from_slice(&entry.body),
            ..entry.captured.clone()
        };
        entries
            .iter()
            .filter(|entry| fits(&entry.captured))
            .map(whole)
            .collect()
    }

    /// How many fit.
    pub(crate) fn count(&self, fits: impl Fn(&Captured) -> bool) -> usize {
        self.lock()
            .iter()
            .filter(|entry| fits(&entry.captured))
            .count()
    }

    /// How many heads have arrived since the start or the last reset, captured or not.
    pub(crate) fn total(&self) -> u64 {
        self.lock().last()
    }

    /// Forgets all; ids start again.
    pub(crate) fn clear(&self) {
        self.lock().clear();
        self.changes.tell();
    }

    fn change(&self, id: u64, change: impl FnOnce(&mut Captured)) {
        if !self.config.enabled {
            return;
        }
        if let Some(entry) = self.lock().get(id) {
            change(&mut entry.captured);
        }
        self.changes.tell();
    }

    fn lock(&self) -> MutexGuard<'_, Shelf<Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn begin(journal: &Journal) -> u64 {
        let mut arrived = BytesMut::from("POST /bot1:secret/getMe HTTP/1.1\r\nhost: x\r\n\r\n");
        let head = Head::read(Head::cut(&mut arrived).unwrap().unwrap()).unwrap();
        let origin = Origin {
            connection: 1,
            tls: false,
            peer: ([127, 0, 0, 1], 1).into(),
        };
        journal.begin(origin, &head, &Route::of(&head.target), Duration::ZERO)
    }

    #[test]
    fn bounded_by_number_bytes_and_body() {
        let config = |requests, bytes| CaptureConfig {
            enabled: true,
            requests,
            bytes,
            body_limit: 10,
        };
        let journal = Journal::new(config(2, 1_000), Changes::new());
        for _ in 0..3 {
            let id = begin(&journal);
            journal.body(id, &[b'x'; 25]);
        }
        let kept = journal.list(|_| true);
        assert_eq!(kept.iter().map(|one| one.id).collect::<Vec<_>>(), [2, 3]);
        assert_eq!((kept[0].body.len(), kept[0].body_size), (10, 25));
        journal.left(1, Duration::ZERO);

        let small = Journal::new(config(100, 120), Changes::new());
        let ids = [begin(&small), begin(&small), begin(&small)];
        assert_eq!(small.count(|_| true), 2);
        assert_eq!(ids, [1, 2, 3]);
        assert!(!format!("{:?}", small.list(|_| true)).contains("secret"));
    }

    #[test]
    fn switched_off_it_only_counts() {
        let config = CaptureConfig {
            enabled: false,
            ..CaptureConfig::default()
        };
        let journal = Journal::new(config, Changes::new());
        let id = begin(&journal);
        journal.body(id, b"x");
        assert_eq!((journal.total(), journal.count(|_| true)), (1, 0));
    }
}
