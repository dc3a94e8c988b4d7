//! What is decided in the situations that the rules were made for; after kills and rebalances in `tests/restarts.rs`.
#![allow(clippy::unwrap_used)]

mod drops;
mod replays;
mod restarts;

use std::collections::HashMap;
use std::time::Duration;

use gramtap_events::inbox::Tried;
use gramtap_outbound::Side;

use super::*;
use crate::consume::ledger;
use crate::tests::{at, tenant};

const OK: Outcome = Outcome::Answered {
    status: 200,
    retry_after: None,
};
const FAILS: Outcome = Outcome::Answered {
    status: 500,
    retry_after: None,
};
const AWAY: Outcome = Outcome::Failed {
    label: "connect",
    side: Side::Upstream,
};
const OURS: Outcome = Outcome::Failed {
    label: "pool_full",
    side: Side::Internal,
};

/// One partition, whose writes are acknowledged at once. Updates are known by their origin.
struct Desk {
    dispatch: Dispatch<()>,
    now: i64,
    inbox: i64,
    /// `inbox.retry.v1`
    retry: Vec<Item<()>>,
    /// How far it is read.
    read: usize,
    tickets: HashMap<i64, u64>,
    /// What is given up is not acknowledged.
    unheard: bool,
}

impl Desk {
    fn new(change: impl FnOnce(&mut Rules)) -> Self {
        let mut rules = Rules::default();
        change(&mut rules);
        let mut desk = Self {
            dispatch: Dispatch::new(rules),
            now: 1_000,
            inbox: 0,
            retry: Vec::new(),
            read: 0,
            tickets: HashMap::new(),
            unheard: false,
        };
        desk.assign(None, None);
        desk
    }

    /// All is forgotten but what was committed.
    fn assign(&mut self, inbox: Option<&Commit>, retry: Option<&Commit>) -> Restored {
        fn ends(commit: Option<&Commit>, high: i64) -> Ends<'_> {
            Ends {
                committed: commit.map(|it| (it.offset, it.metadata.as_str())),
                low: 0,
                high,
            }
        }
        let assigned = Assigned {
            partition: 0,
            inbox: ends(inbox, self.inbox),
            retry: ends(retry, i64::try_from(self.retry.len()).unwrap()),
        };
        self.inbox = inbox.map_or(0, |commit| commit.offset);
        self.read = usize::try_from(retry.map_or(0, |commit| commit.offset)).unwrap();
        self.dispatch.assigned(at(self.now), &assigned)
    }

    /// The next record of the inbox comes.
    fn arrive(&mut self, bot: u8, queue: &str) {
        self.arrive_as(bot, queue, |_| {});
    }

    /// The same with a record of another kind.
    fn arrive_as(&mut self, bot: u8, queue: &str, change: impl FnOnce(&mut Item<()>)) {
        let origin = self.inbox;
        self.inbox += 1;
        let inline = queue.starts_with("inline");
        let place = Place {
            source: Source::Inbox,
            partition: 0,
            offset: origin,
        };
        let mut item = Item {
            place,
            origin,
            tenant: tenant(bot),
            queue: queue.parse().unwrap(),
            update_id: Some(origin),
            at: at(self.now),
            expires_at: at(self.now + if inline { 30 } else { 86_400 }),
            tried: Tried::default(),
            replay: None,
            elsewhere: false,
            next_at: None,
            bytes: 10,
            payload: (),
        };
        change(&mut item);
        self.dispatch.record(at(self.now), item);
    }

    /// What is decided now, in words; what is to be written is written.
    fn says(&mut self) -> Vec<String> {
        let mut said = Vec::new();
        while let Some(decision) = self.dispatch.next(at(self.now)) {
            said.push(match decision {
                Decision::Deliver(ticket, item) => {
                    self.tickets.insert(item.origin, ticket);
                    format!("deliver {}", item.origin)
                }
                Decision::Park(mut item) => {
                    self.dispatch.done(item.place);
                    item.place.source = Source::Retry;
                    item.place.offset = i64::try_from(self.retry.len()).unwrap();
                    let said = format!("park {}", item.origin);
                    self.retry.push(item);
                    said
                }
                Decision::Bury(Buried { item, cause, .. }) => {
                    if !self.unheard {
                        self.dispatch.done(item.place);
                    }
                    format!("bury {} {cause}", item.origin)
                }
                Decision::Duplicate(item) => format!("duplicate {}", item.origin),
                Decision::Pause(source, _) => format!("pause {source:?}"),
                Decision::Resume(source, _) => format!("resume {source:?}"),
                Decision::Reread(reread) => {
                    let from = usize::try_from(reread.from).unwrap();
                    for item in self.retry[from..].iter().cloned() {
                        let offset = item.place.offset;
                        if !self
                            .dispatch
                            .reread(at(self.now), &reread, offset, Some(item))
                        {
                            break;
                        }
                    }
                    format!("reread {from}")
                }
            });
        }
        said
    }

    /// An attempt ends.
    fn ends(&mut self, origin: i64, outcome: &Outcome) -> Vec<String> {
        let ticket = self.tickets.remove(&origin).unwrap();
        let ended = self
            .dispatch
            .outcome(at(self.now), ticket, outcome, 0)
            .unwrap();
        if ended.judgement.is_success() {
            self.dispatch.done(ended.item.place);
        }
        self.says()
    }

    /// Time goes by.
    fn waits(&mut self, seconds: i64) -> Vec<String> {
        self.now += seconds;
        self.dispatch.tick(at(self.now));
        self.says()
    }

    /// All of the retry topic is read.
    fn reads(&mut self) -> Vec<String> {
        while let Some(item) = self.retry.get(self.read) {
            self.read += 1;
            self.dispatch.record(at(self.now), item.clone());
        }
        self.says()
    }
}

