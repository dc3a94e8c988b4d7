//! Tables of answers, good and bad; what holds for all of them is in `tests/properties.rs`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::head::{Framing, MAX_HEADERS};

mod properties;

/// All that can be told of a decoded answer.
#[derive(Debug, PartialEq, Eq, Clone)]
struct Outcome {
    status: Option<u16>,
    reason: Vec<u8>,
    headers: Vec<(Vec<u8>, Vec<u8>)>,
    body: Vec<u8>,
    end: End,
    surplus: bool,
}

#[derive(Debug, PartialEq, Eq, Clone)]
enum End {
    Whole,
    Cut,
    Flaw(Malformed),
}

/// Feeds the pieces, then closes in order.
fn decode<'a>(pieces: impl IntoIterator<Item = &'a [u8]>, to_head: bool) -> Outcome {
    let mut decoder = AnswerDecoder::new(to_head);
    let mut outcome = Outcome {
        status: None,
        reason: Vec::new(),
        headers: Vec::new(),
        body: Vec::new(),
        end: End::Cut,
        surplus: false,
    };
    for piece in pieces {
        let fed = decoder.feed(piece);
        if let Some(head) = fed.head {
            outcome.status = Some(head.status());
            outcome.reason = head.reason().to_vec();
            outcome.headers = head
                .headers()
                .map(|(n, v)| (n.to_vec(), v.to_vec()))
                .collect();
        }
        outcome.body.extend_from_slice(&fed.data);
    }
    outcome.end = match decoder.failure() {
        Some(flaw) => End::Flaw(flaw),
        None if decoder.close() => End::Whole,
        None => End::Cut,
    };
    outcome.surplus = decoder.has_surplus();
    outcome
}

fn decode_whole(bytes: &[u8]) -> Outcome {
    decode([bytes], false)
}

#[test]
fn bodies_end_where_their_framing_says() {
    let table: &[(&str, u16, &str, End, bool)] = &[
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
            200,
            "ok",
            End::Whole,
            false,
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1",
            200,
            "ok",
            End::Whole,
            true,
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok",
            200,
            "ok",
            End::Cut,
            false,
        ),
        (
            "HTTP/1.1 200 OK\r\ncontent-length:0\r\n\r\n",
            200,
            "",
            End::Whole,
            false,
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok",
            200,
            "ok",
            End::Whole,
            false,
        ),
        (
            "HTTP/1.1 200 OK\r\n\r\nto the end",
            200,
            "to the end",
            End::Whole,
            false,
        ),
        (
            "HTTP/1.0 200 OK\r\n\r\nto the end",
            200,
            "to the end",
            End::Whole,
            false,
        ),
        (
            "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
            200,
            "ok",
            End::Whole,
            false,
        ),
        (
            "HTTP/1.1 204 No Content\r\n\r\n",
            204,
            "",
            End::Whole,
            false,
        ),
        (
            "HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nok",
            204,
            "",
            End::Whole,
            true,
        ),
        (
            "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
            304,
            "",
            End::Whole,
            false,
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
            200,
            "ok",
            End::Whole,
            false,
        ),
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n002;a=\"b\";c\r\nok\r\nA\r\n0123456789\r\n0\r\nX: y\r\n\r\n",
            200,
            "ok0123456789",
            End::Whole,
            false,
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n",
            200,
            "ok",
            End::Cut,
            false,
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n",
            200,
            "ok",
            End::Cut,
            false,
        ),
        (
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 413 \r\nContent-Length: 1\r\n\r\n!",
            413,
            "!",
            End::Whole,
            false,
        ),
        (
            "HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n",
            999,
            "",
            End::Whole,
            false,
        ),
        (
            "HTTP/1.1 500\r\nContent-Length: 0\r\n\r\n",
            500,
            "",
            End::Whole,
            false,
        ),
    ];
    for (bytes, status, body, end, surplus) in table {
        let outcome = decode_whole(bytes.as_bytes());
        assert_eq!(outcome.status, Some(*status), "{bytes}");
        assert_eq!(outcome.body, body.as_bytes(), "{bytes}");
        assert_eq!(&outcome.end, end, "{bytes}");
        assert_eq!(outcome.surplus, *surplus, "{bytes}");
    }
}

