//! `gramtap-forwarder`: the forwarder as a service of its own.
//!
//! In: the configuration's file and the environment. Out: an exit code (`shared/process/src/binary.rs`).
//! Invariant: as in `app.rs`, which also says what happens when it is overloaded or dies.

use std::process::ExitCode;

use gramtap_forwarder::{Config, app};
use gramtap_process::{Binary, is_refusal};

const BINARY: Binary = Binary {
    name: "gramtap-forwarder",
    about: "delivers webhook updates to bots, in order, never lost",
    version: env!("CARGO_PKG_VERSION"),
    example: "GRAMTAP_FORWARDER__INSTANCE=forwarder-0",
};

fn main() -> ExitCode {
    BINARY.main(Config::load, app::run, is_refusal)
}
