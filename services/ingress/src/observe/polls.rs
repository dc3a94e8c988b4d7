//! Folds the empty answers to getUpdates of one bot and client over a window.
//!
//! In: empty polls (`record.rs`), the worker's clock. Out: `polls` records. Invariant: every empty
//! poll is in exactly one record; a poll that brought updates closes its client's fold first, so
//! that a bot's records stay in order. At the bound the oldest fold is told early; nothing is
//! lost but what is open when the process is killed.

#[cfg(test)]
mod tests;

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use gramtap_events::call::{CallRecord, Client, Polls};
use gramtap_events::{Mint, Moment, Record, TenantId};
use gramtap_telegram::BotId;

/// An answer to getUpdates that brought nothing.
#[derive(Clone, Debug)]
pub(crate) struct EmptyPoll {
    /// The bot, as this installation knows it.
    pub(crate) tenant: TenantId,
    /// Telegram's id of the bot.
    pub(crate) bot: Option<BotId>,
    /// Who polled.
    pub(crate) client: Client,
    /// When it was asked.
    pub(crate) from: Moment,
    /// When it was answered.
    pub(crate) to: Moment,
    /// How long it took, in microseconds.
    pub(crate) took_us: u64,
}

/// The open folds of one worker.
#[derive(Debug)]
pub(crate) struct PollFolds {
    window: Duration,
    bound: usize,
    open: HashMap<Whose, Fold>,
    /// In the order of opening, which is that of falling due. Closed ones are skipped by number.
    order: VecDeque<(u64, Whose)>,
    opened: u64,
}

/// Several bots may be one tenant: those that nobody can attribute.
type Whose = (TenantId, Option<BotId>, Client);

#[derive(Debug)]
struct Fold {
    number: u64,
    due: Instant,
    from: Moment,
    to: Moment,
    count: u64,
    longest_us: u64,
}

impl PollFolds {
    /// Folds over `window`, at most `bound` at a time.
    #[must_use]
    pub(crate) fn new(window: Duration, bound: usize) -> Self {
        Self {
            window,
            bound: bound.max(1),
            open: HashMap::new(),
            order: VecDeque::new(),
            opened: 0,
        }
    }

    /// Adds an empty poll. Gives back a fold that had to be closed: its window was over, or
    /// there was no room for another.
    pub(crate) fn empty(&mut self, poll: EmptyPoll, now: Instant, mint: &Mint) -> Option<Polls> {
        let whose = (poll.tenant, poll.bot, poll.client);
        if let Some(fold) = self.open.get_mut(&whose)
            && fold.due > now
        {
            fold.from = fold.from.min(poll.from);
            fold.to = fold.to.max(poll.to);
            fold.count += 1;
            fold.longest_us = fold.longest_us.max(poll.took_us);
            return None;
        }
        let told = match self.open.remove(&whose) {
            Some(fold) => Some(fold.told(whose.clone(), mint)),
            None if self.open.len() >= self.bound => self.oldest(mint),
            None => None,
        };
        let fold = Fold {
            number: self.opened,
            due: now + self.window,
            from: poll.from,
            to: poll.to,
            count: 1,
            longest_us: poll.took_us,
        };
        self.order.push_back((self.opened, whose.clone()));
        self.opened += 1;
        self.open.insert(whose, fold);
        self.tidy();
        told
    }

    /// Closes the fold of a client: its poll brought updates, or an error.
    pub(crate) fn close(
        &mut self,
        tenant: TenantId,
        bot: Option<BotId>,
        client: &Client,
        mint: &Mint,
    ) -> Option<Polls> {
        if self.open.is_empty() {
            return None;
        }
        let whose = (tenant, bot, client.clone());
        let fold = self.open.remove(&whose)?;
        self.tidy();
        Some(fold.told(whose, mint))
    }

    /// The folds whose window is over.
    pub(crate) fn due(&mut self, now: Instant, mint: &Mint) -> Vec<Polls> {
        let mut told = Vec::new();
        while let Some((number, whose)) = self.order.front() {
            match self.open.get(whose) {
                Some(fold) if fold.number == *number && fold.due > now => break,
                Some(fold) if fold.number == *number => told.extend(self.oldest(mint)),
                _ => drop(self.order.pop_front()),
            }
        }
        told
    }

    /// All folds, due or not: the worker drains.
    pub(crate) fn flush(&mut self, mint: &Mint) -> Vec<Polls> {
        std::iter::from_fn(|| self.oldest(mint)).collect()
    }

    /// How many folds are open.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    /// Takes the fold that was opened first.
    fn oldest(&mut self, mint: &Mint) -> Option<Polls> {
        while let Some((number, whose)) = self.order.pop_front() {
            if self
                .open
                .get(&whose)
                .is_some_and(|fold| fold.number == number)
            {
                let fold = self.open.remove(&whose)?;
                return Some(fold.told(whose, mint));
            }
        }
        None
    }

    /// Keeps `order` from growing with folds that were closed before their time.
    fn tidy(&mut self) {
        if self.order.len() > 2 * self.open.len() + 16 {
            let open = &self.open;
            self.order.retain(|(number, whose)| {
                open.get(whose).is_some_and(|fold| fold.number == *number)
            });
        }
    }
}

impl Fold {
    fn told(self, (tenant, bot, client): Whose, mint: &Mint) -> Polls {
        Polls {
            v: CallRecord::VERSION,
            record: mint.mint(),
            tenant,
            bot,
            client,
            from: self.from,
            to: self.to,
            count: self.count,
            longest_us: self.longest_us,
        }
    }
}
