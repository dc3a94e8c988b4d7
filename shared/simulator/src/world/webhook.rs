//! What is known of a bot's webhook, and whether an order to set one is acceptable.
//!
//! In: the arguments of setWebhook (`methods/updates.rs`). Out: [`Webhook`], shown by
//! getWebhookInfo; `push/plan.rs` delivers to it. Invariant: an order that Telegram would refuse
//! never becomes state. One thing is not done that Telegram does: the host's name is looked up only
//! when there is something to push. The secret and the address never show in `Debug`.

use std::fmt;
use std::net::IpAddr;

use bytes::Bytes;

use crate::fail::Failure;
use crate::http::arguments::Arguments;
use crate::http::multipart::Upload;
use crate::json::{Object, Raw};
use crate::push::address::{Address, is_private};

/// The largest certificate setWebhook takes.
const LARGEST_CERTIFICATE: u64 = 3 << 20;

/// A webhook; with an empty address there is none.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Webhook {
    pub(crate) url: String,
    pub(crate) secret: String,
    pub(crate) max_connections: i64,
    pub(crate) ip_address: String,
    /// What the bot uploaded to be trusted.
    pub(crate) certificate: Option<Bytes>,
    /// When and with what the last delivery failed.
    pub(crate) last_error: Option<(i64, String)>,
}

/// A setWebhook that passed the checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WebhookOrder {
    pub(crate) webhook: Webhook,
    pub(crate) drop_pending_updates: bool,
}

/// How strictly addresses are checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WebhookRules {
    /// Any http or https address: for bots under test on this machine.
    #[default]
    Any,
    /// As Telegram's cloud: https, ports 80, 88, 443, 8443, no private addresses.
    Cloud,
}

impl Webhook {
    pub(crate) fn is_set(&self) -> bool {
        !self.url.is_empty()
    }

    /// Whether an order would change nothing (a certificate always does, as does dropping updates).
    pub(crate) fn same_as(&self, order: &WebhookOrder) -> bool {
        let plain = order.webhook.certificate.is_none() && !order.drop_pending_updates;
        let error = self.last_error.clone();
        plain
            && *self
                == Webhook {
                    last_error: error,
                    ..order.webhook.clone()
                }
    }

    /// The result of getWebhookInfo; `found` is the address found for the host's name.
    pub(crate) fn info(
        &self,
        pending: usize,
        allowed: Option<&[&str]>,
        found: Option<IpAddr>,
    ) -> Raw {
        let fixed = (!self.ip_address.is_empty()).then(|| self.ip_address.clone());
        Object::new()
            .put("url", &self.url)
            .put("has_custom_certificate", &self.certificate.is_some())
            .put("pending_update_count", &pending)
            .some(
                "last_error_date",
                self.last_error.as_ref().map(|error| error.0),
            )
            .some(
                "last_error_message",
                self.last_error.as_ref().map(|error| error.1.clone()),
            )
            .some(
                "max_connections",
                self.is_set().then_some(self.max_connections),
            )
            .some("ip_address", fixed.or(found.map(|found| found.to_string())))
            .some("allowed_updates", allowed)
            .end()
    }
}

impl WebhookOrder {
    /// Reads setWebhook's arguments; `certificate` is the file sent, if one was.
    pub(crate) fn read(
        arguments: &Arguments,
        certificate: Option<&Upload>,
        rules: WebhookRules,
    ) -> Result<Self, Failure> {
        let url = arguments.text("url").trim();
        let secret = arguments.text("secret_token");
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if secret.len() > 256 {
            return Err(Failure::bad("secret token is too long"));
        }
        if !secret.bytes().all(plain) {
            return Err(Failure::bad("secret token contains unallowed characters"));
        }
        if !url.is_empty() {
            check(url, arguments.text("ip_address"), rules)?;
        }
        let size = certificate.map_or(0, |file| file.size);
        if size > LARGEST_CERTIFICATE {
            return Err(Failure::bad(&format!(
                "certificate size is too big ({size} bytes)"
            )));
        }
        Ok(Self {
            webhook: Webhook {
                url: url.to_owned(),
                secret: secret.to_owned(),
                max_connections: arguments
                    .integer("max_connections")
                    .unwrap_or(40)
                    .clamp(1, 100),
                ip_address: arguments.text("ip_address").to_owned(),
                certificate: certificate.map(|file| file.content.clone()),
                last_error: None,
            },
            drop_pending_updates: arguments.flag("drop_pending_updates"),
        })
    }
}

