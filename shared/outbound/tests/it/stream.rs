//! Large bodies: what is in flight is bounded by the sockets, not by the body.

use std::{cell::Cell, rc::Rc};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use gramtap_outbound::Outgoing;
use tokio::io::AsyncWriteExt;

use crate::server::{OK, Server, get, pool, run, upload, whole};

const PART: usize = 64 * 1024;
const PARTS: usize = 1024;
/// What the two sockets of a loopback connection may hold, and one part.
const IN_FLIGHT: usize = 16 * 1024 * 1024;

/// All bytes of a part are the same.
fn part(number: usize) -> Vec<u8> {
    vec![(number % 251) as u8; PART]
}

/// Whether these are the body's bytes from that place on.
fn matches(mut bytes: &[u8], mut place: usize) -> bool {
    while !bytes.is_empty() {
        let (piece, rest) = bytes.split_at(bytes.len().min(PART - place % PART));
        if part(place / PART)[..piece.len()] != *piece {
            return false;
        }
        place += piece.len();
        bytes = rest;
    }
    true
}

#[test]
fn an_upload_is_held_back_by_a_slow_upstream() {
    run(async {
        let produced = Rc::new(Cell::new(0));
        let seen = produced.clone();
        let server = Server::start(move |mut peer| {
            let seen = seen.clone();
            async move {
                peer.head().await.unwrap();
                let mut taken = 0;
                while taken < PART * PARTS {
                    // The others have the thread until nothing moves any more.
                    loop {
                        let before = seen.get();
                        tokio::task::yield_now().await;
                        if seen.get() == before {
                            break;
                        }
                    }
                    assert!(
                        seen.get() - taken <= IN_FLIGHT,
                        "{} ahead",
                        seen.get() - taken
                    );
                    let came = peer.some().await;
                    assert!(!came.is_empty() && matches(&came, taken));
                    taken += came.len();
                }
                peer.write(OK).await;
                peer.until_closed().await;
            }
        })
        .await;
        let (pool, upstream) = (pool(), server.upstream());
        let parts = stream::iter(0..PARTS).map(move |number| {
            produced.set(produced.get() + PART);
            Ok(Bytes::from(part(number)))
        });
        let length = (PART * PARTS) as u64;
        let answer = upload(&pool, &upstream, Some(length), parts).await.unwrap();
        assert_eq!(whole(answer).await.unwrap().0, 200);
        server.finish().await;
    });
}

#[test]
fn a_download_is_held_back_by_a_slow_caller() {
    run(async {
        let written = Rc::new(Cell::new(0));
        let counter = written.clone();
        let server = Server::start(move |mut peer| {
            let written = counter.clone();
            async move {
                peer.head().await.unwrap();
                peer.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                    .await;
                for number in 0..PARTS {
                    peer.write(format!("{PART:x}\r\n")).await;
                    let part = part(number);
                    let mut rest = &part[..];
                    while !rest.is_empty() {
                        let taken = peer.tcp.write(rest).await.unwrap();
                        rest = &rest[taken..];
                        written.set(written.get() + taken);
                    }
                    peer.write("\r\n").await;
                }
                peer.write("0\r\n\r\n").await;
                peer.until_closed().await;
            }
        })
        .await;
        let (pool, upstream) = (pool(), server.upstream());
        let sending = pool.send(&upstream, get("/"), Outgoing::None, pool.limits());
        let mut body = sending.await.unwrap().body;
        let mut taken = 0;
        while let Some(part) = body.next().await {
            let part = part.unwrap();
            assert!(part.len() <= PART, "{}", part.len());
            assert!(matches(&part, taken));
            taken += part.len();
            tokio::task::yield_now().await;
            assert!(
                written.get() - taken <= IN_FLIGHT,
                "{} ahead",
                written.get() - taken
            );
        }
        assert_eq!(taken, PART * PARTS);
        assert_eq!(pool.open(), 1);
        server.finish().await;
    });
}
