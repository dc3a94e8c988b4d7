//! The orderly end: what is in flight, stages and their budgets, in virtual time.

use std::{cell::RefCell, future::pending, rc::Rc, time::Duration};

use gramtap_actors::{Drain, Stage, StillBusy, spawn_local};
use tokio::time::Instant;

use crate::locally;

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn draining_begins_once_and_is_told_to_all() {
    locally(async {
        let drain = Drain::new();
        let token = drain.token();
        let waiting = spawn_local("waits for drain", {
            let token = token.clone();
            async move { token.draining().await }
        });
        assert!(!token.is_draining());
        assert!(drain.begin());
        assert!(!drain.clone().begin());
        assert!(token.is_draining());
        assert_eq!(waiting.await, Ok(()));
        token.draining().await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn waiting_ends_with_the_last_in_flight_or_with_the_budget() {
    locally(async {
        let drain = Drain::new();
        assert_eq!(
            drain.wait_idle("calls", SECOND).await,
            Ok(()),
            "nothing is idle"
        );
        let (first, second) = (drain.guard("calls"), drain.group("calls").enter());
        let other = drain.guard("transfers");
        let busy = drain.wait_idle("calls", SECOND).await;
        assert_eq!(
            busy,
            Err(StillBusy {
                name: "calls",
                count: 2
            })
        );
        assert_eq!(busy.unwrap_err().to_string(), "2 calls still in flight");
        drop(first);
        let began = Instant::now();
        drop(spawn_local("ends later", async move {
            tokio::time::sleep(10 * SECOND).await;
            drop(second);
        }));
        assert_eq!(drain.wait_idle("calls", 60 * SECOND).await, Ok(()));
        assert!((10 * SECOND..11 * SECOND).contains(&began.elapsed()));
        assert_eq!(drain.group("transfers").count(), 1);
        drop(other);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn stages_run_in_order_and_none_is_left_out() {
    let drain = Drain::new();
    let log = Rc::new(RefCell::new(Vec::new()));
    let note = |name| {
        let log = Rc::clone(&log);
        async move { log.borrow_mut().push(name) }
    };
    let began = Instant::now();
    let drained = drain
        .run(vec![
            Stage::new("accept", SECOND, note("accept")),
            Stage::new("calls", 5 * SECOND, pending()),
            Stage::new("flush", SECOND, async { panic!("on purpose") }),
            Stage::new("producer", SECOND, {
                let (note, token) = (note("producer"), drain.token());
                async move {
                    assert!(token.is_draining());
                    tokio::time::sleep(SECOND / 2).await;
                    note.await;
                }
            }),
        ])
        .await;
    assert_eq!(drained.failed, ["calls", "flush"]);
    assert_eq!(*log.borrow(), ["accept", "producer"]);
    let took = began.elapsed();
    assert!(
        (5 * SECOND + SECOND / 2..6 * SECOND).contains(&took),
        "{took:?}"
    );
}
