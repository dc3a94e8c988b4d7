//! What holds for all answers: the way the bytes are split changes nothing, and a cut answer is
//! never a whole one.

use proptest::prelude::*;

use super::{End, Outcome, decode, decode_whole};

/// A valid answer, and what it should be decoded to.
fn answers() -> impl Strategy<Value = (Vec<u8>, Outcome)> {
    let token = "[A-Za-z][A-Za-z0-9-]{0,8}";
    let name = token.prop_filter("headers with a meaning of their own", |name| {
        !["content-length", "transfer-encoding", "connection"]
            .contains(&name.to_ascii_lowercase().as_str())
    });
    let value = "([!-~а-я]([ -~а-я]{0,12}[!-~])?)?";
    let headers = prop::collection::vec((name, value), 0..5);
    let parts = prop::collection::vec(prop::collection::vec(any::<u8>(), 1..40), 0..4);
    let interim = prop::collection::vec(prop::sample::select(vec![100u16, 102, 103]), 0..3);
    (
        interim,
        200u16..600,
        "[ -~б]{0,12}",
        headers,
        parts,
        0u8..3,
        any::<bool>(),
    )
        .prop_map(
            |(interim, status, reason, headers, parts, framing, extras)| {
                let mut bytes = Vec::new();
                for status in interim {
                    bytes.extend(format!("HTTP/1.1 {status} x\r\nA: b\r\n\r\n").bytes());
                }
                bytes.extend(format!("HTTP/1.1 {status} {reason}\r\n").bytes());
                let mut expected: Vec<_> = headers
                    .iter()
                    .map(|(name, value)| (name.clone().into_bytes(), value.clone().into_bytes()))
                    .collect();
                for (name, value) in &headers {
                    bytes.extend(format!("{name}: {value}\r\n").bytes());
                }
                let mut body = parts.concat();
                let framed = match framing {
                    0 => Some(("Content-Length", body.len().to_string())),
                    1 => Some(("Transfer-Encoding", "chunked".to_owned())),
                    _ => None,
                };
                if let Some((name, value)) = framed {
                    bytes.extend(format!("{name}: {value}\r\n").bytes());
                    expected.push((name.into(), value.into()));
                }
                bytes.extend(b"\r\n");
                if status == 204 || status == 304 {
                    body.clear();
                } else if framing == 1 {
                    for part in &parts {
                        let extension = if extras { ";name=\"value\"" } else { "" };
                        bytes.extend(format!("{:X}{extension}\r\n", part.len()).bytes());
                        bytes.extend(part);
                        bytes.extend(b"\r\n");
                    }
                    let trailer = if extras { "X-Sum: 1\r\n" } else { "" };
                    bytes.extend(format!("0\r\n{trailer}\r\n").bytes());
                } else {
                    bytes.extend(&body);
                }
                let outcome = Outcome {
                    status: Some(status),
                    reason: reason.into_bytes(),
                    headers: expected,
                    body,
                    end: End::Whole,
                    surplus: false,
                };
                (bytes, outcome)
            },
        )
}

/// Cuts bytes at arbitrary places.
fn split<'a>(bytes: &'a [u8], cuts: &[prop::sample::Index]) -> Vec<&'a [u8]> {
    let mut places: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    places.extend([0, bytes.len()]);
    places.sort_unstable();
    places
        .windows(2)
        .map(|pair| &bytes[pair[0]..pair[1]])
        .collect()
}

fn cuts() -> impl Strategy<Value = Vec<prop::sample::Index>> {
    prop::collection::vec(any::<prop::sample::Index>(), 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn an_answer_survives_any_split((bytes, expected) in answers(), cuts in cuts()) {
        prop_assert_eq!(&decode(split(&bytes, &cuts), false), &expected);
        prop_assert_eq!(decode(bytes.chunks(1), false), expected);
    }

    #[test]
    fn an_answer_that_is_cut_is_never_whole((bytes, expected) in answers()) {
        let framed = expected.headers.iter().any(|(name, _)| {
            name == b"Content-Length" || name == b"Transfer-Encoding"
        });
        let bodiless = matches!(expected.status, Some(204 | 304));
        let head = bytes.len() - if framed || bodiless { 0 } else { expected.body.len() };
        for length in 0..head {
            let outcome = decode_whole(&bytes[..length]);
            prop_assert_eq!(outcome.end, End::Cut, "at {} of {}", length, bytes.len());
            prop_assert!(expected.body.starts_with(&outcome.body));
        }
    }

    #[test]
    fn a_flaw_is_found_whatever_the_split(
        (mut bytes, _) in answers(),
        flips in prop::collection::vec((any::<prop::sample::Index>(), prop::sample::select(
            b"\r\n\0 :;,0A\t\xff".to_vec())), 1..4),
        cuts in cuts(),
    ) {
        for (place, byte) in flips {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        prop_assert_eq!(decode(split(&bytes, &cuts), false), decode_whole(&bytes));
    }
}
