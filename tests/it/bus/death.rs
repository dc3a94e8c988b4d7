//! kill -9 of a process that writes to Kafka.
//!
//! In: this very test program, run again as the child. Out: pass or fail. The embedded log's
//! deaths are among the unit tests of `shared/bus`.

use gramtap_bus::Bus;
use gramtap_bus::conformance::death::{Dice, Witness, child, orders, write};
use gramtap_bus::conformance::{DEADLINE, topic_of};
use gramtap_bus::topics::apply;

use super::{broker, config, tag};

/// Not a test: the child.
#[test]
#[ignore = "the child of the tests here, which is killed"]
fn writes_until_it_is_killed() {
    let Some((run, topic)) = orders() else {
        return;
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(async {
        let bus = Bus::open(&config()).unwrap();
        write(&bus, topic_of(&topic, false), run).await;
    });
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_by_kill_9() {
    let _shared = broker::shared().await;
    let bus = Bus::open(&config()).unwrap();
    let topic = topic_of(&format!("gramtap.test-{}-death.v1", tag()), false);
    apply(&bus, &[topic], DEADLINE).await.unwrap();
    let (mut witness, mut dice) = (Witness::default(), Dice::new(11));
    for run in 0..9 {
        let after = 1 + dice.below(1_000);
        let child = child("bus::death::writes_until_it_is_killed");
        witness.kill_one(child, run, topic.name, after);
        witness.check(&bus, topic).await;
    }
}
