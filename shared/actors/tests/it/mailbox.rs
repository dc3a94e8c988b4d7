//! Bounds, refusals and deadlines of the two kinds of lane, in virtual time.

use std::time::Duration;

use gramtap_actors::{DropReason, Mailbox, Refused, Undelivered, mailboxes, spawn_local};
use tokio::time::Instant;

use crate::{
    actor::{Add, Mishap, subject},
    locally,
    recorder::{dropped, record},
};

const SECOND: Duration = Duration::from_secs(1);

fn depth(actor: &str) -> Option<(usize, usize)> {
    mailboxes()
        .into_iter()
        .find(|mailbox| mailbox.actor == actor)
        .map(|Mailbox { depth, bound, .. }| (depth, bound))
}

#[tokio::test(start_paused = true)]
async fn a_bound_is_exact_however_many_senders_there_are() {
    record();
    locally(async {
        let kept = subject("bounded");
        let lane = kept.lossy(4);
        let clones: Vec<_> = (0..100).map(|_| lane.clone()).collect();
        assert_eq!(depth("bounded"), Some((0, 4)));
        let accepted = clones
            .iter()
            .filter(|clone| clone.offer(Add).is_ok())
            .count();
        assert_eq!(accepted, 4);
        assert_eq!(lane.offer(Add), Err(Refused::Full));
        assert_eq!(dropped("bounded", DropReason::Full), 97);
        assert_eq!(depth("bounded"), Some((4, 4)));
        // A lane of its own has a bound of its own.
        let durable = kept.durable(2);
        assert_eq!(depth("bounded"), Some((4, 6)));
        assert_eq!(durable.deliver(Add, SECOND).await, Ok(5));
        assert_eq!(depth("bounded"), Some((0, 6)));
        lane.offer(Add).unwrap();
        drop((lane, clones, durable));
        assert_eq!(depth("bounded"), None, "lanes that are gone are not shown");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_bound_of_nothing_is_one() {
    record();
    locally(async {
        let kept = subject("bound of zero");
        let lane = kept.lossy(0);
        assert_eq!(lane.offer(Add), Ok(()));
        assert_eq!(lane.offer(Add), Err(Refused::Full));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_durable_lane_waits_for_room_up_to_its_deadline() {
    record();
    locally(async {
        let kept = subject("waits for room");
        let adds = kept.durable(1);
        kept.lossy(1).offer(Mishap::Hold(10 * SECOND)).unwrap();
        let first = spawn_local("first sender", {
            let adds = adds.clone();
            async move { adds.deliver(Add, 60 * SECOND).await }
        });
        tokio::task::yield_now().await;
        let began = Instant::now();
        assert_eq!(adds.deliver(Add, SECOND).await, Err(Undelivered::Full));
        assert!(began.elapsed() >= SECOND && began.elapsed() < 2 * SECOND);
        assert_eq!(dropped("waits for room", DropReason::Full), 1);
        assert_eq!(adds.deliver(Add, 60 * SECOND).await, Ok(2));
        assert_eq!(first.await, Ok(Ok(1)));
        assert!(began.elapsed() >= 9 * SECOND);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_sender_that_left_is_not_served() {
    record();
    locally(async {
        let kept = subject("sender left");
        let adds = kept.durable(8);
        kept.lossy(1).offer(Mishap::Hold(10 * SECOND)).unwrap();
        assert_eq!(adds.deliver(Add, SECOND).await, Err(Undelivered::Late));
        let cancelled = adds.deliver(Add, 60 * SECOND);
        assert!(tokio::time::timeout(SECOND, cancelled).await.is_err());
        assert_eq!(
            adds.deliver(Add, 60 * SECOND).await,
            Ok(1),
            "the two before were withdrawn"
        );
        assert_eq!(dropped("sender left", DropReason::Late), 2);
        assert_eq!(dropped("sender left", DropReason::Lost), 0);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_sender_that_waits_for_room_is_led_to_the_next_life() {
    record();
    locally(async {
        let kept = subject("next life");
        let adds = kept.durable(1);
        let mishaps = kept.lossy(2);
        mishaps.offer(Mishap::Hold(SECOND)).unwrap();
        mishaps.offer(Mishap::Panic).unwrap();
        let lost = spawn_local("lost sender", {
            let adds = adds.clone();
            async move { adds.deliver(Add, 60 * SECOND).await }
        });
        tokio::task::yield_now().await;
        // There is no room until the first sender's message is lost.
        assert_eq!(adds.deliver(Add, 60 * SECOND).await, Ok(1));
        assert_eq!(lost.await, Ok(Err(Undelivered::Lost)));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_lane_works_before_its_actor_has_run_and_after_its_keeper_has_gone() {
    record();
    locally(async {
        let kept = subject("early and late");
        let adds = kept.durable(8);
        let early = adds.deliver(Add, SECOND);
        assert_eq!(early.await, Ok(1));
        kept.stop().await;
        assert_eq!(adds.deliver(Add, SECOND).await, Err(Undelivered::Closed));
    })
    .await;
}

#[test]
fn labels_are_fixed_words() {
    assert_eq!(
        [Refused::Full, Refused::Closed].map(Refused::label),
        ["full", "closed"]
    );
    let all = [
        Undelivered::Full,
        Undelivered::Closed,
        Undelivered::Lost,
        Undelivered::Unanswered,
        Undelivered::Late,
    ];
    assert_eq!(
        all.map(Undelivered::label),
        ["full", "closed", "lost", "unanswered", "late"]
    );
    assert_eq!(
        all.map(Undelivered::is_untouched),
        [true, true, true, false, false]
    );
}
