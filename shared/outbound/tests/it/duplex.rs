//! Both ways at once: early answers, answers while the upload goes on, uploads that fail.

use std::{cell::Cell, io, rc::Rc};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use gramtap_outbound::{Outgoing, Retry, Side};
use tokio::sync::{mpsc, oneshot};

use crate::server::{Server, call, parts, pool, post, run, told, upload, whole};

/// Parts without end; tells when it is dropped.
fn endless(dropped: Rc<Cell<bool>>) -> impl futures_util::Stream<Item = io::Result<Bytes>> {
    struct Tell(Rc<Cell<bool>>);
    impl Drop for Tell {
        fn drop(&mut self) {
            self.0.set(true);
        }
    }
    let tell = Tell(dropped);
    stream::repeat_with(move || {
        let _tell = &tell;
        Ok(Bytes::from_static(&[b'x'; 16 * 1024]))
    })
}

#[test]
fn an_early_answer_comes_while_the_upload_goes_on() {
    run(async {
        let (closed, sees_close) = oneshot::channel();
        let closed = Cell::new(Some(closed));
        let server = Server::start(move |mut peer| {
            let closed = closed.take();
            async move {
                peer.head().await.unwrap();
                peer.body(100_000).await;
                peer.write("HTTP/1.1 413 Too Large\r\nContent-Length: 4\r\n\r\nno!\n")
                    .await;
                // Reads on, as a draining server does: the answer must not wait for that.
                peer.until_closed().await;
                closed.unwrap().send(()).unwrap();
            }
        })
        .await;
        let (pool, upstream) = (pool(), server.upstream());
        let dropped = Rc::new(Cell::new(false));
        let answer = upload(&pool, &upstream, None, endless(dropped.clone()))
            .await
            .unwrap();
        assert_eq!(answer.head.status(), 413);
        assert!(!answer.body.is_upload_over());
        assert!(!dropped.get());
        let mut body = answer.body;
        assert_eq!(body.next().await.unwrap().unwrap(), "no!\n");
        assert!(body.next().await.is_none());
        drop(body);
        // The caller has decided to stop: stream and connection are gone.
        assert!(dropped.get());
        sees_close.await.unwrap();
        assert_eq!(pool.open(), 0);
        server.finish().await;
    });
}

#[test]
fn an_early_answer_is_read_even_if_the_upstream_then_resets() {
    run(async {
        let server = Server::start(move |mut peer| async move {
            peer.head().await.unwrap();
            peer.write(
                "HTTP/1.1 413 Too Large\r\nContent-Length: 4\r\nConnection: close\r\n\r\nno!\n",
            )
            .await;
            // Closed with unread data: the kernel answers the rest of the upload with a reset.
        })
        .await;
        let (pool, upstream) = (pool(), server.upstream());
        for length in [None, Some(1 << 40)] {
            let upload = upload(&pool, &upstream, length, endless(Rc::default()));
            assert_eq!(
                whole(upload.await.unwrap()).await.unwrap(),
                (413, b"no!\n".to_vec())
            );
        }
        server.finish().await;
    });
}

#[test]
fn after_an_early_answer_the_upload_can_be_finished() {
    run(async {
        let server = Server::start(move |mut peer| async move {
            peer.head().await.unwrap();
            peer.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                .await;
            assert_eq!(peer.body(6).await, b"onetwo");
            peer.head().await.unwrap();
            peer.write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnext")
                .await;
            peer.until_closed().await;
        })
        .await;
        let (pool, upstream) = (pool(), server.upstream());
        let (sender, receiver) = mpsc::channel(1);
        let parts = stream::unfold(receiver, |mut receiver| async {
            Some((Ok(receiver.recv().await?), receiver))
        });
        let answer = upload(&pool, &upstream, Some(6), parts).await.unwrap();
        assert!(!answer.body.is_upload_over());
        let caller = async {
            sender.send(Bytes::from_static(b"one")).await.unwrap();
            sender.send(Bytes::from_static(b"two")).await.unwrap();
        };
        let (finished, ()) = tokio::join!(answer.body.finish_upload(), caller);
        finished.unwrap();
        assert_eq!(call(&pool, &upstream).await.unwrap().1, b"next");
        assert_eq!(server.connections(), 1);
        server.finish().await;
    });
}

