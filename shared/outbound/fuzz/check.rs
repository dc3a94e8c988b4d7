//! What must hold of the answer decoder for any bytes at all.
//!
//! In: bytes from the fuzzer, or a file of the corpus: one byte of options, one that says how
//! the rest is split, then the answer. Out: a panic if something does not hold. Used by
//! `fuzz_targets/answer.rs` and by the test `it::corpus`, so that the corpus counts where
//! `cargo fuzz` is not installed.

use gramtap_outbound::{AnswerDecoder, Framing, MAX_HEAD, MAX_HEADERS, Malformed};

/// Status, reason, headers.
type Head = (u16, Vec<u8>, Vec<(Vec<u8>, Vec<u8>)>);

/// All that a caller could see.
#[derive(Debug, PartialEq)]
struct Outcome {
    head: Option<Head>,
    body: Vec<u8>,
    flaw: Option<Malformed>,
    whole: bool,
    surplus: bool,
}

/// Checks one input.
pub(crate) fn answer(input: &[u8]) {
    let [options, stride, answer @ ..] = input else {
        return;
    };
    let to_head = options & 1 == 1;
    let whole = decode(std::iter::once(answer), to_head);
    // Pieces of changing sizes, all of them small if the stride is.
    let mut rest = answer;
    let mut size = usize::from(*stride);
    let pieces = std::iter::from_fn(|| {
        size = size * 5 % 61 + 1;
        let (piece, left) = rest.split_at(rest.len().min(size));
        rest = left;
        (!piece.is_empty()).then_some(piece)
    });
    assert_eq!(decode(pieces, to_head), whole, "the split matters");
    if !whole.surplus && whole.whole && whole.flaw.is_none() {
        cut(answer, to_head);
    }
}

fn decode<'a>(pieces: impl Iterator<Item = &'a [u8]>, to_head: bool) -> Outcome {
    let mut decoder = AnswerDecoder::new(to_head);
    let mut outcome = Outcome {
        head: None,
        body: Vec::new(),
        flaw: None,
        whole: false,
        surplus: false,
    };
    let mut given = 0;
    for piece in pieces {
        given += piece.len();
        let fed = decoder.feed(piece);
        if let Some(head) = fed.head {
            assert!(outcome.head.is_none(), "two heads");
            assert!((200..=999).contains(&head.status()));
            assert!(head.headers().len() <= MAX_HEADERS);
            let headers: Vec<_> = head
                .headers()
                .map(|(name, value)| (name.to_vec(), value.to_vec()))
                .collect();
            let size: usize = headers
                .iter()
                .map(|(name, value)| name.len() + value.len())
                .sum();
            assert!(size + head.reason().len() <= MAX_HEAD);
            for (name, value) in &headers {
                assert!(!name.is_empty() && name.is_ascii());
                assert!(
                    !value.iter().any(|byte| b"\r\n\0".contains(byte)),
                    "a line in a value"
                );
            }
            if let Framing::Length(_) | Framing::Chunked = head.framing() {
                let framings = ["content-length", "transfer-encoding"];
                assert_eq!(
                    framings
                        .iter()
                        .filter(|name| head.header(name).is_some())
                        .count(),
                    1
                );
            }
            outcome.head = Some((head.status(), head.reason().to_vec(), headers));
        }
        assert!(
            fed.data.is_empty() || outcome.head.is_some(),
            "data before the head"
        );
        outcome.body.extend_from_slice(&fed.data);
    }
    assert!(outcome.body.len() <= given, "data from nowhere");
    outcome.flaw = decoder.failure();
    outcome.whole = decoder.close();
    outcome.surplus = decoder.has_surplus();
    assert!(
        !(outcome.whole && outcome.flaw.is_some()),
        "whole and flawed"
    );
    outcome
}

/// A framed answer without its last byte is not whole.
fn cut(answer: &[u8], to_head: bool) {
    let mut decoder = AnswerDecoder::new(to_head);
    let framing = decoder.feed(answer).head.map(|head| head.framing());
    let Some((_, short)) = answer.split_last() else {
        return;
    };
    if framing != Some(Framing::UntilClose) {
        assert!(
            !decode(std::iter::once(short), to_head).whole,
            "cut, and yet whole"
        );
    }
}
