//! Couriers: one task for each delivery that is under way.
//!
//! In: decisions to deliver. Out: what came of them, to [`Dispatch`](crate::arrange::dispatch::Dispatch) and to the writer. Invariant: each delivery that is begun ends, also when its task
//! panics; a method in the bot's answer is executed only once the delivery is on record, and those of a queue one after another. They die with
//! the life that began them.

use std::collections::HashMap;
use std::rc::Rc;

use gramtap_actors::{Task, spawn_local};
use gramtap_bus::Message;
use gramtap_events::Moment;
use gramtap_events::call::CallRecord;
use gramtap_events::inbox::Inbox;
use gramtap_telemetry::Counter;
use gramtap_tenants::FailedAttempt;
use tokio::sync::{mpsc, oneshot};

use super::Poller;
use crate::answer::execute::execute;
use crate::answer::reply::Reply;
use crate::arrange::Item;
use crate::consume::ForwardError;
use crate::deliver::courier::{self, Attempt};
use crate::report::outcome;
use crate::report::writer::Then;

/// What couriers tell.
pub(super) enum News {
    /// An attempt is over.
    Ended(Box<Ended>),
    /// A method that the bot's answer asked for was executed, or was not; the courier of this ticket is done.
    Executed(u64, Option<Box<CallRecord>>),
}

/// An attempt that is over.
pub(super) struct Ended {
    ticket: u64,
    item: Item<Rc<Inbox>>,
    attempt: Attempt,
    /// Told once its success is on record, where the bot's answer asks for something.
    recorded: Option<oneshot::Sender<()>>,
}

/// Deliveries under way; dropped, they end.
#[derive(Default)]
pub(super) struct Couriers(pub(super) HashMap<u64, Task<()>>);

impl Drop for Couriers {
    fn drop(&mut self) {
        self.0.values().for_each(Task::abort);
    }
}

impl Poller<'_> {
    /// Begins a delivery.
    pub(super) fn start(&mut self, ticket: u64, item: Item<Rc<Inbox>>) {
        let worker = Rc::clone(&self.worker);
        let inbox = Rc::clone(&item.payload);
        let until = item.expires_at;
        let doubtful = self.doubts.is_doubtful(&item);
        if doubtful {
            Counter::ForwarderRecords {
                outcome: "doubtful",
            }
            .inc();
        }
        let mut end = End {
            tell: self.tell.clone(),
            ended: Some((ticket, item)),
            executing: None,
        };
        let task = spawn_local("courier", async move {
            let mut attempt = courier::attempt(&worker, &inbox, until, doubtful).await;
            let reply = std::mem::replace(&mut attempt.reply, Reply::Nothing);
            let Some(tenant) = attempt.tenant.take().filter(|_| !reply.is_nothing()) else {
                return end.tell(attempt, None);
            };
            // Before the end is told, so that the next update of the queue comes behind.
            let _turn = worker.turn(inbox.tenant, inbox.queue).await;
            let (recorded, record) = oneshot::channel();
            end.tell(attempt, Some(recorded));
            let executed = match record.await {
                Ok(()) => execute(&worker, &tenant, reply).await,
                Err(_) => {
                    let result = "reply_orphaned";
                    Counter::Replies { result }.inc();
                    None
                }
            };
            end.done(executed);
        });
        self.couriers.0.insert(ticket, task);
    }

    /// An attempt is over, or what followed from it.
    pub(super) fn over(&mut self, news: News) -> Result<(), ForwardError> {
        let Ended {
            ticket,
            item,
            attempt,
            recorded,
        } = match news {
            News::Ended(ended) => *ended,
            News::Executed(ticket, record) => {
                self.couriers.0.remove(&ticket);
                if let Some(record) = record {
                    self.writer.write(Message::of(&*record)?, Then::Nothing)?;
                }
                return Ok(());
            }
        };
        if recorded.is_none() {
            self.couriers.0.remove(&ticket);
        }
        let now = Moment::now();
        let known = self
            .dispatch
            .outcome(now, ticket, &attempt.outcome, rand::random());
        // The partition went meanwhile: nothing follows, but that the bot has it is worth telling.
        let known_place = known.as_ref().map(|known| known.item.place);
        let (item, judgement) = match known {
            Some(known) => (known.item, known.judgement),
            None => match courier::orphaned(&attempt.outcome) {
                Some(judgement) => {
                    // The partition may have come back.
                    if let Some(id) = item.update_id {
                        let number = item.place.partition;
                        (self.dispatch).delivered(number, item.tenant, id, item.replay, item.at);
                    }
                    (item, judgement)
                }
                None => return Ok(()),
            },
        };
        let result = judgement.reason.map_or("delivered", |reason| reason.label);
        if let (Some(place), Some(message)) = (known_place, &attempt.message)
            && !item.elsewhere
        {
            let failed = FailedAttempt {
                at: now,
                label: result.to_owned(),
                message: message.clone(),
            };
            self.standings.fail(place.partition, item.tenant, failed);
        }
        Counter::Deliveries { result }.inc();
        let record = outcome::attempted(&self.worker.shared.mint, &item, &attempt, &judgement);
        let then = match known_place.filter(|_| judgement.is_success()) {
            Some(place) => match recorded {
                Some(recorded) => Then::DoneAndTold(place, recorded),
                None => Then::Done(place),
            },
            None => Then::Nothing,
        };
        self.writer.write(Message::of(&record)?, then)
    }
}

/// Tells of an attempt's end, and of what followed, also when its task panics.
struct End {
    tell: mpsc::UnboundedSender<News>,
    ended: Option<(u64, Item<Rc<Inbox>>)>,
    /// The ticket, while the bot's answer is being executed.
    executing: Option<u64>,
}

impl End {
    fn tell(&mut self, attempt: Attempt, recorded: Option<oneshot::Sender<()>>) {
        if let Some((ticket, item)) = self.ended.take() {
            self.executing = recorded.is_some().then_some(ticket);
            let ended = Ended {
                ticket,
                item,
                attempt,
                recorded,
            };
            // With nobody left to hear, the life is over; so below.
            self.tell.send(News::Ended(Box::new(ended))).ok();
        }
    }

    fn done(&mut self, record: Option<CallRecord>) {
        if let Some(ticket) = self.executing.take() {
            let record = record.map(Box::new);
            self.tell.send(News::Executed(ticket, record)).ok();
        }
    }
}

impl Drop for End {
    fn drop(&mut self) {
        self.tell(courier::broken(), None);
        self.done(None);
    }
}
