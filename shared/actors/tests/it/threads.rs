//! Actors on threads of their own, in real time: what blocks, what is left behind, and that every
//! message is accounted for when an actor ends under load.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc,
    },
    time::{Duration, Instant},
};

use actix::{Actor, Context, Handler, Message};
use gramtap_actors::{
    Cause, DropReason, Kept, Policy, Queued, Refused, Undelivered, keep_on_thread, mailboxes,
    spawn, spawn_thread,
};

use crate::{
    LONG,
    actor::{Add, Mishap, Subject},
    recorder::{dropped, record, restarts},
};

/// Finds out within milliseconds, and is never exhausted.
fn impatient() -> Policy {
    Policy {
        heartbeat: Duration::from_millis(5),
        stall: Duration::from_millis(50),
        budget: usize::MAX,
        hold: LONG,
        ..Policy::default()
    }
}

/// Whether messages wait for an actor.
fn waiting(kept: &Kept<Subject>) -> bool {
    mailboxes()
        .iter()
        .any(|mailbox| mailbox.actor == kept.name() && mailbox.depth > 0)
}

#[tokio::test]
async fn a_panic_on_its_thread_is_survived() {
    record();
    let kept = keep_on_thread("thread panics", Policy::default(), Subject::default);
    let (adds, mishaps) = (kept.durable(8), kept.durable(8));
    assert_eq!(adds.deliver(Add, LONG).await, Ok(1));
    assert_eq!(
        mishaps.deliver(Mishap::Panic, LONG).await,
        Err(Undelivered::Unanswered)
    );
    // Which of the two lives the next message meets depends on how quickly the first one ends.
    loop {
        match adds.deliver(Add, LONG).await {
            Ok(added) => break assert_eq!(added, 1),
            Err(undelivered) => assert!(undelivered.is_untouched(), "{undelivered}"),
        }
    }
    assert_eq!(restarts("thread panics"), [Cause::Panic]);
    kept.stop().await;
}

#[tokio::test]
async fn an_actor_that_blocks_its_thread_is_left_behind() {
    record();
    let kept = keep_on_thread("thread blocks", impatient(), Subject::default);
    let adds = kept.durable(1);
    assert_eq!(adds.deliver(Add, LONG).await, Ok(1));
    let (release, blocked) = mpsc::channel();
    kept.lossy(1).offer(Mishap::Block(blocked)).unwrap();
    // What the blocked one still holds takes no room from the next.
    assert_eq!(
        adds.deliver(Add, Duration::from_millis(1)).await,
        Err(Undelivered::Late)
    );
    loop {
        match adds.deliver(Add, LONG).await {
            Ok(added) => break assert_eq!(added, 1),
            Err(undelivered) => assert!(undelivered.is_untouched(), "{undelivered}"),
        }
    }
    // On a busy machine a life may seem stalled that is not; the first was for certain.
    assert!(
        restarts("thread blocks")
            .iter()
            .all(|cause| *cause == Cause::Stall)
    );
    assert!(!restarts("thread blocks").is_empty());
    drop(release);
    kept.stop().await;
}

#[tokio::test]
async fn ending_an_actor_that_blocks_closes_its_lanes_at_once() {
    record();
    let kept = keep_on_thread("ended in a block", Policy::default(), Subject::default);
    let mishaps = kept.lossy(8);
    let (release, blocked) = mpsc::channel();
    mishaps.offer(Mishap::Block(blocked)).unwrap();
    let taken = async {
        while waiting(&kept) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LONG, taken).await.expect("taken");
    let stopping = spawn("stopping", kept.stop());
    let closed = async {
        while mishaps.offer(Mishap::Stop) != Err(Refused::Closed) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LONG, closed).await.expect("closed");
    assert!(!stopping.is_finished(), "the actor is still there");
    drop(release);
    assert_eq!(stopping.await, Ok(()));
}

/// The supervisor's time is virtual here, the actor's is not: between two steps of the clock the
/// test holds the supervisor's thread until the actor has taken another message.
#[tokio::test(start_paused = true)]
async fn an_actor_whose_mailbox_never_runs_empty_is_not_stalled() {
    record();
    let second = Duration::from_secs(1);
    let policy = Policy {
        heartbeat: second,
        stall: second,
        ..Policy::default()
    };
    let kept = keep_on_thread("overloaded", policy, Subject::default);
    let lane = kept.lossy(8);
    let (mut release, blocked) = mpsc::channel();
    lane.offer(Mishap::Block(blocked)).unwrap();
    // The supervisor starts the actor.
    tokio::task::yield_now().await;
    for _ in 0..10 {
        // There is always one behind the one that is handled.
        let (next, blocked) = mpsc::channel();
        lane.offer(Mishap::Block(blocked)).unwrap();
        drop(std::mem::replace(&mut release, next));
        let began = Instant::now();
        while waiting(&kept) {
            assert!(began.elapsed() < LONG, "the actor takes its messages");
            std::thread::yield_now();
        }
        tokio::time::advance(second * 9 / 10).await;
    }
    assert_eq!(restarts("overloaded"), []);
    drop(release);
    kept.stop().await;
}

struct Tick;

impl Message for Tick {
    type Result = ();
}

/// Counts what it handles over all its lives, and dies of every thousandth.
struct Tally(Arc<AtomicU64>);

impl Actor for Tally {
    type Context = Context<Self>;
}

impl Handler<Queued<Tick>> for Tally {
    type Result = ();

    fn handle(&mut self, queued: Queued<Tick>, _: &mut Self::Context) {
        let Tick = queued.take();
        assert!(
            self.0.fetch_add(1, Ordering::Relaxed) % 1000 != 999,
            "the thousandth"
        );
    }
}

#[tokio::test]
async fn under_load_deaths_and_end_leave_no_message_unaccounted_for() {
    record();
    let handled = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&handled);
    // No stalls: what an actor that is left behind holds is counted when its thread ends.
    let policy = Policy {
        stall: LONG,
        ..impatient()
    };
    let kept = keep_on_thread("under load", policy, move || Tally(Arc::clone(&counted)));
    let lane = kept.lossy(64);
    let over = Arc::new(AtomicBool::new(false));
    let senders = [(); 3].map(|()| {
        let (lane, over) = (lane.clone(), Arc::clone(&over));
        spawn_thread("sender", move || {
            let (mut accepted, mut refused) = (0u64, 0u64);
            while !over.load(Ordering::Relaxed) {
                match lane.offer(Tick) {
                    Ok(()) => accepted += 1,
                    Err(_) => {
                        refused += 1;
                        std::thread::yield_now();
                    }
                }
            }
            (accepted, refused)
        })
        .unwrap()
    });
    let deaths = async {
        while handled.load(Ordering::Relaxed) < 5_000 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LONG, deaths)
        .await
        .expect("five deaths");
    kept.stop().await;
    assert_eq!(lane.offer(Tick), Err(Refused::Closed));
    over.store(true, Ordering::Relaxed);
    let (mut accepted, mut refused) = (0, 1);
    for sender in senders {
        let (some, others) = sender.join_within(LONG).await.unwrap();
        accepted += some;
        refused += others;
    }
    let count = |reason| dropped("under load", reason) as u64;
    assert_eq!(refused, count(DropReason::Full) + count(DropReason::Closed));
    assert_eq!(
        accepted,
        handled.load(Ordering::Relaxed) + count(DropReason::Lost)
    );
    let causes = restarts("under load");
    // A fifth may have come together with the end.
    assert!(causes.len() >= 4 && causes.iter().all(|cause| *cause == Cause::Panic));
}
