//! One call: what is written, and what is made of the answer.

use bytes::Bytes;
use gramtap_outbound::{Outgoing, RequestHead};

use crate::server::{Server, call, pool, run, whole};

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
        assert_eq!(whole(answer).await.unwrap(), (200, b"ok".to_vec()));
        assert_eq!(call(&pool, &upstream).await.unwrap(), (404, b"no".to_vec()));
        assert_eq!(server.connections(), 1);
        server.finish().await;
    });
}