#[test]
fn a_failing_update_holds_its_own_queue_alone_and_leaves_memory_after_a_while() {
    let mut desk = Desk::new(|_| {});
    for (bot, queue) in [(0, "chat:1"), (0, "chat:1"), (0, "chat:2"), (1, "chat:1")] {
        desk.arrive(bot, queue);
    }
    assert_eq!(desk.says(), ["deliver 0", "deliver 3", "deliver 2"]);
    assert_eq!(desk.ends(0, &FAILS), ["deliver 0"]);
    assert!(desk.ends(0, &FAILS).is_empty());
    assert!(desk.ends(2, &OK).is_empty() && desk.ends(3, &OK).is_empty());
    assert!(desk.waits(1).is_empty());
    assert_eq!(desk.dispatch.wakes_at(), Some(at(1_002)));
    assert_eq!(desk.waits(1), ["deliver 0"]);
    assert!(desk.ends(0, &FAILS).is_empty());
    assert_eq!(desk.waits(4), ["deliver 0"]);
    // Eight seconds are too long to wait in memory.
    assert_eq!(desk.ends(0, &FAILS), ["park 0", "park 1"]);
    assert_eq!(
        (desk.retry[0].tried.attempts, desk.retry[0].next_at),
        (4, Some(at(1_014)))
    );
    assert_eq!(desk.dispatch.held(), (0, 0));
    desk.arrive(0, "chat:1");
    desk.arrive(0, "chat:2");
    assert_eq!(desk.says(), ["park 4", "deliver 5"]);

    assert!(desk.reads().is_empty());
    assert_eq!(desk.waits(8), ["deliver 0"]);
    assert_eq!(desk.ends(0, &OK), ["deliver 1"]);
    desk.arrive(0, "chat:1");
    assert_eq!(desk.says(), ["park 6"]);
    assert_eq!(desk.ends(1, &OK), ["deliver 4"]);
    assert_eq!(desk.reads(), [""; 0]);
    assert_eq!(desk.ends(4, &OK), ["deliver 6"]);
    assert!(desk.ends(6, &OK).is_empty());
    // Nothing of the queue is left there.
    desk.arrive(0, "chat:1");
    assert_eq!(desk.says(), ["deliver 7"]);
}

