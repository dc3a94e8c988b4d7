//! Identify: whose call it is.
//!
//! In: the host and target of a request, from `accept/`. Out: an admission or a refusal.
//! [`host`] names the face of Gramtap that was called, [`address`] takes the code's prefix off
//! the target, [`gate`] asks the registry and decides, [`binder`] ties a new code to its first bot.

pub(crate) mod address;
pub(crate) mod binder;
pub(crate) mod gate;
pub(crate) mod host;
