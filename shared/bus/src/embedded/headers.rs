//! Headers as the log's file keeps them: for each one the length of its name (2 bytes), the name,
//! the length of its value (4 bytes), the value; lengths are little-endian.
//!
//! In: messages. Out: a column of the table `record`, and back. Invariant: what is read is what
//! was written; a torn or foreign text is read as no headers, not as wrong ones. Pure.

use std::borrow::Cow;

use bytes::Bytes;
use gramtap_events::record::{KIND, TRACEPARENT, VERSION};

use crate::message::Header;

/// None when a name is longer than 65,535 bytes or a value longer than 4 GiB.
pub(super) fn encode(headers: &[Header]) -> Option<Vec<u8>> {
    let size: usize = headers
        .iter()
        .map(|it| 6 + it.name.len() + it.value.len())
        .sum();
    let mut text = Vec::with_capacity(size);
    for header in headers {
        text.extend(u16::try_from(header.name.len()).ok()?.to_le_bytes());
        text.extend(header.name.as_bytes());
        text.extend(u32::try_from(header.value.len()).ok()?.to_le_bytes());
        text.extend(&header.value);
    }
    Some(text)
}

pub(super) fn decode(text: &[u8]) -> Vec<Header> {
    let text = Bytes::copy_from_slice(text);
    let (mut headers, mut at) = (Vec::new(), 0);
    while at < text.len() {
        let Some((header, next)) = one(&text, at) else {
            return Vec::new();
        };
        headers.push(header);
        at = next;
    }
    headers
}

/// The header that begins at `at`, and where the next one does.
fn one(text: &Bytes, at: usize) -> Option<(Header, usize)> {
    let (length, rest) = text.get(at..)?.split_first_chunk::<2>()?;
    let length = usize::from(u16::from_le_bytes(*length));
    let name = std::str::from_utf8(rest.get(..length)?).ok()?;
    let (value, _) = rest.get(length..)?.split_first_chunk::<4>()?;
    let value = usize::try_from(u32::from_le_bytes(*value)).ok()?;
    let start = at + 2 + length + 4;
    let end = start.checked_add(value)?;
    if end > text.len() {
        return None;
    }
    let header = Header {
        name: known(name),
        value: text.slice(start..end),
    };
    Some((header, end))
}

/// The names that nearly all records have cost no allocation.
pub(crate) fn known(name: &str) -> Cow<'static, str> {
    match [KIND, VERSION, TRACEPARENT]
        .into_iter()
        .find(|known| *known == name)
    {
        Some(known) => Cow::Borrowed(known),
        None => Cow::Owned(name.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn headers_are_read_back(list in prop::collection::vec((".{0,20}", any::<Vec<u8>>()), 0..6)) {
            let headers: Vec<Header> = list
                .into_iter()
                .map(|(name, value)| Header { name: name.into(), value: value.into() })
                .collect();
            prop_assert_eq!(decode(&encode(&headers).unwrap()), headers);
        }

        #[test]
        fn a_cut_text_is_no_headers_and_no_panic(name in "[a-z]{1,9}", value: Vec<u8>, cut: usize) {
            let text = encode(&[Header { name: name.into(), value: value.into() }]).unwrap();
            let cut = cut % text.len();
            prop_assert_eq!(decode(&text[..cut]), Vec::new());
        }

        #[test]
        fn any_bytes_are_survived(text: Vec<u8>) {
            decode(&text);
        }
    }
}
