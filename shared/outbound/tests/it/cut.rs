//! Bodies that end too early, and calls that are given up.

use futures_util::StreamExt;
use gramtap_outbound::{Outgoing, Retry};
use tokio::sync::oneshot;

use crate::server::{Server, call, get, pool, run, told};

/// Writes the bytes, then closes.
async fn closing(bytes: &'static str) -> Server {
    Server::start(move |mut peer| async move {
        peer.head().await.unwrap();
        peer.write(bytes).await;
    })
    .await
}

#[test]
fn a_cut_body_is_told_apart_from_a_whole_one() {
    run(async {
        let table = [
            "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabc",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabc",
        ];
        for bytes in table {
            let server = closing(bytes).await;
            let (pool, upstream) = (pool(), server.upstream());
            let sending = pool.send(&upstream, get("/"), Outgoing::None, pool.limits());
            let mut body = sending.await.unwrap().body;
            let mut got = Vec::new();
            let fault = loop {
                match body.next().await.expect("an end without an error") {
                    Ok(part) => got.extend(part),
                    Err(fault) => break fault,
                }
            };
            assert_eq!(got, b"abc", "{bytes}");
            assert_eq!(told(&fault), ("cut", "body", true), "{bytes}");
            assert_eq!(fault.retry(), Retry::Never);
            assert!(body.next().await.is_none());
            assert!(body.ended().is_none(), "{bytes}");
            server.finish().await;
        }
    });
}

#[test]
fn a_body_until_close_is_whole_when_the_upstream_closes() {
    run(async {
        for version in ["1.0", "1.1"] {
            let text = format!("HTTP/{version} 200 OK\r\n\r\nabc");
            let server = closing(text.leak()).await;
            let (pool, upstream) = (pool(), server.upstream());
            assert_eq!(
                call(&pool, &upstream).await.unwrap(),
                (200, b"abc".to_vec())
            );
            assert_eq!(pool.open(), 0);
            server.finish().await;
        }
    });
}

#[test]
fn a_reset_is_no_end() {
    run(async {
        let server = Server::start(|mut peer| async move {
            peer.head().await.unwrap();
            peer.write("HTTP/1.1 200 OK\r\n\r\nabc").await;
            peer.tcp.set_zero_linger().unwrap();
        })
        .await;
        let (pool, upstream) = (pool(), server.upstream());
        let fault = call(&pool, &upstream).await.unwrap_err();
        assert!(fault.sent());
        // The reset may overtake the head on its way through the kernel.
        assert!(["cut", "receive"].contains(&fault.label()), "{fault}");
        server.finish().await;
    });
}

#[test]
fn a_dropped_call_closes_its_connection_at_once() {
    run(async {
        for answer in ["", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"] {
            let (closed, sees_close) = oneshot::channel();
            let (asked, is_asked) = oneshot::channel();
            let told = std::cell::Cell::new(Some((asked, closed)));
            let server = Server::start(move |mut peer| {
                let (asked, closed) = told.take().unwrap();
                async move {
                    peer.head().await.unwrap();
                    peer.write(answer).await;
                    asked.send(()).unwrap();
                    peer.until_closed().await;
                    closed.send(()).unwrap();
                }
            })
            .await;
            let (pool, upstream) = (pool(), server.upstream());
            let mut sending = pool.send(&upstream, get("/"), Outgoing::None, pool.limits());
            assert!(!sending.is_sent());
            if answer.is_empty() {
                tokio::select! {
                    _ = &mut sending => panic!("nobody has answered"),
                    () = async { is_asked.await.unwrap() } => {}
                }
                assert!(sending.is_sent());
                drop(sending);
            } else {
                let mut body = sending.await.unwrap().body;
                assert_eq!(body.next().await.unwrap().unwrap(), "abc");
                drop(body);
            }
            assert_eq!(pool.open(), 0);
            sees_close.await.unwrap();
            server.finish().await;
        }
    });
}
