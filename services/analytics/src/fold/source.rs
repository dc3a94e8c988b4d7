//! What a `/start` payload says of where a user came from.
//!
//! In: payloads. Out: its UTM pairs. Telegram lets only letters, digits, `_` and `-` into a deep link, so pairs come as
//! base64url of `utm_source=…&utm_medium=…`, or typed as they are. Invariant: what is not understood
//! gives no pairs, and stays a source as it is. Pure.

use data_encoding::{BASE64URL, BASE64URL_NOPAD};

/// Pairs of one payload at most.
const PAIRS: usize = 8;

/// `utm_name=value` of each pair, names in lower case.
pub(super) fn utm(payload: &str) -> Vec<String> {
    if payload.contains('=') && holds(payload) {
        return pairs(payload);
    }
    let bytes = payload.as_bytes();
    let decoded = BASE64URL_NOPAD
        .decode(bytes)
        .or_else(|_| BASE64URL.decode(bytes));
    match decoded.map(String::from_utf8) {
        Ok(Ok(text)) if holds(&text) => pairs(&text),
        _ => Vec::new(),
    }
}

fn holds(text: &str) -> bool {
    let begins = |part: &str| {
        part.get(..4)
            .is_some_and(|it| it.eq_ignore_ascii_case("utm_"))
    };
    text.split(['&', ';']).any(begins)
}

fn pairs(text: &str) -> Vec<String> {
    let mut found: Vec<String> = text
        .split(['&', ';'])
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.to_ascii_lowercase(), value))
        .filter(|(name, value)| name.starts_with("utm_") && !value.is_empty())
        .map(|(name, value)| format!("{name}={value}"))
        .take(PAIRS)
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_found_typed_and_encoded() {
        let encoded = BASE64URL_NOPAD.encode(b"utm_source=ads&utm_medium=cpc&x=1");
        for (payload, expected) in [
            ("promo", &[][..]),
            ("", &[]),
            ("utm_source", &[]),
            ("x=1", &[]),
            ("utm_source=", &[]),
            ("UTM_Source=ads&x=1", &["utm_source=ads"]),
            ("utm_b=2;utm_a=1;utm_a=1", &["utm_a=1", "utm_b=2"]),
            (&encoded, &["utm_medium=cpc", "utm_source=ads"]),
        ] {
            assert_eq!(utm(payload), expected, "{payload}");
        }
    }
}
