//! The ways from a library to the simulated Telegram that are compared.
//!
//! In: a simulator. Out: [`Door`]s for `run.rs`. Invariant: the first is the simulator itself, which
//! all others are held against; a door differs from it in nothing but the address.

use std::net::SocketAddr;

use super::hosts::DOMAIN;

/// One way to the simulator.
#[derive(Clone, Debug)]
pub(crate) struct Door {
    /// As shown in the report.
    pub(crate) name: &'static str,
    /// The host that a library is told.
    pub(crate) host: String,
    /// What follows it and the port in the base address: empty, or `/c/{code}`.
    pub(crate) prefix: String,
    /// Who is behind it.
    pub(crate) target: SocketAddr,
    /// Whether Gramtap is between, so that its list of allowed differences applies.
    pub(crate) through_gramtap: bool,
}

impl Door {
    /// No Gramtap between.
    pub(crate) fn direct(simulator: SocketAddr) -> Self {
        Self {
            name: "direct",
            host: DOMAIN.to_owned(),
            prefix: String::new(),
            target: simulator,
            through_gramtap: false,
        }
    }

    /// Once more the same: what differs then is the libraries' own doing.
    pub(crate) fn again(simulator: SocketAddr) -> Self {
        Self {
            name: "direct again",
            ..Self::direct(simulator)
        }
    }

    /// The base address that a library is given.
    pub(crate) fn base(&self, port: u16) -> String {
        format!("http://{}:{port}{}", self.host, self.prefix)
    }
}
