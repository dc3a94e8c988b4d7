//! What one HTTP worker holds: its pool, its view of the registry, its copies.
//!
//! In: `app.rs` makes one for each worker thread. Out: read by every stage of a call. Invariant:
//! never leaves its thread, so nothing of it is locked but what all workers share (the verified
//! tokens, a lock held for a look-up). Overloaded: the pool, the budget of copies and the places
//! of unverified tokens each have their bound.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use gramtap_actors::{DrainToken, Group, InFlight};
use gramtap_endpoint::public::reaches;
use gramtap_endpoint::{Endpoint, EndpointError, Endpoints};
use gramtap_events::call::{CallRecord, TokenStanding};
use gramtap_events::tenant::Privacy;
use gramtap_events::{Mint, Moment, TenantId};
use gramtap_outbound::guard::Policy;
use gramtap_outbound::{OutboundConfig, Pool, Upstream};
use gramtap_privacy::Mask;
use gramtap_process::{Parts, TrustedProxies};
use gramtap_settings::ByteSize;
use gramtap_telegram::{Door, Target};
use gramtap_tenants::{Code, Directory, Keys, Tenant};
use tokio_util::sync::CancellationToken;

use crate::accept::arrival::Arrival;
use crate::accept::refused::Refused;
use crate::config::{CaptureSection, Config};
use crate::identify::binder::Binder;
use crate::identify::host::Hosts;
use crate::observe::{
    Budget, CallFacts, CaptureLimits, Ending, PollFolds, RequestHead, RequestTap, Stopwatch,
    TokenKey, Verified, record,
};
use crate::publish::inbox::Inbox;
use crate::publish::publisher::Publisher;
use crate::relay::account::Opening;
use crate::relay::hold::{Holds, Poller};
use crate::relay::refusal::Refusal;
use crate::relay::series::Series;
use crate::relay::takeover::{Rules, Takeovers};
use crate::relay::turns::Turns;

/// The group of calls that began before the process was told to end.
pub(crate) const CALLS: &str = "calls";
/// The group of those that came later still.
pub(crate) const LATE_CALLS: &str = "late calls";
/// Verified tokens remembered, per process.
const VERIFIED: usize = 200_000;
/// Folds of empty polls that are open at a time, per worker.
const FOLDS: usize = 50_000;

/// How long a poll waits that comes when the process is about to end.
const LATE: Duration = Duration::from_millis(500);

/// What is copied of calls.
#[derive(Debug)]
pub(crate) struct Copies {
    pub(crate) enabled: bool,
    pub(crate) limits: CaptureLimits,
    pub(crate) budget: Budget,
}

/// One worker.
pub(crate) struct Worker {
    pub(crate) pool: Pool,
    pub(crate) upstream: Upstream,
    pub(crate) hosts: Hosts,
    pub(crate) proxies: TrustedProxies,
    policy: Arc<Policy>,
    endpoints: RefCell<Endpoints>,
    pub(crate) directory: Directory,
    pub(crate) copies: Copies,
    pub(crate) series: Series,
    pub(crate) folds: RefCell<PollFolds>,
    pub(crate) mint: Arc<Mint>,
    pub(crate) publisher: Publisher,
    pub(crate) inbox: Inbox,
    drain: DrainToken,
    calls: Group,
    late_calls: Group,
    pub(crate) keys: Keys,
    pub(crate) token_key: TokenKey,
    pub(crate) turns: Turns,
    pub(crate) holds: RefCell<Holds>,
    pub(crate) binder: Binder,
    pub(crate) takeovers: Takeovers,
    pub(crate) refused: RefCell<Refused>,
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Worker").finish_non_exhaustive()
    }
}

/// What the workers of a process share.
pub(crate) struct Shared {
    outbound: OutboundConfig,
    upstream: Upstream,
    hosts: Hosts,
    proxies: TrustedProxies,
    policy: Arc<Policy>,
    directory: Directory,
    binder: Binder,
    takeovers: Takeovers,
    capture: CaptureSection,
    mint: Arc<Mint>,
    publisher: Publisher,
    inbox: Inbox,
    drain: DrainToken,
    calls: Group,
    late_calls: Group,
    keys: Keys,
    token_key: TokenKey,
    verified: Arc<Mutex<Verified>>,
    unverified_limit: usize,
    hold: Duration,
}

