//! The ledger against a plain set of offsets, through completions in any order, restarts and damage.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::metadata::checksum;
use super::*;
use data_encoding::BASE64URL_NOPAD as BASE64;

const WIDE: Bounds = Bounds {
    span: 1 << 40,
    metadata: METADATA,
};

fn fresh() -> Ledger {
    Ledger::new(None, WIDE).0
}

fn narrow() -> Bounds {
    Bounds { span: 10, ..WIDE }
}

#[test]
fn the_frontier_moves_over_what_is_done_in_any_order() {
    let mut ledger = fresh();
    assert_eq!(ledger.commit(None), None);
    for offset in 100..106 {
        assert_eq!(ledger.begin(offset), Begin::Fresh);
    }
    assert_eq!(ledger.begin(103), Begin::Again);
    assert!(ledger.finish(103) && ledger.finish(101) && !ledger.finish(101));
    assert_eq!(ledger.frontier(), Some(100));
    assert_eq!(ledger.begin(103), Begin::Done);
    assert!(ledger.finish(100));
    assert_eq!(ledger.frontier(), Some(102));
    assert!(ledger.finish(102));
    assert_eq!(ledger.commit(None).unwrap().offset, 104);
    assert_eq!(ledger.commit(None), None);
    ledger.uncommitted();
    assert_eq!(ledger.commit(None).unwrap().offset, 104);
    assert!(!ledger.finish(50));
}

#[test]
fn offsets_that_do_not_exist_are_done() {
    let (mut ledger, _) = Ledger::new(Some((10, "")), WIDE);
    assert_eq!(ledger.begin(15), Begin::Fresh);
    assert_eq!(ledger.frontier(), Some(15));
    assert_eq!(ledger.begin(18), Begin::Fresh);
    ledger.finish(15);
    assert_eq!(ledger.frontier(), Some(18));
    assert!(ledger.is_done(16) && !ledger.is_done(18));
}

#[test]
fn a_commit_brings_back_what_was_done_above_it() {
    let mut ledger = fresh();
    (0..10).for_each(|offset| assert_eq!(ledger.begin(offset), Begin::Fresh));
    [0, 2, 3, 7]
        .iter()
        .for_each(|offset| assert!(ledger.finish(*offset)));
    let commit = ledger.commit(Some(77)).unwrap();
    assert_eq!((commit.offset, commit.left_out), (1, 0));
    let (mut again, restored) = Ledger::new(Some((1, &commit.metadata)), WIDE);
    assert_eq!(
        restored,
        Restored {
            mark: Some(77),
            garbled: false
        }
    );
    assert!(again.is_behind());
    let begun: Vec<_> = (1..12).map(|offset| again.begin(offset)).collect();
    let done = |offset: &i64| [2, 3, 7].contains(offset);
    let expected: Vec<_> = (1..12)
        .map(|offset| {
            if done(&offset) {
                Begin::Done
            } else {
                Begin::Fresh
            }
        })
        .collect();
    assert_eq!(begun, expected);
    assert!(!again.is_behind());
}

#[test]
fn a_mark_that_falls_behind_is_committed_anew() {
    let mut ledger = fresh();
    assert_eq!(ledger.commit(Some(5)), None);
    ledger.skip(3);
    assert_eq!(ledger.commit(Some(5)).unwrap().offset, 3);
    assert_eq!(ledger.commit(Some(4 + MARKS)), None);
    let commit = ledger.commit(Some(5 + MARKS)).unwrap();
    let (mut again, _) = Ledger::new(Some((3, &commit.metadata)), WIDE);
    assert_eq!(again.commit(Some(6 + MARKS)), None);
}

