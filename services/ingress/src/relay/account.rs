//! The account of one call: what is known of it until it is told.
//!
//! In: `accept/call.rs` opens it, `exchange.rs` and `accept/body.rs` fill it. Out: records, to
//! `publish/`, through `observe/`. Invariant: every account is closed once and tells the call
//! once; one that is dropped open tells that the bot left. Nothing here can fail or hold up a
//! call; a parked poll's account is all that the worker keeps of it.

use std::cell::RefCell;
use std::net::IpAddr;
use std::rc::Rc;
use std::time::Instant;

use actix_web::http::Method;
use gramtap_actors::InFlight;
use gramtap_events::call::{Client, TokenStanding};
use gramtap_events::{Moment, TenantId};
use gramtap_privacy::Mask;
use gramtap_telegram::{BotId, Door};
use gramtap_telemetry::{Counter, GaugeGuard};
use gramtap_tenants::Code;

use crate::observe::{
    AnswerHead, AnswerTap, CallFacts, Ending, Expect, RequestCopy, RequestHead, RequestTap,
    Stopwatch, TokenHash, record,
};
use crate::relay::hold::Poller;
use crate::relay::turns::Turn;
use crate::worker::Worker;

/// What is copied of a call, where anything is.
#[derive(Debug)]
pub(crate) struct Capture {
    pub(crate) tenant: TenantId,
    pub(crate) client: Client,
    pub(crate) mask: Mask,
}

/// What the account is opened with.
#[derive(Debug)]
pub(crate) struct Opening {
    pub(crate) capture: Option<Capture>,
    pub(crate) bot: Option<BotId>,
    pub(crate) token: Option<TokenHash>,
    pub(crate) door: Door,
    pub(crate) at: Moment,
    pub(crate) began: Instant,
    pub(crate) verb: Method,
    pub(crate) from: Option<IpAddr>,
    /// The code that the first bot accepted by Telegram is bound to.
    pub(crate) binds: Option<Code>,
}

/// A tap that the upload fills while the account waits for the answer.
pub(crate) type SharedTap = Rc<RefCell<Option<RequestTap>>>;

#[derive(Debug)]
enum Asked {
    Nothing,
    Coming(RequestTap),
    Shared(SharedTap),
    Whole(RequestCopy),
}

/// One call.
#[derive(Debug)]
pub(crate) struct Account {
    worker: Rc<Worker>,
    opening: Opening,
    watch: Stopwatch,
    asked: Asked,
    answer: Option<AnswerTap>,
    status: Option<u16>,
    bytes_out: u64,
    turn: Option<Turn>,
    note: Option<&'static str>,
    gone: bool,
    closed: bool,
    _flight: InFlight,
    _gauges: (GaugeGuard, Option<GaugeGuard>),
}

impl Account {
    /// Opens the account of a call that is going to be relayed.
    pub(crate) fn open(worker: &Rc<Worker>, opening: Opening, head: &RequestHead<'_>) -> Box<Self> {
        let copies = &worker.copies;
        let asked = match &opening.capture {
            Some(_) => Asked::Coming(RequestTap::new(&copies.limits, &copies.budget, head)),
            None => Asked::Nothing,
        };
        let polls = Worker::is_poll(&opening.door);
        let parked = polls.then(|| worker.series.parked.hold());
        Box::new(Self {
            worker: Rc::clone(worker),
            watch: Stopwatch::start(opening.began),
            opening,
            asked,
            answer: None,
            status: None,
            bytes_out: 0,
            turn: None,
            note: None,
            gone: false,
            closed: false,
            _flight: worker.enter(),
            _gauges: (worker.series.in_flight.hold(), parked),
        })
    }

    /// The worker that serves it.
    pub(crate) fn worker(&self) -> &Rc<Worker> {
        &self.worker
    }

    /// Whether it is a long poll.
    pub(crate) fn is_poll(&self) -> bool {
        Worker::is_poll(&self.opening.door)
    }

    /// Whether its effect outlives a bot that leaves: any method but a poll.
    pub(crate) fn has_effect(&self) -> bool {
        matches!(&self.opening.door, Door::Method { .. }) && !self.is_poll()
    }

    /// Keeps a place among the calls with unverified tokens until the call is over.
    pub(crate) fn keep(&mut self, turn: Turn) {
        self.turn = Some(turn);
    }

    /// What is to be said of the call besides, if it is answered `ok:true`.
    pub(crate) fn note(&mut self, label: &'static str) {
        self.note = Some(label);
    }

    /// The times of the call.
    pub(crate) fn watch(&mut self) -> &mut Stopwatch {
        &mut self.watch
    }

    /// A part of the request passes.
    pub(crate) fn asked(&mut self, chunk: &[u8]) {
        if let Asked::Coming(tap) = &mut self.asked {
            tap.push(chunk);
        }
    }

