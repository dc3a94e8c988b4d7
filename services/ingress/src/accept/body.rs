//! The body that the bot receives.
//!
//! In: Telegram's answer as it streams in, or a few bytes of our own. Out: actix's dispatcher;
//! a copy of each chunk to the account. Invariant: what is whole upstream is whole here with the
//! same framing, and what was cut upstream ends in an error, so that the bot's connection is
//! cut as well. The account is closed before the last byte is handed over, so that whatever
//! the bot does next is recorded after it. Dropped early, the account tells that the bot left.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use actix_web::body::{BodySize, MessageBody};
use bytes::Bytes;
use futures_util::Stream;
use gramtap_outbound::{AnswerBody, Framing};

use crate::observe::Ending;
use crate::relay::account::Account;

/// A response's body.
#[derive(Debug)]
pub(crate) enum Body {
    /// All of it is here.
    Whole(Bytes),
    /// All of it is here, but its framing says no length.
    Chunk(Option<Bytes>),
    /// The request was HEAD: a length, and nothing behind it.
    Head(u64),
    /// There is none, nor a length.
    Empty,
    /// It comes from Telegram.
    Stream(Box<Relayed>),
    /// It comes from a bot, for Telegram.
    Passing(Box<Passing>),
}

/// A bot's answer to an update, as it streams by. What is cut there is cut here: Telegram then sends the update again.
#[derive(Debug)]
pub(crate) struct Passing {
    body: AnswerBody,
    size: BodySize,
}

impl Passing {
    /// `framing` is the answer's.
    pub(crate) fn new(body: AnswerBody, framing: Framing) -> Self {
        let size = size(framing);
        Self { body, size }
    }
}

/// What actix is to say of a body's length.
fn size(framing: Framing) -> BodySize {
    match framing {
        Framing::Length(length) => BodySize::Sized(length),
        Framing::None => BodySize::None,
        Framing::Chunked | Framing::UntilClose => BodySize::Stream,
    }
}

/// A body that streams by.
#[derive(Debug)]
pub(crate) struct Relayed {
    body: AnswerBody,
    size: BodySize,
    left: Option<u64>,
    account: Option<Box<Account>>,
    /// The answer was cut: what came before is on its way to the bot's socket.
    cut: bool,
}

/// The answer was cut short. The bot's connection is closed, as Telegram's was.
#[derive(Debug, thiserror::Error)]
#[error("the answer was cut short upstream")]
pub(crate) struct CutShort;

impl Relayed {
    /// `framing` is the answer's.
    pub(crate) fn new(body: AnswerBody, framing: Framing, account: Box<Account>) -> Self {
        let left = match framing {
            Framing::Length(length) => Some(length),
            Framing::None => Some(0),
            Framing::Chunked | Framing::UntilClose => None,
        };
        Self {
            body,
            size: size(framing),
            left,
            account: Some(account),
            cut: false,
        }
    }

    fn end(&mut self, ending: Ending) {
        if let Some(account) = self.account.take() {
            account.close(ending);
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, CutShort>>> {
        if let Some(account) = &mut self.account {
            account.watch().resumes(Instant::now());
        }
        if self.cut {
            return Poll::Ready(Some(Err(CutShort)));
        }
        match ready!(Pin::new(&mut self.body).poll_next(cx)) {
            Some(Ok(chunk)) => {
                if let Some(account) = &mut self.account {
                    account.answer(&chunk);
                    account.watch().waits(Instant::now());
                }
                self.left = self
                    .left
                    .map(|left| left.saturating_sub(chunk.len() as u64));
                if self.left == Some(0) {
                    self.end(Ending::Answered);
                }
                Poll::Ready(Some(Ok(chunk)))
            }
            Some(Err(fault)) => {
                self.end(Ending::CutShort {
                    label: fault.label(),
                });
                // At an error actix drops what it has not written yet, head included; while the
                // body is pending it writes. Without the head a bot's library may ask again.
                self.cut = true;
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            None => {
                self.end(Ending::Answered);
                Poll::Ready(None)
            }
        }
    }
}

impl MessageBody for Body {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        match self {
            Self::Whole(bytes) => BodySize::Sized(bytes.len() as u64),
            Self::Chunk(_) => BodySize::Stream,
            Self::Head(length) => BodySize::Sized(*length),
            Self::Empty => BodySize::None,
            Self::Stream(relayed) => relayed.size,
            Self::Passing(passing) => passing.size,
        }
    }

    fn poll_next(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        match self.get_mut() {
            Self::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Self::Whole(bytes) => Poll::Ready(Some(Ok(std::mem::take(bytes)))),
            Self::Chunk(bytes) => {
                Poll::Ready(bytes.take().filter(|bytes| !bytes.is_empty()).map(Ok))
            }
            Self::Head(_) | Self::Empty => Poll::Ready(None),
            Self::Passing(passing) => {
                let part = ready!(Pin::new(&mut passing.body).poll_next(cx));
                Poll::Ready(part.map(|part| part.map_err(Into::into)))
            }
            Self::Stream(relayed) => relayed
                .poll(cx)
                .map(|item| item.map(|part| part.map_err(Into::into))),
        }
    }

    fn try_into_bytes(self) -> Result<Bytes, Self> {
        match self {
            Self::Whole(bytes) => Ok(bytes),
            other => Err(other),
        }
    }
}
