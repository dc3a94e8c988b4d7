//! One life of the forwarder: joins the group, does what [`Dispatch`] decides, commits, until it is told to end or something fails.
//!
//! In: the bus, couriers, acknowledgements, the registry, the clock. Out: records and commits; deliveries, by `deliver/courier.rs`. Invariant: one task calls
//! `Dispatch`, one event after another; a record is done once what was made of it is acknowledged, and committed after that. Overloaded:
//! nothing more is decided while too much is unacknowledged, and the inbox fills. Dies: couriers die with it, and the next life finds everything again.

mod couriers;
mod known;
mod leave;
mod standing;

use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use futures_util::FutureExt as _;
use gramtap_actors::{DrainToken, Task, spawn_local};
use gramtap_bus::{Bus, Consumer, ConsumerOptions, Delivery, Event, Message, TopicPartition};
use gramtap_events::inbox::{Inbox, Retry};
use gramtap_events::topics::{DELIVERIES, INBOX, INBOX_RETRY};
use gramtap_events::{Moment, Topic};
use gramtap_telemetry::{Counter, Gauge};
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval, sleep};

use super::assigned::Extents;
use super::doubts::{Doubts, OPEN};
use super::ledger::Commit;
use super::reread::{Found, Rereads};
use super::{ForwardError, Options, assigned};
use crate::arrange::dispatch::Dispatch;
use crate::arrange::{Decision, Item, Place, Source};
use crate::report::standing::Standings;
use crate::report::writer::{Then, Told, Writer};
use crate::report::{graveyard, outcome};
use crate::worker::Worker;
use couriers::{Couriers, News};
use known::Known;

/// How often what is done is committed, and the registry asked for changes.
const PACE: Duration = Duration::from_secs(1);
/// How long leaving the group may take.
const LEAVE: Duration = Duration::from_secs(10);
/// How long the bus may take to take the first record without delay.
const WARM: Duration = Duration::from_secs(5);
/// What is read ahead.
const READ_AHEAD: usize = 2_000;
const READ_AHEAD_BYTES: usize = 16 * 1024 * 1024;

/// Lives once.
pub(super) async fn serve(
    bus: &Bus,
    worker: Rc<Worker>,
    options: &Options,
    stop: &DrainToken,
) -> Result<(), ForwardError> {
    let mut counts = [0; 3];
    for (count, topic) in counts.iter_mut().zip([&INBOX, &INBOX_RETRY, &DELIVERIES]) {
        *count = bus.partitions(topic).await?;
    }
    if counts.iter().any(|count| *count != counts[0]) {
        return Err(ForwardError::Partitions(counts));
    }
    let writer = Writer::new(bus)?;
    writer.warm(WARM).await;
    let membership = ConsumerOptions {
        member: Some(options.instance.clone()),
        max_records: READ_AHEAD,
        max_bytes: READ_AHEAD_BYTES,
        // A bot's updates wait in both topics.
        together: true,
        ..ConsumerOptions::default()
    };
    let topics: [&'static Topic; 2] = [&INBOX, &INBOX_RETRY];
    let consumer = bus.consumer(&options.group, &topics, membership).await?;
    let (tell, ended) = mpsc::unbounded_channel();
    let mut poller = Poller {
        bus,
        options,
        known: Known::new(&worker),
        worker,
        consumer: Rc::new(consumer),
        dispatch: Dispatch::new(options.rules),
        writer,
        rereads: Rereads::new(bus),
        couriers: Couriers::default(),
        tell,
        ended,
        marks: HashMap::new(),
        doubts: Doubts::default(),
        committing: None,
        standings: Standings::default(),
        standing: None,
        odd: false,
    };
    let ended = poller.poll(stop).await;
    poller.close().await;
    ended
}

/// Commits that failed.
type Failed = Vec<(Source, i32)>;

struct Poller<'a> {
    bus: &'a Bus,
    options: &'a Options,
    worker: Rc<Worker>,
    consumer: Rc<Consumer>,
    dispatch: Dispatch<Rc<Inbox>>,
    writer: Writer,
    rereads: Rereads,
    couriers: Couriers,
    tell: mpsc::UnboundedSender<News>,
    /// Bounded by what is under way.
    ended: mpsc::UnboundedReceiver<News>,
    /// Of each partition that is ours: the offset in deliveries.v1 below which every success is done.
    marks: HashMap<i32, i64>,
    known: Known,
    doubts: Doubts,
    /// The commits that are being made.
    committing: Option<Task<Failed>>,
    standings: Standings,
    /// The rows that are being written of it.
    standing: Option<Task<standing::Read>>,
    /// Of two seconds this is the first.
    odd: bool,
}

