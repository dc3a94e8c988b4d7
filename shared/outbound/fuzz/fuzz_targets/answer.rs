//! Feeds arbitrary answers to the decoder: `cargo +nightly fuzz run answer` in `shared/outbound`.
#![no_main]

#[path = "../check.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|input: &[u8]| check::answer(input));
