//! The embedded log's tests: the conformance suite, a test for each row, and what is its alone:
//! deaths (`tests/death.rs`), retention by the clock and by size (`tests/retention.rs`), other
//! processes, a disk that refuses (`tests/file.rs`).
//!
//! In: `conformance.rs`. Out: pass or fail. Needs nothing but a directory.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod death;
mod file;
mod retention;

use std::time::Duration;

use crate::Bus;
use crate::conformance::{Subject, embedded};

async fn subject() -> (Subject, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let bus = Bus::connect(&embedded(directory.path())).await.unwrap();
    let tag = "embedded".to_owned();
    (Subject { bus, tag }, directory)
}

crate::conformance_rows!(subject());
