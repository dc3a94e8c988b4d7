//! The ledger against a plain set of offsets, through completions in any order, restarts and damage.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

fn fresh() -> Ledger {
    Ledger::new(None, WIDEST).0
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
    let (mut ledger, _) = Ledger::new(Some((10, "")), WIDEST);
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
    let (mut again, restored) = Ledger::new(Some((1, &commit.metadata)), WIDEST);
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
    let (mut again, _) = Ledger::new(Some((3, &commit.metadata)), WIDEST);
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
        let (ledger, restored) = Ledger::new(Some((offset, text)), WIDEST);
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
    assert!(commit.metadata.len() <= METADATA && commit.metadata.len() > METADATA - 12);
    assert!(commit.left_out > 2_000, "{}", commit.left_out);
    let (again, restored) = Ledger::new(Some((0, &commit.metadata)), WIDEST);
    assert!(!restored.garbled);
    assert_eq!(again.done.len() + commit.left_out, 4_000);
    let kept = 10 * i64::try_from(again.done.len()).unwrap();
    assert!(again.is_done(kept - 9) && !again.is_done(kept + 1));
}

#[test]
fn a_paused_partition_fits_whole_into_metadata() {
    // The worst that is let in: as many pieces as there may be, as far apart as can be.
    let mut ledger = fresh();
    let step = WIDEST / i64::try_from(RANGES).unwrap();
    let mut offset = 0;
    while !ledger.is_wide() {
        ledger.begin(offset);
        if offset % step == 1 {
            ledger.finish(offset);
        }
        offset += 1;
    }
    // What is read ahead comes in all the same.
    (0..2_000).for_each(|_| {
        ledger.begin(offset);
        if offset % 20 == 1 {
            ledger.finish(offset);
        }
        offset += 1;
    });
    assert_eq!(ledger.commit(Some(i64::MAX)).unwrap().left_out, 0);
}

#[test]
fn a_wide_partition_is_paused_until_half_of_it_is_done() {
    let (mut ledger, _) = Ledger::new(None, 10);
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
    let mut ledger = Ledger::new(None, 10).0;
    (0..30).for_each(|offset| assert_eq!(ledger.begin(offset), Begin::Fresh));
    (5..30).for_each(|offset| assert!(ledger.finish(offset)));
    let commit = ledger.commit(None).unwrap();
    let (mut again, _) = Ledger::new(Some((0, &commit.metadata)), 10);
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
                    let (again, restored) = Ledger::new(commit.as_ref().map(|it| (it.offset, it.metadata.as_str())), WIDEST);
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
        drop(Ledger::new(Some((offset, &text)), WIDEST));
        let sum = checksum(offset, &bytes);
        let (mut ledger, _) = Ledger::new(Some((offset, &format!("1{sum:08x}{}", BASE64.encode(&bytes)))), WIDEST);
        prop_assert!(ledger.frontier() == Some(offset));
        ledger.is_wide();
    }
}