/// What Telegram says of an address before it tries it.
fn check(url: &str, ip_address: &str, rules: WebhookRules) -> Result<(), Failure> {
    let bad = |text: &str| Failure::bad(&format!("bad webhook: {text}"));
    let Some(address) = Address::parse(url) else {
        return Err(Failure::bad("invalid webhook URL specified"));
    };
    if rules == WebhookRules::Any {
        return Ok(());
    }
    if !address.secure {
        return Err(bad("An HTTPS URL must be provided for webhook"));
    }
    if !matches!(address.port, 443 | 80 | 88 | 8443) {
        return Err(bad(
            "Webhook can be set up only on ports 80, 88, 443 or 8443",
        ));
    }
    for address in [address.name(), ip_address] {
        match address.parse::<IpAddr>() {
            Ok(IpAddr::V6(_)) => return Err(bad("IPv6-only addresses are not allowed")),
            Ok(ip) if is_private(ip) => {
                return Err(bad(&format!("IP address {ip} is reserved")));
            }
            _ => {}
        }
    }
    if address.name() == "localhost" {
        return Err(bad("IP address 127.0.0.1 is reserved"));
    }
    Ok(())
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook")
            .field("set", &self.is_set())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn read(form: &str, rules: WebhookRules) -> Result<WebhookOrder, String> {
        let mut arguments = Arguments::default();
        arguments.add_form(form.as_bytes()).unwrap();
        WebhookOrder::read(&arguments, None, rules)
            .map_err(|failure| failure.description.into_owned())
    }

    #[test]
    fn cloud_rules() {
        let refused = |url: &str| read(&format!("url={url}"), WebhookRules::Cloud).unwrap_err();
        let https = "Bad Request: bad webhook: An HTTPS URL must be provided for webhook";
        assert_eq!(refused("http://bot.example/x"), https);
        assert_eq!(
            refused("https://bot.example:8080"),
            "Bad Request: bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443"
        );
        assert_eq!(
            refused("https://10.0.0.1/"),
            "Bad Request: bad webhook: IP address 10.0.0.1 is reserved"
        );
        assert_eq!(
            refused("ftp://x"),
            "Bad Request: invalid webhook URL specified"
        );
        assert_eq!(
            refused("https://"),
            "Bad Request: invalid webhook URL specified"
        );
        assert!(read("url=https://u:p@bot.example:8443/x?y", WebhookRules::Cloud).is_ok());
        assert!(read("url=http://127.0.0.1:9/", WebhookRules::Any).is_ok());
    }

    #[test]
    fn secrets_and_limits() {
        let long = format!("url=x&secret_token={}", "a".repeat(257));
        assert_eq!(
            read(&long, WebhookRules::Any).unwrap_err(),
            "Bad Request: secret token is too long"
        );
        assert_eq!(
            read("url=x&secret_token=a.b", WebhookRules::Any).unwrap_err(),
            "Bad Request: secret token contains unallowed characters"
        );
        let order = read(
            "url=x&max_connections=1000&secret_token=hush",
            WebhookRules::Any,
        )
        .unwrap();
        assert_eq!(order.webhook.max_connections, 100);
        assert!(!format!("{order:?}").contains("hush"));
        assert!(order.webhook.same_as(&order));
    }
}
