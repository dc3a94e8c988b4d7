//! What every service's process is.
//!
//! The way of a process: `binary.rs` reads the arguments and the settings (`config.rs` those that all have) → [`Process::open`]
//! (`life.rs`) makes it safe to hold tokens in (`prepare.rs`), opens bus, registry and directory (`parts.rs`) and
//! answers probes (`admin.rs`) → the service starts from its [`Parts`] → [`Process::end`] waits for a signal, drains and
//! gives the exit code. `host.rs` reads host names; [`host_name`] is the machine's, [`epoch`] tells its starts apart;
//! `allocator.rs` is where its memory comes from,
//! `member.rs` its name in groups, `proxies.rs` tells a client's address from a balancer's, `upkeep.rs` keeps the loops of services going.
//!
//! Invariant: a process holds no token before it is hardened; one process has one bus, one registry and one set of probes,
//! however many services it runs.

mod admin;
mod allocator;
mod binary;
mod config;
mod host;
mod life;
mod member;
mod parts;
mod prepare;
mod proxies;
mod upkeep;

use std::time::SystemTime;

pub use binary::Binary;
pub use config::{ProcessConfig, is_refusal, listen_address, optional_listen, reachable, site};
pub use host::bare;
pub use life::Process;
pub use member::member;
pub use parts::Parts;
pub use proxies::TrustedProxies;
pub use upkeep::{Failure, Kept, keep};

/// The name of this machine. In a cluster each pod of a stateful set has one that it keeps.
#[must_use]
pub fn host_name() -> String {
    rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned()
}

/// A number of this start, for ids of records. It grows from start to start.
#[must_use]
pub fn epoch() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    u64::try_from(since.unwrap_or_default().as_millis()).unwrap_or(u64::MAX)
}
