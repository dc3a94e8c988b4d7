//! The one exception to passing calls on as they are: a bot's own webhook, where updates are to come through Gramtap.
//!
//! In: setWebhook, getWebhookInfo and deleteWebhook of bots that have a webhook here (or may get one), from `accept/call.rs`. Out: responses; the registry. Why calls
//! are changed: a bot that restarts sets its own address, and from then on Telegram would push past us. So setWebhook is sent with our address in place of the
//! bot's (`order.rs`; whether: `plan.rs`), and getWebhookInfo tells the bot its own (`info.rs`), with what waits here (`standing.rs`); answers and errors are Telegram's. Compressed answers are not asked
//! for in these three calls, because they are read. Invariant: the registry knows an address before Telegram does, and is as before if Telegram refuses; only a token that
//! Telegram accepts changes anything; whatever is in the way (SQL away, an address that may not be called), the call passes as it is, and the bot is shown to be
//! bypassed: the bot comes first. A bot that leaves meanwhile changes nothing: what was begun is finished.

mod ask;
mod call;
mod info;
mod order;
mod plan;
mod register;
mod standing;
mod undo;

use std::rc::Rc;
use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::Method;
use bytes::Bytes;
use gramtap_outbound::{AnswerHead, Fault};
use gramtap_telegram::Target;
use gramtap_tenants::{Hook, Registry, Tenant};
use tokio::sync::{Mutex, oneshot};

use super::account::Account;
use super::refusal::Refusal;
use super::{exchange, respond};
use crate::accept::arrival::{Arrival, Framing};
use crate::accept::body::Body;
use crate::accept::gather::{self, Asked};
use crate::config::Takeover;
use crate::identify::gate::Admission;
use crate::observe::{Ending, TokenHash};
use crate::worker::Worker;
use ask::is_verified;
use call::Call;
use order::LARGEST;

pub(crate) use plan::Rules;

/// Bots whose webhooks are set at a time, per process; others of the same place wait.
const PLACES: usize = 64;

/// What all workers share.
#[derive(Clone)]
pub(crate) struct Takeovers {
    rules: Rules,
    public_url: String,
    registry: Registry,
    /// Two replicas of a bot that start at once take turns, so that the registry and Telegram are told in one order.
    places: Arc<[Mutex<()>; PLACES]>,
}

/// A call that may have to be changed.
pub(crate) struct Case {
    what: What,
    tenant: Arc<Tenant>,
    token: TokenHash,
}

#[derive(Clone, Copy)]
enum What {
    Set,
    Delete,
    Info,
}

/// What came of it.
enum Outcome {
    /// It is relayed like any other.
    Relay(Box<(Arrival, Asked, Box<Account>)>),
    /// Telegram's answer, or what was made of it.
    Told(AnswerHead, Bytes, Box<Account>),
    /// Telegram was not reached.
    Failed(Fault, Box<Account>),
}

impl Takeovers {
    pub(crate) fn new(rules: Rules, public_url: &str, registry: Registry) -> Self {
        if rules.takeover != Takeover::Never && !rules.reachable {
            tracing::info!(
                public_url,
                "no webhook is taken over: Telegram cannot reach this address"
            );
        }
        Self {
            rules,
            public_url: public_url.trim_end_matches('/').to_owned(),
            registry,
            places: Arc::new(std::array::from_fn(|_| Mutex::default())),
        }
    }

    fn address(&self, hook: &Hook) -> String {
        format!("{}/webhook/{}", self.public_url, hook.expose())
    }

    fn place(&self, tenant: &Tenant) -> &Mutex<()> {
        let sum = tenant.id.as_str().bytes().fold(0_usize, |sum, byte| {
            sum.wrapping_mul(31).wrapping_add(byte.into())
        });
        &self.places[sum % PLACES]
    }
}

impl Case {
    /// Whether a call is one; for nearly every call the method's name says no.
    pub(crate) fn of(
        worker: &Worker,
        verb: &Method,
        target: &Target,
        admission: &Admission,
        token: Option<TokenHash>,
    ) -> Option<Self> {
        let what = match target.method()?.as_str() {
            "setWebhook" => What::Set,
            "deleteWebhook" => What::Delete,
            "getWebhookInfo" => What::Info,
            _ => return None,
        };
        let Admission::Known {
            tenant,
            captured: true,
            ..
        } = admission
        else {
            return None;
        };
        let always = worker.takeovers.rules.takeover == Takeover::Always;
        let concerned = match what {
            What::Set => tenant.webhook.is_some() || always,
            What::Delete | What::Info => tenant.webhook.is_some(),
        };
        let spoken = matches!(*verb, Method::GET | Method::POST);
        (concerned && spoken).then_some(Self {
            what,
            tenant: Arc::clone(tenant),
            token: token?,
        })
    }
}

/// Serves one. What is begun goes on if the bot leaves.
pub(crate) async fn serve(
    case: Case,
    arrival: Arrival,
    asked: Asked,
    account: Box<Account>,
) -> HttpResponse<Body> {
    let (told, outcome) = oneshot::channel();
    drop(gramtap_actors::spawn_local("takeover", async move {
        let outcome = run(case, arrival, asked, account).await;
        if let Err(Ok(outcome)) = told.send(outcome) {
            outcome.late();
        }
    }));
    match outcome.await {
        Ok(Ok(Outcome::Relay(relayed))) => {
            let (arrival, asked, account) = *relayed;
            exchange::relay(arrival, asked, account).await
        }
        Ok(Ok(Outcome::Told(head, body, account))) => respond::pass_whole(&head, body, account),
        Ok(Ok(Outcome::Failed(fault, account))) => exchange::failed(&fault, account).await,
        Ok(Err(refusal)) => respond::refuse(&refusal, false),
        Err(_) => respond::refuse(&Refusal::internal(), true),
    }
}

impl Outcome {
    /// The bot has left; for the record.
    fn late(self) {
        let Self::Told(head, body, mut account) = self else {
            // An account that is dropped tells that the bot left.
            return;
        };
        account.left();
        account.answered(head.status(), head.header("content-encoding"));
        account.answer(&body);
        account.close(Ending::Left {
            label: "client_left",
        });
    }
}

async fn run(
    case: Case,
    arrival: Arrival,
    asked: Asked,
    mut account: Box<Account>,
) -> Result<Outcome, Refusal> {
    let worker = Rc::clone(account.worker());
    let asked = match asked {
        Asked::Streams(payload, length) if length.is_none_or(|length| length <= LARGEST) => {
            let framing = length.map_or(Framing::Chunked, Framing::Length);
            let body = gather::whole(payload, framing, LARGEST).await?;
            account.asked(&body);
            account.asked_whole();
            Asked::Whole(body)
        }
        other => other,
    };
    if !is_verified(&worker, &case, &arrival).await {
        return Ok(Outcome::Relay(Box::new((arrival, asked, account))));
    }
    let call = Call {
        worker,
        tenant: case.tenant,
        arrival,
        asked,
        account,
    };
    Ok(match case.what {
        What::Set => call.set().await,
        What::Delete => call.delete().await,
        What::Info => call.info().await,
    })
}
