//! Where a bot takes its updates, made ready to be called.
//!
//! In: the webhook of a tenant, sealed as the registry has it. Out: [`Endpoint`], for `request.rs` and whoever calls it. Invariant: what is called is what the guard
//! of `shared/outbound` admits, each time its name is resolved; nothing of an address or a secret is in an error or in `Debug`. One is kept for each bot
//! that was sent to lately, per worker, as long as its webhook is the same: its connections and TLS sessions hang on it.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use gramtap_events::TenantId;
use gramtap_outbound::guard::{self, Policy};
use gramtap_outbound::{Upstream, UpstreamError};
use gramtap_settings::SecretString;
use gramtap_tenants::{Keys, KeysError, SealedWebhook, Tenant, Webhook};

/// Endpoints that are kept ready, per worker.
const KEPT: usize = 4_096;

/// A bot's endpoint.
pub struct Endpoint {
    /// Where it is, guarded.
    pub upstream: Upstream,
    /// Path and query, as they are sent.
    pub target: String,
    /// Of a user and password in the address.
    pub authorization: Option<String>,
    /// What Telegram's secret header must hold.
    pub secret: Option<SecretString>,
    /// Scheme, host and port: what may be shown.
    pub shown: String,
    /// Updates under way at a time.
    pub max_connections: u8,
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Endpoint({})", self.shown)
    }
}

/// Why there is none.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// The bot has no webhook here.
    #[error("the bot's webhook is not known")]
    Unknown,
    /// It was sealed with another key, or damaged.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// Its address is none.
    #[error(transparent)]
    Refused(#[from] guard::Refusal),
    /// It cannot be spoken to.
    #[error(transparent)]
    Upstream(#[from] UpstreamError),
}

impl EndpointError {
    /// The fixed word for metrics, records and advice.
    #[must_use]
    pub fn label(&self) -> &'static str {
        match self {
            Self::Unknown => "endpoint_missing",
            Self::Keys(error) => error.label(),
            Self::Refused(refusal) => refusal.label(),
            Self::Upstream(_) => "endpoint_unsendable",
        }
    }
}

impl Endpoint {
    /// Makes it ready; asks no DNS.
    ///
    /// # Errors
    /// Its address may never be called, or its authority is none.
    pub fn new(webhook: Webhook, policy: &Arc<Policy>) -> Result<Self, EndpointError> {
        let url = webhook.url();
        let endpoint = guard::Endpoint::parse(url.as_str())?;
        let upstream = Upstream::guarded(&endpoint, policy, webhook.ca.as_deref(), None)?;
        let upstream = match webhook.ip_address {
            Some(address) => upstream.at(address),
            None => upstream,
        };
        let target = &url[url::Position::BeforePath..url::Position::AfterQuery];
        Ok(Self {
            upstream,
            target: target.to_owned(),
            authorization: authorization(url),
            shown: webhook.endpoint(),
            max_connections: webhook.max_connections,
            secret: webhook.secret,
        })
    }
}

/// As Telegram sends what stands before the host: as it is written there.
fn authorization(url: &url::Url) -> Option<String> {
    let whole = match (url.username(), url.password()) {
        ("", None) => return None,
        (user, None) => user.to_owned(),
        (user, Some(password)) => format!("{user}:{password}"),
    };
    let encoded = data_encoding::BASE64.encode(whole.as_bytes());
    Some(format!("Basic {encoded}"))
}

/// The endpoints of one worker.
#[derive(Default)]
pub struct Endpoints(HashMap<TenantId, (SealedWebhook, Rc<Endpoint>)>);

impl Endpoints {
    /// The endpoint of a bot.
    ///
    /// # Errors
    /// It has none, or none that can be opened and called.
    pub fn of(
        &mut self,
        tenant: &Tenant,
        keys: &Keys,
        policy: &Arc<Policy>,
    ) -> Result<Rc<Endpoint>, EndpointError> {
        let sealed = tenant.webhook.as_ref().ok_or(EndpointError::Unknown)?;
        match self.0.get(&tenant.id) {
            Some((known, endpoint)) if known == sealed => return Ok(Rc::clone(endpoint)),
            // Whoever is sent to now is there again at once.
            None if self.0.len() >= KEPT => self.0.clear(),
            _ => {}
        }
        let webhook = keys.open_webhook(tenant.id, sealed)?;
        let endpoint = Rc::new(Endpoint::new(webhook, policy)?);
        let kept = (sealed.clone(), Rc::clone(&endpoint));
        self.0.insert(tenant.id, kept);
        Ok(endpoint)
    }
}

impl std::fmt::Debug for Endpoints {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Endpoints({})", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_request_is_made_of_the_address() {
        for (url, target, authorization) in [
            ("https://bot.example", "/", None),
            ("https://bot.example/a%20b?x=1", "/a%20b?x=1", None),
            ("https://bot.example?x", "/?x", None),
            ("https://u:p%3A@bot.example/x", "/x", Some("Basic dTpwJTNB")),
            ("https://u@bot.example/x", "/x", Some("Basic dQ==")),
        ] {
            let made = Endpoint::new(Webhook::new(url).unwrap(), &Arc::default()).unwrap();
            assert_eq!(made.target, target, "{url}");
            assert_eq!(made.authorization.as_deref(), authorization, "{url}");
        }
    }
}
