//! `gramtap-ingress`: ingress as a service of its own.
//!
//! In: the configuration's file and the environment. Out: an exit code (`shared/process/src/binary.rs`).
//! Invariant: as in `app.rs`, which also says what happens when it is overloaded or dies.

use std::process::ExitCode;

use gramtap_ingress::config::is_refusal;
use gramtap_ingress::{Config, app};
use gramtap_process::Binary;

const BINARY: Binary = Binary {
    name: "gramtap-ingress",
    about: "the API door of Gramtap",
    version: env!("CARGO_PKG_VERSION"),
    example: "GRAMTAP_INGRESS__LISTEN=0.0.0.0:8080",
};

fn main() -> ExitCode {
    BINARY.main(Config::load, app::run, is_refusal)
}
