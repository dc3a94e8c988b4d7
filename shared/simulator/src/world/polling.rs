//! How one bot gets its updates: the long poll, the webhook ([`pushed`]), and the rules between them.
//!
//! In: getUpdates, setWebhook, deleteWebhook (`methods/updates.rs`), updates (`world/bot.rs`), the
//! clock's time with each. Out: [`Ended`]: whose request is answered now, with what, after which
//! pause. Pure: `W` stands for whoever waits. The rules are telegram.md §2.2, row by row.
//! Invariant: at most one poll and one setWebhook wait per bot; each waiter is ended exactly once.

mod ended;
mod pushed;

use std::time::Duration;

use super::queue::UpdateQueue;
use super::webhook::{Webhook, WebhookOrder};
use crate::fail::Failure;
use crate::push::plan::Plan;
use crate::push::request::Target;

pub(crate) use ended::{Ended, Outcome, Reply, Wait};

/// Repeated conflicts are answered after this, and the first of a series opens a window of this.
const CONFLICT_PAUSE: Duration = Duration::from_secs(3);
/// A repeat of the same offset within this is made to wait.
const SAME_OFFSET: Duration = Duration::from_secs(3);
/// A repeat of the same offset within this gets one update.
const SAME_OFFSET_FAST: Duration = Duration::from_millis(500);
/// The longest poll.
const LONGEST: u64 = 50;

/// A getUpdates as asked for; what is out of range is brought into it, as Telegram's server does.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct PollRequest {
    pub(crate) offset: i64,
    pub(crate) limit: Option<i64>,
    pub(crate) timeout: Option<i64>,
}

struct Waiting<W> {
    waiter: W,
    wait: Wait,
    offset: i64,
    limit: usize,
}

/// A bot's way of getting updates.
pub(crate) struct Polling<W> {
    queue: UpdateQueue,
    poll: Option<Waiting<W>>,
    webhook: Webhook,
    /// Set while a webhook is.
    plan: Option<Plan>,
    /// The number of the last connection to a webhook.
    connections: u64,
    setting: Option<(W, Wait, WebhookOrder)>,
    previous: Option<(i64, Duration)>,
    next_conflict: Duration,
    next_webhook: Duration,
    numbers: u64,
}

impl<W> Polling<W> {
    /// A bot whose first update has the id `first`.
    pub(crate) fn new(first: i64) -> Self {
        Self {
            queue: UpdateQueue::new(first),
            poll: None,
            webhook: Webhook::default(),
            plan: None,
            connections: 0,
            setting: None,
            previous: None,
            next_conflict: Duration::ZERO,
            next_webhook: Duration::ZERO,
            numbers: 0,
        }
    }

    /// The poll that waits now.
    pub(crate) fn waiting(&self, now: Duration) -> Option<&W> {
        let poll = self.poll.as_ref().filter(|poll| poll.wait.until > now);
        poll.map(|poll| &poll.waiter)
    }

    pub(crate) fn queue(&mut self) -> &mut UpdateQueue {
        &mut self.queue
    }

    pub(crate) fn webhook(&self) -> &Webhook {
        &self.webhook
    }

    /// An update happened; `Some` if a poll is answered with it.
    pub(crate) fn push(&mut self, text: String, life: Duration, now: Duration) -> Option<Ended<W>> {
        self.queue.push(text, now.saturating_add(life))?;
        let poll = self.poll.take()?;
        let result = self.updates(poll.offset, poll.limit, now);
        Some(Ended::done(poll.waiter, result))
    }

    /// getUpdates.
    pub(crate) fn get_updates(
        &mut self,
        request: PollRequest,
        waiter: W,
        now: Duration,
    ) -> Outcome<W> {
        if self.webhook.is_set() || self.setting.is_some() {
            let text = "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first";
            return Outcome::one(self.conflict(text, waiter, now));
        }
        let mut limit = clamp(request.limit, 1, 100, 100);
        let mut timeout = Duration::from_secs(clamp(request.timeout, 0, LONGEST, 0));
        if let Some((_, at)) = self
            .previous
            .filter(|(offset, _)| *offset == request.offset)
        {
            if timeout < SAME_OFFSET && now < at + SAME_OFFSET {
                timeout = SAME_OFFSET;
            }
            if now < at + SAME_OFFSET_FAST {
                limit = 1;
            }
        }
        self.previous = Some((request.offset, now));
        let limit = usize::try_from(limit).unwrap_or(1);
        let empty = self.queue.get(request.offset, limit, now).is_empty();
        if timeout.is_zero() || !empty {
            let result = self.updates(request.offset, limit, now);
            return Outcome::one(Ended::done(waiter, result));
        }
        // Only a request that itself comes to wait ends the one that waits. One whose time is over,
        // but whose connection is not there to say so, waits no more.
        let over = self.poll.take_if(|poll| poll.wait.until <= now);
        let over = over.map(|poll| Ended::done(poll.waiter, "[]".to_owned()));
        let ended = self.end_poll(
            "terminated by other getUpdates request; make sure that only one bot instance is running",
            now,
        );
        let wait = self.number(now.saturating_add(timeout));
        self.poll = Some(Waiting {
            waiter,
            wait,
            offset: request.offset,
            limit,
        });
        Outcome {
            ended: over.into_iter().chain(ended).collect(),
            waits: Some(wait),
        }
    }