#[test]
fn metadata_of_another_offset_or_damaged_is_none() {
    let mut ledger = fresh();
    (0..10).for_each(|offset| assert_eq!(ledger.begin(offset), Begin::Fresh));
    [3, 5]
        .iter()
        .for_each(|offset| assert!(ledger.finish(*offset)));
    let commit = ledger.commit(None).unwrap();
    let garbled = |offset, text: &str| {
        let (ledger, restored) = Ledger::new(Some((offset, text)), WIDE);
        assert!(ledger.done.is_empty() || !restored.garbled);
        restored.garbled
    };
    assert!(!garbled(0, &commit.metadata) && !garbled(0, ""));
    assert!(garbled(1, &commit.metadata));
    for cut in 1..commit.metadata.len() {
        assert!(garbled(0, &commit.metadata[..cut]), "{cut}");
    }
    for text in [
        "x",
        "100000000",
        "1zzzzzzzzAA",
        "{\"a\":1}",
        "ключ ключ",
        &"1".repeat(5_000),
    ] {
        assert!(garbled(0, text), "{text}");
    }
    // Right sums over wrong numbers: ranges that touch, end before they begin, or have no end.
    for bytes in [
        vec![0, 0, 1],
        vec![0, 1, 0],
        vec![0, 1],
        vec![0, 1, 1, 0, 1],
        vec![0x80; 40],
        [vec![0], vec![0xff; 8], vec![0x7f, 1]].concat(),
    ] {
        let sum = checksum(0, &bytes);
        let text = format!("1{sum:08x}{}", BASE64.encode(&bytes));
        assert!(garbled(0, &text), "{bytes:?}");
    }
}

#[test]
fn metadata_never_exceeds_its_bound_and_leaves_out_from_above() {
    let mut ledger = fresh();
    for offset in 0..40_000 {
        ledger.begin(offset);
        if offset % 10 == 1 {
            ledger.finish(offset);
        }
    }
    let commit = ledger.commit(Some(i64::MAX)).unwrap();
    assert!(commit.metadata.len() <= METADATA && commit.metadata.len() > METADATA - 20);
    assert!(commit.left_out > 2_000, "{}", commit.left_out);
    let (again, restored) = Ledger::new(Some((0, &commit.metadata)), WIDE);
    assert!(!restored.garbled);
    assert_eq!(again.done.len() + commit.left_out, 4_000);
    let kept = 10 * i64::try_from(again.done.len()).unwrap();
    assert!(again.is_done(kept - 9) && !again.is_done(kept + 1));
}

#[test]
fn the_mark_is_from_before_what_is_left_out() {
    let small = Bounds {
        metadata: 40,
        ..WIDE
    };
    let mut ledger = Ledger::new(None, small).0;
    // Offset 0 is never done; of the others every other one is, and recorded at once.
    for offset in 0..10_000 {
        ledger.begin(offset);
        if offset % 2 == 1 {
            ledger.finish(offset);
        }
        let Some(commit) = ledger.commit(Some((offset + 1) / 2)) else {
            continue;
        };
        assert!(commit.metadata.len() <= 40);
        let (again, restored) = Ledger::new(Some((0, &commit.metadata)), small);
        let mark = restored.mark.unwrap_or(0);
        let unknown = (0..(offset + 1) / 2).find(|it| *it < mark && !again.is_done(2 * it + 1));
        assert_eq!(unknown, None, "at {offset}: mark {mark}");
        assert!(ledger.marks.len() <= REMEMBERED);
    }
    ledger.finish(0);
    (2..10_000)
        .step_by(2)
        .for_each(|offset| assert!(ledger.finish(offset)));
    let commit = ledger.commit(Some(5_000)).unwrap();
    assert_eq!((commit.offset, commit.left_out), (10_000, 0));
    let (_, restored) = Ledger::new(Some((10_000, &commit.metadata)), small);
    assert_eq!(restored.mark, Some(5_000));
}

#[test]
fn a_wide_partition_is_paused_until_half_of_it_is_done() {
    let (mut ledger, _) = Ledger::new(None, narrow());
    for offset in 0..10 {
        assert!(!ledger.is_wide(), "{offset}");
        ledger.begin(offset);
    }
    assert!(ledger.is_wide());
    (0..5).for_each(|offset| assert!(ledger.finish(offset)));
    assert!(ledger.is_wide());
    ledger.finish(5);
    assert!(!ledger.is_wide());
}

