//! Shows what there is: bots, requests, connections, polls, messages.
//!
//! In: the worlds and the journal (`shared.rs`). Out: copies, for tests and `control/http.rs`.
//! Invariant: looking changes nothing, and waits only where it says so.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::{Control, Filter, KnownBot, OpenConnection, ParkedPoll};
use crate::journal::Captured;
use crate::world::Waiter;
use crate::world::bot::Bot;

impl Control {
    /// All bots, by id.
    #[must_use]
    pub fn bots(&self) -> Vec<KnownBot> {
        let now = self.clock().now();
        self.world(|world| {
            let known = |(id, bot): (&i64, &mut Bot)| KnownBot {
                id: *id,
                username: bot.user.username.clone().unwrap_or_default(),
                pending_updates: bot.polling.queue().pending(now),
                refused_updates: bot.polling.queue().refused(),
                webhook: bot.polling.webhook().is_set(),
                polling: bot.polling.waiting(now).is_some(),
            };
            let mut bots: Vec<KnownBot> = world.bots.iter_mut().map(known).collect();
            bots.sort_by_key(|bot| bot.id);
            bots
        })
    }

    /// The requests that fit, oldest first.
    #[must_use]
    pub fn requests(&self, filter: &Filter) -> Vec<Captured> {
        self.shared.journal.list(|one| filter.fits(one))
    }

    /// One request.
    #[must_use]
    pub fn request(&self, id: u64) -> Option<Captured> {
        self.shared.journal.list(|one| one.id == id).pop()
    }

    /// Waits until at least `count` requests fit; gives those there are when the time is over.
    pub async fn wait_for_requests(
        &self,
        filter: &Filter,
        count: usize,
        at_most: Duration,
    ) -> Vec<Captured> {
        let enough = |control: &Self| {
            let fits = |one: &Captured| filter.fits(one);
            (control.shared.journal.count(fits) >= count).then_some(())
        };
        // Either way the caller gets what there is.
        self.wait_for(enough, at_most).await;
        self.requests(filter)
    }

    /// Waits until at least `count` polls wait; gives those there are when the time is over.
    pub async fn wait_for_polls(&self, count: usize, at_most: Duration) -> Vec<ParkedPoll> {
        let enough = |control: &Self| Some(control.polls()).filter(|polls| polls.len() >= count);
        match self.wait_for(enough, at_most).await {
            Some(polls) => polls,
            None => self.polls(),
        }
    }

    /// Waits until `seen` gives something; it looks again whenever a request, an answer, a
    /// connection or a waiting poll comes or goes. `None` when the time is over.
    pub async fn wait_for<T>(
        &self,
        mut seen: impl FnMut(&Self) -> Option<T>,
        at_most: Duration,
    ) -> Option<T> {
        let seen = self.shared.changes.wait(|| seen(self));
        tokio::time::timeout(at_most, seen).await.ok()
    }

    /// How many requests have arrived, kept or not.
    #[must_use]
    pub fn total_requests(&self) -> u64 {
        self.shared.journal.total()
    }

    /// The connections that are open now.
    #[must_use]
    pub fn connections(&self) -> Vec<OpenConnection> {
        let all = self.shared.connections();
        all.iter()
            .map(|one| OpenConnection {
                id: one.id,
                peer: one.peer,
                tls: one.tls,
                since: one.since,
                requests: one.requests.load(Ordering::Relaxed),
                state: one.state(),
            })
            .collect()
    }

    /// The polls that wait now.
    #[must_use]
    pub fn polls(&self) -> Vec<ParkedPoll> {
        let now = self.clock().now();
        self.world(|world| {
            let parked = |(bot, waiter): (i64, &Waiter)| ParkedPoll {
                bot,
                connection: waiter.connection,
                request: waiter.request,
                since: waiter.since,
            };
            let waiting = world
                .bots
                .iter()
                .filter_map(|(id, bot)| Some((*id, bot.polling.waiting(now)?)));
            let mut polls: Vec<ParkedPoll> = waiting.map(parked).collect();
            polls.sort_by_key(|poll| poll.bot);
            polls
        })
    }

    /// The messages of a chat that are still there, as `Message` objects, oldest first.
    #[must_use]
    pub fn messages(&self, bot: i64, chat: i64) -> Vec<String> {
        self.world(|world| {
            let all: Vec<_> = world.messages(bot, chat).iter().cloned().collect();
            all.iter()
                .map(|one| world.message_json(bot, one).as_str().to_owned())
                .collect()
        })
    }
}
