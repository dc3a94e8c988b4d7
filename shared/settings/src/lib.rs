//! Configuration: one commented page of defaults, a file above it, the environment above that.
//!
//! The way of a value, in order: `default.toml` names every key and its default → `known.rs` reads
//! from it which keys exist and of which kind (`value.rs`) → `load.rs` lays the file and the
//! variables (`environment.rs`) over it, remembering where each value came from, and refuses what
//! is unknown or of the wrong kind (`error.rs`) → a service asks for its section as a struct of its
//! own, with units ([`ByteSize`], [`duration`], [`Networks`]) and secrets (`secret.rs`) in the types →
//! `render.rs` prints the whole of it with secrets hidden (`mask.rs`).
//!
//! Invariant: what is printed (errors, `Debug`, `render`) never contains a secret. Nothing here
//! runs after start-up; a refused configuration ends the process with [`EXIT_CONFIG`].

mod environment;
mod error;
mod known;
mod load;
mod mask;
mod network;
mod render;
mod secret;
mod section;
mod value;

pub use bytesize::ByteSize;
/// For `#[serde(with = "gramtap_settings::duration")]` on a `std::time::Duration` field: `250ms`,
/// `30s`, `5m`, `2h`.
pub use humantime_serde as duration;

pub use environment::process_environment;
pub use error::{Cause, Origin, Refusal, SettingsError};
pub use load::Settings;
pub use mask::mask_text;
pub use network::Networks;
pub use secret::{Secret, SecretString};

/// The page of defaults, as compiled in: the contract of all keys.
pub const DEFAULT: &str = include_str!("default.toml");

/// The exit code of a process that refuses its configuration (`EX_USAGE` of sysexits).
pub const EXIT_CONFIG: u8 = 64;
