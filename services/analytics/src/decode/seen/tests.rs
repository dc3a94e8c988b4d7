//! The memory against a naive one that forgets nothing.
#![allow(clippy::unwrap_used)]

use std::collections::HashSet;

use proptest::prelude::*;
use time::OffsetDateTime;

use super::*;

fn moment(seconds: i64) -> Moment {
    Moment::from(OffsetDateTime::from_unix_timestamp(1_800_000_000 + seconds).unwrap())
}

fn record(id: &str) -> RecordId {
    serde_json::from_value(id.into()).unwrap()
}

/// As after a restart.
fn again(memory: &Memory) -> Memory {
    let kept = serde_json::to_vec(&memory.kept(TenantId::UNATTRIBUTED)).unwrap();
    Memory::restored(serde_json::from_slice(&kept).unwrap())
}

/// Numbers as a bot is given them: runs upwards, turned back now and then, with gaps.
fn numbers() -> impl Strategy<Value = Vec<i64>> {
    let run = (0_i64..400, 1_i64..40).prop_map(|(from, count)| (from..from + count).collect());
    let scattered = prop::collection::vec(0_i64..400, 1..30);
    let runs = prop::collection::vec(prop_oneof![run, scattered], 1..12);
    runs.prop_map(|runs: Vec<Vec<i64>>| runs.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn each_update_is_admitted_once(numbers in numbers(), restart in 0_usize..300) {
        let (mut memory, mut naive) = (Memory::default(), HashSet::new());
        for (turn, number) in numbers.into_iter().enumerate() {
            if turn == restart {
                memory = again(&memory);
            }
            // 400 numbers can make 200 ranges at most: nothing is forgotten.
            prop_assert_eq!(memory.admit_update(number, moment(0)), naive.insert(number));
        }
        let mut ranges = memory.updates.kept();
        ranges.sort_unstable();
        prop_assert!(ranges.windows(2).all(|pair| pair[0].1 + 1 < pair[1].0), "{:?}", ranges);
        prop_assert_eq!(again(&memory), memory);
    }

    #[test]
    fn a_new_update_is_admitted_however_much_is_forgotten(steps in prop::collection::vec(1_i64..5, 1..1_500)) {
        let (mut memory, mut number) = (Memory::default(), 0);
        for step in steps {
            number += step;
            prop_assert!(memory.admit_update(number, moment(0)));
            prop_assert!(!memory.admit_update(number, moment(0)));
            prop_assert!(memory.updates.kept().len() <= ranges::MOST);
        }
    }

    #[test]
    fn each_record_is_admitted_once(
        jumbled in prop::collection::vec((0_u64..20, 0_usize..4), 1..400),
        repeats in 0_usize..400,
        restart in 0_usize..400,
    ) {
        let (mut memory, mut naive, mut sent) = (Memory::default(), HashSet::new(), Vec::new());
        for (turn, (late, instance)) in jumbled.into_iter().enumerate() {
            // Workers bring what they have made by the way, up to 20 records late.
            let sequence = (3 * turn as u64).saturating_sub(late);
            sent.push(record(&format!("ingress-{instance}-1800000000000-{sequence}")));
            if turn == repeats {
                sent.extend_from_within(..);
            }
        }
        for (turn, id) in sent.iter().enumerate() {
            if turn == restart {
                memory = again(&memory);
            }
            let admitted = memory.admit_call(id);
            prop_assert_eq!(admitted, naive.insert(id.clone()));
        }
    }
}

#[test]
fn thousands_of_repeats_are_known() {
    let mut memory = Memory::default();
    let ids: Vec<RecordId> = (0..5_000)
        .map(|sequence| record(&format!("i-1-{}", 7 * sequence)))
        .collect();
    assert!(ids.iter().all(|id| memory.admit_call(id)));
    assert!(!ids.iter().any(|id| memory.admit_call(id)), "replayed");
    assert!(
        !ids.iter().any(|id| again(&memory).admit_call(id)),
        "replayed after a restart"
    );
    assert!(memory.admit_call(&record("i-1-35000")));
    // An old start rests when others have come, and knows what it has told all the same.
    for other in 0..8 {
        assert!(memory.admit_call(&record(&format!("j-{other}-0"))));
    }
    assert!(!ids.iter().any(|id| memory.admit_call(id)), "replayed late");
    assert!(memory.admit_call(&record("i-1-35007")));
    let kept = memory.kept(TenantId::UNATTRIBUTED);
    let size = serde_json::to_vec(&kept).unwrap().len();
    assert!(size < 4_096, "{size} bytes with every batch");
    // Calls and updates are read from topics of their own, one may be far behind the other.
    assert!(memory.admit_unnumbered(&record("i-1-3")));
    assert!(!memory.admit_unnumbered(&record("i-1-3")));
}

#[test]
fn the_least_lately_heard_of_is_forgotten() {
    let mut memory = Memory::default();
    let first = |start: usize| record(&format!("pod-{start}-1-0"));
    for start in 0..starts::STARTS {
        assert!(memory.admit_call(&first(start)));
    }
    assert!(memory.admit_call(&record("pod-0-1-1")), "heard of again");
    assert!(memory.admit_call(&record("pod-new-1-0")));
    assert_eq!(memory.calls.kept().len(), starts::STARTS);
    assert!(!memory.admit_call(&first(0)));
    assert!(memory.admit_call(&first(1)), "forgotten");

    for number in 0..=ranges::MOST {
        assert!(memory.admit_update(10 * number as i64, moment(0)));
    }
    assert!(!memory.admit_update(10, moment(0)));
    assert!(memory.admit_update(0, moment(0)), "forgotten");
}

#[test]
fn after_a_week_of_silence_numbers_begin_anew() {
    let mut memory = Memory::default();
    let day = 24 * 3_600;
    for number in 100..200 {
        assert!(memory.admit_update(number, moment(0)));
    }
    assert!(
        !memory.admit_update(150, moment(day)),
        "a bot that was away for a day"
    );
    assert!(!memory.admit_update(150, moment(-9 * day)), "a late record");
    assert!(
        memory.admit_update(150, moment(8 * day)),
        "a number drawn anew"
    );
    assert!(!memory.admit_update(150, moment(8 * day)));
    assert!(!again(&memory).admit_update(150, moment(8 * day + 1)));
}
