//! Reads a small body before anything is decided about its call.
//!
//! In: a request's payload and framing. Out: [`Gathered`], to `call.rs`, and of it [`Asked`] to
//! `relay/exchange.rs`; an update, [`whole`], to `webhook.rs`. Invariant: nobody's turn, and no connection to Telegram, waits for a bot
//! that sends its body slowly; what is held is [`MOST`] bytes a call. A bot that sends nothing for
//! [`PATIENCE`] is given up.

use std::time::{Duration, Instant};

use actix_web::dev::Payload;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use tokio::time::timeout;

use super::arrival::Framing;
use crate::relay::account::Account;
use crate::relay::refusal::Refusal;

/// A body up to this size is gathered; a larger one streams.
const MOST: u64 = 16 * 1024;
/// How long a bot may be silent inside its body.
const PATIENCE: Duration = Duration::from_secs(60);

/// A request's body, as far as it is there.
pub(crate) enum Asked {
    /// There is none.
    Nothing,
    /// All of it.
    Whole(Bytes),
    /// It comes while it is passed on; its length, if that is known.
    Streams(Payload, Option<u64>),
}

/// What gathering came to.
pub(crate) struct Gathered {
    /// The body; nothing if it is not to be had.
    pub(crate) body: Asked,
    /// Why it is not.
    pub(crate) cut: Option<&'static str>,
    came: Bytes,
    began: Instant,
    ended: Instant,
}

impl Gathered {
    /// Reads the body, if it is small.
    pub(crate) async fn of(mut payload: Payload, framing: Framing) -> Self {
        let began = Instant::now();
        let (mut came, mut cut) = (Bytes::new(), None);
        let body = match framing {
            Framing::None => Asked::Nothing,
            Framing::Length(length) if length <= MOST => {
                cut = read(&mut payload, length, &mut came).await.err();
                match cut {
                    Some(_) => Asked::Nothing,
                    None => Asked::Whole(came.clone()),
                }
            }
            Framing::Length(length) => Asked::Streams(payload, Some(length)),
            Framing::Chunked => Asked::Streams(payload, None),
        };
        Self {
            body,
            cut,
            came,
            began,
            ended: Instant::now(),
        }
    }

    /// Whether it comes while it is passed on.
    pub(crate) fn streams(&self) -> bool {
        matches!(self.body, Asked::Streams(..))
    }

    /// Enters what came into the call's account.
    pub(crate) fn enter(&self, account: &mut Account) {
        account.watch().waits(self.began);
        account.watch().resumes(self.ended);
        if !self.streams() {
            account.asked(&self.came);
            account.asked_whole();
        }
    }
}

/// Reads a whole body of `most` bytes at most.
pub(crate) async fn whole(
    mut payload: Payload,
    framing: Framing,
    most: u64,
) -> Result<Bytes, Refusal> {
    let mut came = Bytes::new();
    match framing {
        Framing::None => return Ok(came),
        Framing::Length(length) if length > most => return Err(Refusal::update_size()),
        Framing::Length(length) => {
            let read = read(&mut payload, length, &mut came).await;
            return read.map(|()| came).map_err(|_| Refusal::upload());
        }
        Framing::Chunked => {}
    }
    let mut parts = BytesMut::new();
    loop {
        match timeout(PATIENCE, payload.next()).await {
            Ok(Some(Ok(part))) if (parts.len() + part.len()) as u64 <= most => {
                parts.extend_from_slice(&part)
            }
            Ok(Some(Ok(_))) => return Err(Refusal::update_size()),
            Ok(None) => return Ok(parts.freeze()),
            Ok(Some(Err(_))) | Err(_) => return Err(Refusal::upload()),
        }
    }
}

/// Reads `length` bytes into `came`; or says what the call's record is to say.
async fn read(payload: &mut Payload, length: u64, came: &mut Bytes) -> Result<(), &'static str> {
    let mut left = length;
    let mut parts = BytesMut::new();
    let ended = loop {
        if left == 0 {
            break Ok(());
        }
        let part = match timeout(PATIENCE, payload.next()).await {
            Ok(Some(Ok(chunk))) => within(chunk, &mut left),
            Ok(_) => break Err("upload_cut"),
            Err(_) => break Err("upload_idle"),
        };
        // As a rule all of it comes in one piece, with the head.
        if left == 0 && parts.is_empty() {
            *came = part;
            return Ok(());
        }
        parts.extend_from_slice(&part);
    };
    *came = parts.freeze();
    ended
}

/// The part of a chunk that belongs to the body, of which `left` bytes are to come. Where a
/// request asks for an upgrade, actix gives out all that the connection brings.
pub(crate) fn within(mut chunk: Bytes, left: &mut u64) -> Bytes {
    chunk.truncate(usize::try_from(*left).unwrap_or(usize::MAX));
    *left -= chunk.len() as u64;
    chunk
}
