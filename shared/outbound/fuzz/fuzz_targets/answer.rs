//! Feeds arbitrary answers to the decoder: `cargo +nightly fuzz run answer` in `shared/outbound`.
//!
//! In: inputs that libFuzzer makes, from the corpus on. Out: a crash, with the input that caused
//! it, where something does not hold that `check.rs` asks for.
#![no_main]
#![allow(dead_code, reason = "the crate around the decoder uses the rest")]

extern crate self as gramtap_outbound;

#[path = "../check.rs"]
mod check;
#[path = "../../src"]
mod src {
    pub(crate) mod body;
    pub(crate) mod decoder;
    pub(crate) mod head;
}

use src::{
    body,
    decoder::AnswerDecoder,
    head::{self, Framing, MAX_HEAD, MAX_HEADERS, Malformed},
};

libfuzzer_sys::fuzz_target!(|input: &[u8]| check::answer(input));
