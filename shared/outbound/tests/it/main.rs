//! The pool and its connections against scripted servers on loopback.
//!
//! Each module is one subject; `server` holds the scripted side. Everything runs on one
//! thread, as in a worker; deadlines are there only to fail.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]
#![allow(
    clippy::disallowed_methods,
    reason = "scripts are tasks that the test itself watches"
)]

mod corpus;
mod cut;
mod differential;
mod duplex;
mod exchange;
mod fault;
mod pool;
mod records;
mod retry;
mod server;
mod stream;
mod tls;
