//! Where a bot takes its updates, and the request that is made there in Telegram's place.
//!
//! The way of an update: `endpoint.rs` opens the bot's webhook and makes it ready to be called, behind the guard of `shared/outbound` →
//! `request.rs` puts the headers of the push in order. Who asks: ingress, which passes an update on at once, and the forwarder, which
//! delivers what was taken in; [`kept`] is how headers wait in between, [`word`] says what went wrong, [`authority`] whose certificates are trusted, [`public`] whether Telegram can push here at all. Invariant: both make the same request. Holds nothing but what was opened; dies with its process.

pub mod authority;
mod endpoint;
pub mod kept;
pub mod public;
mod request;
pub mod word;

pub use endpoint::{Endpoint, EndpointError, Endpoints};
pub use request::{Header, SECRET, arrange};
