//! One call: what is written, and what is made of the answer.

use std::time::Duration;

use bytes::Bytes;
use gramtap_outbound::{Framing, Outgoing, Pool, RequestHead, Upstream};

use crate::server::{OK, Server, call, parts, pool, run, upload, whole};

#[test]
fn a_call_is_written_and_answered_and_its_connection_used_again() {
    run(async {
        let server = Server::start(|mut peer| async move {
            let head = peer.head().await.unwrap();
            assert!(
                head.starts_with("POST /bot1:A/sendMessage?x=%3A HTTP/1.1\r\nHost: "),
                "{head}"
            );
            assert!(
                head.ends_with("\r\nX-a: 1\r\nContent-Length: 5\r\n\r\n"),
                "{head}"
            );
            assert_eq!(peer.body(5).await, b"hello");
            peer.write("HTTP/1.1 200 Very well\r\nContent-Length: 2\r\nX-B: c\r\n\r\nok")
                .await;
            peer.head().await.unwrap();
            peer.write("HTTP/1.1 404 \r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n")
                .await;
            peer.until_closed().await;
        })
        .await;
        let (pool, upstream) = (pool(), server.upstream());
        let headers = [(b"X-a".as_slice(), b"1".as_slice())];
        let target = b"/bot1:A/sendMessage?x=%3A";
        let head = RequestHead {
            method: b"POST",
            target,
            headers,
        };
        let body = Outgoing::Whole(Bytes::from_static(b"hello"));
        let answer = pool
            .send(&upstream, head, body, pool.limits())
            .await
            .unwrap();
        assert_eq!(answer.head.reason(), b"Very well");
        assert_eq!(answer.head.header("x-b"), Some(b"c".as_slice()));
        assert!(!answer.timing.reused);
        assert!(answer.timing.first_sent.unwrap() >= answer.timing.started);
        assert_eq!(answer.body.into_whole().unwrap(), "ok");
        assert_eq!(call(&pool, &upstream).await.unwrap(), (404, b"no".to_vec()));
        assert_eq!(server.connections(), 1);
        server.finish().await;
    });
}

#[test]
fn nothing_of_the_request_is_borrowed_while_it_waits() {
    run(async {
        let server = Server::ok().await;
        let (pool, upstream) = (pool(), server.upstream());
        let sending = {
            let target = String::from("/short-lived");
            let headers = vec![(b"A".as_slice(), b"b".as_slice())];
            let head = RequestHead {
                method: b"GET",
                target: target.as_bytes(),
                headers,
            };
            pool.send(&upstream, head, Outgoing::None, pool.limits())
        };
        assert_eq!(sending.await.unwrap().head.status(), 200);
    });
}

#[test]
fn bodies_are_framed_as_they_are_given() {
    run(async {
        let server = Server::start(|mut peer| async move {
            // A GET with a body.
            assert!(
                peer.head()
                    .await
                    .unwrap()
                    .contains("\r\nContent-Length: 2\r\n")
            );
            assert_eq!(peer.body(2).await, b"ab");
            peer.write(OK).await;
            // Parts of a known length.
            assert!(
                peer.head()
                    .await
                    .unwrap()
                    .contains("\r\nContent-Length: 6\r\n")
            );
            assert_eq!(peer.body(6).await, b"onetwo");
            peer.write(OK).await;
            // Parts of unknown length; empty ones would end the body early.
            assert!(
                peer.head()
                    .await
                    .unwrap()
                    .contains("\r\nTransfer-Encoding: chunked\r\n")
            );
            let chunks = b"3\r\none\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n";
            assert_eq!(peer.body(chunks.len()).await, chunks);
            peer.write(OK).await;
            // A large whole one, not copied behind the head.
            assert!(
                peer.head()
                    .await
                    .unwrap()
                    .contains("\r\nContent-Length: 300000\r\n")
            );
            assert_eq!(peer.body(300_000).await, vec![b'x'; 300_000]);
            peer.write(OK).await;
            assert_eq!(peer.until_closed().await, b"");
        })
        .await;
        let (pool, upstream) = (pool(), server.upstream());
        let head = RequestHead {
            method: b"GET",
            target: b"/",
            headers: [],
        };
        let body = Outgoing::Whole(Bytes::from_static(b"ab"));
        whole(
            pool.send(&upstream, head, body, pool.limits())
                .await
                .unwrap(),
        )
        .await
        .unwrap();
        let known = upload(&pool, &upstream, Some(6), parts(&["one", "", "two"]))
            .await
            .unwrap();
        whole(known).await.unwrap();
        let chunked = upload(
            &pool,
            &upstream,
            None,
            parts(&["one", "", "0123456789abcdef"]),
        );
        whole(chunked.await.unwrap()).await.unwrap();
        let body = Outgoing::Whole(vec![b'x'; 300_000].into());
        whole(
            pool.send(&upstream, head, body, pool.limits())
                .await
                .unwrap(),
        )
        .await
        .unwrap();
        assert_eq!(server.connections(), 1);
        server.finish().await;
    });
}