#[test]
fn an_answer_can_depend_on_what_is_still_being_sent() {
    run(async {
        let server = Server::start(move |mut peer| async move {
            peer.head().await.unwrap();
            peer.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                .await;
            for _ in 0..50 {
                let chunk = peer.body("4\r\nping\r\n".len()).await;
                peer.write(chunk).await;
            }
            assert_eq!(peer.body(5).await, b"0\r\n\r\n");
            peer.write("0\r\n\r\n").await;
            peer.until_closed().await;
        })
        .await;
        let (pool, upstream) = (pool(), server.upstream());
        let (sender, receiver) = mpsc::channel(1);
        let parts = stream::unfold(receiver, |mut receiver| async {
            Some((Ok(receiver.recv().await?), receiver))
        });
        let answer = upload(&pool, &upstream, None, parts).await.unwrap();
        let mut body = answer.body;
        for _ in 0..50 {
            // The next one is there only after the echo of the last.
            sender.send(Bytes::from_static(b"ping")).await.unwrap();
            assert_eq!(body.next().await.unwrap().unwrap(), "ping");
        }
        drop(sender);
        assert!(body.next().await.is_none());
        drop(body);
        assert_eq!(pool.open(), 1, "the connection is kept");
        server.finish().await;
    });
}

#[test]
fn a_failed_upload_is_never_a_whole_one() {
    run(async {
        let (seen, mut sees) = mpsc::unbounded_channel();
        let server = Server::start(move |mut peer| {
            let seen = seen.clone();
            async move {
                peer.head().await.unwrap();
                seen.send(peer.until_closed().await).unwrap();
            }
        })
        .await;
        let (pool, upstream) = (pool(), server.upstream());
        let broken = || {
            let gone = io::Error::from(io::ErrorKind::ConnectionReset);
            parts(&["abc"]).chain(stream::iter([Err(gone)]))
        };

        let fault = upload(&pool, &upstream, None, broken()).await.unwrap_err();
        assert_eq!(told(&fault), ("upload", "send_body", true));
        assert_eq!(
            (fault.side(), fault.retry()),
            (Side::Downstream, Retry::Never)
        );
        assert_eq!(sees.recv().await.unwrap(), b"3\r\nabc\r\n");

        let fault = upload(&pool, &upstream, Some(6), broken())
            .await
            .unwrap_err();
        assert_eq!(fault.label(), "upload");
        assert_eq!(sees.recv().await.unwrap(), b"abc");

        // Shorter than announced.
        let fault = upload(&pool, &upstream, Some(6), parts(&["abc"]))
            .await
            .unwrap_err();
        assert_eq!(told(&fault), ("upload_length", "send_body", true));
        assert_eq!(sees.recv().await.unwrap(), b"abc");

        // Longer than announced: what is too much is not even begun.
        let fault = upload(&pool, &upstream, Some(4), parts(&["abc", "def"]))
            .await
            .unwrap_err();
        assert_eq!(
            (fault.label(), fault.side()),
            ("upload_length", Side::Downstream)
        );
        assert_eq!(sees.recv().await.unwrap(), b"abc");
        assert_eq!(pool.open(), 0);
        server.finish().await;
    });
}

#[test]
fn a_stalled_upload_is_the_callers_fault() {
    run(async {
        let server = Server::start(move |mut peer| async move {
            peer.until_closed().await;
        })
        .await;
        let (pool, upstream) = (pool(), server.upstream());
        let mut limits = pool.limits();
        limits.idle = std::time::Duration::from_millis(30);
        let body = Outgoing::stream(None, stream::pending::<io::Result<Bytes>>());
        let fault = pool
            .send(&upstream, post("/"), body, limits)
            .await
            .unwrap_err();
        assert_eq!(told(&fault), ("upload_idle", "send_body", true));
        assert_eq!(fault.side(), Side::Downstream);
        server.finish().await;
    });
}