#[test]
fn what_two_recipients_could_read_differently_is_refused() {
    use Malformed::*;
    let table: &[(&str, Malformed)] = &[
        ("HTTP/2 200 OK\r\n\r\n", StatusLine),
        ("HTTP/1.2 200 OK\r\n\r\n", StatusLine),
        ("http/1.1 200 OK\r\n\r\n", StatusLine),
        ("\r\nHTTP/1.1 200 OK\r\n\r\n", StatusLine),
        ("HTTP/1.1  200 OK\r\n\r\n", StatusLine),
        ("HTTP/1.1 20 OK\r\n\r\n", StatusLine),
        ("HTTP/1.1 099 OK\r\n\r\n", StatusLine),
        ("HTTP/1.1 200 O\rK\r\n\r\n", StatusLine),
        ("HTTP/1.1 200 O\0K\r\n\r\n", StatusLine),
        ("SSH-2.0-OpenSSH\r\n", StatusLine),
        ("HTTP/1.1 200 OK\nContent-Length: 0\n\n", BareLf),
        ("HTTP/1.1 200 OK\r\nContent-Length: 0\n\r\n", BareLf),
        ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\n", BareLf),
        ("HTTP/1.1 200 OK\r\nA: b\rContent-Length: 0\r\n\r\n", Header),
        ("HTTP/1.1 200 OK\r\nA : b\r\n\r\n", Header),
        ("HTTP/1.1 200 OK\r\n A: b\r\n\r\n", Header),
        ("HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", Header),
        ("HTTP/1.1 200 OK\r\nA: b\r\n\tc: d\r\n\r\n", Header),
        ("HTTP/1.1 200 OK\r\nA\r\n\r\n", Header),
        ("HTTP/1.1 200 OK\r\n: b\r\n\r\n", Header),
        ("HTTP/1.1 200 OK\r\nA: b\0\r\n\r\n", Header),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok",
            Length,
        ),
        ("HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok", Length),
        ("HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok", Length),
        ("HTTP/1.1 200 OK\r\nContent-Length: 0x2\r\n\r\nok", Length),
        ("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", Length),
        ("HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n", Length),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551616\r\n\r\n",
            Length,
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n",
            TwoFramings,
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n",
            TwoFramings,
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
            TransferEncoding,
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\n",
            TransferEncoding,
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\n",
            TransferEncoding,
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding:\r\n\r\n",
            TransferEncoding,
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
            TransferEncoding,
        ),
        (
            "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            TransferEncoding,
        ),
        (
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
            Switched,
        ),
    ];
    for (bytes, flaw) in table {
        let outcome = decode_whole(bytes.as_bytes());
        assert_eq!(outcome.end, End::Flaw(*flaw), "{bytes:?}");
        assert_eq!(outcome.status, None, "{bytes:?}");
    }
}

#[test]
fn chunks_are_read_strictly() {
    use Malformed::*;
    let table: &[(&str, Malformed)] = &[
        ("\r\n", ChunkSize),
        ("g\r\n", ChunkSize),
        ("0x1\r\n", ChunkSize),
        (" 1\r\na\r\n", ChunkSize),
        ("1 \r\na\r\n", ChunkSize),
        ("1 ;x\r\na\r\n", ChunkSize),
        ("-1\r\na\r\n", ChunkSize),
        ("1\na\n", ChunkSize),
        ("1\r\r\na\r\n", ChunkSize),
        ("00000000000000001\r\na\r\n", ChunkSize),
        ("1;a\nb\r\na\r\n", ChunkExtension),
        ("1;a\0\r\na\r\n", ChunkExtension),
        ("1\r\nab\r\n", ChunkEnd),
        ("1\r\na\n", ChunkEnd),
        ("1\r\na\r\r\n", ChunkEnd),
        ("0\r\nHTTP/1.1 200 OK\r\n\r\n", Trailer),
        ("0\r\nA: b\n\r\n", Trailer),
        ("0\r\n A: b\r\n\r\n", Trailer),
        ("0\r\nA: b\r\n c\r\n\r\n", Trailer),
        ("0\r\n\n", Trailer),
    ];
    for (body, flaw) in table {
        let bytes = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{body}");
        let outcome = decode_whole(bytes.as_bytes());
        assert_eq!(outcome.end, End::Flaw(*flaw), "{body:?}");
        assert_eq!(outcome.status, Some(200), "{body:?}");
    }
    let largest = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFfffFfffFfffFfff\r\na";
    assert_eq!(decode_whole(largest.as_bytes()).end, End::Cut);
}

#[test]
fn what_was_valid_before_a_flaw_is_handed_out() {
    let bytes = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\nzz";
    let outcome = decode_whole(bytes);
    assert_eq!(
        (outcome.body, outcome.end),
        (b"ok".to_vec(), End::Flaw(Malformed::ChunkSize))
    );
}

#[test]
fn an_answer_to_head_has_no_body_and_keeps_its_length() {
    for framing in ["Content-Length: 7", "Transfer-Encoding: chunked", "X: y"] {
        let bytes = format!("HTTP/1.1 200 OK\r\n{framing}\r\n\r\n");
        let mut decoder = AnswerDecoder::new(true);
        let head = decoder.feed(bytes.as_bytes()).head.unwrap();
        assert!(decoder.is_done(), "{framing}");
        assert_eq!(head.framing(), Framing::None);
        assert_eq!(head.headers().len(), 1);
        assert!(head.keep, "{framing}");
    }
}

