//! The headers of a push while it waits in the inbox.
//!
//! In: the headers that pass. Out: a JSON array of pairs of name and value, to be sealed, and back. Invariant: what is read is what was written, byte for byte:
//! each byte is the character of its number, as HTTP has read them of old, since not every value is UTF-8. Pure.

use crate::Header;

/// Writes them down.
#[must_use]
pub fn write(headers: &[Header]) -> Vec<u8> {
    let text = |bytes: &[u8]| {
        bytes
            .iter()
            .map(|byte| char::from(*byte))
            .collect::<String>()
    };
    let pairs: Vec<_> = headers
        .iter()
        .map(|(name, value)| (text(name), text(value)))
        .collect();
    serde_json::to_vec(&pairs).unwrap_or_default()
}

/// Reads what [`write()`] wrote; none if it did not.
#[must_use]
pub fn read(kept: &[u8]) -> Option<Vec<Header>> {
    let bytes = |text: String| {
        let bytes = text.chars().map(|it| u8::try_from(u32::from(it)).ok());
        bytes.collect::<Option<Vec<u8>>>()
    };
    let pairs: Vec<(String, String)> = serde_json::from_slice(kept).ok()?;
    pairs
        .into_iter()
        .map(|(name, value)| Some((bytes(name)?, bytes(value)?)))
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn headers_come_back_byte_for_byte() {
        let all: Vec<u8> = (0..=255).collect();
        let headers = vec![
            (b"Content-Type".to_vec(), b"application/json".to_vec()),
            (b"X-Odd".to_vec(), all),
            (b"X-Odd".to_vec(), "caf\u{e9}".as_bytes().to_vec()),
            (b"X-Empty".to_vec(), Vec::new()),
        ];
        assert_eq!(read(&write(&headers)), Some(headers));
        let plain = write(&[(b"A".to_vec(), b"b".to_vec())]);
        assert_eq!(plain, br#"[["A","b"]]"#);
    }

    #[test]
    fn what_was_not_written_here_is_not_read() {
        for kept in [
            &b"{}"[..],
            b"[[\"a\"]]",
            "[[\"a\",\"\u{20ac}\"]]".as_bytes(),
            b"",
        ] {
            assert_eq!(read(kept), None, "{kept:?}");
        }
    }
}
