//! One call about a webhook: what is asked of the registry and of Telegram, in which order.
//!
//! In: a call whose token Telegram accepts, from `takeover.rs`. Out: its [`Outcome`]; the registry, the directory. Invariant: the registry is told before Telegram and has gone back
//! before the bot is answered, so that what the bot does next finds it so; calls of one bot take turns. What is asked of the registry: `register.rs`.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use actix_web::http::{Method, header};
use bytes::Bytes;
use gramtap_endpoint::Endpoint;
use gramtap_events::Moment;
use gramtap_outbound::{AnswerHead, Fault, guard};
use gramtap_telemetry::Counter;
use gramtap_tenants::{Hook, Key, Tenant, Webhook};

use super::Outcome;
use super::ask::{ask, look_up, shown_address};
use super::info::{self, Own};
use super::order::Order;
use super::plan::{self, Plan};
use super::undo;
use crate::accept::arrival::Arrival;
use crate::accept::gather::Asked;
use crate::observe;
use crate::relay::account::Account;
use crate::relay::headers;
use crate::worker::Worker;

/// The word in a record by which a webhook that goes past us is known.
const BYPASS: &str = "webhook_bypasses";
/// What Telegram answered, whole.
pub(super) type Sent = Result<(AnswerHead, Bytes), Fault>;

/// A call under way, by the bot itself.
pub(super) struct Call {
    pub(super) worker: Rc<Worker>,
    pub(super) tenant: Arc<Tenant>,
    pub(super) arrival: Arrival,
    pub(super) asked: Asked,
    pub(super) account: Box<Account>,
}

impl Call {
    pub(super) async fn set(mut self) -> Outcome {
        let takeovers = self.worker.takeovers.clone();
        let place = takeovers.place(&self.tenant).lock().await;
        self.renew(Key::Code(self.tenant.code)).await;
        let current = self.current();
        let order = self.order();
        let plan = match &order {
            Some(order) => plan::decide(&takeovers.rules, order, current.as_ref()),
            None => Plan::Pass("unread"),
        };
        let (webhook, order) = match (plan, order) {
            (Plan::Take(webhook), Some(order)) => (webhook, order),
            (Plan::End, order) => return self.delete_here(order.as_ref()).await,
            (Plan::Pass(why), order) => {
                return self.pass(why, current.as_ref(), order.as_ref()).await;
            }
            (Plan::Take(_), None) => return self.pass("unread", current.as_ref(), None).await,
        };
        if let Err(why) = self.reach(&webhook).await {
            return self.pass(why, current.as_ref(), Some(&order)).await;
        }
        let (hook, taken) = match self.take(&webhook, current.as_ref()).await {
            Ok(taken) => taken,
            Err(why) => return self.pass(why, current.as_ref(), Some(&order)).await,
        };
        let form = order.rewritten(&takeovers.address(&hook));
        let dropped = drops(Some(&order));
        let sent = self.send(Some(form.into())).await;
        if let Ok((_, body)) = &sent {
            self.note_set(body).await;
            if let Some(taken) = taken.filter(|_| undo::is_refused(body)) {
                self.put_back(taken).await;
            }
        }
        self.drop_waiting(&sent, dropped).await;
        drop(place);
        Counter::Takeovers { result: "taken" }.inc();
        self.told(sent)
    }

    /// deleteWebhook, or setWebhook with no address.
    pub(super) async fn delete(self) -> Outcome {
        let takeovers = self.worker.takeovers.clone();
        let _place = takeovers.place(&self.tenant).lock().await;
        let order = self.order();
        self.delete_here(order.as_ref()).await
    }

    async fn delete_here(mut self, order: Option<&Order>) -> Outcome {
        let dropped = drops(order);
        let sent = self.send(None).await;
        self.end(&sent, dropped).await;
        self.told(sent)
    }

    /// What is asked for, if it can be read.
    fn order(&self) -> Option<Order> {
        match &self.asked {
            Asked::Nothing => Order::read(&self.head(), b""),
            Asked::Whole(body) => Order::read(&self.head(), body),
            Asked::Streams(..) => None,
        }
    }

    pub(super) async fn info(mut self) -> Outcome {
        let sent = self.send(None).await;
        let Ok((head, body)) = sent else {
            return self.told(sent);
        };
        let url = info::url(&body).filter(|url| !url.is_empty());
        let Some(url) = url else {
            return self.told(Ok((head, body)));
        };
        let ours = match plan::hook(&url) {
            Some(hook) => self.is_ours(&hook).await,
            None => false,
        };
        let current = self.current();
        let body = match current {
            Some(webhook) if ours => {
                let standing = self.standing().await;
                let own = Own {
                    url: webhook.given(),
                    certificate: webhook.ca.is_some(),
                    ip_address: shown_address(&webhook).await,
                    pending: standing.waiting,
                    failed: standing.failed.as_ref(),
                };
                info::translated(&body, &own).map_or(body, Bytes::from)
            }
            current => {
                self.note_bypass(current.as_ref());
                body
            }
        };
        self.told(Ok((head, body)))
    }

