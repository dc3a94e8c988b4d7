//! Calls without an answer: what is told of them.

use std::time::{Duration, Instant};

use gramtap_outbound::{Outgoing, RequestHead, Retry, Side, Upstream};
use tokio::net::TcpListener;

use crate::server::{Server, call, get, pool, run, told};

#[test]
fn a_refused_connection_is_safe_to_repeat() {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        let pool = pool();
        let fault = call(&pool, &Upstream::new(&url, None, None).unwrap())
            .await
            .unwrap_err();
        assert_eq!(told(&fault), ("connect", "dial", false));
        assert_eq!((fault.side(), fault.retry()), (Side::Upstream, Retry::Safe));
        assert_eq!(pool.open(), 0);
    });
}

#[test]
fn a_local_address_of_the_other_family_is_our_own_fault() {
    run(async {
        let local = Some("::1".parse().unwrap());
        let upstream = Upstream::new("http://127.0.0.1:1", None, local).unwrap();
        let fault = call(&pool(), &upstream).await.unwrap_err();
        assert_eq!((fault.label(), fault.side()), ("connect", Side::Internal));
    });
}

#[test]
fn a_handshake_without_end_is_given_up_in_time() {
    run(async {
        let server = Server::start(|mut peer| async move {
            peer.until_closed().await;
        })
        .await;
        let url = format!("https://{}", server.address);
        let upstream = Upstream::new(&url, None, None).unwrap();
        let pool = pool();
        let mut limits = pool.limits();
        limits.connect = Duration::from_millis(50);
        let fault = pool
            .send(&upstream, get("/"), Outgoing::None, limits)
            .await
            .unwrap_err();
        assert_eq!(told(&fault), ("connect_timeout", "tls", false));
        assert_eq!(fault.retry(), Retry::Safe);
        assert_eq!(pool.open(), 0);
        server.finish().await;
    });
}

#[test]
fn what_cannot_be_written_is_not_dialled_for() {
    run(async {
        let server = Server::ok().await;
        let (pool, upstream) = (pool(), server.upstream());
        let head = RequestHead {
            method: b"GET",
            target: b"/\r\nX: y",
            headers: [],
        };
        let fault = pool
            .send(&upstream, head, Outgoing::None, pool.limits())
            .await
            .unwrap_err();
        assert_eq!(told(&fault), ("request", "dial", false));
        assert_eq!(
            (fault.side(), fault.retry()),
            (Side::Internal, Retry::Never)
        );
        assert_eq!(server.connections(), 0);
    });
}

#[test]
fn an_upstream_that_does_not_answer_is_told_by_how_far_it_came() {
    run(async {
        let table = [
            ("", "closed"),
            ("HTTP/1.1 200 OK\r\nContent-Le", "closed"),
            ("HTTP/1.1 100 Continue\r\n\r\n", "closed"),
            ("HTTP/1.1 200 OK\nContent-Length: 0\n\n", "malformed"),
            ("SMTP ready\r\n", "malformed"),
        ];
        for (bytes, label) in table {
            let server = Server::start(move |mut peer| async move {
                peer.head().await.unwrap();
                peer.write(bytes).await;
            })
            .await;
            let (pool, upstream) = (pool(), server.upstream());
            let fault = call(&pool, &upstream).await.unwrap_err();
            assert_eq!(told(&fault), (label, "await_head", true), "{bytes}");
            assert_eq!(
                (fault.side(), fault.retry()),
                (Side::Upstream, Retry::Never)
            );
            assert_eq!(server.connections(), 1, "{bytes}");
            assert_eq!(pool.open(), 0);
            server.finish().await;
        }
    });
}

#[test]
fn silence_is_bounded_while_an_answer_or_a_part_is_owed() {
    run(async {
        let table = [
            ("", "await_head"),
            ("HTTP/1.1 200 O", "await_head"),
            ("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", "body"),
        ];
        for (bytes, phase) in table {
            let server = Server::start(move |mut peer| async move {
                peer.head().await.unwrap();
                peer.write(bytes).await;
                peer.until_closed().await;
            })
            .await;
            let (pool, upstream) = (pool(), server.upstream());
            let mut limits = pool.limits();
            limits.idle = Duration::from_millis(30);
            let outcome = async {
                let sending = pool.send(&upstream, get("/"), Outgoing::None, limits);
                crate::server::whole(sending.await?).await
            };
            let fault = outcome.await.unwrap_err();
            assert_eq!(told(&fault), ("idle", phase, true), "{bytes}");
            assert_eq!(pool.open(), 0);
            server.finish().await;
        }
    });
}

#[test]
fn faults_show_nothing_of_the_request() {
    run(async {
        let server = Server::start(|mut peer| async move {
            peer.head().await.unwrap();
            peer.write("HTTP/1.1 200 OK\r\nLocation: /bot1:SECRET\n\n")
                .await;
        })
        .await;
        let (pool, upstream) = (pool(), server.upstream());
        let sending = pool.send(
            &upstream,
            get("/bot1:SECRET/x"),
            Outgoing::None,
            pool.limits(),
        );
        let fault = sending.await.unwrap_err();
        let mut text = format!("{fault} {fault:?} {pool:?} {upstream:?}");
        let mut source: &dyn std::error::Error = &fault;
        while let Some(next) = source.source() {
            text.push_str(&next.to_string());
            source = next;
        }
        assert!(!text.contains("SECRET"), "{text}");
    });
}

#[test]
fn when_the_request_was_sent_is_known_with_and_without_an_answer() {
    run(async {
        let silent = Server::start(|mut peer| async move {
            peer.head().await;
        })
        .await;
        let (pool, upstream, before) = (pool(), silent.upstream(), Instant::now());
        let mut sending = pool.send(&upstream, get("/"), Outgoing::None, pool.limits());
        assert_eq!(sending.sent_at(), None);
        assert!(told(&(&mut sending).await.unwrap_err()).2);
        assert!(sending.sent_at().is_some_and(|sent| sent >= before));
        silent.finish().await;

        let server = Server::ok().await;
        let mut sending = pool.send(&server.upstream(), get("/"), Outgoing::None, pool.limits());
        let answer = (&mut sending).await.unwrap();
        assert_eq!(sending.sent_at(), answer.timing.first_sent);
        assert!(sending.sent_at().is_some());
    });
}
