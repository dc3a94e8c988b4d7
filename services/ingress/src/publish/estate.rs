//! What a batcher that died had handed to the bus and the bus had not answered for.
//!
//! In: the dead batcher's producer, reports and parcels. Out: the next batcher, which reads the
//! reports and offers nothing of its own before they are all there, so that records stay in order.
//! Invariant: a parcel is settled if the bus has it and counted as lost if not, never both: a
//! panic alone costs what lay in the mailbox. Bounded by the producer's memory. If no batcher
//! follows, the parcels count themselves.

use std::collections::BTreeMap;
use std::mem;
use std::sync::{Arc, Mutex, PoisonError};

use gramtap_bus::Producer;

use super::backlog::Report;
use super::gaps::{Loss, Parcel};
use super::reports::Reports;

/// What one life has left.
pub(crate) struct Bequest<P = Producer> {
    /// Goes on sending until this is dropped.
    _producer: P,
    reports: Reports,
    flight: BTreeMap<u64, Parcel>,
}

/// The way from one life to the next.
#[derive(Clone, Default)]
pub(crate) struct Estate(Arc<Mutex<Vec<Bequest>>>);

impl Estate {
    /// At the end of a life.
    pub(super) fn leave(&self, bequests: &mut Vec<Bequest>) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.append(bequests);
    }

    /// At the beginning of the next one.
    pub(super) fn take(&self) -> Vec<Bequest> {
        mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<P> Bequest<P> {
    pub(super) fn new(producer: P, reports: Reports, flight: BTreeMap<u64, Parcel>) -> Self {
        Self {
            _producer: producer,
            reports,
            flight,
        }
    }

    /// Reads what the bus has told; whether it has told of all.
    pub(super) fn is_done(&mut self) -> bool {
        for (position, report) in self.reports.take() {
            let Some(parcel) = self.flight.remove(&position) else {
                continue;
            };
            match report {
                Report::Stored => parcel.settle(),
                Report::Refused => parcel.lose(Loss::Refused),
                // It would have to go before what its producer has sent since.
                Report::Again => drop(parcel),
            }
        }
        self.flight.is_empty()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::publish::gaps::Gaps;
    use gramtap_bus::Message;
    use gramtap_events::{Mint, Moment, TenantId, call::CallRecord, topics};

    #[test]
    fn what_the_bus_has_is_settled_and_the_rest_is_counted() {
        let gaps = Arc::new(Gaps::default());
        let parcel = || {
            let message = Message::new(&topics::CALLS, "k", "v");
            Parcel::new(message, TenantId::UNATTRIBUTED, Moment::now(), &gaps)
        };
        let told = || {
            let records = gaps.take(&Mint::new("test", 1));
            let count = |record| match record {
                CallRecord::Gap(gap) => (gap.reason.into_owned(), gap.count),
                other => panic!("{other:?}"),
            };
            records.into_iter().map(count).collect::<Vec<_>>()
        };
        let reports = Reports::default();
        let flight = (1..=5).map(|position| (position, parcel())).collect();
        let mut bequest = Bequest::new((), reports.clone(), flight);
        for (position, report) in [
            // Of one that was on disk.
            (0, Report::Stored),
            (1, Report::Stored),
            (3, Report::Refused),
            (2, Report::Stored),
        ] {
            reports.push(position, report);
        }
        assert!(!bequest.is_done());
        assert_eq!(told(), [("refused".to_owned(), 1)]);
        reports.push(5, Report::Again);
        assert!(!bequest.is_done());
        assert_eq!(told(), [("unhandled".to_owned(), 1)]);
        reports.push(4, Report::Stored);
        assert!(bequest.is_done());
        assert_eq!(told(), []);

        // Nobody came after it.
        drop(Bequest::new((), reports, [(1, parcel())].into()));
        assert_eq!(told(), [("unhandled".to_owned(), 1)]);
    }
}
