//! What a setWebhook asks for, and the same with another address.
//!
//! In: the call's head and whole body, in whatever shape it came. Out: an [`Order`], for `plan.rs`; the form that Telegram is sent in its place. Invariant: arguments
//! are read as Telegram reads them (query before body, the first value counts), and all of them pass on but those that belong to the bot's own host:
//! `url`, `certificate`, `ip_address`. What cannot be read for certain is no order. Pure.

use gramtap_endpoint::authority;
use gramtap_tenants::Webhook;

use crate::observe::{Budget, CaptureLimits, RequestHead, RequestTap, file};

/// Bytes of a call with a certificate. Telegram takes certificates of 3 MiB.
pub(super) const LARGEST: u64 = 4 * 1024 * 1024;
/// Characters of a secret.
const LONGEST_SECRET: usize = 256;
/// What the bot says of its own host.
const OF_THE_HOST: [&str; 3] = ["url", "certificate", "ip_address"];

/// A setWebhook, or a deleteWebhook, whose address is empty.
pub(super) struct Order {
    arguments: Vec<(String, String)>,
    certificate: Option<Vec<u8>>,
}

/// What of an order Telegram would refuse, or Gramtap cannot keep: it is for Telegram to judge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unfit;

impl Order {
    /// Reads a call; none if it is encoded or cannot be read whole.
    pub(super) fn read(head: &RequestHead<'_>, body: &[u8]) -> Option<Self> {
        if head.content_encoding.is_some() {
            return None;
        }
        let most = usize::try_from(LARGEST).unwrap_or(usize::MAX);
        let limits = CaptureLimits {
            body: most,
            update: most,
            answer: most,
        };
        let mut tap = RequestTap::new(&limits, &Budget::new(2 * most), head);
        tap.push(body);
        let arguments = tap.finish().texts()?;
        let mut order = Self {
            arguments,
            certificate: None,
        };
        let kind = head.content_type.unwrap_or_default();
        let attached = order.text("certificate").strip_prefix("attach://");
        let found = file::of(kind, body, "certificate");
        let found = found.or_else(|| file::of(kind, body, attached?));
        order.certificate = found.map(<[u8]>::to_vec);
        Some(order)
    }

    /// The address asked for. Empty: none.
    pub(super) fn url(&self) -> &str {
        self.text("url").trim()
    }

    /// The webhook asked for.
    pub(super) fn webhook(&self) -> Result<Webhook, Unfit> {
        let url = self.url();
        let lower = url.to_ascii_lowercase();
        let plain = lower.starts_with("https://") || lower.starts_with("http://");
        let strange = |sign: char| sign.is_whitespace() || sign.is_control() || sign == '\\';
        if !plain || url.contains(strange) {
            return Err(Unfit);
        }
        let mut webhook = Webhook::new(url).map_err(|_| Unfit)?;
        let connections: i64 = self.text("max_connections").trim().parse().unwrap_or(0);
        if connections > 0 {
            let connections = u32::try_from(connections.min(100)).map_err(|_| Unfit)?;
            webhook = webhook.with_connections(connections).map_err(|_| Unfit)?;
        }
        let secret = self.text("secret_token");
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        if secret.len() > LONGEST_SECRET || !secret.bytes().all(fits) {
            return Err(Unfit);
        }
        webhook.secret = (!secret.is_empty()).then(|| secret.to_owned().into());
        let address = self.text("ip_address").trim();
        if !address.is_empty() {
            webhook.ip_address = Some(address.parse().map_err(|_| Unfit)?);
        }
        if let Some(certificate) = &self.certificate {
            let pem = str::from_utf8(certificate).map_err(|_| Unfit)?;
            if pem.len() > authority::LARGEST {
                return Err(Unfit);
            }
            webhook.ca = Some(pem.to_owned());
        }
        Ok(webhook)
    }

    /// Whether updates that wait are to be dropped.
    pub(super) fn drops_what_waits(&self) -> bool {
        let said = self.text("drop_pending_updates").trim();
        let yes = ["true", "yes", "1"];
        yes.iter().any(|yes| said.eq_ignore_ascii_case(yes))
    }

    /// The order with another address, as a form.
    pub(super) fn rewritten(&self, address: &str) -> String {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("url", address);
        for (name, value) in &self.arguments {
            if !OF_THE_HOST.contains(&name.as_str()) {
                form.append_pair(name, value);
            }
        }
        form.finish()
    }