    /// The request is whole: its copy shrinks to what is kept.
    pub(crate) fn asked_whole(&mut self) {
        self.asked = match std::mem::replace(&mut self.asked, Asked::Nothing) {
            Asked::Coming(tap) => Asked::Whole(tap.finish()),
            other => other,
        };
    }

    /// Lends the tap to an upload that streams.
    pub(crate) fn share_tap(&mut self) -> SharedTap {
        let tap = match std::mem::replace(&mut self.asked, Asked::Nothing) {
            Asked::Coming(tap) => Rc::new(RefCell::new(Some(tap))),
            other => {
                self.asked = other;
                return SharedTap::default();
            }
        };
        self.asked = Asked::Shared(Rc::clone(&tap));
        tap
    }

    /// The request's copy, as far as the request has come.
    fn take_request(&mut self) -> Option<RequestCopy> {
        match std::mem::replace(&mut self.asked, Asked::Nothing) {
            Asked::Nothing => None,
            Asked::Coming(tap) => Some(tap.finish()),
            Asked::Shared(tap) => tap.borrow_mut().take().map(RequestTap::finish),
            Asked::Whole(copy) => Some(copy),
        }
    }

    /// The head of Telegram's answer.
    pub(crate) fn answered(&mut self, status: u16, content_encoding: Option<&[u8]>) {
        self.status = Some(status);
        self.asked_whole();
        if let Some(capture) = &self.opening.capture {
            let expect = match &self.opening.door {
                Door::File { .. } => Expect::File,
                Door::Method { .. } if self.is_poll() => Expect::Poll,
                Door::Method { .. } => Expect::Call,
            };
            let copies = &self.worker.copies;
            let head = AnswerHead {
                status,
                content_encoding,
            };
            self.answer = Some(AnswerTap::new(
                expect,
                &copies.limits,
                &copies.budget,
                &capture.mask,
                &head,
            ));
        }
    }

    /// A part of the answer passes.
    pub(crate) fn answer(&mut self, chunk: &[u8]) {
        self.watch.received(Instant::now());
        self.bytes_out += chunk.len() as u64;
        if let Some(tap) = &mut self.answer {
            tap.push(chunk);
        }
    }

    /// The bot is given this status instead of an answer.
    pub(crate) fn refused(&mut self, status: u16, bytes: usize) {
        self.status = Some(status);
        self.bytes_out = bytes as u64;
    }

    /// The bot has left; whatever comes now it does not see.
    pub(crate) fn left(&mut self) {
        self.gone = true;
    }

    /// Who polls, for the pause after repeated errors.
    pub(crate) fn poller(&self) -> Poller {
        (self.opening.bot, self.opening.from)
    }

    /// The call is over.
    pub(crate) fn close(mut self: Box<Self>, ending: Ending) {
        self.tell(ending);
    }

    fn tell(&mut self, ending: Ending) {
        if std::mem::replace(&mut self.closed, true) {
            return;
        }
        let now = Instant::now();
        let took = self.watch.stop(now);
        self.count(ending, took.total_us, took.own_us);
        let whole = !matches!(ending, Ending::CutShort { .. } | Ending::Left { .. });
        let answer = self.answer.take().map(|tap| tap.finish(whole));
        // Without a copy the status has to do.
        let ok = match &answer {
            Some(answer) => answer.ok(),
            None => self.status.map(|status| status == 200),
        };
        let standing = match self.opening.token {
            Some(token) => self.worker.turns.judge(token, ok),
            None => TokenStanding::Unverified,
        };
        self.turn = None;
        if ok == Some(true) {
            self.worker.bind(&mut self.opening);
        }
        let (Some(capture), Some(request)) = (self.opening.capture.take(), self.take_request())
        else {
            return;
        };
        let facts = CallFacts {
            tenant: capture.tenant,
            bot: self.opening.bot,
            at: self.opening.at,
            until: Moment::now(),
            client: capture.client,
            door: self.opening.door.clone(),
            verb: self.opening.verb.as_str().to_owned(),
            status: self.status.filter(|_| !self.gone),
            bytes_out: if self.gone { 0 } else { self.bytes_out },
            token: standing,
            ending,
            took,
        };
        let worker = &self.worker;
        let mut observed = record::observe(
            facts,
            &request,
            answer,
            &capture.mask,
            &mut worker.folds.borrow_mut(),
            now,
            &worker.mint,
        );
        if let (Some(note), Some(true)) = (self.note, ok) {
            observed.note(note);
        }
        for (cut, count) in &observed.cuts {
            Counter::TapsCut {
                reason: cut.label(),
            }
            .add(*count);
        }
        worker.publisher.publish(observed);
    }

    fn count(&self, ending: Ending, total_us: u64, own_us: u64) {
        let series = &self.worker.series;
        series.count(ending, self.status);
        if !self.is_poll() {
            series.time(total_us, own_us);
        }
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        if !self.closed {
            self.left();
            self.tell(Ending::Left {
                label: "client_left",
            });
        }
    }
}