#[test]
fn what_was_read_before_the_last_commit_is_read_again_without_a_pause() {
    let mut ledger = Ledger::new(None, narrow()).0;
    (0..30).for_each(|offset| assert_eq!(ledger.begin(offset), Begin::Fresh));
    (5..30).for_each(|offset| assert!(ledger.finish(offset)));
    let commit = ledger.commit(None).unwrap();
    let (mut again, _) = Ledger::new(Some((0, &commit.metadata)), narrow());
    for offset in 0..29 {
        again.begin(offset);
        assert!(!again.is_wide(), "{offset}");
    }
    again.begin(29);
    assert!(again.is_wide());
}

/// What happens to a partition.
#[derive(Clone, Debug)]
enum Step {
    /// Some offsets are passed over, then one is read.
    Read(i64),
    /// One of those that are read and not done is done.
    Finish(usize),
    Commit,
    /// All memory is lost; reading begins again at the last commit.
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => prop_oneof![4 => Just(0_i64), 1 => 0..5_i64].prop_map(Step::Read),
        8 => any::<usize>().prop_map(Step::Finish),
        2 => Just(Step::Commit),
        1 => Just(Step::Restart),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn it_agrees_with_a_plain_set(steps in proptest::collection::vec(step(), 0..150)) {
        let mut ledger = fresh();
        // The records that exist; those done; those done at the last commit, with its offset and metadata.
        let (mut exists, mut done) = (Vec::new(), BTreeSet::new());
        let mut committed = (None::<Commit>, BTreeSet::new());
        let mut next = 0;
        let mut cursor = 0;
        for step in steps {
            match step {
                Step::Read(gap) => {
                    if cursor == exists.len() {
                        next += gap;
                        exists.push(next);
                        next += 1;
                    }
                    let offset = exists[cursor];
                    cursor += 1;
                    let begun = ledger.begin(offset);
                    prop_assert_eq!(begun == Begin::Done, done.contains(&offset));
                    prop_assert!(begun != Begin::Again);
                }
                Step::Finish(which) => {
                    let open: Vec<_> = exists[..cursor].iter().filter(|it| !done.contains(*it)).collect();
                    if let Some(offset) = open.get(which % open.len().max(1)) {
                        prop_assert!(ledger.finish(**offset));
                        done.insert(**offset);
                    }
                }
                Step::Commit => {
                    if let Some(commit) = ledger.commit(None) {
                        prop_assert_eq!(commit.left_out, 0);
                        committed = (Some(commit), done.clone());
                    }
                }
                Step::Restart => {
                    let (commit, was_done) = committed.clone();
                    let (again, restored) = Ledger::new(commit.as_ref().map(|it| (it.offset, it.metadata.as_str())), WIDE);
                    prop_assert!(!restored.garbled);
                    ledger = again;
                    done = was_done;
                    let from = commit.map_or(0, |commit| commit.offset);
                    cursor = exists.partition_point(|offset| *offset < from);
                }
            }
            let open = exists[..cursor].iter().find(|offset| !done.contains(*offset));
            if let Some(frontier) = ledger.frontier() {
                prop_assert!(open.is_none_or(|open| frontier <= *open));
                prop_assert!(exists.iter().all(|it| *it >= frontier || done.contains(it)));
                prop_assert!(exists.iter().all(|it| done.contains(it) == ledger.is_done(*it)));
            }
        }
    }

    #[test]
    fn no_metadata_panics(offset in 0..i64::MAX, text in "1?[0-9a-f]{0,8}[A-Za-z0-9_-]{0,40}", bytes: Vec<u8>) {
        drop(Ledger::new(Some((offset, &text)), WIDE));
        let sum = checksum(offset, &bytes);
        let (mut ledger, _) = Ledger::new(Some((offset, &format!("1{sum:08x}{}", BASE64.encode(&bytes)))), WIDE);
        prop_assert!(ledger.frontier() == Some(offset));
        ledger.is_wide();
    }
}
