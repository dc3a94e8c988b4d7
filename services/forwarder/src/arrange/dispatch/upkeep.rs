//! What follows from each change of a bot, and of a partition.
//!
//! In: calls of `dispatch.rs`. Out: decisions, turns, timers, sums. Invariant: after every change of a bot its timer, its turn, its
//! share of memory and its wish to read again are those of its state.

use gramtap_events::{Moment, TenantId};

use super::{Bot, Decision, Dispatch, Event, Item, Place, Recipient, Reread, Rules, Source, View};

impl<P> Decision<P> {
    /// The partition that it is about.
    pub(super) fn partition(&self) -> i32 {
        match self {
            Self::Deliver(_, item) | Self::Park(item) | Self::Duplicate(item) => {
                item.place.partition
            }
            Self::Bury(buried) => buried.item.place.partition,
            Self::Pause(_, partition) | Self::Resume(_, partition) => *partition,
            Self::Reread(reread) => reread.partition,
        }
    }
}

impl<P: Clone> Dispatch<P> {
    /// Changes a bot, and does what follows.
    pub(super) fn with(
        &mut self,
        now: Moment,
        recipient: Recipient,
        number: i32,
        change: impl FnOnce(&mut Bot<P>, &View<'_>, &mut Vec<Event<P>>),
    ) {
        let connections = self.connections_of(recipient.tenant);
        let Some(partition) = self.partitions.get_mut(&number) else {
            return;
        };
        let bot = self.bots.entry(recipient);
        let bot = bot.or_insert_with(|| Bot::new(number, connections, &self.rules));
        let view = View {
            now,
            tenant: recipient.tenant,
            rules: &self.rules,
            dedup: &partition.dedup,
            started: partition.started,
            inbox_to: partition.inbox_to(),
            over: self.over,
            dropped_before: self.dropped.get(&recipient.tenant).copied(),
        };
        let (held, bytes, rereading) = (bot.held, bot.bytes, bot.rereading.is_some());
        let mut events = Vec::new();
        change(bot, &view, &mut events);

        self.held = self.held + bot.held - held;
        self.bytes = self.bytes + bot.bytes - bytes;
        self.rereads = self.rereads + usize::from(bot.rereading.is_some()) - usize::from(rereading);
        if bot.is_runnable(now) {
            self.turns.wait(recipient);
        }
        match bot.is_hungry(&self.rules, self.over) {
            true => self.hungry.insert(recipient),
            false => self.hungry.remove(&recipient),
        };
        let wakes_at = bot.wakes_at(now);
        if bot.is_idle() {
            self.bots.remove(&recipient);
        }
        let woken = match wakes_at {
            Some(at) => self.woken.insert(recipient, at),
            None => self.woken.remove(&recipient),
        };
        if woken != wakes_at {
            woken.map(|at| self.timers.remove(&(at, recipient)));
            wakes_at.map(|at| self.timers.insert((at, recipient)));
        }
        for event in events {
            match event {
                Event::Parked(item) => self.decisions.push_back(Decision::Park(item)),
                Event::Buried(buried) => {
                    partition.decide(buried.item.place);
                    self.decisions.push_back(Decision::Bury(buried));
                }
                Event::Duplicate(item) => {
                    partition.finish(item.place);
                    self.decisions.push_back(Decision::Duplicate(item));
                }
                Event::Behind(origin, queue) => {
                    partition.behind.insert((origin, recipient, queue));
                }
            }
        }
        self.pressure(number);
    }

    /// What is in memory and not under way.
    #[cfg(test)]
    pub(crate) fn unstarted(&self) -> impl Iterator<Item = &Item<P>> {
        self.bots.values().flat_map(Bot::unstarted)
    }

    pub(super) fn connections_of(&self, tenant: TenantId) -> usize {
        let own = self.connections.get(&tenant);
        own.copied().unwrap_or(self.rules.connections)
    }

    /// A partition was read further.
    pub(super) fn reached(&mut self, now: Moment, number: i32, source: Source) {
        match source {
            Source::Retry => self.begin(now, number),
            Source::Inbox => self.catch_up(now, number),
        }
        self.pressure(number);
    }

    /// Once the retry partition is read to where it ended, what came early is taken in, and everything may start.
    pub(super) fn begin(&mut self, now: Moment, number: i32) {
        let partition = self.partitions.get_mut(&number);
        let Some(partition) = partition.filter(|it| it.is_scanned() && !it.started) else {
            return;
        };
        partition.started = true;
        for item in std::mem::take(&mut partition.early) {
            self.admit(now, item);
        }
        let bots = self.bots.iter().filter(|(_, bot)| bot.partition == number);
        let bots: Vec<Recipient> = bots.map(|(recipient, _)| *recipient).collect();
        for recipient in bots {
            self.with(now, recipient, number, |bot, view, out| {
                bot.settle_all(view, out);
            });
        }
    }

    /// Takes a record of the inbox in.
    pub(super) fn admit(&mut self, now: Moment, item: Item<P>) {
        let Place {
            partition, offset, ..
        } = item.place;
        let known = self.partitions.get_mut(&partition);
        if known.is_some_and(|it| it.is_copied(offset)) {
            return self.decisions.push_back(Decision::Duplicate(item));
        }
        self.with(now, item.recipient(), partition, |bot, view, out| {
            bot.admit(item, view, out);
        });
    }

    /// Lanes that waited for the inbox may go on.
    fn catch_up(&mut self, now: Moment, number: i32) {
        while let Some(partition) = self.partitions.get_mut(&number)
            && partition.started
            && let Some((origin, recipient, queue)) = partition.behind.first().copied()
            && origin < partition.inbox_to()
        {
            partition.behind.pop_first();
            if self.bots.contains_key(&recipient) {
                self.with(now, recipient, number, |bot, view, out| {
                    bot.settle(queue, view, out);
                });
            }
        }
    }

    /// Pauses or resumes what is to be read.
    pub(super) fn pressure(&mut self, number: i32) {
        let Rules { held, bytes, .. } = self.rules;
        let over = match self.over {
            true => self.held > held / 2 || self.bytes > bytes / 2,
            false => self.held >= held || self.bytes >= bytes,
        };
        if over == self.over {
            return self.pause(number);
        }
        self.over = over;
        let numbers: Vec<i32> = self.partitions.keys().copied().collect();
        numbers.into_iter().for_each(|number| self.pause(number));
        let hungry = self.bots.iter();
        let hungry = hungry.filter(|(_, bot)| bot.is_hungry(&self.rules, over));
        self.hungry = hungry.map(|(recipient, _)| *recipient).collect();
    }

    fn pause(&mut self, number: i32) {
        let Some(partition) = self.partitions.get_mut(&number) else {
            return;
        };
        let full = partition.full(self.over);
        let sources = [Source::Inbox, Source::Retry].into_iter();
        for ((source, now), was) in sources.zip(full).zip(partition.paused) {
            match (was, now) {
                (false, true) => self.decisions.push_back(Decision::Pause(source, number)),
                (true, false) => self.decisions.push_back(Decision::Resume(source, number)),
                _ => {}
            }
        }
        partition.paused = full;
    }

    /// The next bot whose records are to be read again.
    pub(super) fn reread_next(&mut self) -> Option<Reread> {
        if self.rereads >= self.rules.rereads {
            return None;
        }
        while let Some(recipient) = self.hungry.pop_first() {
            let Some(bot) = self.bots.get_mut(&recipient) else {
                continue;
            };
            let Some(from) = bot.deferred else { continue };
            self.ticket += 1;
            bot.rereading = Some(self.ticket);
            self.rereads += 1;
            return Some(Reread {
                ticket: self.ticket,
                recipient,
                partition: bot.partition,
                from,
            });
        }
        None
    }
}
