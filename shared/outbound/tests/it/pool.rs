//! Which connections are used again, which are closed, and how many there may be.

use std::time::Duration;

use gramtap_outbound::{OutboundConfig, Outgoing, Pool, Retry, Side};
use tokio::sync::{mpsc, oneshot};

use crate::server::{OK, Server, call, get, pool, run, told, whole};

/// Lets time and the other tasks of the thread pass until it is so.
async fn until(what: impl Fn() -> bool) {
    while !what() {
        // paced: asks again until it is so
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[test]
fn a_connection_closed_while_idle_is_not_used() {
    run(async {
        let (closed, sees_close) = oneshot::channel();
        let closed = std::cell::Cell::new(Some(closed));
        let server = Server::start(move |mut peer| {
            let closed = closed.take();
            async move {
                peer.head().await.unwrap();
                peer.write(OK).await;
                if let Some(closed) = closed {
                    drop(peer);
                    closed.send(()).unwrap();
                } else {
                    peer.until_closed().await;
                }
            }
        })
        .await;
        let (pool, upstream) = (pool(), server.upstream());
        call(&pool, &upstream).await.unwrap();
        sees_close.await.unwrap();
        call(&pool, &upstream).await.unwrap();
        assert_eq!(server.connections(), 2);
        server.finish().await;
    });
}

#[test]
fn what_is_said_unasked_is_nobodys_answer() {
    run(async {
        let say = std::rc::Rc::new(tokio::sync::Notify::new());
        let go = say.clone();
        let server = Server::start(move |mut peer| {
            let go = go.clone();
            async move {
                peer.head().await.unwrap();
                peer.write(OK).await;
                if peer.number == 0 {
                    go.notified().await;
                    peer.write("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\npoisoned")
                        .await;
                }
                assert_eq!(peer.until_closed().await, b"");
            }
        })
        .await;
        let (pool, upstream) = (pool(), server.upstream());
        call(&pool, &upstream).await.unwrap();
        // The connection is taken and found quiet; then it speaks, before it is asked.
        let sending = pool.send(&upstream, get("/"), Outgoing::None, pool.limits());
        say.notify_one();
        // paced: the event loop turns, and sees what has come
        tokio::time::sleep(Duration::from_millis(20)).await;
        let answer = sending.await.unwrap();
        assert!(!answer.timing.reused);
        assert_eq!(whole(answer).await.unwrap().1, b"ok");
        assert_eq!(server.connections(), 2);
        server.finish().await;
    });
}

#[test]
fn what_is_not_fit_for_another_call_is_closed() {
    run(async {
        let table = [
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok",
            "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok and more",
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\n",
            "HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n",
        ];
        for bytes in table {
            let server = Server::start(move |mut peer| async move {
                peer.head().await.unwrap();
                peer.write(bytes).await;
                assert_eq!(peer.until_closed().await, b"", "{bytes}");
            })
            .await;
            let (pool, upstream) = (pool(), server.upstream());
            call(&pool, &upstream).await.unwrap();
            assert_eq!(pool.open(), 0, "{bytes}");
            call(&pool, &upstream).await.unwrap();
            assert_eq!(server.connections(), 2, "{bytes}");
            server.finish().await;
        }
    });
}

#[test]
fn upstreams_do_not_share_connections() {
    run(async {
        let server = Server::ok().await;
        let (pool, one, other) = (pool(), server.upstream(), server.upstream());
        call(&pool, &one).await.unwrap();
        call(&pool, &other).await.unwrap();
        call(&pool, &one.clone()).await.unwrap();
        assert_eq!(server.connections(), 2);
        assert_eq!(pool.open(), 2);
    });
}

#[test]
fn idle_connections_are_bounded_and_go_with_the_pool() {
    run(async {
        let (closed, mut sees_close) = mpsc::unbounded_channel();
        let server = Server::start(move |mut peer| {
            let closed = closed.clone();
            async move {
                peer.head().await.unwrap();
                peer.write(OK).await;
                peer.until_closed().await;
                closed.send(peer.number).unwrap();
            }
        })
        .await;
        let pool = Pool::start(OutboundConfig {
            max_idle: 1,
            ..OutboundConfig::default()
        });
        let upstreams = [server.upstream(), server.upstream()];
        for upstream in &upstreams {
            call(&pool, upstream).await.unwrap();
        }
        // The longest unused one, whatever its upstream.
        assert_eq!(sees_close.recv().await.unwrap(), 0);
        assert_eq!(pool.open(), 1);
        drop(pool);
        assert_eq!(sees_close.recv().await.unwrap(), 1);
        server.finish().await;
    });
}

#[test]
fn old_and_closed_connections_are_reaped_without_another_call() {
    run(async {
        let server = Server::start(move |mut peer| async move {
            peer.head().await.unwrap();
            peer.write(OK).await;
            if peer.number == 0 {
                return;
            }
            peer.until_closed().await;
        })
        .await;
        let (one, other) = (server.upstream(), server.upstream());
        let patient = pool();
        call(&patient, &one).await.unwrap();
        // Closed by the upstream.
        until(|| patient.open() == 0).await;
        let keep_alive = Duration::from_millis(1);
        let hasty = Pool::start(OutboundConfig {
            keep_alive,
            ..OutboundConfig::default()
        });
        call(&hasty, &other).await.unwrap();
        // Too old.
        until(|| hasty.open() == 0).await;
        assert_eq!(server.connections(), 2);
        server.finish().await;
    });
}

#[test]
fn beyond_the_bound_calls_are_refused_and_idle_ones_make_room() {
    run(async {
        let server = Server::start(move |mut peer| async move {
            while let Some(head) = peer.head().await {
                if !head.starts_with("GET /park ") {
                    peer.write(OK).await;
                }
            }
        })
        .await;
        let (one, other) = (server.upstream(), server.upstream());
        let pool = Pool::start(OutboundConfig {
            max_connections: 2,
            ..OutboundConfig::default()
        });
        call(&pool, &one).await.unwrap();
        let mut parked: Vec<_> = (0..2)
            .map(|_| pool.send(&other, get("/park"), Outgoing::None, pool.limits()))
            .collect();
        for sending in &mut parked {
            assert!(futures_util::poll!(sending).is_pending());
        }
        assert_eq!(pool.open(), 2, "the idle one has made room");
        let fault = call(&pool, &one).await.unwrap_err();
        assert_eq!(told(&fault), ("pool_full", "dial", false));
        assert_eq!((fault.side(), fault.retry()), (Side::Internal, Retry::Safe));
        drop(parked.pop());
        assert_eq!(call(&pool, &one).await.unwrap().0, 200);
        server.finish().await;
    });
}

#[test]
fn many_calls_share_few_connections() {
    run(async {
        let server = Server::ok().await;
        let (pool, upstream) = (pool(), server.upstream());
        for _ in 0..3 {
            let calls = (0..20).map(|_| async {
                let sending = pool.send(&upstream, get("/"), Outgoing::None, pool.limits());
                whole(sending.await.unwrap()).await.unwrap().0
            });
            assert_eq!(futures_util::future::join_all(calls).await, vec![200; 20]);
        }
        assert_eq!(server.connections(), 20);
        assert_eq!(pool.open(), 20);
    });
}