#[test]
fn bots_take_turns_and_keep_to_their_bounds() {
    let mut desk = Desk::new(|rules| rules.connections = 3);
    for chat in 1..=8 {
        desk.arrive(0, &format!("chat:{chat}"));
    }
    desk.arrive(1, "chat:1");
    assert_eq!(
        desk.says(),
        ["deliver 0", "deliver 8", "deliver 1", "deliver 2"]
    );
    desk.dispatch.set_connections(tenant(0), Some(4));
    assert_eq!(desk.says(), ["deliver 3"]);
    assert_eq!(desk.dispatch.flying(Some(0)), 5);
    desk.dispatch.stop();
    assert!(desk.ends(0, &OK).is_empty());

    let mut desk = Desk::new(|rules| rules.in_flight = 1);
    for bot in [0, 0, 0, 1, 1] {
        let queue = format!("chat:{}", desk.inbox + 1);
        desk.arrive(bot, &queue);
    }
    assert_eq!(desk.says(), ["deliver 0"]);
    let order = [3, 1, 4, 2].iter().zip([0, 3, 1, 4]);
    for (next, ended) in order {
        assert_eq!(desk.ends(ended, &OK), [format!("deliver {next}")]);
    }
}

#[test]
fn an_endpoint_that_is_away_is_probed_then_served_slowly() {
    let mut desk = Desk::new(|rules| (rules.breaker.failures, rules.connections) = (3, 5));
    for chat in 1..=20 {
        desk.arrive(0, &format!("chat:{chat}"));
    }
    desk.says();
    desk.ends(0, &AWAY);
    desk.ends(1, &AWAY);
    // The third in a row: all that is not under way leaves memory.
    assert_eq!(desk.ends(2, &AWAY).len(), 16);
    assert_eq!(desk.dispatch.held().0, 4);
    desk.arrive(0, "chat:99");
    desk.arrive(1, "chat:1");
    assert_eq!(desk.says(), ["park 20", "deliver 21"]);
    for origin in 0..20 {
        if desk.tickets.contains_key(&origin) {
            desk.ends(origin, &AWAY);
        }
    }
    assert_eq!(desk.retry.len(), 21);
    desk.ends(21, &OK);
    assert!(desk.reads().is_empty());
    let (held, _) = desk.dispatch.held();
    assert_eq!(held, Rules::default().away);
    assert_eq!(desk.waits(2).len(), 1);
    let first = *desk.tickets.keys().next().unwrap();
    desk.ends(first, &AWAY);
    assert_eq!(desk.waits(3), [""; 0]);
    assert_eq!(desk.waits(1).len(), 1);

    // It is back: every success makes the next one come a little sooner, and all are served.
    let (mut served, mut starts) = (0, Vec::new());
    while served < 21 {
        if let Some(origin) = desk.tickets.keys().next().copied() {
            starts.push(desk.now);
            desk.ends(origin, &OK);
            served += 1;
        } else {
            assert!(desk.now < 1_060, "{served} served");
            desk.waits(1);
        }
    }
    // With a clock of whole seconds, one at a time until the pace is below a second.
    assert!(
        starts.windows(2).any(|pair| pair[0] < pair[1]),
        "{starts:?}"
    );
    assert_eq!(desk.dispatch.held(), (0, 0));
}

#[test]
fn a_webhook_that_was_mended_is_called_at_once() {
    let mut desk = Desk::new(|rules| rules.breaker.failures = 3);
    desk.arrive(0, "chat:1");
    desk.says();
    desk.ends(0, &AWAY);
    desk.ends(0, &AWAY);
    desk.waits(2);
    assert_eq!(desk.ends(0, &AWAY), ["park 0"]);
    assert!(desk.reads().is_empty());
    desk.dispatch.renewed(at(desk.now), tenant(0));
    assert_eq!(desk.says(), ["deliver 0"]);
    assert!(desk.ends(0, &OK).is_empty());
}

