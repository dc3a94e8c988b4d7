//! Queries that wait for an answer: from buttons, inline mode, payments.
//!
//! In: what people do (`control/acts.rs`). Out: whether an answer comes in time (`methods/answers.rs`).
//! Invariant: a query is answered only by the bot that got it, and only while it lives.
//! Bounded: the last 100,000 queries.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

/// Queries kept.
const KEPT: usize = 100_000;

/// What asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asker {
    Callback,
    Inline,
    Shipping,
    PreCheckout,
}

impl Asker {
    /// How long an answer is waited for.
    fn life(self) -> Duration {
        Duration::from_secs(match self {
            Self::Callback => 150,
            Self::Inline => 30,
            Self::Shipping | Self::PreCheckout => 10,
        })
    }
}

/// All queries of an environment.
#[derive(Debug, Default)]
pub(crate) struct Queries {
    waiting: HashMap<String, (i64, Asker, Duration)>,
    order: VecDeque<String>,
}

impl Queries {
    /// A query was made.
    pub(crate) fn add(&mut self, id: &str, bot: i64, asker: Asker, now: Duration) {
        if self.order.len() >= KEPT
            && let Some(oldest) = self.order.pop_front()
        {
            self.waiting.remove(&oldest);
        }
        self.order.push_back(id.to_owned());
        self.waiting
            .insert(id.to_owned(), (bot, asker, now + asker.life()));
    }

    /// Whether this bot may still answer it so.
    pub(crate) fn answerable(&self, id: &str, bot: i64, asker: Asker, now: Duration) -> bool {
        let until = self
            .waiting
            .get(id)
            .filter(|(own, kind, _)| *own == bot && *kind == asker);
        until.is_some_and(|(.., until)| now < *until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_its_bot_in_time() {
        let mut queries = Queries::default();
        let at = Duration::from_secs;
        queries.add("q", 1, Asker::Inline, at(100));
        assert!(queries.answerable("q", 1, Asker::Inline, at(129)));
        assert!(!queries.answerable("q", 1, Asker::Inline, at(130)));
        assert!(!queries.answerable("q", 2, Asker::Inline, at(101)));
        assert!(!queries.answerable("q", 1, Asker::Callback, at(101)));
        assert!(!queries.answerable("r", 1, Asker::Inline, at(101)));
    }
}