    fn text(&self, name: &str) -> &str {
        let mut named = self.arguments.iter().filter(|(known, _)| known == name);
        named.next().map_or("", |(_, value)| value.as_str())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const FORM: &str = "application/x-www-form-urlencoded";

    fn read(kind: &str, query: &str, body: &[u8]) -> Option<Order> {
        let head = RequestHead {
            content_type: Some(kind.as_bytes()),
            content_encoding: None,
            query: Some(query),
        };
        Order::read(&head, body)
    }

    #[test]
    fn every_shape_is_the_same_order() {
        let json = br#"{"url":"https://bot.example/x","secret_token":"AAcanary","allowed_updates":["message","poll"],"max_connections":7,"drop_pending_updates":true}"#;
        let form = "url=https%3A%2F%2Fbot.example%2Fx&secret_token=AAcanary&allowed_updates=%5B%22message%22%2C%22poll%22%5D&max_connections=7&drop_pending_updates=true";
        let part = |name: &str, value: &str| {
            format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        };
        let pairs = url::form_urlencoded::parse(form.as_bytes());
        let mut multipart: String = pairs.map(|(name, value)| part(&name, &value)).collect();
        multipart.push_str(&part("certificate", "attach://cert"));
        multipart.push_str(
            "--b\r\nContent-Disposition: form-data; name=cert; filename=c\r\n\r\nPEM\r\n--b--\r\n",
        );
        let orders = [
            read("application/json", "", json),
            read(FORM, "", form.as_bytes()),
            read("", form, b""),
            read("multipart/form-data; boundary=b", "", multipart.as_bytes()),
        ];
        for (number, order) in orders.into_iter().enumerate() {
            let order = order.unwrap();
            let sent = order.rewritten("https://gramtap.example/webhook/abc");
            let own = form.split_once('&').unwrap().1;
            let expected = format!("url=https%3A%2F%2Fgramtap.example%2Fwebhook%2Fabc&{own}");
            assert_eq!(sent, expected, "{number}");
            let webhook = order.webhook().unwrap();
            assert_eq!(webhook.given(), "https://bot.example/x");
            assert_eq!(webhook.max_connections, 7);
            assert_eq!(webhook.secret.as_ref().unwrap().expose(), "AAcanary");
            let certificate = (number == 3).then_some("PEM");
            assert_eq!(webhook.ca.as_deref(), certificate);
        }
    }

    #[test]
    fn what_is_the_bots_hosts_stays_here() {
        let order = read(
            FORM,
            "url=first&x=1",
            b"url=second&ip_address=192.0.2.1&certificate=attach%3A%2F%2Fnone",
        );
        let order = order.unwrap();
        assert_eq!(order.url(), "first");
        assert_eq!(order.rewritten("ours"), "url=ours&x=1");
    }

    #[test]
    fn what_waits_is_dropped_where_that_is_said() {
        for (said, drops) in [
            ("drop_pending_updates=true", true),
            ("drop_pending_updates=True", true),
            ("drop_pending_updates=1", true),
            ("drop_pending_updates=+yes+", true),
            ("drop_pending_updates=false", false),
            ("drop_pending_updates=0", false),
            ("drop_pending_updates=2", false),
            ("drop_pending_updates=", false),
            (
                "drop_pending_updates=false&drop_pending_updates=true",
                false,
            ),
            ("url=https://bot.example/x", false),
        ] {
            let order = read(FORM, "", said.as_bytes()).unwrap();
            assert_eq!(order.drops_what_waits(), drops, "{said}");
        }
        let json = br#"{"drop_pending_updates":true}"#;
        let order = read("application/json", "", json).unwrap();
        assert!(order.drops_what_waits());
    }

    #[test]
    fn what_is_for_telegram_to_judge() {
        let webhook = |more: &str| {
            let order = read(FORM, "", more.as_bytes()).unwrap();
            order.webhook().map(|webhook| webhook.max_connections)
        };
        let fine = "url=https://bot.example/x";
        assert_eq!(webhook(fine), Ok(40));
        for (more, connections) in [("0", 40), ("-1", 40), ("x", 40), ("1", 1), ("4000", 100)] {
            assert_eq!(
                webhook(&format!("{fine}&max_connections={more}")),
                Ok(connections)
            );
        }
        for refused in [
            "url=bot.example/x".to_owned(),
            "url=ftp://bot.example".to_owned(),
            "url=https:bot.example".to_owned(),
            "url=https://bot.example/a b".to_owned(),
            r"url=https://bot.example\x".to_owned(),
            "url=https://".to_owned(),
            format!("{fine}&secret_token=a.b"),
            format!("{fine}&secret_token={}", "a".repeat(257)),
            format!("{fine}&ip_address=here"),
        ] {
            assert_eq!(webhook(&refused), Err(Unfit), "{refused}");
        }
    }

    #[test]
    fn what_cannot_be_read_whole_is_no_order() {
        assert!(read("application/json", "", b"{\"url\":").is_none());
        let broken = b"--b\r\nContent-Disposition: form-data; name=\"url\"\r\n\r\nhttps";
        assert!(read("multipart/form-data; boundary=b", "", broken).is_none());
        let head = RequestHead {
            content_encoding: Some(b"gzip"),
            ..RequestHead::default()
        };
        assert!(Order::read(&head, b"").is_none());
        assert!(read("text/plain", "", b"url=x").unwrap().url().is_empty());
    }
}
