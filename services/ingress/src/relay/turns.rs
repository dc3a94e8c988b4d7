//! Turns: calls with tokens that Telegram has not accepted yet wait for a place.
//!
//! In: calls from `accept/call.rs`. Out: a [`Turn`], kept by the call's account. Bot ids are
//! public, so anyone can send junk for any bot: what waits at Telegram for it is bounded, and a
//! bot whose token is good passes freely from its first `ok:true` on. Invariant: a place is given
//! back whatever ends the call, and whoever waits is woken then. Overloaded: 429 with
//! `retry_after`, at once beyond [`WAITING`], after [`PATIENCE`] otherwise.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use gramtap_events::call::TokenStanding;
use gramtap_telegram::BotId;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use super::refusal::Refusal;
use crate::observe::{Place, TokenHash, Unverified, Verified};

/// How long a call waits for its turn.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many calls wait at a time, per worker.
const WAITING: usize = 256;

/// The places of one worker.
#[derive(Debug)]
pub(crate) struct Turns {
    verified: Arc<Mutex<Verified>>,
    /// Calls whose body is there: Telegram answers at once.
    whole: Unverified,
    /// Those that stream theirs, which takes as long as a stranger likes: they have places of their
    /// own, so that they keep no other call out.
    streaming: Unverified,
    waiting: Cell<usize>,
    ended: Rc<Notify>,
}

/// One call's place. Dropping it wakes who waits.
#[derive(Debug)]
pub(crate) struct Turn {
    place: Option<Place>,
    ended: Rc<Notify>,
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.place = None;
        self.ended.notify_waiters();
    }
}

impl Turns {
    /// `limit` is `ingress.unverified_limit`; the verified tokens are those of all workers.
    pub(crate) fn new(limit: usize, verified: Arc<Mutex<Verified>>) -> Self {
        Self {
            verified,
            whole: Unverified::new(limit),
            streaming: Unverified::new(limit),
            waiting: Cell::new(0),
            ended: Rc::default(),
        }
    }

    /// Waits until the call may be sent; no turn is needed for a verified token.
    pub(crate) async fn take(
        &self,
        token: Option<TokenHash>,
        bot: Option<BotId>,
        streams: bool,
    ) -> Result<Option<Turn>, Refusal> {
        let places = if streams {
            &self.streaming
        } else {
            &self.whole
        };
        // Malformed tokens share the places of one: Telegram refuses them at once.
        let token = token.unwrap_or(TokenHash::MALFORMED);
        if self.with_verified(|verified| verified.is_verified(token)) {
            return Ok(None);
        }
        if let Some(place) = places.enter(token, bot) {
            return Ok(Some(self.turn(place)));
        }
        if self.waiting.get() >= WAITING {
            return Err(Refusal::unverified());
        }
        let _waits = Waits::start(&self.waiting);
        let until = Instant::now() + PATIENCE;
        loop {
            let ended = self.ended.notified();
            if self.with_verified(|verified| verified.is_verified(token)) {
                return Ok(None);
            }
            if let Some(place) = places.enter(token, bot) {
                return Ok(Some(self.turn(place)));
            }
            if timeout_at(until, ended).await.is_err() {
                return Err(Refusal::unverified());
            }
        }
    }

    /// Whether Telegram has accepted the token.
    pub(crate) fn is_verified(&self, token: TokenHash) -> bool {
        self.with_verified(|verified| verified.is_verified(token))
    }

    /// What a record says of a token, once the answer to it is known.
    pub(crate) fn judge(&self, token: TokenHash, ok: Option<bool>) -> TokenStanding {
        self.with_verified(|verified| verified.judge(token, ok))
    }

    fn with_verified<R>(&self, look: impl FnOnce(&mut Verified) -> R) -> R {
        look(&mut self.verified.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn turn(&self, place: Place) -> Turn {
        Turn {
            place: Some(place),
            ended: Rc::clone(&self.ended),
        }
    }
}

/// Counts a waiting call for as long as it lives.
struct Waits<'c>(&'c Cell<usize>);

impl<'c> Waits<'c> {
    fn start(count: &'c Cell<usize>) -> Self {
        count.set(count.get() + 1);
        Self(count)
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::observe::TokenKey;
    use gramtap_telegram::Token;

    fn token(text: &str) -> Option<TokenHash> {
        Some(TokenKey::new(&[7; 32]).hash(&Token::parse(text).unwrap()))
    }

    fn turns() -> Turns {
        Turns::new(1, Arc::new(Mutex::new(Verified::new(100))))
    }

    #[tokio::test]
    async fn a_waiting_call_gets_the_place_that_another_gives_back() {
        let turns = turns();
        let first = turns
            .take(token("1:a"), Some(BotId(1)), false)
            .await
            .unwrap()
            .unwrap();
        let second = turns.take(token("1:a"), Some(BotId(1)), false);
        tokio::pin!(second);
        assert!(futures_util::poll!(&mut second).is_pending());
        drop(first);
        assert!(second.await.unwrap().is_some());
        assert_eq!(turns.waiting.get(), 0);
    }

    #[tokio::test]
    async fn the_first_success_lets_all_others_pass() {
        let turns = turns();
        let first = turns
            .take(token("1:a"), Some(BotId(1)), false)
            .await
            .unwrap();
        let second = turns.take(token("1:a"), Some(BotId(1)), false);
        tokio::pin!(second);
        assert!(futures_util::poll!(&mut second).is_pending());
        assert_eq!(
            turns.judge(token("1:a").unwrap(), Some(true)),
            TokenStanding::Verified
        );
        drop(first);
        assert!(second.await.unwrap().is_none());
        assert!(
            turns
                .take(token("1:a"), Some(BotId(1)), false)
                .await
                .unwrap()
                .is_none()
        );
    }

    #[tokio::test(start_paused = true)]
    async fn patience_and_the_queue_end() {
        let turns = turns();
        let _first = turns
            .take(token("1:a"), Some(BotId(1)), false)
            .await
            .unwrap()
            .unwrap();
        let mut waiting: Vec<_> = (0..WAITING)
            .map(|_| Box::pin(turns.take(token("1:a"), Some(BotId(1)), false)))
            .collect();
        for call in &mut waiting {
            assert!(futures_util::poll!(call).is_pending());
        }
        let refused = turns
            .take(token("1:a"), Some(BotId(1)), false)
            .await
            .unwrap_err();
        assert_eq!(refused.status, 429);
        assert_eq!(waiting.pop().unwrap().await.unwrap_err().status, 429);
        drop(waiting);
        assert_eq!(turns.waiting.get(), 0);
    }
}