impl Poller<'_> {
    async fn poll(&mut self, stop: &DrainToken) -> Result<(), ForwardError> {
        let mut pace = interval(PACE);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            self.act()?;
            let wakes_at = self.dispatch.wakes_at();
            tokio::select! {
                biased;
                () = stop.draining() => return self.leave().await,
                _ = pace.tick() => self.upkeep(),
                told = self.writer.told() => self.told(told?),
                Some(news) = self.ended.recv() => self.over(news)?,
                // What is given up on the way is to be written first.
                (asked, found) = self.rereads.next(), if self.writer.has_room() => self.found(asked, found),
                () = until(wakes_at) => self.dispatch.tick(Moment::now()),
                event = self.consumer.next() => match event {
                    Some(Ok(event)) => self.take(event).await?,
                    // The consumer goes on by itself, and has said so in the log.
                    Some(Err(error)) if error.retry() => {}
                    Some(Err(error)) => return Err(error.into()),
                    None => return Err(gramtap_bus::ConsumeError::Closed.into()),
                },
            }
        }
    }

    /// Does what is decided.
    fn act(&mut self) -> Result<(), ForwardError> {
        let now = Moment::now();
        while self.writer.has_room()
            && let Some(decision) = self.dispatch.next(now)
        {
            match decision {
                Decision::Deliver(ticket, item) => self.start(ticket, item),
                Decision::Park(item) => {
                    let message = graveyard::parked(&item)?;
                    self.writer.write(message, Then::Done(item.place))?;
                }
                Decision::Bury(buried) => {
                    if !buried.attempted {
                        let record = outcome::untried(&self.worker.shared.mint, &buried);
                        self.writer.write(Message::of(&record)?, Then::Nothing)?;
                    }
                    let cause = buried.cause;
                    Counter::ForwarderDead { cause }.inc();
                    let message = graveyard::buried(&buried)?;
                    self.writer.write(message, Then::Done(buried.item.place))?;
                }
                Decision::Duplicate(_) => {
                    Counter::ForwarderRecords { outcome: "repeat" }.inc();
                }
                Decision::Pause(source, number) => self.consumer.pause(of(source, number)),
                Decision::Resume(source, number) => self.consumer.resume(of(source, number)),
                Decision::Reread(asked) => self.rereads.start(asked),
            }
        }
        Ok(())
    }

    /// A record is acknowledged.
    fn told(&mut self, told: Told) {
        match told.then {
            Then::Nothing => {}
            Then::Done(place) => self.dispatch.done(place),
            Then::DoneAndTold(place, tell) => {
                self.dispatch.done(place);
                // Whoever has given up waiting need not know.
                tell.send(()).ok();
            }
        }
        if let Some((partition, offset)) = told.mark
            && let Some(mark) = self.marks.get_mut(&partition)
        {
            *mark = offset.max(*mark);
        }
    }

    async fn take(&mut self, event: Event) -> Result<(), ForwardError> {
        match event {
            Event::Record(delivery) => self.record(&delivery)?,
            Event::Skipped(gone) => {
                let lost = u64::try_from(gone.to - gone.from).unwrap_or_default();
                Counter::ForwarderRecords { outcome: "lost" }.add(lost);
                tracing::error!(partition = %gone.partition, from = gone.from, to = gone.to, "updates were gone before they were read");
                let place = place(gone.partition.topic, gone.partition.partition, gone.to);
                self.dispatch.skipped(Moment::now(), place);
            }
            Event::Assigned(given) => {
                self.settle(&given).await?;
                let (dispatch, doubts) = (&mut self.dispatch, &mut self.doubts);
                let extents = Extents::ask(self.bus).await?;
                let marks = assigned::take(self.bus, &extents, dispatch, doubts, &given).await?;
                assigned::open(&self.consumer, &extents, &given).await;
                self.marks.extend(marks);
            }
            Event::Revoked(revoked) => self.give_up(revoked).await?,
        }
        Ok(())
    }

    fn record(&mut self, delivery: &Delivery) -> Result<(), ForwardError> {
        if !self.marks.contains_key(&delivery.partition) {
            return Err(ForwardError::Unassigned);
        }
        let (now, place) = (
            Moment::now(),
            place(delivery.topic, delivery.partition, delivery.offset),
        );
        match read(delivery) {
            Ok(item) => {
                if place.source == Source::Inbox {
                    let lag = now.since(item.at).as_secs();
                    Gauge::ForwarderLagSeconds.set(i64::try_from(lag).unwrap_or(i64::MAX));
                }
                self.known.meet(now, item.tenant, &mut self.dispatch);
                self.dispatch.record(now, item);
            }
            Err(error) => {
                Counter::ForwarderRecords {
                    outcome: "unreadable",
                }
                .inc();
                tracing::error!(%error, ?place, "an update in the inbox cannot be read");
                let offset = place.offset + 1;
                self.dispatch.skipped(now, Place { offset, ..place });
            }
        }
        Ok(())
    }

    fn found(&mut self, asked: crate::arrange::Reread, found: Found) {
        let now = Moment::now();
        let more = match found {
            Found::Record(delivery) => {
                let ours =
                    delivery.key.as_deref() == Some(asked.recipient.tenant.as_str().as_bytes());
                let item = ours.then(|| read(&delivery).ok()).flatten();
                self.dispatch.reread(now, &asked, delivery.offset, item)
            }
            Found::Gone(to) => self
                .dispatch
                .reread(now, &asked, to.saturating_sub(1), None),
            Found::Nothing => {
                self.dispatch.reread_failed(now, &asked);
                false
            }
        };
        if !more {
            self.rereads.end(&asked);
        }
    }

    /// What is done each second.
    fn upkeep(&mut self) {
        self.known.follow(Moment::now(), &mut self.dispatch);
        let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        let (held, bytes) = self.dispatch.held();
        Gauge::ForwarderWaiting.set(number(held));
        Gauge::ForwarderWaitingBytes.set(number(bytes));
        Gauge::DeliveriesInFlight.set(number(self.couriers.0.len()));
        self.odd = !self.odd;
        if self.odd {
            self.stand();
        }
        // One round after another.
        match self.committing.take() {
            Some(task) if !task.is_finished() => return self.committing = Some(task),
            Some(task) => {
                self.uncommitted(task.now_or_never().and_then(Result::ok).unwrap_or_default())
            }
            None => {}
        }
        let numbers: Vec<i32> = self.marks.keys().copied().collect();
        let due = self.due(&numbers, true);
        if !due.is_empty() {
            let consumer = Rc::clone(&self.consumer);
            self.committing = Some(spawn_local("commit", async move {
                leave::commit(&consumer, due).await
            }));
        }
    }

    /// What is to be committed of some partitions. `open`: they stay ours.
    fn due(&mut self, numbers: &[i32], open: bool) -> Vec<(Source, i32, Commit)> {
        let mut due = Vec::new();
        for number in numbers {
            let mark = self.marks.get(number).copied();
            for source in [Source::Inbox, Source::Retry] {
                if let Some(mut commit) = self.dispatch.commit(source, *number, mark) {
                    if open {
                        commit.metadata.push(OPEN);
                    }
                    due.push((source, *number, commit));
                }
            }
        }
        due
    }
}

