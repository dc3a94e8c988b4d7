//! A bot's own webhook: where its updates are delivered to.
//!
//! In: the operator's commands, the console, a setWebhook that passes through. Out: sealed into the registry, Redis and the topic; opened by ingress
//! (relay) and by the forwarder. Invariant: the address and the secret are kept and told only sealed, because libraries put tokens into the one and
//! prove Telegram with the other; `Debug` shows scheme and host alone.

use std::fmt;
use std::net::IpAddr;

use gramtap_events::TenantId;
use gramtap_settings::SecretString;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::{Hook, Keys, KeysError};

/// Where a bot takes updates.
#[derive(Clone)]
pub struct Webhook {
    given: String,
    url: Url,
    /// What Telegram's secret header must hold, where that is known.
    pub secret: Option<SecretString>,
    /// Updates under way at a time.
    pub max_connections: u8,
    /// The authority to trust for it, PEM; none: the public ones.
    pub ca: Option<String>,
    /// Where its host is, in place of what DNS says.
    pub ip_address: Option<IpAddr>,
    /// Its operator has taken it back: setWebhook of the bot itself is none of ours any more.
    pub released: bool,
    /// The secret part of Gramtap's address for it, as the registry gave it. Kept so that the same address can be told again.
    pub(crate) hook: Option<Hook>,
}

/// A webhook that only the installation's keys open.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SealedWebhook(String);

/// Why a text is no address of a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WebhookError {
    /// It is no URL.
    #[error("a webhook's address is a URL such as https://bot.example.org/updates")]
    Url,
    /// It is neither http nor https.
    #[error("a webhook's address begins with https:// (or http:// in a network of your own)")]
    Scheme,
    /// It is longer than [`Webhook::LONGEST_URL`].
    #[error("a webhook's address has {} characters at most", Webhook::LONGEST_URL)]
    Length,
    /// Telegram allows 1 to 100.
    #[error("a webhook takes 1 to 100 updates at a time")]
    Connections,
}

impl Webhook {
    /// Characters of an address.
    pub const LONGEST_URL: usize = 2_048;
    /// Updates under way at a time, unless something else is asked for: Telegram's own default.
    pub const CONNECTIONS: u8 = 40;

    /// A webhook with Telegram's defaults.
    ///
    /// # Errors
    /// It is no address that anything can be delivered to; whether it may be is for the guard to say, which asks DNS.
    pub fn new(url: &str) -> Result<Self, WebhookError> {
        if url.len() > Self::LONGEST_URL {
            return Err(WebhookError::Length);
        }
        let given = url.trim().to_owned();
        let mut url = Url::parse(&given).map_err(|_| WebhookError::Url)?;
        if !matches!(url.scheme(), "https" | "http") {
            return Err(WebhookError::Scheme);
        }
        if url.host().is_none() {
            return Err(WebhookError::Url);
        }
        // Not part of what is sent.
        url.set_fragment(None);
        Ok(Self {
            given,
            url,
            secret: None,
            max_connections: Self::CONNECTIONS,
            ca: None,
            ip_address: None,
            released: false,
            hook: None,
        })
    }

    /// The same with another number of updates under way at a time.
    ///
    /// # Errors
    /// Telegram does not allow it.
    pub fn with_connections(mut self, connections: u32) -> Result<Self, WebhookError> {
        self.max_connections = match u8::try_from(connections) {
            Ok(connections @ 1..=100) => connections,
            _ => return Err(WebhookError::Connections),
        };
        Ok(self)
    }

    /// The whole address. It may hold secrets.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The address as it was given, which the bot is told. It may hold secrets.
    #[must_use]
    pub fn given(&self) -> &str {
        &self.given
    }

    /// The secret part of Gramtap's address for it.
    #[must_use]
    pub fn hook(&self) -> Option<&Hook> {
        self.hook.as_ref()
    }

    /// Whether an update takes the same way to both, so that Telegram need not be told another address. A certificate that is sent is
    /// always a change, with Telegram too.
    #[must_use]
    pub fn same_way(&self, other: &Self) -> bool {
        let secret = |it: &Self| it.secret.as_ref().map(|secret| secret.expose().clone());
        self.given == other.given
            && self.ip_address == other.ip_address
            && secret(self) == secret(other)
            && self.ca.is_none()
            && other.ca.is_none()
    }

    /// Scheme, host and port: what may be shown.
    #[must_use]
    pub fn endpoint(&self) -> String {
        self.url.origin().ascii_serialization()
    }
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook")
            .field("endpoint", &self.endpoint())
            .field("max_connections", &self.max_connections)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for SealedWebhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealedWebhook")
    }
}

impl From<String> for SealedWebhook {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl SealedWebhook {
    /// As it is kept.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What is sealed.
#[derive(Serialize, Deserialize)]
struct Inside<'a> {
    url: std::borrow::Cow<'a, str>,
    secret: Option<std::borrow::Cow<'a, str>>,
    max_connections: u8,
    ca: Option<std::borrow::Cow<'a, str>>,
    #[serde(default)]
    ip_address: Option<IpAddr>,
    #[serde(default)]
    released: bool,
    #[serde(default)]
    hook: Option<std::borrow::Cow<'a, str>>,
}

impl Keys {
    /// Seals a tenant's webhook.
    ///
    /// # Errors
    /// The system gives no randomness.
    pub fn seal_webhook(
        &self,
        tenant: TenantId,
        webhook: &Webhook,
    ) -> Result<SealedWebhook, KeysError> {
        let inside = Inside {
            url: webhook.given.as_str().into(),
            secret: webhook
                .secret
                .as_ref()
                .map(|secret| secret.expose().as_str().into()),
            max_connections: webhook.max_connections,
            ca: webhook.ca.as_deref().map(Into::into),
            ip_address: webhook.ip_address,
            released: webhook.released,
            hook: webhook.hook.as_ref().map(|hook| hook.expose().into()),
        };
        let inside = serde_json::to_vec(&inside).map(zeroize::Zeroizing::new);
        let inside = inside.map_err(|_| KeysError::Damaged)?;
        self.seal_text(tenant, &inside).map(SealedWebhook)
    }

    /// Opens what [`Keys::seal_webhook`] made.
    ///
    /// # Errors
    /// It was made for another tenant, under a key that is not there, or is damaged.
    pub fn open_webhook(
        &self,
        tenant: TenantId,
        sealed: &SealedWebhook,
    ) -> Result<Webhook, KeysError> {
        let opened = self.open_text(tenant, &sealed.0)?;
        let inside: Inside<'_> = serde_json::from_slice(&opened).map_err(|_| KeysError::Damaged)?;
        let text = |text: Option<std::borrow::Cow<'_, str>>| text.map(std::borrow::Cow::into_owned);
        let mut webhook = Webhook::new(&inside.url).map_err(|_| KeysError::Damaged)?;
        webhook.secret = text(inside.secret).map(SecretString::new);
        webhook.max_connections = inside.max_connections;
        webhook.ca = text(inside.ca);
        webhook.ip_address = inside.ip_address;
        webhook.released = inside.released;
        webhook.hook = inside.hook.and_then(|hook| hook.parse().ok());
        Ok(webhook)
    }
}

#[cfg(test)]
mod tests;
