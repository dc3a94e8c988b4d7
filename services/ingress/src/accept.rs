//! Accept: requests of bots come in, responses go out.
//!
//! In: bots' connections ([`listener`]). Out: to `identify/` and `relay/`. [`arrival`] takes the head of a
//! request, [`call`] leads it through the stages, [`webhook`] an update that Telegram pushes, [`gather`] reads small bodies, [`body`] is what the bot
//! receives, [`refused`] tells of requests that go no further, [`tls`] is the listener's certificate.

pub(crate) mod arrival;
pub(crate) mod body;
pub(crate) mod call;
pub(crate) mod gather;
pub(crate) mod listener;
pub(crate) mod refused;
pub(crate) mod tls;
pub(crate) mod webhook;