#[test]
fn bounds_of_nothing_let_one_through() {
    let mut desk = Desk::new(|rules| {
        (rules.connections, rules.in_flight, rules.per_bot) = (0, 0, 0);
        (rules.away, rules.held, rules.bytes, rules.rereads) = (0, 0, 0, 0);
    });
    (0..5).for_each(|_| desk.arrive(0, "chat:1"));
    assert!(desk.says().contains(&"deliver 0".to_owned()));
    for origin in 0..5 {
        desk.reads();
        desk.ends(origin, &OK);
    }
    assert_eq!(desk.dispatch.held(), (0, 0));
}

#[test]
fn a_bots_surplus_leaves_memory_and_is_read_again_in_order() {
    let mut desk = Desk::new(|rules| rules.per_bot = 4);
    (0..50).for_each(|_| desk.arrive(0, "chat:1"));
    desk.arrive(1, "chat:1");
    let said = desk.says();
    assert_eq!(said.iter().filter(|it| it.starts_with("park")).count(), 46);
    assert!(said.contains(&"deliver 50".to_owned()));
    assert!(desk.reads().is_empty());
    for origin in 0..50 {
        assert!(desk.dispatch.held().0 <= 5, "{:?}", desk.dispatch.held());
        desk.ends(origin, &OK);
    }
    desk.ends(50, &OK);
    assert_eq!(desk.dispatch.held(), (0, 0));
    let commits =
        [Source::Inbox, Source::Retry].map(|it| desk.dispatch.commit(it, 0, None).unwrap());
    assert_eq!(commits.map(|commit| commit.offset), [51, 46]);
}

#[test]
fn without_room_the_inbox_is_paused_until_half_of_it_is_free() {
    let mut desk = Desk::new(|rules| rules.held = 4);
    (0..4).for_each(|bot| desk.arrive(bot, "chat:1"));
    let said = desk.says();
    assert!(said.contains(&"pause Inbox".to_owned()), "{said:?}");
    assert!(desk.ends(0, &OK).is_empty());
    assert_eq!(desk.ends(1, &OK), ["resume Inbox"]);
}

#[test]
fn a_partition_that_goes_leaves_room_to_the_others() {
    let mut desk = Desk::new(|rules| rules.held = 2);
    let empty = Ends {
        committed: None,
        low: 0,
        high: 0,
    };
    let other = Assigned {
        partition: 1,
        inbox: empty,
        retry: empty,
    };
    desk.dispatch.assigned(at(desk.now), &other);
    (0..2).for_each(|bot| desk.arrive(bot, "chat:1"));
    let said = desk.says();
    assert_eq!(said.iter().filter(|it| *it == "pause Inbox").count(), 2);
    desk.dispatch.revoked(0);
    assert_eq!(desk.says(), ["resume Inbox"]);
}

#[test]
fn what_expires_while_it_waits_is_given_up_in_time() {
    let mut desk = Desk::new(|rules| rules.connections = 1);
    desk.arrive(0, "chat:1");
    desk.arrive(0, "inline:7");
    desk.arrive(0, "inline:7");
    assert_eq!(desk.says(), ["deliver 0"]);
    assert!(desk.waits(30).is_empty());
    assert_eq!(desk.waits(1), ["bury 1 expired", "bury 2 expired"]);
}

#[test]
fn failures_of_ours_cost_no_attempt() {
    let mut desk = Desk::new(|_| {});
    desk.arrive(0, "chat:1");
    desk.says();
    for _ in 0..5 {
        assert!(desk.ends(0, &OURS).is_empty());
        assert_eq!(desk.waits(1), ["deliver 0"]);
    }
    assert_eq!(desk.ends(0, &FAILS), ["deliver 0"]);
}
