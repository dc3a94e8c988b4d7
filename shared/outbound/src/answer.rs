//! An answer, and its body as a stream.
//!
//! In: what `exchange` has read. Out: to the caller. Invariant: the stream ends without an
//! error only if the body is whole. Small answers are whole when their head is; then the
//! connection is free before the caller sees the answer. Dropping the body early closes the
//! connection.

use std::{
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use futures_util::stream::Stream;
use tokio::time::Instant;

use crate::{
    decoder::Fed,
    exchange::{Exchange, Timing},
    fault::Fault,
    head::AnswerHead,
};

/// The final answer to a request. It may come before the request is sent whole.
#[derive(Debug)]
pub struct Answer {
    /// Status, reason, headers.
    pub head: AnswerHead,
    /// The body.
    pub body: AnswerBody,
    /// When the steps of the call happened.
    pub timing: Timing,
}

/// The body of an answer. While it is polled, the rest of the request is sent as well.
pub struct AnswerBody {
    /// Data that came with the head.
    data: Bytes,
    /// There is more to read, or to send.
    exchange: Option<Box<Exchange>>,
    ended: Option<Instant>,
}

impl Answer {
    pub(crate) fn new(head: AnswerHead, data: Bytes, exchange: Box<Exchange>) -> Self {
        let now = Instant::now();
        let timing = exchange.timing(now);
        let mut body = AnswerBody {
            data,
            exchange: Some(exchange),
            ended: None,
        };
        body.settle(now);
        Self { head, body, timing }
    }
}

impl AnswerBody {
    /// The whole body, if all of it has come and nothing of it was read.
    #[must_use]
    pub fn whole(&self) -> Option<&[u8]> {
        self.ended.map(|_| &self.data[..])
    }

    /// The whole body, if all of it has come; else the body again. Of a request that is not
    /// sent whole yet, the rest is not sent then.
    ///
    /// # Errors
    /// The body itself, to be read as a stream.
    pub fn into_whole(mut self) -> Result<Bytes, Self> {
        if self.ended.is_some() {
            Ok(std::mem::take(&mut self.data))
        } else {
            Err(self)
        }
    }

    /// When the last byte of the body was read; none while it is still coming.
    #[must_use]
    pub fn ended(&self) -> Option<std::time::Instant> {
        self.ended.map(Instant::into_std)
    }

    /// Whether the request is sent whole, or can no longer be. False: the upstream has
    /// answered early.
    #[must_use]
    pub fn is_upload_over(&self) -> bool {
        self.exchange
            .as_ref()
            .is_none_or(|exchange| exchange.is_upload_over())
    }

    /// Sends the rest of the request after the body has ended. To stop instead, drop the body:
    /// the connection is closed then.
    ///
    /// # Errors
    /// Why the rest could not be sent.
    pub async fn finish_upload(mut self) -> Result<(), Fault> {
        if let Some(exchange) = &mut self.exchange {
            poll_fn(|cx| exchange.poll_upload(cx)).await?;
        }
        self.settle(Instant::now());
        Ok(())
    }

    /// Lets go of the exchange as soon as nothing more is to be done with it.
    fn settle(&mut self, now: Instant) {
        if self.ended.is_none()
            && self
                .exchange
                .as_ref()
                .is_some_and(|exchange| exchange.is_answered())
        {
            self.ended = Some(now);
        }
        if self.ended.is_some()
            && let Some(exchange) = self.exchange.take_if(|exchange| exchange.is_upload_over())
        {
            exchange.retire(now);
        }
    }
}

impl Stream for AnswerBody {
    type Item = Result<Bytes, Fault>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if !this.data.is_empty() {
            return Poll::Ready(Some(Ok(std::mem::take(&mut this.data))));
        }
        while this.ended.is_none()
            && let Some(exchange) = &mut this.exchange
        {
            match ready!(exchange.poll(cx)) {
                Ok(Fed { data, .. }) => {
                    this.settle(Instant::now());
                    if !data.is_empty() {
                        return Poll::Ready(Some(Ok(data)));
                    }
                }
                Err(fault) => {
                    this.exchange = None;
                    return Poll::Ready(Some(Err(fault)));
                }
            }
        }
        Poll::Ready(None)
    }
}

impl std::fmt::Debug for AnswerBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AnswerBody")
            .field("at_hand", &self.data.len())
            .field("ended", &self.ended.is_some())
            .finish()
    }
}
