//! The bytes of a push.
//!
//! In: a webhook (`world/webhook.rs`), an update's length. Out: [`Target`], and the head of the
//! request: names, case and order are Telegram's own (telegram.md §2.4, row "request").
//! Invariant: nothing is added; a head of more than 4,096 bytes is never sent. `Debug` shows no secret.

use std::fmt;
use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use super::address::Address;
use super::verdict::Broken;
use crate::world::webhook::Webhook;

/// The longest head.
const LONGEST: usize = 4_096;

/// Where pushes go, and what they carry besides the update.
pub(crate) struct Target {
    pub(crate) address: Address,
    pub(crate) secret: String,
    /// Dialled in place of what the host's name stands for.
    pub(crate) ip: Option<IpAddr>,
    /// What the bot uploaded to be trusted.
    pub(crate) certificate: Option<Bytes>,
}

impl Target {
    /// None for an address that setWebhook refuses.
    pub(crate) fn of(webhook: &Webhook) -> Option<Self> {
        Some(Self {
            address: Address::parse(&webhook.url)?,
            secret: webhook.secret.clone(),
            ip: webhook.ip_address.parse().ok(),
            certificate: webhook.certificate.clone(),
        })
    }

    /// The head of a request with a body of `length` bytes.
    pub(crate) fn head(&self, length: usize) -> Result<String, Broken> {
        let Address {
            userinfo, target, ..
        } = &self.address;
        let mut head = format!("POST {target} HTTP/1.1\r\n");
        let mut line = |name: &str, value: &str| {
            head.push_str(name);
            head.push_str(": ");
            head.push_str(value);
            head.push_str("\r\n");
        };
        line("Host", &self.address.host_header());
        if !userinfo.is_empty() {
            let basic = format!("Basic {}", STANDARD.encode(userinfo));
            line("Authorization", &basic);
        }
        if !self.secret.is_empty() {
            line("X-Telegram-Bot-Api-Secret-Token", &self.secret);
        }
        line("Content-Type", "application/json");
        line("Content-Length", &length.to_string());
        line("Connection", "keep-alive");
        line("Accept-Encoding", "gzip, deflate");
        head.push_str("\r\n");
        if head.len() > LONGEST {
            return Err(Broken::TooLong);
        }
        Ok(head)
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn target(url: &str, secret: &str) -> Target {
        Target {
            address: Address::parse(url).unwrap(),
            secret: secret.to_owned(),
            ip: None,
            certificate: None,
        }
    }

    #[test]
    fn heads_are_telegrams_to_the_byte() {
        assert_eq!(
            target("https://Bot.example/hook?a=1", "").head(17).unwrap(),
            "POST /hook?a=1 HTTP/1.1\r\nHost: bot.example\r\nContent-Type: application/json\r\n\
             Content-Length: 17\r\nConnection: keep-alive\r\nAccept-Encoding: gzip, deflate\r\n\r\n"
        );
        assert_eq!(
            target("http://ann:AAcanary@bot.example:8080", "AAcanary-s3cret")
                .head(2)
                .unwrap(),
            "POST / HTTP/1.1\r\nHost: bot.example:8080\r\nAuthorization: Basic YW5uOkFBY2FuYXJ5\r\n\
             X-Telegram-Bot-Api-Secret-Token: AAcanary-s3cret\r\nContent-Type: application/json\r\n\
             Content-Length: 2\r\nConnection: keep-alive\r\nAccept-Encoding: gzip, deflate\r\n\r\n"
        );
    }

    #[test]
    fn a_head_has_at_most_4096_bytes() {
        let around = target("https://h/", "").head(10).unwrap().len();
        let long = |more: usize| {
            let url = format!("https://h/{}", "a".repeat(LONGEST - around + more));
            target(&url, "").head(10).map(|head| head.len())
        };
        assert_eq!((long(0), long(1)), (Ok(LONGEST), Err(Broken::TooLong)));
    }

    #[test]
    fn debug_shows_no_secret() {
        let target = target("https://u:AAcanary@h/AAcanary", "AAcanary");
        assert!(!format!("{target:?}").contains("AAcanary"));
    }
}
