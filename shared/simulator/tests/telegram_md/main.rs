//! The simulator against the specification, row by row, through real sockets.
//!
//! In: the rows of the project's page on the Bot API; each test or table row names the section it
//! checks. Out: pass or fail. [`wire`] is the client. Nothing but loopback, ports of the system's choice.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod broken;
mod downloads;
mod endpoint;
mod errors;
mod faults;
mod orders;
mod parsing;
mod push_answers;
mod push_failures;
mod push_storm;
mod push_switches;
mod push_tls;
mod pushes;
mod routing;
mod slice;
mod updates;
mod uploads;
mod whole;
mod wire;
