//! What is written for a request, to the byte, and what is refused.
#![allow(clippy::unwrap_used)]

use futures_util::stream;
use proptest::prelude::*;

use super::*;

fn written(url: &str, target: &str, headers: &[(&str, &str)], body: Outgoing) -> String {
    let upstream = Upstream::new(url, None, None).unwrap();
    let headers = headers
        .iter()
        .map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    let head = RequestHead {
        method: b"POST",
        target: target.as_bytes(),
        headers,
    };
    let mut body = body;
    String::from_utf8(serialize(&upstream, head, &mut body).unwrap()).unwrap()
}

fn stream_of(length: Option<u64>) -> Outgoing {
    Outgoing::stream(length, stream::empty::<Result<Bytes, std::io::Error>>())
}

#[test]
fn nothing_is_added_but_host_and_framing() {
    let table = [
        (Outgoing::None, ""),
        (Outgoing::Whole(Bytes::new()), "Content-Length: 0\r\n"),
        (stream_of(Some(7)), "Content-Length: 7\r\n"),
        (stream_of(None), "Transfer-Encoding: chunked\r\n"),
    ];
    for (body, framing) in table {
        let got = written("http://h:81/base/", "/a//b?%3A=\u{431}", &[], body);
        let expected =
            format!("POST /base/a//b?%3A=\u{431} HTTP/1.1\r\nHost: h:81\r\n{framing}\r\n");
        assert_eq!(got, expected);
    }
}

#[test]
fn headers_keep_order_and_case_and_ours_take_the_place_of_the_callers() {
    let headers = [
        ("accept", "*/*"),
        ("hOST", "other"),
        ("CONTENT-length", "99"),
        ("X-a", ""),
        ("x-A", "b"),
    ];
    let got = written(
        "http://h",
        "/",
        &headers,
        Outgoing::Whole(Bytes::from_static(b"abc")),
    );
    assert_eq!(
        got,
        "POST / HTTP/1.1\r\naccept: */*\r\nhOST: h\r\nCONTENT-length: 3\r\nX-a: \r\nx-A: b\r\n\r\nabc"
    );
}

#[test]
fn a_callers_framing_is_never_a_second_one() {
    let both = [
        ("Content-Length", "5"),
        ("Transfer-Encoding", "chunked"),
        ("Host", "a"),
        ("Host", "b"),
    ];
    let table = [
        (Outgoing::None, "Host: h\r\n"),
        (stream_of(Some(7)), "Content-Length: 7\r\nHost: h\r\n"),
        (stream_of(None), "Transfer-Encoding: chunked\r\nHost: h\r\n"),
    ];
    for (body, lines) in table {
        let got = written("http://h", "/", &both, body);
        assert_eq!(got, format!("POST / HTTP/1.1\r\n{lines}\r\n"));
    }
}

#[test]
fn a_large_body_is_not_copied() {
    let upstream = Upstream::new("http://h", None, None).unwrap();
    let head = RequestHead {
        method: b"POST",
        target: b"/",
        headers: [],
    };
    let mut body = Outgoing::Whole(Bytes::from(vec![b'x'; JOINED + 1]));
    let bytes = serialize(&upstream, head, &mut body).unwrap();
    assert!(bytes.ends_with(b"\r\n\r\n"));
    assert!(matches!(body, Outgoing::Whole(rest) if rest.len() == JOINED + 1));
}

#[test]
fn what_would_smuggle_is_refused() {
    let upstream = Upstream::new("http://h", None, None).unwrap();
    let refused = |method: &[u8], target: &[u8], name: &[u8], value: &[u8]| {
        let head = RequestHead {
            method,
            target,
            headers: [(name, value)],
        };
        serialize(&upstream, head, &mut Outgoing::None).err()
    };
    assert_eq!(refused(b"PATCH", b"/a", b"a", b"\xff \t~"), None);
    for method in [b"".as_slice(), b"GET ", b"G\r\nT", b"CONNECT"] {
        assert_eq!(refused(method, b"/", b"a", b"b"), Some(Unsendable::Method));
    }
    for target in [
        b"".as_slice(),
        b"*",
        b"http://h/",
        b"/ ",
        b"/\r\n",
        b"/\0",
        b"/\x7f",
    ] {
        assert_eq!(
            refused(b"GET", target, b"a", b"b"),
            Some(Unsendable::Target)
        );
    }
    for name in [b"".as_slice(), b"a b", b"a:", b"a\r\n", b"\xff"] {
        assert_eq!(
            refused(b"GET", b"/", name, b"b"),
            Some(Unsendable::HeaderName)
        );
    }
    for value in [b"a\r\nb".as_slice(), b"a\n", b"\0", b"\x7f"] {
        assert_eq!(
            refused(b"GET", b"/", b"a", value),
            Some(Unsendable::HeaderValue)
        );
    }
}

/// Bytes with a liking for those that mean something to a parser.
fn odd(most: usize) -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![
        6 => b'a'..=b'z',
        1 => prop::sample::select(b"\r\n :\t/?%\0\x7f\xff".to_vec()),
    ];
    prop::collection::vec(byte, 0..most)
}

proptest! {
    #[test]
    fn what_is_written_is_one_request_and_the_callers(
        method in odd(4),
        target in odd(12),
        headers in prop::collection::vec((odd(4), odd(8)), 0..4),
    ) {
        let upstream = Upstream::new("http://h", None, None).unwrap();
        // The oracle takes UTF-8 alone.
        let target = format!("/{}", String::from_utf8_lossy(&target)).into_bytes();
        let pairs = headers.iter().map(|(name, value)| (&name[..], &value[..]));
        let head = RequestHead { method: &method, target: &target, headers: pairs };
        if let Ok(bytes) = serialize(&upstream, head, &mut Outgoing::None) {
            let mut slots = [httparse::EMPTY_HEADER; 8];
            let mut request = httparse::Request::new(&mut slots);
            let read = request.parse(&bytes).unwrap();
            prop_assert_eq!(read, httparse::Status::Complete(bytes.len()));
            prop_assert_eq!(request.method.unwrap().as_bytes(), &method);
            prop_assert_eq!(request.path.unwrap().as_bytes(), &target);
            let got: Vec<_> = request.headers.iter().map(|it| (it.name.as_bytes(), it.value)).collect();
            let mut expected = vec![(&b"Host"[..], &b"h"[..])];
            expected.extend(headers.iter().map(|(name, value)| (&name[..], value.trim_ascii())));
            prop_assert_eq!(got, expected);
        }
    }
}