    /// The time of a waiting request is over: a poll ends empty, a webhook that was being set is set.
    pub(crate) fn expire(&mut self, number: u64, now: Duration) -> Option<Ended<W>> {
        if let Some(poll) = self.poll.take_if(|poll| poll.wait.number == number) {
            let result = self.updates(poll.offset, poll.limit, now);
            return Some(Ended::done(poll.waiter, result));
        }
        let (waiter, _, order) = self.setting.take_if(|(_, wait, _)| wait.number == number)?;
        self.begin(order.webhook);
        Some(Ended::said(waiter, "Webhook was set"))
    }

    /// setWebhook. `verify` is how long Telegram takes to reach the address; zero: at once.
    pub(crate) fn set_webhook(
        &mut self,
        order: WebhookOrder,
        verify: Duration,
        waiter: W,
        now: Duration,
    ) -> Outcome<W> {
        if order.webhook.url.is_empty() {
            return self.delete_webhook(order.drop_pending_updates, waiter, now);
        }
        if now < self.next_webhook {
            return Outcome::one(Ended::failed(waiter, Failure::flood(1)));
        }
        self.next_webhook = now + Duration::from_secs(1);
        let mut ended: Vec<Ended<W>> = Vec::new();
        if let Some((earlier, ..)) = self.setting.take() {
            ended.push(self.conflict("terminated by other setWebhook", earlier, now));
        } else if self.webhook.same_as(&order) {
            return Outcome::one(Ended::said(waiter, "Webhook is already set"));
        }
        ended.extend(self.end_poll("terminated by setWebhook request", now));
        if order.drop_pending_updates {
            self.queue.clear();
        }
        self.begin(Webhook::default());
        if verify.is_zero() {
            self.begin(order.webhook);
            ended.push(Ended::said(waiter, "Webhook was set"));
            return Outcome { ended, waits: None };
        }
        let wait = self.number(now + verify);
        self.setting = Some((waiter, wait, order));
        Outcome {
            ended,
            waits: Some(wait),
        }
    }

    /// deleteWebhook, or setWebhook with an empty address.
    pub(crate) fn delete_webhook(
        &mut self,
        drop_pending: bool,
        waiter: W,
        now: Duration,
    ) -> Outcome<W> {
        let mut ended: Vec<Ended<W>> = Vec::new();
        if let Some((earlier, ..)) = self.setting.take() {
            ended.push(self.conflict("terminated by other setWebhook", earlier, now));
        }
        if drop_pending {
            self.queue.clear();
        }
        let was_set = self.webhook.is_set() || !ended.is_empty();
        self.begin(Webhook::default());
        let said = if was_set {
            "Webhook was deleted"
        } else {
            "Webhook is already deleted"
        };
        ended.push(Ended::said(waiter, said));
        Outcome { ended, waits: None }
    }

    /// Ends whatever waits, with this failure: the bot logged out, or the simulator is reset.
    pub(crate) fn end_all(&mut self, failure: &Failure) -> Vec<Ended<W>> {
        let poll = self.poll.take().map(|poll| poll.waiter);
        let setting = self.setting.take().map(|(waiter, ..)| waiter);
        let waiters = poll.into_iter().chain(setting);
        waiters
            .map(|waiter| Ended::failed(waiter, failure.clone()))
            .collect()
    }

    /// From now on updates go to this webhook; to none if its address is empty.
    pub(crate) fn begin(&mut self, webhook: Webhook) {
        let target = webhook.is_set().then(|| Target::of(&webhook)).flatten();
        self.plan = target.map(|target| Plan::new(target, webhook.max_connections));
        self.webhook = webhook;
    }

    fn updates(&mut self, offset: i64, limit: usize, now: Duration) -> String {
        let mut text = String::from("[");
        for update in self.queue.get(offset, limit, now) {
            if text.len() > 1 {
                text.push(',');
            }
            update.write(&mut text);
        }
        text.push(']');
        text
    }

    fn end_poll(&mut self, text: &str, now: Duration) -> Option<Ended<W>> {
        let poll = self.poll.take()?;
        Some(self.conflict(text, poll.waiter, now))
    }

    fn conflict(&mut self, text: &str, waiter: W, now: Duration) -> Ended<W> {
        let mut ended = Ended::failed(waiter, Failure::conflict(text));
        if now < self.next_conflict {
            ended.pause = CONFLICT_PAUSE;
        } else {
            self.next_conflict = now + CONFLICT_PAUSE;
        }
        ended
    }

    fn number(&mut self, until: Duration) -> Wait {
        self.numbers += 1;
        Wait {
            number: self.numbers,
            until,
        }
    }
}

fn clamp(value: Option<i64>, least: u64, most: u64, default: u64) -> u64 {
    value.map_or(default, |value| {
        u64::try_from(value).unwrap_or(0).clamp(least, most)
    })
}

#[cfg(test)]
mod tests;
