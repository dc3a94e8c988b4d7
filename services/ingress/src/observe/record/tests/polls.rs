//! Empty polls and those that bring something.

use std::time::Duration;

use gramtap_events::call::Polls;

use super::*;

const POLL: &str = "/bot42:a/getUpdates";
const EMPTY: &str = r#"{"ok":true,"result":[]}"#;

fn polls(observed: &Observed) -> Vec<(&'static str, u64)> {
    let one = |record: &CallRecord| match record {
        CallRecord::Polls(Polls { count, .. }) => ("polls", *count),
        other => (other.kind(), 1),
    };
    observed.calls.iter().map(one).collect()
}

#[test]
fn empty_polls_are_folded_and_full_ones_close_the_fold_first() {
    let mut stage = stage();
    let empty = Told {
        path: POLL,
        answer: Some(EMPTY),
        ..Told::default()
    };
    for _ in 0..3 {
        assert!(polls(&stage.observe(&empty)).is_empty());
    }
    let full = Told {
        answer: Some(
            r#"{"ok":true,"result":[{"update_id":5,"poll":{"id":"1"}},{"update_id":6,"poll":{"id":"2"}}]}"#,
        ),
        ..empty
    };
    let observed = stage.observe(&full);
    assert_eq!(polls(&observed), [("polls", 3), ("call", 1)]);
    let ids: Vec<_> = observed
        .updates
        .iter()
        .map(|update| (update.update_id, update.kind.as_deref(), update.cut))
        .collect();
    assert_eq!(
        ids,
        [
            (Some(5), Some("poll"), false),
            (Some(6), Some("poll"), false)
        ]
    );
    let records: Vec<_> = observed
        .updates
        .iter()
        .map(|update| update.record.as_str())
        .collect();
    assert_eq!(records, ["test-1-1", "test-1-2"]);

    // What is no empty poll of the bot is told at once.
    let others = [
        Told {
            path: "/bot42:a/test/getUpdates",
            ..Told {
                answer: Some(EMPTY),
                ..Told::default()
            }
        },
        Told {
            path: POLL,
            status: Some(409),
            answer: Some(r#"{"ok":false,"error_code":409,"description":"Conflict"}"#),
            ..Told::default()
        },
        Told {
            path: POLL,
            ending: Ending::Left { label: "left" },
            status: None,
            ..Told::default()
        },
        Told {
            path: POLL,
            answer: Some(EMPTY),
            ending: Ending::CutShort { label: "cut" },
            ..Told::default()
        },
    ];
    for told in &others {
        assert_eq!(polls(&stage.observe(told)), [("call", 1)]);
    }
    assert_eq!(stage.folds.len(), 0);

    // The window.
    assert!(polls(&stage.observe(&empty)).is_empty());
    stage.now += Duration::from_secs(11);
    assert_eq!(polls(&stage.observe(&empty)), [("polls", 1)]);
}

#[test]
fn a_poll_may_be_named_by_its_arguments() {
    let mut stage = stage();
    let named = Told {
        path: "/bot42:a/",
        query: Some("method=getupdates"),
        answer: Some(EMPTY),
        ..Told::default()
    };
    assert!(polls(&stage.observe(&named)).is_empty());
    let full = Told {
        answer: Some(r#"{"ok":true,"result":[{"update_id":5,"poll":{"id":"1","question":"x"}}]}"#),
        ..named
    };
    let observed = stage.observe(&full);
    assert_eq!(polls(&observed), [("polls", 1), ("call", 1)]);
    assert_eq!(observed.updates[0].update_id, Some(5));
    let Some(CallRecord::Call(call)) = observed.calls.last() else {
        unreachable!("a call");
    };
    assert!(call.result.is_none() && !call.result_cut);
    let large = format!(
        r#"{{"ok":true,"result":[{{"update_id":5,"poll":"{}"}}]}}"#,
        "x".repeat(70 << 10)
    );
    let told = Told {
        answer: Some(&large),
        ..full
    };
    let observed = stage.observe(&told);
    assert_eq!(
        (polls(&observed), observed.cuts.len()),
        (vec![("call", 1)], 1)
    );
}
