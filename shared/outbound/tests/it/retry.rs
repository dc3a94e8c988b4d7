//! When a second connection is dialled, and when not: only if the kernel took nothing of the
//! request. Here the server runs on a thread of its own and the client's event loop is held,
//! so that it cannot have seen what the kernel already knows.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::mpsc::{Receiver, Sender, channel},
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use gramtap_outbound::{Outgoing, Retry, Upstream};

use crate::server::{OK, call, get, pool, post, run, whole};

/// Answers one request per connection; then the test says how the first one ends.
struct Thread {
    address: SocketAddr,
    /// How to end the first connection.
    end: Sender<End>,
    /// It has ended.
    ended: Receiver<()>,
    /// Heads received, by connection.
    heads: Receiver<(usize, String)>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum End {
    Close,
    Reset,
    Say(&'static str),
    /// Only after the next request was read.
    AfterRequest,
}

fn head(tcp: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    let mut byte = [0];
    while !bytes.ends_with(b"\r\n\r\n") {
        if tcp.read(&mut byte).unwrap_or(0) == 0 {
            return None;
        }
        bytes.push(byte[0]);
    }
    Some(String::from_utf8(bytes).unwrap())
}

fn start() -> Thread {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let ((end, how), (tell, ended), (record, heads)) = (channel(), channel(), channel());
    std::thread::spawn(move || {
        for (number, tcp) in listener.incoming().enumerate() {
            let mut tcp = tcp.unwrap();
            record.send((number, head(&mut tcp).unwrap())).unwrap();
            tcp.write_all(OK.as_bytes()).unwrap();
            if number > 0 {
                let mut rest = Vec::new();
                tcp.read_to_end(&mut rest).ok();
                continue;
            }
            match how.recv().unwrap() {
                End::Close => {}
                End::Reset => {
                    socket2::SockRef::from(&tcp)
                        .set_linger(Some(Duration::ZERO))
                        .unwrap();
                }
                End::Say(text) => {
                    tcp.write_all(text.as_bytes()).unwrap();
                    tell.send(()).unwrap();
                    let mut rest = Vec::new();
                    tcp.read_to_end(&mut rest).ok();
                    assert_eq!(rest, b"");
                    continue;
                }
                End::AfterRequest => {
                    tell.send(()).unwrap();
                    record.send((number, head(&mut tcp).unwrap())).unwrap();
                    continue;
                }
            }
            drop(tcp);
            tell.send(()).unwrap();
        }
    });
    Thread {
        address,
        end,
        ended,
        heads,
    }
}

impl Thread {
    fn upstream(&self) -> Upstream {
        Upstream::new(&format!("http://{}", self.address), None, None).unwrap()
    }

    /// Ends the first connection while the client's event loop stands still.
    fn end(&self, how: End) {
        self.end.send(how).unwrap();
        self.ended.recv().unwrap();
    }

    fn connections(&self) -> Vec<usize> {
        self.heads.try_iter().map(|(number, _)| number).collect()
    }

    fn requests(&self) -> Vec<(usize, String)> {
        let line = |head: String| head.lines().next().unwrap().to_owned();
        self.heads
            .try_iter()
            .map(|(number, head)| (number, line(head)))
            .collect()
    }
}

#[test]
fn a_connection_that_was_reset_before_the_first_byte_is_replaced() {
    run(async {
        let server = start();
        let (pool, upstream) = (pool(), server.upstream());
        call(&pool, &upstream).await.unwrap();
        server.end(End::Reset);
        // The first write is refused by the kernel; all of the request goes to the next one,
        // the part of the body that was already taken from the caller, too.
        let parts = stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(b"part"))]);
        let body = Outgoing::stream(Some(4), parts);
        let sending = pool.send(&upstream, post("/second"), body, pool.limits());
        let answer = sending.await.unwrap();
        assert!(!answer.timing.reused);
        assert_eq!(whole(answer).await.unwrap().0, 200);
        let expected = [
            (0, "GET / HTTP/1.1".to_owned()),
            (1, "POST /second HTTP/1.1".to_owned()),
        ];
        assert_eq!(server.requests(), expected);
    });
}

#[test]
fn a_rested_connection_is_looked_at_before_it_is_used() {
    run(async {
        for end in [
            End::Close,
            End::Say("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\npoisoned"),
        ] {
            let server = start();
            let (pool, upstream) = (pool(), server.upstream());
            call(&pool, &upstream).await.unwrap();
            server.end(end);
            // paced: the connection rests, and the event loop is blocked on purpose
            std::thread::sleep(Duration::from_millis(120));
            assert_eq!(call(&pool, &upstream).await.unwrap().1, b"ok", "{end:?}");
            assert_eq!(server.connections(), [0, 1]);
        }
    });
}

#[test]
fn what_may_have_been_sent_is_not_sent_again() {
    run(async {
        for end in [End::Close, End::AfterRequest] {
            // Once more if the machine was so slow that the connection has rested.
            let (server, fault) = loop {
                let server = start();
                let (pool, upstream) = (pool(), server.upstream());
                call(&pool, &upstream).await.unwrap();
                let rests = Instant::now();
                server.end(end);
                // The kernel takes it: whether the upstream has read it, nobody knows.
                let sending = pool.send(&upstream, get("/second"), Outgoing::None, pool.limits());
                if rests.elapsed() < Duration::from_millis(80) {
                    break (server, sending.await.unwrap_err());
                }
            };
            assert!(["closed", "receive"].contains(&fault.label()), "{fault}");
            assert_eq!(
                (fault.phase().label(), fault.sent()),
                ("await_head", true),
                "{end:?}"
            );
            assert!(fault.reused());
            assert_eq!(fault.retry(), Retry::Never);
            let expected: &[usize] = if end == End::Close { &[0] } else { &[0, 0] };
            assert_eq!(server.connections(), expected, "{end:?}");
        }
    });
}

#[test]
fn an_answer_explains_a_write_that_failed() {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let ((go, may_answer), (tell, has_answered)) = (channel(), channel());
        let (asked, is_asked) = tokio::sync::oneshot::channel();
        std::thread::spawn(move || {
            let (mut tcp, _) = listener.accept().unwrap();
            head(&mut tcp).unwrap();
            asked.send(()).unwrap();
            may_answer.recv().unwrap();
            tcp.write_all(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")
                .unwrap();
            // What was not read makes the kernel reset the connection.
            drop(tcp);
            tell.send(()).unwrap();
        });
        let (parts, receiver) = tokio::sync::mpsc::unbounded_channel();
        let body = stream::unfold(receiver, |mut receiver| async {
            Some((receiver.recv().await?, receiver))
        });
        let upstream = Upstream::new(&url, None, None).unwrap();
        let pool = pool();
        let body = Outgoing::stream::<_, std::io::Error>(None, body.map(Ok));
        let mut sending = pool.send(&upstream, post("/"), body, pool.limits());
        parts.send(Bytes::from_static(b"one")).unwrap();
        tokio::select! {
            _ = &mut sending => panic!("there is no answer yet"),
            _ = is_asked => {}
        }
        go.send(()).unwrap();
        has_answered.recv().unwrap();
        // The event loop has not seen the answer: what comes first is the failure to write.
        parts.send(Bytes::from_static(b"two")).unwrap();
        let answer = sending.await.unwrap();
        assert_eq!(whole(answer).await.unwrap(), (413, b"no".to_vec()));
        assert_eq!(pool.open(), 0);
    });
}
