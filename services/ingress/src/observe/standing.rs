//! Which tokens Telegram has accepted, and how many calls of the others may wait.
//!
//! In: tokens of calls and Telegram's `ok:true`. Out: the record's `token`, and yes or no for
//! one more call with a token that nobody has verified. Bot ids are public, anyone may send junk.
//! Invariant: a token is kept as a keyed hash only; both sets are bounded: the verified by two
//! generations (the idle ones fall out and are verified again by their next success), the
//! others by the calls in flight.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use gramtap_events::call::TokenStanding;
use gramtap_telegram::{BotId, Token};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// A token's keyed hash.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct TokenHash([u8; 16]);

impl TokenHash {
    /// Stands for every malformed token; never verified.
    pub(crate) const MALFORMED: Self = Self([0; 16]);
}

/// What tokens are hashed with: the process's own key, taken in once.
#[derive(Clone)]
pub(crate) struct TokenKey(Hmac<Sha256>);

impl TokenKey {
    /// Of a key that all workers have.
    #[must_use]
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        // HMAC's own padding of a short key, for a constructor that cannot fail.
        let mut block = [0; 64];
        block[..key.len()].copy_from_slice(key);
        Self(Hmac::new(&block.into()))
    }

    /// Hashes a token.
    #[must_use]
    pub(crate) fn hash(&self, token: &Token) -> TokenHash {
        let mut mac = self.0.clone();
        mac.update(token.expose().as_bytes());
        let mut hash = [0; 16];
        hash.copy_from_slice(&mac.finalize().into_bytes()[..16]);
        TokenHash(hash)
    }
}

/// The tokens that Telegram answered `ok:true` to. `Send`: workers may share one behind a lock.
#[derive(Debug)]
pub(crate) struct Verified {
    recent: HashSet<TokenHash>,
    older: HashSet<TokenHash>,
    half: usize,
}

impl Verified {
    /// Remembers at most `bound` tokens, and at least the last half of that.
    #[must_use]
    pub(crate) fn new(bound: usize) -> Self {
        Self {
            recent: HashSet::new(),
            older: HashSet::new(),
            half: (bound / 2).max(1),
        }
    }

    /// Whether Telegram has accepted the token, as far as is remembered.
    pub(crate) fn is_verified(&mut self, token: TokenHash) -> bool {
        if self.recent.contains(&token) {
            return true;
        }
        let known = self.older.remove(&token);
        if known {
            self.verify(token);
        }
        known
    }

    /// Telegram answered `ok:true` to the token.
    pub(crate) fn verify(&mut self, token: TokenHash) {
        if self.recent.contains(&token) {
            return;
        }
        if self.recent.len() >= self.half {
            self.older = std::mem::take(&mut self.recent);
        }
        self.older.remove(&token);
        self.recent.insert(token);
    }

    /// What a call's record says of its token, once its answer is known.
    pub(crate) fn judge(&mut self, token: TokenHash, ok: Option<bool>) -> TokenStanding {
        if ok == Some(true) {
            self.verify(token);
            return TokenStanding::Verified;
        }
        match self.is_verified(token) {
            true => TokenStanding::Verified,
            false => TokenStanding::Unverified,
        }
    }

    /// How many tokens are remembered.
    #[cfg(test)]
    fn len(&self) -> usize {
        self.recent.len() + self.older.len()
    }
}

/// The calls in flight with unverified tokens, of one worker and one kind.
#[derive(Clone, Debug)]
pub(crate) struct Unverified(Rc<Doors>);

#[derive(Debug)]
struct Doors {
    per_token: usize,
    per_bot: usize,
    inside: RefCell<Inside>,
}

#[derive(Debug, Default)]
struct Inside {
    tokens: HashMap<TokenHash, usize>,
    bots: HashMap<Option<BotId>, usize>,
}

/// One call's place; given back on drop.
#[derive(Debug)]
pub(crate) struct Place {
    doors: Rc<Doors>,
    token: TokenHash,
    bot: Option<BotId>,
}

/// Different tokens of one bot id together may have this many times the limit of one:
/// a stranger's junk is bounded, and the bot's own new token still finds a place among some of it.
const TOKENS_PER_BOT: usize = 4;

