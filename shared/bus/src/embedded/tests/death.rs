//! kill -9 of a process that writes the embedded log.
//!
//! In: this very test program, run again as the child. Out: pass or fail.

use crate::conformance::death::{Dice, Witness, child, orders, write};
use crate::conformance::{embedded, topic_of, within};
use crate::{Bus, Kind};

const TOPIC: &str = "gramtap.test-death.v1";

/// Not a test: the child.
#[test]
#[ignore = "the child of the tests here, which is killed"]
fn writes_until_it_is_killed() {
    let Some((run, data_dir)) = orders() else {
        return;
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(async {
        let bus = Bus::open(&embedded(data_dir.as_ref())).unwrap();
        write(&bus, topic_of(TOPIC, false), run).await;
    });
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_by_kill_9() {
    let directory = tempfile::tempdir().unwrap();
    let data_dir = directory.path();
    assert_eq!(embedded(data_dir).bus.kind, Kind::Embedded);
    let (mut witness, mut dice) = (Witness::default(), Dice::new(7));
    for run in 0..9 {
        let after = 1 + dice.below(1_500);
        let child = child("embedded::tests::death::writes_until_it_is_killed");
        witness.kill_one(child, run, data_dir.to_str().unwrap(), after);
        let bus = Bus::open(&embedded(data_dir)).unwrap();
        within("check", witness.check(&bus, topic_of(TOPIC, false))).await;
    }
}
