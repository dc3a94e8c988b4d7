//! Losses, counted per bot until they can be told.
//!
//! In: [`Parcel`]s that were dropped anywhere between a worker and the bus. Out: gap records,
//! taken by `batcher.rs` when the bus flows again, and the metric `records_dropped_total`.
//! Invariant: a parcel is settled or counted, whatever drops it, a panic included.
//! Overloaded: beyond [`BOTS`] bots with losses the rest is counted as unattributed.

use std::borrow::Cow;
use std::collections::HashMap;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gramtap_bus::Message;
use gramtap_events::call::{CallRecord, Gap};
use gramtap_events::{Mint, Moment, Record, TenantId};
use gramtap_telemetry::Counter;

/// Bots whose losses are told apart at a time.
const BOTS: usize = 4096;

/// Why records are lost: fixed words, labels of the metric and of the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Loss {
    /// The batcher never took it: its mailbox was full, or it died with what it held.
    Unhandled,
    /// Memory and disk were full while the bus was away.
    SpoolFull,
    /// The disk refused it while the bus was away.
    SpoolFailed,
    /// The bus refused it for good.
    Refused,
}

impl Loss {
    /// The fixed word.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Unhandled => "unhandled",
            Self::SpoolFull => "spool_full",
            Self::SpoolFailed => "spool_failed",
            Self::Refused => "refused",
        }
    }
}

/// A record on its way to the bus.
#[derive(Debug)]
pub(crate) struct Parcel {
    message: Option<Message>,
    tenant: TenantId,
    at: Moment,
    gaps: Arc<Gaps>,
}

impl Parcel {
    /// Packs a record that was made at `at`.
    pub(crate) fn new(message: Message, tenant: TenantId, at: Moment, gaps: &Arc<Gaps>) -> Self {
        let gaps = Arc::clone(gaps);
        Self {
            message: Some(message),
            tenant,
            at,
            gaps,
        }
    }

    /// The record; none is left only after the parcel was settled or lost.
    pub(crate) fn message(&self) -> Option<&Message> {
        self.message.as_ref()
    }

    /// Its bytes.
    pub(crate) fn size(&self) -> usize {
        self.message.as_ref().map_or(0, Message::size)
    }

    /// Who it is about.
    pub(crate) fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// When it was made.
    pub(crate) fn at(&self) -> Moment {
        self.at
    }

    /// It has arrived, or lies safely on disk: nothing to count.
    pub(crate) fn settle(mut self) {
        self.message = None;
    }

    /// It is lost for a known reason.
    pub(crate) fn lose(mut self, loss: Loss) {
        self.message = None;
        self.gaps.note(self.tenant, self.at, loss);
    }
}

impl Drop for Parcel {
    fn drop(&mut self) {
        if self.message.is_some() {
            self.gaps.note(self.tenant, self.at, Loss::Unhandled);
        }
    }
}

#[derive(Debug)]
struct Fold {
    from: Moment,
    to: Moment,
    count: u64,
}

/// The losses not yet told. Shared by the workers and the batcher.
#[derive(Debug, Default)]
pub(crate) struct Gaps {
    open: Mutex<HashMap<(TenantId, Loss), Fold>>,
}

impl Gaps {
    fn open(&self) -> MutexGuard<'_, HashMap<(TenantId, Loss), Fold>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a loss.
    pub(crate) fn note(&self, tenant: TenantId, at: Moment, loss: Loss) {
        Counter::RecordsDropped {
            reason: loss.label(),
        }
        .inc();
        let mut open = self.open();
        let crowded = open.len() >= BOTS && !open.contains_key(&(tenant, loss));
        let tenant = if crowded {
            TenantId::UNATTRIBUTED
        } else {
            tenant
        };
        let fold = open.entry((tenant, loss)).or_insert(Fold {
            from: at,
            to: at,
            count: 0,
        });
        fold.from = fold.from.min(at);
        fold.to = fold.to.max(at);
        fold.count += 1;
    }

    /// Takes what has gathered, as records in the order of the bots.
    pub(crate) fn take(&self, mint: &Mint) -> Vec<CallRecord> {
        let mut folds: Vec<_> = mem::take(&mut *self.open()).into_iter().collect();
        folds.sort_unstable_by_key(|(key, _)| *key);
        let gap = |((tenant, loss), fold): ((TenantId, Loss), Fold)| {
            CallRecord::Gap(Gap {
                v: CallRecord::VERSION,
                record: mint.mint(),
                tenant,
                from: fold.from,
                to: fold.to,
                count: fold.count,
                reason: Cow::Borrowed(loss.label()),
            })
        };
        folds.into_iter().map(gap).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use gramtap_events::topics;

    fn parcel(gaps: &Arc<Gaps>) -> Parcel {
        let message = Message::new(&topics::CALLS, "k", "v");
        Parcel::new(message, TenantId::UNATTRIBUTED, Moment::now(), gaps)
    }

    #[test]
    fn a_parcel_is_settled_or_counted() {
        let gaps = Arc::new(Gaps::default());
        let mint = Mint::new("test", 1);
        parcel(&gaps).settle();
        assert!(gaps.take(&mint).is_empty());
        drop(parcel(&gaps));
        drop(parcel(&gaps));
        parcel(&gaps).lose(Loss::SpoolFull);
        let told: Vec<_> = gaps
            .take(&mint)
            .into_iter()
            .map(|record| match record {
                CallRecord::Gap(gap) => (gap.reason.into_owned(), gap.count),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(
            told,
            [("unhandled".to_owned(), 2), ("spool_full".to_owned(), 1)]
        );
        assert!(gaps.take(&mint).is_empty());
    }

    #[test]
    fn a_panic_counts_what_it_drops() {
        let gaps = Arc::new(Gaps::default());
        let inside = parcel(&gaps);
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || {
            let _inside = inside;
            panic!("injected");
        }));
        assert!(result.is_err());
        assert_eq!(gaps.take(&Mint::new("test", 1)).len(), 1);
    }

    #[test]
    fn many_bots_are_bounded() {
        let gaps = Arc::new(Gaps::default());
        for number in 0..BOTS + 100 {
            let name: String = format!("{number:026}")
                .chars()
                .map(|c| (b'b' + c as u8 - b'0') as char)
                .collect();
            let message = Message::new(&topics::CALLS, "k", "v");
            drop(Parcel::new(
                message,
                name.parse().unwrap(),
                Moment::now(),
                &gaps,
            ));
        }
        let told = gaps.take(&Mint::new("test", 1));
        assert_eq!(told.len(), BOTS + 1);
    }
}