impl Unverified {
    /// At most `limit` calls of one token (`ingress.unverified_limit`).
    #[must_use]
    pub(crate) fn new(limit: usize) -> Self {
        let per_token = limit.max(1);
        Self(Rc::new(Doors {
            per_token,
            per_bot: per_token.saturating_mul(TOKENS_PER_BOT),
            inside: RefCell::default(),
        }))
    }

    /// A place for one more call, or `None` when there are enough.
    #[must_use]
    pub(crate) fn enter(&self, token: TokenHash, bot: Option<BotId>) -> Option<Place> {
        let mut inside = self.0.inside.borrow_mut();
        let of_token = inside.tokens.get(&token).copied().unwrap_or(0);
        let of_bot = inside.bots.get(&bot).copied().unwrap_or(0);
        if of_token >= self.0.per_token || of_bot >= self.0.per_bot {
            return None;
        }
        inside.tokens.insert(token, of_token + 1);
        inside.bots.insert(bot, of_bot + 1);
        let doors = Rc::clone(&self.0);
        Some(Place { doors, token, bot })
    }

    /// Calls inside.
    #[cfg(test)]
    fn len(&self) -> usize {
        self.0.inside.borrow().tokens.values().sum()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut inside = self.doors.inside.borrow_mut();
        leave(&mut inside.tokens, &self.token);
        leave(&mut inside.bots, &self.bot);
    }
}

fn leave<K: std::hash::Hash + Eq>(counts: &mut HashMap<K, usize>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn token(number: u32) -> TokenHash {
        let token = Token::parse(&format!("42:secret{number}")).unwrap();
        TokenKey::new(&[9; 32]).hash(&token)
    }

    #[test]
    fn hashes_depend_on_the_token_and_the_key() {
        let parsed = Token::parse("42:secret1").unwrap();
        assert_eq!(token(1), TokenKey::new(&[9; 32]).hash(&parsed));
        assert_ne!(token(1), token(2));
        assert_ne!(token(1), TokenKey::new(&[8; 32]).hash(&parsed));
        assert_ne!(token(1), TokenHash([0; 16]));
    }

    #[test]
    fn a_success_verifies_and_a_failure_changes_nothing() {
        let mut verified = Verified::new(10);
        assert_eq!(
            verified.judge(token(1), Some(false)),
            TokenStanding::Unverified
        );
        assert_eq!(verified.judge(token(1), None), TokenStanding::Unverified);
        assert_eq!(
            verified.judge(token(1), Some(true)),
            TokenStanding::Verified
        );
        assert_eq!(
            verified.judge(token(1), Some(false)),
            TokenStanding::Verified
        );
        assert_eq!(verified.judge(token(2), None), TokenStanding::Unverified);
    }

    #[test]
    fn the_set_is_bounded_and_keeps_those_in_use() {
        let mut verified = Verified::new(10);
        for number in 0..1000 {
            verified.verify(token(number));
            assert!(verified.len() <= 10);
            // Asked for again and again, so it stays.
            assert!(verified.is_verified(token(0)), "{number}");
        }
        assert!(verified.is_verified(token(999)));
        assert!(!verified.is_verified(token(500)));
    }

    #[test]
    fn strangers_have_few_places_and_give_them_back() {
        let unverified = Unverified::new(2);
        let (bot, other) = (Some(BotId(42)), Some(BotId(43)));
        let mut places = vec![
            unverified.enter(token(0), bot).unwrap(),
            unverified.enter(token(0), bot).unwrap(),
        ];
        assert!(
            unverified.enter(token(0), bot).is_none(),
            "the token's limit"
        );
        for number in 1.. {
            match unverified.enter(token(number), bot) {
                Some(place) => places.push(place),
                None => break,
            }
        }
        assert_eq!(places.len(), 2 * TOKENS_PER_BOT, "the bot's limit");
        let elsewhere = unverified.enter(token(1), other);
        assert!(elsewhere.is_some(), "another bot is not held up");
        places.pop();
        assert!(unverified.enter(token(99), bot).is_some());
        drop((places, elsewhere));
        assert_eq!(unverified.len(), 0);
        assert!(unverified.0.inside.borrow().bots.is_empty());
    }
}
