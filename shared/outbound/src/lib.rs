//! Gramtap's own HTTP/1.1 client connection and its pool.
//!
//! The way of a call: `pool` writes its head to a buffer (`request`) and takes an idle
//! connection from the shelf (`pool/shelf`), or dials one (`dial`, `tls`, `wire`); the
//! `exchange` pushes the request (`outbox`) and pulls the answer (`decoder`: `head`, `body`)
//! at once; `answer` hands both to the caller and gives the connection back.
//!
//! Nothing is spawned for a call: whoever awaits it drives it, and dropping it closes the
//! connection at once. While it waits it holds no buffer: reads go to one the worker shares.
//! Nothing is sent twice: `fault` says of every failure whether a byte of the request may have
//! left, and only a used connection that was closed before that is replaced.
//!
//! The idle connections belong to an actor (`pool/actor`) that reaps them by the clock, but
//! calls take and return them by a plain borrow: on one thread that is safe, a message and its
//! answer would cost each call about 450 ns, and a call that finds the actor dead dials for
//! itself. What a bot's owner has chosen is dialled only where `guard` admits it.
//! Overloaded, the pool refuses beyond the bound on connections (`pool_full`).

mod answer;
mod body;
mod config;
mod connection;
mod decoder;
mod dial;
mod exchange;
mod fault;
pub mod guard;
mod head;
mod outbox;
mod patience;
mod pool;
mod request;
mod tls;
mod upstream;
mod wire;

pub use answer::{Answer, AnswerBody};
pub use config::{ConfigError, Limits, OutboundConfig};
pub use decoder::{AnswerDecoder, Fed, MAX_INTERIM};
pub use exchange::Timing;
pub use fault::{Cause, Fault, Phase, Retry, Side, Unsendable};
pub use head::{AnswerHead, Framing, MAX_HEAD, MAX_HEADERS, Malformed, Version};
pub use pool::{POOL_ACTOR, Pool, Sending};
pub use request::{Outgoing, RequestHead, UploadError};
pub use upstream::{Scheme, Upstream, UpstreamError};