#[test]
fn interim_answers_are_skipped_and_bodiless_ones_are_not_waited_for() {
    run(async {
        let server = Server::start(|mut peer| async move {
            peer.head().await.unwrap();
            peer.write("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nA: b\r\n")
                .await;
            tokio::task::yield_now().await;
            peer.write("\r\nHTTP/1.1 204 No Content\r\n\r\n").await;
            assert!(peer.head().await.unwrap().starts_with("HEAD / "));
            peer.write("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
                .await;
            peer.head().await.unwrap();
            peer.write("HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n")
                .await;
            peer.until_closed().await;
        })
        .await;
        let (pool, upstream) = (pool(), server.upstream());
        assert_eq!(call(&pool, &upstream).await.unwrap(), (204, vec![]));
        let head = RequestHead {
            method: b"HEAD",
            target: b"/",
            headers: [],
        };
        let answer = pool
            .send(&upstream, head, Outgoing::None, pool.limits())
            .await
            .unwrap();
        assert_eq!(answer.head.framing(), Framing::None);
        assert_eq!(
            answer.head.header("content-length"),
            Some(b"1000".as_slice())
        );
        assert_eq!(whole(answer).await.unwrap(), (200, vec![]));
        assert_eq!(call(&pool, &upstream).await.unwrap(), (304, vec![]));
        assert_eq!(server.connections(), 1);
        server.finish().await;
    });
}

#[test]
fn an_answer_may_come_byte_by_byte() {
    run(async {
        let server = Server::start(|mut peer| async move {
            peer.head().await.unwrap();
            let answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n2\r\nbc\r\n0\r\n\r\n";
            for byte in answer.bytes() {
                peer.write([byte]).await;
                // paced: each byte arrives alone
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            peer.until_closed().await;
        })
        .await;
        let (pool, upstream) = (pool(), server.upstream());
        assert_eq!(
            call(&pool, &upstream).await.unwrap(),
            (200, b"abc".to_vec())
        );
        assert_eq!(pool.open(), 1);
        server.finish().await;
    });
}

#[test]
fn a_name_is_resolved_and_a_local_address_used() {
    run(async {
        let server = Server::start(|mut peer| async move {
            let from = peer.tcp.peer_addr().unwrap().ip().to_string();
            let head = peer.head().await.unwrap();
            assert!(
                head.starts_with("GET /base/ HTTP/1.1\r\nHost: localhost:"),
                "{head}"
            );
            let length = from.len();
            peer.write(format!(
                "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{from}"
            ))
            .await;
            peer.until_closed().await;
        })
        .await;
        let pool = pool();
        // Where the name has an IPv6 address too, that one refuses and the next is tried.
        let url = format!("http://localhost:{}/base", server.address.port());
        let named = Upstream::new(&url, None, None).unwrap();
        assert_eq!(call(&pool, &named).await.unwrap().1, b"127.0.0.1");
        let bound = Upstream::new(&url, None, Some("127.0.0.2".parse().unwrap())).unwrap();
        assert_eq!(call(&pool, &bound).await.unwrap().1, b"127.0.0.2");
        server.finish().await;
    });
}

/// 4,000 of these wait at once: what a caller's future holds is this.
#[test]
fn a_waiting_call_is_small_in_its_callers_future() {
    run(async {
        let pool = Pool::start(gramtap_outbound::OutboundConfig::default());
        let upstream = Upstream::new("http://127.0.0.1:1", None, None).unwrap();
        let sending = pool.send(
            &upstream,
            crate::server::get("/"),
            Outgoing::None,
            pool.limits(),
        );
        assert!(size_of_val(&sending) <= 32, "{}", size_of_val(&sending));
    });
}