/// A record as it waits.
fn read(delivery: &Delivery) -> Result<Item<Rc<Inbox>>, serde_json::Error> {
    let (number, offset, bytes) = (delivery.partition, delivery.offset, delivery.size());
    let payload = delivery.payload.as_deref().unwrap_or_default();
    if delivery.topic == &INBOX {
        let inbox: Rc<Inbox> = Rc::new(serde_json::from_slice(payload)?);
        return Ok(Item::inbox(
            number,
            offset,
            &inbox,
            bytes,
            Rc::clone(&inbox),
        ));
    }
    let retry: Retry = serde_json::from_slice(payload)?;
    let inbox = Rc::new(retry.inbox.clone());
    Ok(Item::retry(number, offset, &retry, bytes, inbox))
}

fn place(topic: &'static Topic, partition: i32, offset: i64) -> Place {
    let source = match topic == &INBOX {
        true => Source::Inbox,
        false => Source::Retry,
    };
    Place {
        source,
        partition,
        offset,
    }
}

fn of(source: Source, partition: i32) -> TopicPartition {
    let topic = match source {
        Source::Inbox => &INBOX,
        Source::Retry => &INBOX_RETRY,
    };
    TopicPartition { topic, partition }
}

/// Waits until then; for ever where there is no then.
async fn until(then: Option<Moment>) {
    match then {
        Some(then) => sleep(then.since(Moment::now())).await,
        None => std::future::pending().await,
    }
}
