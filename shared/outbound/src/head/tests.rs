//! What a head may show of itself.
#![allow(clippy::unwrap_used)]

use super::*;

#[test]
fn a_head_shows_no_values_in_its_debug_text() {
    let raw = b"HTTP/1.1 302 Found\r\nLocation: /file/bot1:SECRET/x\r\n\r\n";
    let head = AnswerHead::parse(raw, false).unwrap().unwrap();
    let text = format!("{head:?}");
    assert!(text.contains("302") && !text.contains("SECRET"), "{text}");
}

#[test]
fn a_place_in_the_largest_head_fits() {
    assert!(MAX_HEAD <= usize::from(u16::MAX) + 1);
}