    /// Whether a hook is this bot's; another process may have set it just now.
    async fn is_ours(&mut self, hook: &Hook) -> bool {
        let key = Key::Hook(hook.hash());
        let known = |tenant: &Tenant| {
            let former = tenant.former_hook.map(|former| former.hash);
            [tenant.hook, former].contains(&Some(hook.hash()))
        };
        known(&self.tenant) || {
            self.renew(key).await;
            known(&self.tenant)
        }
    }

    /// The bot as it is known now.
    async fn renew(&mut self, key: Key) {
        let lookup = self.worker.directory.find(key).await;
        if let Some(tenant) = lookup.found()
            && tenant.id == self.tenant.id
        {
            self.tenant = Arc::clone(tenant);
        }
    }

    /// The webhook that is known of the bot, set or not.
    fn current(&self) -> Option<Webhook> {
        self.worker.takeovers.registry.webhook(&self.tenant).ok()?
    }

    /// Whether Gramtap may and can call the bot there. What cannot be found is for Telegram to judge.
    async fn reach(&self, webhook: &Webhook) -> Result<(), &'static str> {
        let policy = self.worker.policy();
        Endpoint::new(webhook.clone(), policy).map_err(|error| error.label())?;
        let endpoint = guard::Endpoint::parse(webhook.url().as_str());
        let endpoint = endpoint.map_err(guard::Refusal::label)?;
        let addresses = match (endpoint.name(), webhook.ip_address) {
            (_, Some(address)) => vec![address],
            (None, None) => Vec::new(),
            (Some(name), None) => look_up(name, endpoint.port()).await,
        };
        let admitted = policy.check(&endpoint, &addresses);
        admitted.map(drop).map_err(guard::Refusal::label)
    }

    async fn pass(
        mut self,
        why: &'static str,
        current: Option<&Webhook>,
        order: Option<&Order>,
    ) -> Outcome {
        Counter::Takeovers { result: why }.inc();
        if why != "own_address" {
            self.note_bypass(current);
        }
        tracing::debug!(tenant = %self.tenant.id, why, "setWebhook passes as it is");
        if let Some(dropped) = drops(order) {
            let sent = self.send(None).await;
            self.drop_waiting(&sent, Some(dropped)).await;
            return self.told(sent);
        }
        Outcome::Relay(Box::new((self.arrival, self.asked, self.account)))
    }

    /// If Telegram agrees, the bot's updates come past us, though they were to come here.
    fn note_bypass(&mut self, current: Option<&Webhook>) {
        if current.is_some_and(|current| !current.released) {
            self.account.note(BYPASS);
        }
    }

    fn head(&self) -> observe::RequestHead<'_> {
        let value = |name| {
            self.arrival
                .headers
                .get(name)
                .map(header::HeaderValue::as_bytes)
        };
        let query = self.arrival.relayed_target().split_once('?');
        observe::RequestHead {
            content_type: value(header::CONTENT_TYPE),
            content_encoding: value(header::CONTENT_ENCODING),
            query: query.map(|(_, query)| query),
        }
    }

    /// Sends the call, or a form in its place.
    async fn send(&mut self, form: Option<Bytes>) -> Sent {
        let target = self.arrival.relayed_target();
        let changed = form.is_some();
        let (verb, target, body) = match form {
            Some(form) => (
                Method::POST,
                target.split('?').next().unwrap_or(target),
                form,
            ),
            None => {
                let body = match &self.asked {
                    Asked::Whole(body) => body.clone(),
                    Asked::Nothing | Asked::Streams(..) => Bytes::new(),
                };
                (self.arrival.method.clone(), target, body)
            }
        };
        let mut lines = headers::upstream(&self.arrival.headers);
        lines.retain(|(name, _)| {
            let is = |other: &str| name.eq_ignore_ascii_case(other.as_bytes());
            let goes = is("accept-encoding") || changed && is("content-type");
            !goes
        });
        if changed {
            lines.push((
                b"Content-Type".to_vec(),
                b"application/x-www-form-urlencoded",
            ));
        }
        self.account.watch().sent(Instant::now());
        ask(&self.worker, verb.as_str().as_bytes(), target, &lines, body).await
    }

    fn told(self, sent: Sent) -> Outcome {
        match sent {
            Ok((head, body)) => Outcome::Told(head, body, self.account),
            Err(fault) => Outcome::Failed(fault, self.account),
        }
    }
}

/// Since when, if what waits is to be dropped.
fn drops(order: Option<&Order>) -> Option<Moment> {
    order.is_some_and(Order::drops_what_waits).then(Moment::now)
}