impl Shared {
    pub(crate) fn new(
        config: &Config,
        parts: &Parts,
        mint: Arc<Mint>,
        publisher: Publisher,
        inbox: Inbox,
    ) -> Self {
        let domain = config
            .process
            .public_url
            .split_once("://")
            .map_or("", |(_, host)| host);
        Self {
            outbound: config.outbound,
            upstream: config.telegram.clone(),
            hosts: Hosts::new(domain, &config.ingress.hosts),
            proxies: config.process.proxies.clone(),
            policy: Arc::clone(&config.webhooks),
            directory: parts.directory.clone(),
            takeovers: takeovers(config, parts),
            binder: Binder::new(parts.registry.clone(), parts.directory.clone()),
            capture: config.capture.clone(),
            mint,
            publisher,
            inbox,
            drain: parts.drain.token(),
            calls: parts.drain.group(CALLS),
            late_calls: parts.drain.group(LATE_CALLS),
            keys: parts.keys.clone(),
            token_key: TokenKey::new(&parts.keys.token_key()),
            verified: Arc::new(Mutex::new(Verified::new(VERIFIED))),
            unverified_limit: config.ingress.unverified_limit,
            hold: config.ingress.error_hold,
        }
    }
}

fn takeovers(config: &Config, parts: &Parts) -> Takeovers {
    let public_url = &config.process.public_url;
    let api_host = config.telegram.host().to_owned();
    let rules = Rules {
        takeover: config.takeover,
        reachable: reaches(&api_host, public_url).is_ok(),
        api_host,
    };
    Takeovers::new(rules, public_url, parts.registry.clone())
}

impl Worker {
    /// A worker for the thread that calls this.
    pub(crate) fn start(shared: &Shared) -> Self {
        let capture = &shared.capture;
        let bytes = |size: ByteSize| usize::try_from(size.as_u64()).unwrap_or(usize::MAX);
        Self {
            pool: Pool::start(shared.outbound),
            upstream: shared.upstream.clone(),
            hosts: shared.hosts.clone(),
            proxies: shared.proxies.clone(),
            policy: Arc::clone(&shared.policy),
            endpoints: RefCell::default(),
            directory: shared.directory.clone(),
            copies: Copies {
                enabled: capture.enabled,
                limits: CaptureLimits {
                    body: bytes(capture.body_limit),
                    update: bytes(capture.update_limit),
                    answer: bytes(capture.answer_limit),
                },
                budget: Budget::new(bytes(capture.worker_budget)),
            },
            series: Series::default(),
            folds: RefCell::new(PollFolds::new(capture.poll_window, FOLDS)),
            mint: Arc::clone(&shared.mint),
            publisher: shared.publisher.clone(),
            inbox: shared.inbox.clone(),
            drain: shared.drain.clone(),
            calls: shared.calls.clone(),
            late_calls: shared.late_calls.clone(),
            token_key: shared.token_key.clone(),
            keys: shared.keys.clone(),
            turns: Turns::new(shared.unverified_limit, Arc::clone(&shared.verified)),
            holds: RefCell::new(Holds::new(shared.hold)),
            binder: shared.binder.clone(),
            takeovers: shared.takeovers.clone(),
            refused: RefCell::default(),
        }
    }

    /// Tells folds as they come due, until `closing` says that the process ends.
    pub(crate) async fn tell_folds_until(&self, closing: CancellationToken) {
        let mut ticks = tokio::time::interval(Duration::from_secs(1));
        while closing.run_until_cancelled(ticks.tick()).await.is_some() {
            self.tell_folds(false);
        }
    }

    /// What is kept of a bot's bodies.
    pub(crate) fn mask(&self, tenant: &Tenant) -> Mask {
        let key = match tenant.privacy {
            Privacy::Pseudonymous => self.keys.pseudonym_key(tenant.id),
            _ => [0; 32],
        };
        Mask::new(tenant.privacy, key)
    }

