//! A bot's own webhook: where its updates are delivered to.
//!
//! In: the operator's commands, the console, a setWebhook that passes through. Out: sealed into the registry, Redis and the topic; opened by ingress
//! (relay) and by the forwarder. Invariant: the address and the secret are kept and told only sealed, because libraries put tokens into the one and
//! prove Telegram with the other; `Debug` shows scheme and host alone.

use std::fmt;

use gramtap_events::TenantId;
use gramtap_settings::SecretString;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::{Keys, KeysError};

/// Where a bot takes updates.
#[derive(Clone)]
pub struct Webhook {
    url: Url,
    /// What Telegram's secret header must hold, where that is known.
    pub secret: Option<SecretString>,
    /// Updates under way at a time.
    pub max_connections: u8,
    /// The authority to trust for it, PEM; none: the public ones.
    pub ca: Option<String>,
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
        let mut url = Url::parse(url.trim()).map_err(|_| WebhookError::Url)?;
        if !matches!(url.scheme(), "https" | "http") {
            return Err(WebhookError::Scheme);
        }
        if url.host().is_none() {
            return Err(WebhookError::Url);
        }
        // Not part of what is sent.
        url.set_fragment(None);
        Ok(Self {
            url,
            secret: None,
            max_connections: Self::CONNECTIONS,
            ca: None,
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
            url: webhook.url.as_str().into(),
            secret: webhook
                .secret
                .as_ref()
                .map(|secret| secret.expose().as_str().into()),
            max_connections: webhook.max_connections,
            ca: webhook.ca.as_deref().map(Into::into),
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
        Ok(Webhook {
            url: Url::parse(&inside.url).map_err(|_| KeysError::Damaged)?,
            secret: inside
                .secret
                .map(|secret| SecretString::new(secret.into_owned())),
            max_connections: inside.max_connections,
            ca: inside.ca.map(std::borrow::Cow::into_owned),
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::keys::tests::keys;

    fn whole() -> Webhook {
        let mut webhook =
            Webhook::new("https://ann:pw@Bot.Example.org:8443/AAcanary?x=1#there").unwrap();
        webhook.secret = Some(SecretString::new("AAcanary-header".to_owned()));
        webhook.ca = Some("-----BEGIN CERTIFICATE-----".to_owned());
        webhook.with_connections(7).unwrap()
    }

    fn parts(webhook: &Webhook) -> (&str, Option<&str>, u8, Option<&str>) {
        let secret = webhook
            .secret
            .as_ref()
            .map(|secret| secret.expose().as_str());
        (
            webhook.url.as_str(),
            secret,
            webhook.max_connections,
            webhook.ca.as_deref(),
        )
    }

    #[test]
    fn an_address_is_kept_whole_and_shown_in_part() {
        let webhook = whole();
        assert_eq!(
            webhook.url().as_str(),
            "https://ann:pw@bot.example.org:8443/AAcanary?x=1"
        );
        assert_eq!(webhook.endpoint(), "https://bot.example.org:8443");
        assert_eq!(
            Webhook::new("http://10.0.0.1:80/x").unwrap().endpoint(),
            "http://10.0.0.1"
        );
        let shown = format!("{webhook:?}");
        assert!(
            !shown.contains("AAcanary") && !shown.contains("pw"),
            "{shown}"
        );
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let long = format!("https://a.example/{}", "x".repeat(Webhook::LONGEST_URL));
        for (text, error) in [
            ("", WebhookError::Url),
            ("bot.example.org", WebhookError::Url),
            ("https://", WebhookError::Url),
            ("ftp://bot.example.org", WebhookError::Scheme),
            ("file:///etc/passwd", WebhookError::Scheme),
            (&long, WebhookError::Length),
        ] {
            assert_eq!(Webhook::new(text).unwrap_err(), error, "{text}");
        }
        for connections in [0, 101, 256 + 7] {
            let refused = whole().with_connections(connections);
            assert_eq!(
                refused.unwrap_err(),
                WebhookError::Connections,
                "{connections}"
            );
        }
    }

    #[test]
    fn a_webhook_opens_for_its_tenant_alone() {
        let ids = ["aaaaaaaaaaaaaaaaaaaaaaaaab", "aaaaaaaaaaaaaaaaaaaaaaaaac"];
        let [one, other] = ids.map(|id| id.parse().unwrap());
        let sealed = keys(1).seal_webhook(one, &whole()).unwrap();
        for part in ["AAcanary", "example", "pw"] {
            assert!(!sealed.as_str().contains(part));
        }
        let opened = keys(1).open_webhook(one, &sealed).unwrap();
        assert_eq!(parts(&opened), parts(&whole()));
        assert!(matches!(
            keys(1).open_webhook(other, &sealed),
            Err(KeysError::Damaged)
        ));
        assert!(matches!(
            keys(2).open_webhook(one, &sealed),
            Err(KeysError::UnknownKey { .. })
        ));
        for text in ["", ".", "x.y", &sealed.as_str()[1..]] {
            assert!(
                keys(1)
                    .open_webhook(one, &SealedWebhook(text.to_owned()))
                    .is_err(),
                "{text}"
            );
        }
    }
}