#[test]
fn the_head_is_kept_as_it_came() {
    let bytes = b"HTTP/1.1 403 Forbidden: \xd0\xb1\xd0\xbe\xd1\x82  ok\r\nX-CaSe:   a  b \t\r\nx-case: \xff\r\nEmpty:\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nContent-Length: 0\r\n\r\n";
    let outcome = decode_whole(bytes);
    assert_eq!(outcome.reason, b"Forbidden: \xd0\xb1\xd0\xbe\xd1\x82  ok");
    let expected: [(&[u8], &[u8]); 6] = [
        (b"X-CaSe", b"a  b"),
        (b"x-case", b"\xff"),
        (b"Empty", b""),
        (b"Set-Cookie", b"a"),
        (b"Set-Cookie", b"b"),
        (b"Content-Length", b"0"),
    ];
    let got: Vec<_> = outcome
        .headers
        .iter()
        .map(|(n, v)| (&n[..], &v[..]))
        .collect();
    assert_eq!(got, expected);
    assert_eq!(
        decode_whole(b"HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n").reason,
        b""
    );
    assert_eq!(
        decode_whole(b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n").reason,
        b""
    );
}

#[test]
fn a_connection_is_kept_only_if_both_sides_can_tell_where_the_answer_ends() {
    let table = [
        ("HTTP/1.1 200 OK\r\nContent-Length: 0", true),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close",
            false,
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: x, Close",
            false,
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\nConnection: close",
            false,
        ),
        ("HTTP/1.0 200 OK\r\nContent-Length: 0", false),
        (
            "HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: Keep-Alive",
            true,
        ),
        ("HTTP/1.1 204 No Content", true),
        ("HTTP/1.1 204 No Content\r\nContent-Length: 0", true),
        ("HTTP/1.1 204 No Content\r\nContent-Length: 5", false),
        (
            "HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked",
            false,
        ),
    ];
    for (head, keep) in table {
        let fed = AnswerDecoder::new(false).feed(format!("{head}\r\n\r\n").as_bytes());
        assert_eq!(fed.head.unwrap().keep, keep, "{head}");
    }
}

#[test]
fn bounds_hold_to_the_byte() {
    // A head of exactly the bound, then one byte more.
    for (over, end) in [(0, End::Whole), (1, End::Flaw(Malformed::HeadTooLarge))] {
        let frame = "HTTP/1.1 204 \r\nA: \r\n\r\n".len();
        let filler = "x".repeat(MAX_HEAD - frame + over);
        let bytes = format!("HTTP/1.1 204 \r\nA: {filler}\r\n\r\n");
        assert_eq!(decode_whole(bytes.as_bytes()).end, end, "{over}");
        assert_eq!(
            decode(bytes.as_bytes().chunks(1000), false).end,
            end,
            "{over}"
        );
    }
    for (count, end) in [
        (MAX_HEADERS, End::Whole),
        (MAX_HEADERS + 1, End::Flaw(Malformed::HeadTooLarge)),
    ] {
        let bytes = format!("HTTP/1.1 204 \r\n{}\r\n", "a: b\r\n".repeat(count));
        assert_eq!(decode_whole(bytes.as_bytes()).end, end, "{count}");
    }
    for (count, end) in [
        (usize::from(MAX_INTERIM), End::Whole),
        (usize::from(MAX_INTERIM) + 1, End::Flaw(Malformed::Interim)),
    ] {
        let bytes = format!(
            "{}HTTP/1.1 204 \r\n\r\n",
            "HTTP/1.1 100 \r\n\r\n".repeat(count)
        );
        assert_eq!(decode_whole(bytes.as_bytes()).end, end, "{count}");
    }
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (length, end) in [
        (16 * 1024, End::Whole),
        (16 * 1024 + 1, End::Flaw(Malformed::ChunkExtension)),
    ] {
        // Over several chunks: the bound is the body's, not the line's.
        let (first, second) = ("x".repeat(1000), "x".repeat(length - 1000));
        let bytes = format!("{chunked}1;{first}\r\na\r\n0;{second}\r\n\r\n");
        assert_eq!(decode_whole(bytes.as_bytes()).end, end, "{length}");
    }
    for (length, end) in [
        (16 * 1024, End::Whole),
        (16 * 1024 + 2, End::Flaw(Malformed::Trailer)),
    ] {
        let bytes = format!("{chunked}0\r\nA: {}\r\n\r\n", "x".repeat(length - 7));
        assert_eq!(decode_whole(bytes.as_bytes()).end, end, "{length}");
    }
}

#[test]
fn a_head_that_comes_byte_by_byte_is_looked_at_once() {
    // Quadratic work would be 2 billion steps here.
    let bytes = format!("HTTP/1.1 204 \r\nA: {}\r\n\r\n", "x".repeat(60_000));
    assert_eq!(decode(bytes.as_bytes().chunks(1), false).end, End::Whole);
}