    /// Where bots may be called.
    pub(crate) fn policy(&self) -> &Arc<Policy> {
        &self.policy
    }

    /// Where a bot takes updates.
    pub(crate) fn endpoint(&self, tenant: &Tenant) -> Result<Rc<Endpoint>, EndpointError> {
        self.endpoints
            .borrow_mut()
            .of(tenant, &self.keys, &self.policy)
    }

    /// Waits out the pause after a repeated error to a poll; no longer than the process lives.
    pub(crate) async fn hold(&self, poller: Poller) {
        let wait = self.holds.borrow_mut().wait(poller, Instant::now());
        if !wait.is_zero() {
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = self.ending() => {}
            }
        }
    }

    /// Whether the process is about to end: whoever is answered now is to connect elsewhere.
    pub(crate) fn is_ending(&self) -> bool {
        self.drain.is_draining()
    }

    /// Waits until what is parked here has to be answered: as soon as the process is told to end.
    /// Who comes later still, because no balancer has told them, is answered with a pause: they
    /// ask again at once.
    pub(crate) async fn ending(&self) {
        match self.is_ending() {
            // In a box: thousands wait for the other.
            true => Box::pin(tokio::time::sleep(LATE)).await,
            false => self.drain.draining().await,
        }
    }

    /// Counts a call until the guard is dropped.
    pub(crate) fn enter(&self) -> InFlight {
        match self.is_ending() {
            true => self.late_calls.enter(),
            false => self.calls.enter(),
        }
    }

    /// Telegram has accepted the call's token: ties the code that was called to its bot.
    pub(crate) fn bind(&self, opening: &mut Opening) {
        if let (Some(code), Some(bot)) = (opening.binds.take(), opening.bot) {
            self.binder.bind(code, bot);
        }
    }

    /// Tells of a request that is not relayed.
    pub(crate) fn tell_refused(
        &self,
        arrival: &Arrival,
        target: Option<&Target>,
        code: Option<Code>,
        refusal: &Refusal,
    ) {
        let bot = target.and_then(|target| target.bot);
        let Some(target) = target.filter(|_| self.copies.enabled) else {
            return;
        };
        if !self.refused.borrow_mut().is_news(arrival, bot, refusal) {
            return;
        }
        let now = Instant::now();
        let facts = CallFacts {
            tenant: TenantId::UNATTRIBUTED,
            bot,
            at: arrival.at,
            until: Moment::now(),
            client: arrival.client(),
            door: target.door.clone(),
            verb: arrival.method.as_str().to_owned(),
            status: Some(refusal.status),
            bytes_out: refusal.body().len() as u64,
            token: TokenStanding::Unverified,
            ending: Ending::Own {
                label: refusal.label,
            },
            took: Stopwatch::start(arrival.began).stop(now),
        };
        let nothing = RequestTap::new(
            &self.copies.limits,
            &self.copies.budget,
            &RequestHead::default(),
        )
        .finish();
        let mask = Mask::new(Privacy::Off, [0; 32]);
        let mut observed = record::observe(
            facts,
            &nothing,
            None,
            &mask,
            &mut self.folds.borrow_mut(),
            now,
            &self.mint,
        );
        for record in &mut observed.calls {
            if let CallRecord::Call(call) = record {
                call.code = code.map(|code| code.to_string());
            }
        }
        self.publisher.publish(observed);
    }

    /// Tells the folds of empty polls that are due; all of them when the process ends.
    pub(crate) fn tell_folds(&self, all: bool) {
        let mut folds = self.folds.borrow_mut();
        let due = match all {
            true => folds.flush(&self.mint),
            false => folds.due(Instant::now(), &self.mint),
        };
        drop(folds);
        for polls in due {
            self.publisher.publish_polls(polls);
        }
    }

    /// Whether this door is a poll's.
    pub(crate) fn is_poll(door: &Door) -> bool {
        matches!(door, Door::Method { method, .. } if method.is_get_updates())
    }
}
