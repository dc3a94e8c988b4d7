//! Lives and deaths of actors on the keeper's own thread, in virtual time.

use std::{
    cell::Cell,
    rc::Rc,
    sync::{Arc, Mutex},
    time::Duration,
};

use gramtap_actors::{Cause, DropReason, Kept, Policy, Refused, Undelivered, keep, spawn_local};
use tokio::time::Instant;

use crate::{
    LONG,
    actor::{Add, Log, Mishap, Subject, subject},
    locally,
    recorder::{Event, dropped, events, record, restarts},
};

const SECOND: Duration = Duration::from_secs(1);

async fn add(kept: &Kept<Subject>) -> Result<u32, Undelivered> {
    kept.durable(1).deliver(Add, SECOND).await
}

#[tokio::test(start_paused = true)]
async fn a_panic_costs_the_state_and_not_the_lanes() {
    record();
    locally(async {
        for (name, mishap, answer) in [
            (
                "panic in handler",
                Mishap::Panic,
                Err(Undelivered::Unanswered),
            ),
            ("panic in future", Mishap::PanicLater, Ok(())),
        ] {
            let kept = subject(name);
            let (adds, mishaps) = (kept.durable(8), kept.durable(8));
            assert_eq!(adds.deliver(Add, SECOND).await, Ok(1));
            assert_eq!(adds.deliver(Add, SECOND).await, Ok(2));
            assert_eq!(mishaps.deliver(mishap, SECOND).await, answer);
            tokio::time::sleep(Duration::from_millis(1)).await;
            assert_eq!(restarts(name), [Cause::Panic], "{name}");
            assert_eq!(
                adds.deliver(Add, SECOND).await,
                Ok(1),
                "{name}: a fresh state by the same lane"
            );
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_stop_is_told_from_a_panic() {
    record();
    locally(async {
        let kept = subject("stops");
        assert_eq!(add(&kept).await, Ok(1));
        assert_eq!(kept.durable(1).deliver(Mishap::Stop, SECOND).await, Ok(()));
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert_eq!(restarts("stops"), [Cause::Stop]);
        assert_eq!(add(&kept).await, Ok(1));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn panics_at_birth_and_in_last_words_are_survived() {
    record();
    locally(async {
        let births = Rc::new(Cell::new(0));
        let counted = Rc::clone(&births);
        let kept = keep("ill-born", Policy::default(), move || {
            counted.set(counted.get() + 1);
            assert!(counted.get() != 1, "the first factory panics");
            Subject {
                panics_when_started: counted.get() == 2,
                panics_when_stopped: true,
                ..Subject::default()
            }
        });
        let mishaps = kept.durable(1);
        tokio::time::sleep(SECOND).await;
        assert_eq!((births.get(), restarts("ill-born").len()), (3, 2));
        // In its last words the third panics twice over: outside a keeper that aborts the process.
        assert_eq!(
            mishaps.deliver(Mishap::Panic, SECOND).await,
            Err(Undelivered::Unanswered)
        );
        tokio::time::sleep(SECOND).await;
        assert_eq!(mishaps.deliver(Mishap::Stop, SECOND).await, Ok(()));
        tokio::time::sleep(SECOND).await;
        assert_eq!(add(&kept).await, Ok(1));
        assert_eq!(restarts("ill-born"), [Cause::Panic; 4]);
        kept.stop().await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_waits_behind_a_panic_is_lost_and_counted() {
    record();
    locally(async {
        let kept = subject("behind a panic");
        let (adds, mishaps) = (kept.lossy(8), kept.lossy(1));
        let durable = kept.durable::<Add>(8);
        // Nothing runs between these: all wait when the first is handled.
        mishaps.offer(Mishap::Panic).unwrap();
        for _ in 0..5 {
            adds.offer(Add).unwrap();
        }
        let lost = durable.deliver(Add, SECOND).await.unwrap_err();
        assert_eq!((lost, lost.is_untouched()), (Undelivered::Lost, true));
        assert_eq!(dropped("behind a panic", DropReason::Lost), 6);
        assert_eq!(
            durable.deliver(Add, SECOND).await,
            Ok(1),
            "none of the lost was handled"
        );
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_actor_that_is_held_for_too_long_is_replaced() {
    record();
    locally(async {
        let log = Log::default();
        let logged = Arc::clone(&log);
        let kept = keep("stuck", Policy::default(), move || Subject {
            log: Arc::clone(&logged),
            ..Subject::default()
        });
        let adds = kept.durable(8);
        assert_eq!(adds.deliver(Add, SECOND).await, Ok(1));
        kept.lossy(1).offer(Mishap::Stuck).unwrap();
        let began = Instant::now();
        // Behind the stuck handler, and lost with its actor; but not before its time.
        assert_eq!(adds.deliver(Add, LONG * 10).await, Err(Undelivered::Lost));
        let policy = Policy::default();
        assert!(began.elapsed() >= policy.stall, "{:?}", began.elapsed());
        assert!(
            began.elapsed() <= policy.stall + policy.heartbeat + SECOND,
            "{:?}",
            began.elapsed()
        );
        assert_eq!(restarts("stuck"), [Cause::Stall]);
        assert_eq!(adds.deliver(Add, SECOND).await, Ok(1));
        assert_eq!(*log.lock().unwrap(), ["started", "stopped", "started"]);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_comes_during_a_short_wait_is_for_the_next_life() {
    record();
    locally(async {
        let kept = subject("short wait");
        let adds = kept.lossy(8);
        assert_eq!(
            kept.durable(1).deliver(Mishap::Panic, SECOND).await,
            Err(Undelivered::Unanswered)
        );
        tokio::task::yield_now().await;
        adds.offer(Add).unwrap();
        adds.offer(Add).unwrap();
        assert_eq!(add(&kept).await, Ok(3));
        assert_eq!(dropped("short wait", DropReason::Lost), 0);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn during_a_long_wait_the_lanes_are_closed() {
    record();
    locally(async {
        let policy = Policy {
            first_delay: 10 * SECOND,
            ..Policy::default()
        };
        let kept = keep("long wait", policy, Subject::default);
        let (adds, durable) = (kept.lossy(8), kept.durable(8));
        assert_eq!(
            kept.durable(1).deliver(Mishap::Panic, SECOND).await,
            Err(Undelivered::Unanswered)
        );
        tokio::time::sleep(SECOND).await;
        assert_eq!(adds.offer(Add), Err(Refused::Closed));
        let before = Instant::now();
        assert_eq!(durable.deliver(Add, SECOND).await, Err(Undelivered::Closed));
        assert_eq!(before.elapsed(), Duration::ZERO, "told at once");
        assert_eq!(dropped("long wait", DropReason::Closed), 2);
        tokio::time::sleep(10 * SECOND).await;
        assert_eq!(durable.deliver(Add, SECOND).await, Ok(1));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn ending_the_keeper_ends_the_actor_and_closes_the_lanes() {
    record();
    locally(async {
        let log = Log::default();
        let logged = Arc::clone(&log);
        let kept = keep("ended", Policy::default(), move || Subject {
            log: Arc::clone(&logged),
            ..Subject::default()
        });
        let adds = kept.lossy(8);
        adds.offer(Add).unwrap();
        adds.offer(Add).unwrap();
        kept.stop().await;
        assert_eq!(adds.offer(Add), Err(Refused::Closed));
        assert_eq!(dropped("ended", DropReason::Lost), 2);
        assert_eq!(restarts("ended"), []);
        // It was stopped before its first turn, or told of its end: never only the one.
        assert!(log.lock().unwrap().is_empty() || *log.lock().unwrap() == ["started", "stopped"]);
        let tasks = events("ended");
        let started = tasks
            .iter()
            .filter(|event| **event == Event::Started)
            .count();
        let ended = tasks
            .iter()
            .filter(|event| matches!(event, Event::Ended(_)))
            .count();
        assert_eq!(
            (started, ended),
            (2, 2),
            "supervisor and life are over: {tasks:?}"
        );
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn dropping_the_keeper_ends_a_stuck_actor_too() {
    record();
    locally(async {
        let kept = subject("dropped while stuck");
        let mishaps = kept.lossy(1);
        mishaps.offer(Mishap::Stuck).unwrap();
        tokio::task::yield_now().await;
        kept.stop().await;
        assert_eq!(mishaps.offer(Mishap::Stop), Err(Refused::Closed));
        let again = subject("dropped quickly");
        let adds = again.lossy(1);
        drop(again);
        tokio::time::sleep(SECOND).await;
        assert_eq!(adds.offer(Add), Err(Refused::Closed));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn tasks_beside_an_actor_outlive_its_panic() {
    record();
    locally(async {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let sender = Mutex::new(Some(sender));
        let kept = keep("with a driver", Policy::default(), move || {
            if let Some(sender) = sender.lock().unwrap().take() {
                drop(spawn_local("driver", async move {
                    tokio::time::sleep(SECOND).await;
                    sender.send("still here").unwrap();
                }));
            }
            Subject::default()
        });
        assert_eq!(add(&kept).await, Ok(1));
        kept.lossy(1).offer(Mishap::Panic).unwrap();
        assert_eq!(receiver.await, Ok("still here"));
        assert_eq!(restarts("with a driver"), [Cause::Panic]);
    })
    .await;
}
