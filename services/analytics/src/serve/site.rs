//! What every page needs.
//!
//! In: the process's parts (`app.rs`). Out: the data of each handler. Invariant: nothing in it changes while the process
//! lives; the clock is a part, so that tests say which day it is.

use std::fmt;
use std::net::IpAddr;
use std::time::SystemTime;

use actix_web::dev::RequestHead;
use actix_web::http::header::X_FORWARDED_FOR;
use gramtap_botapi::Section;
use gramtap_bus::Bus;
use gramtap_outbound::guard::Policy;
use gramtap_process::TrustedProxies;
use gramtap_tenants::{Keys, Registry};

use super::desk::Desk;
use super::door::Door;
use crate::store::Store;

/// What the console stands on. Shared by all its threads.
pub struct Site {
    /// The sums, and the database that accounts are in.
    pub store: Store,
    /// Which bots are connected.
    pub registry: Registry,
    /// Where events can be read.
    pub bus: Bus,
    /// What cookies are signed with.
    pub keys: Keys,
    /// The address that bots are told to use, without a slash at its end.
    pub public_url: String,
    /// The address that people reach the console by, without a slash at its end.
    pub url: String,
    /// Who tells the address of whoever asks.
    pub proxies: TrustedProxies,
    /// Where Telegram is asked whose a token is.
    pub telegram: Section,
    /// What the door remembers of passwords that were tried.
    pub door: Door,
    /// What all scripts and watchers share.
    pub desk: Desk,
    /// Where updates may be sent.
    pub webhooks: Policy,
    /// Tells the second since 1970.
    pub clock: fn() -> i64,
}

impl Site {
    /// The microsecond since 1970, as exact as the clock is.
    pub(super) fn micros(&self) -> i64 {
        (self.clock)() * 1_000_000
    }

    /// The address that a request comes from.
    pub(super) fn client(&self, head: &RequestHead) -> Option<IpAddr> {
        let forwarded = head.headers.get_all(X_FORWARDED_FOR);
        let forwarded = forwarded.filter_map(|value| value.to_str().ok());
        head.peer_addr
            .map(|peer| self.proxies.client(peer.ip(), forwarded))
    }
}

impl fmt::Debug for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Site")
            .field("public_url", &self.public_url)
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

/// The second since 1970, as the machine has it.
#[must_use]
pub fn system_clock() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let second = i64::try_from(since.unwrap_or_default().as_secs()).unwrap_or(i64::MAX);
    stopped().unwrap_or(second)
}

/// Where a test has stopped the clock of this process, with `GRAMTAP_TEST_CLOCK`. Not even an optimised build of the whole workspace,
/// tests' features included, has it.
#[cfg(all(feature = "inject-clock", debug_assertions))]
fn stopped() -> Option<i64> {
    static SECOND: std::sync::OnceLock<Option<i64>> = std::sync::OnceLock::new();
    let second = || std::env::var("GRAMTAP_TEST_CLOCK").ok()?.parse().ok();
    *SECOND.get_or_init(second)
}

#[cfg(not(all(feature = "inject-clock", debug_assertions)))]
fn stopped() -> Option<i64> {
    None
}
