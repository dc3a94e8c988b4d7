//! The inbox: what overtakes what, and that room is told truly.
//!
//! In: engines' calls, made by hand. Out: pass or fail.

#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use bytes::Bytes;
use gramtap_events::topics::CALLS;
use proptest::prelude::*;

fn at(partition: i32) -> TopicPartition {
    TopicPartition {
        topic: &CALLS,
        partition,
    }
}

fn record(partition: i32, offset: i64) -> Delivery {
    Delivery {
        topic: &CALLS,
        partition,
        offset,
        key: None,
        headers: Vec::new(),
        payload: Some(Bytes::from_static(b"1234567890")),
        timestamp: 0,
    }
}

fn assigned(partition: i32) -> Vec<Assigned> {
    let partition = at(partition);
    let committed = None;
    vec![Assigned {
        partition,
        committed,
    }]
}

/// All that can be taken now, in short.
fn drain(inbox: &Inbox) -> Vec<String> {
    let mut told = Vec::new();
    while let Some(next) = inbox.take() {
        match next {
            Some(Ok(Event::Record(it))) => {
                told.push(format!("record {}/{}", it.partition, it.offset))
            }
            Some(Ok(Event::Assigned(it))) => {
                told.push(format!("assigned {}", it[0].partition.partition))
            }
            Some(Ok(Event::Revoked(it))) => {
                told.push(format!("revoked {}", it.partitions[0].partition))
            }
            Some(Ok(Event::Skipped(it))) => told.push(format!("skipped {}-{}", it.from, it.to)),
            Some(Err(error)) => told.push(error.label().to_owned()),
            None => {
                told.push("end".to_owned());
                break;
            }
        }
    }
    told
}

#[test]
fn a_revocation_overtakes_and_takes_its_records_along() {
    let inbox = Inbox::new(100, 1_000);
    inbox.assigned(assigned(0));
    inbox.assigned(assigned(1));
    inbox.push([record(0, 0), record(1, 0), record(0, 1), record(1, 1)]);
    inbox.skipped(Skipped {
        partition: at(0),
        from: 2,
        to: 5,
    });
    let released = inbox.revoke(vec![at(0)], false);
    assert!(inbox.owns(at(0)) && !released.done());
    let told = [
        "assigned 0",
        "assigned 1",
        "revoked 0",
        "record 1/0",
        "record 1/1",
    ];
    assert_eq!(drain(&inbox), told);
    assert!(released.done());
    inbox.disown(&[at(0)]);
    assert!(!inbox.owns(at(0)) && inbox.owns(at(1)));
    let lost = inbox.revoke(vec![at(1)], true);
    assert!(!inbox.owns(at(1)));
    drop(lost);
}

#[test]
fn what_is_queued_comes_before_an_error_and_the_end() {
    let inbox = Inbox::new(100, 1_000);
    inbox.push([record(0, 0)]);
    inbox.trouble(ConsumeError::Unreachable("away".to_owned()));
    inbox.end(Some(ConsumeError::Fenced));
    assert_eq!(
        drain(&inbox),
        ["record 0/0", "unreachable", "fenced", "end"]
    );
    assert_eq!(drain(&inbox), ["end"]);
}

#[test]
fn a_closed_inbox_holds_no_revocation_up() {
    let inbox = Inbox::new(100, 1_000);
    let before = inbox.revoke(vec![at(0)], false);
    assert!(!before.done());
    inbox.close();
    let after = inbox.revoke(vec![at(1)], false);
    assert!(before.done() && after.done() && inbox.closing());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Room is what the records that are left leave, whatever was taken and revoked.
    #[test]
    fn room_is_told_truly(steps in prop::collection::vec((0..3_u8, 0..3_i32), 0..60)) {
        let inbox = Inbox::new(5, 70);
        for (step, partition) in steps {
            match step {
                0 if inbox.room() => { inbox.push([record(partition, 0)]); }
                1 => drop(inbox.take()),
                2 => drop(inbox.revoke(vec![at(partition)], false)),
                _ => {}
            }
            let state = inbox.lock();
            let bytes: usize = state.records.iter().map(Item::size).sum();
            prop_assert_eq!(state.bytes, bytes);
            prop_assert_eq!(inbox.roomy(&state), state.records.len() < 5 && bytes < 70);
            prop_assert!(state.records.len() <= 5);
        }
    }
}
