//! Panics on demand reach every living actor of a name, on whichever thread.

use std::time::Duration;

use gramtap_actors::{Cause, Policy, keep, keep_on_thread, living, poison};

use crate::{
    LONG,
    actor::{Add, Subject},
    locally,
    recorder::{record, restarts},
};

#[tokio::test(start_paused = true)]
async fn all_of_a_name_panic() {
    record();
    locally(async {
        assert_eq!(poison("poisoned"), 0);
        let kept = [(); 2].map(|()| keep("poisoned", Policy::default(), Subject::default));
        let spared = keep("spared", Policy::default(), Subject::default);
        tokio::time::sleep(Duration::from_millis(1)).await;
        let alive = living();
        assert_eq!(
            (alive.get("poisoned"), alive.get("spared")),
            (Some(&2), Some(&1))
        );
        assert_eq!(poison("poisoned"), 2);
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(restarts("poisoned"), [Cause::Panic; 2]);
        assert_eq!(restarts("spared"), []);
        for kept in kept.iter().chain([&spared]) {
            assert_eq!(kept.durable(1).deliver(Add, LONG).await, Ok(1));
        }
    })
    .await;
}

#[tokio::test]
async fn an_actor_on_its_own_thread_panics() {
    record();
    let kept = keep_on_thread("poisoned thread", Policy::default(), Subject::default);
    let adds = kept.durable(1);
    assert_eq!(adds.deliver(Add, LONG).await, Ok(1));
    assert_eq!(poison("poisoned thread"), 1);
    let restarted = async {
        while restarts("poisoned thread") != [Cause::Panic] {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LONG, restarted)
        .await
        .expect("restarted");
    assert_eq!(adds.deliver(Add, LONG).await, Ok(1));
    kept.stop().await;
}
