//! The pool's actor: what it shows, and what its panic costs (the idle connections, no call).
//!
//! In a binary of its own, because metrics and injected panics are those of the whole process.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]
#![allow(
    clippy::disallowed_methods,
    reason = "scripts are tasks that the test itself watches"
)]

#[path = "it/server.rs"]
mod server;

use std::time::Duration;

use gramtap_outbound::{Outgoing, POOL_ACTOR};
use gramtap_telemetry::{Counter, Gauge};
use server::{OK, Server, call, get, pool, run, whole};
use tokio::sync::Notify;

/// Connections as the metrics show them: idle, busy.
fn shown() -> (i64, i64) {
    let state = |state| Gauge::UpstreamConnections { state }.get();
    (state("idle"), state("busy"))
}

async fn until(what: impl Fn() -> bool) {
    while !what() {
        // paced: asks again until it is so
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[test]
fn calls_go_on_when_the_pools_actor_panics() {
    run(async {
        let answer = std::rc::Rc::new(Notify::new());
        let go = answer.clone();
        let server = Server::start(move |mut peer| {
            let go = go.clone();
            async move {
                while let Some(head) = peer.head().await {
                    if head.starts_with("GET /park ") {
                        go.notified().await;
                    }
                    peer.write(OK).await;
                }
            }
        })
        .await;
        let (pool, upstream) = (pool(), server.upstream());
        let mut parked = pool.send(&upstream, get("/park"), Outgoing::None, pool.limits());
        assert!(futures_util::poll!(&mut parked).is_pending());
        call(&pool, &upstream).await.unwrap();
        assert_eq!(pool.open(), 2, "one in use, one idle");
        until(|| shown() == (1, 1)).await;

        assert_eq!(gramtap_actors::poison(POOL_ACTOR), 1);
        until(|| pool.open() == 1).await;
        assert_eq!(shown().0, 0);
        // Dead or just restarted: a call dials for itself.
        call(&pool, &upstream).await.unwrap();
        // The connection in use was not touched.
        answer.notify_one();
        let answer = parked.await.unwrap();
        assert!(!answer.timing.reused);
        assert_eq!(whole(answer).await.unwrap().0, 200);
        // The next life keeps connections again.
        while pool.open() == 0 {
            call(&pool, &upstream).await.unwrap();
            // paced: asks again until the next life is there
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let before = server.connections();
        call(&pool, &upstream).await.unwrap();
        assert_eq!(server.connections(), before);
        let dials = Counter::UpstreamDials { result: "ok" }.get();
        assert_eq!(dials, before as u64);
        until(|| shown() == (1, 0)).await;
        drop(pool);
        until(|| shown() == (0, 0)).await;
        server.finish().await;
    });
}
