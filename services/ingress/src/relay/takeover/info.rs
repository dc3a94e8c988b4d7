//! The answer to getWebhookInfo, told of the bot's own webhook in place of ours.
//!
//! In: Telegram's answer, the bot's webhook. Out: the answer that the bot gets. Invariant: what is Telegram's stays byte for byte and in its place: what is
//! allowed, how many connections, the last error, which in relay mode is what the bot's own endpoint answered, and else gives way to a later one of the
//! endpoint. An answer that cannot be read is passed as it is. Pure.

use std::fmt;
use std::net::IpAddr;

use gramtap_tenants::FailedAttempt;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::{RawValue, to_raw_value};

/// The bot's own webhook, in getWebhookInfo's words.
#[derive(Clone, Copy, Debug)]
pub(super) struct Own<'a> {
    pub(super) url: &'a str,
    pub(super) certificate: bool,
    pub(super) ip_address: Option<IpAddr>,
    /// Updates that wait here, beside those that wait at Telegram.
    pub(super) pending: u64,
    /// What went wrong last between here and the bot. Told where nothing went wrong since between Telegram and here.
    pub(super) failed: Option<&'a FailedAttempt>,
}

/// The members of an object, in their order.
struct Members(Vec<(String, Box<RawValue>)>);

/// The address that Telegram pushes to. Empty: none.
pub(super) fn url(answer: &[u8]) -> Option<String> {
    let result = Members::parse(answer)?;
    let result = Members::parse(result.get("result")?.get().as_bytes())?;
    serde_json::from_str(result.get("url")?.get()).ok()
}

/// The answer for the bot.
pub(super) fn translated(answer: &[u8], own: &Own<'_>) -> Option<Vec<u8>> {
    let mut whole = Members::parse(answer)?;
    let mut result = Members::parse(whole.get("result")?.get().as_bytes())?;
    result.set("url", &own.url, None)?;
    result.set("has_custom_certificate", &own.certificate, None)?;
    let waiting = result.get("pending_update_count");
    let waiting: u64 = waiting.and_then(|it| it.get().parse().ok())?;
    let pending = waiting.saturating_add(own.pending);
    result.set("pending_update_count", &pending, None)?;
    if let Some(failed) = own.failed {
        let at = failed.at.time().unix_timestamp();
        let before = result.get("last_error_date");
        let before: Option<i64> = before.and_then(|it| it.get().parse().ok());
        if before.is_none_or(|before| before < at) {
            result.set("last_error_date", &at, Some("max_connections"))?;
            result.set(
                "last_error_message",
                &failed.message,
                Some("max_connections"),
            )?;
        }
    }
    match own.ip_address {
        Some(address) => result.set("ip_address", &address, Some("allowed_updates"))?,
        None => result.0.retain(|(name, _)| name != "ip_address"),
    }
    whole.set("result", &RawValue::from_string(result.text()).ok()?, None)?;
    Some(whole.text().into_bytes())
}

impl Members {
    fn parse(json: &[u8]) -> Option<Self> {
        serde_json::from_slice(json).ok()
    }

    fn get(&self, name: &str) -> Option<&RawValue> {
        let mut named = self.0.iter().filter(|(known, _)| known == name);
        named.next().map(|(_, value)| &**value)
    }

    /// Replaces a member, or puts it before another one, or last.
    fn set(
        &mut self,
        name: &str,
        value: &impl serde::Serialize,
        before: Option<&str>,
    ) -> Option<()> {
        let value = to_raw_value(value).ok()?;
        let place = |name: &str| self.0.iter().position(|(known, _)| known == name);
        match place(name) {
            Some(at) => self.0.get_mut(at)?.1 = value,
            None => {
                let at = before.and_then(place).unwrap_or(self.0.len());
                self.0.insert(at, (name.to_owned(), value));
            }
        }
        Some(())
    }

    fn text(&self) -> String {
        let member = |(name, value): &(String, Box<RawValue>)| {
            let name = serde_json::to_string(name).unwrap_or_default();
            format!("{name}:{}", value.get())
        };
        let members: Vec<String> = self.0.iter().map(member).collect();
        format!("{{{}}}", members.join(","))
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        from.deserialize_map(Object)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const TELEGRAMS: &str = r#"{"ok":true,"result":{"url":"https://gramtap.example/webhook/x","has_custom_certificate":false,"pending_update_count":3,"last_error_date":9,"last_error_message":"a \"b\"","max_connections":40,"ip_address":"192.0.2.1","allowed_updates":["message"]}}"#;

    fn told(answer: &str, ip_address: Option<IpAddr>) -> Option<String> {
        told_of(answer, ip_address, None)
    }

    fn told_of(
        answer: &str,
        ip_address: Option<IpAddr>,
        failed: Option<&FailedAttempt>,
    ) -> Option<String> {
        let own = Own {
            url: "https://bot.example/\"AAcanary",
            certificate: true,
            ip_address,
            pending: 4,
            failed,
        };
        let told = translated(answer.as_bytes(), &own)?;
        Some(String::from_utf8(told).unwrap())
    }

    #[test]
    fn the_bot_is_told_its_own() {
        let url = url(TELEGRAMS.as_bytes());
        assert_eq!(url.as_deref(), Some("https://gramtap.example/webhook/x"));
        let own = r#"{"ok":true,"result":{"url":"https://bot.example/\"AAcanary","has_custom_certificate":true,"pending_update_count":7,"last_error_date":9,"last_error_message":"a \"b\"","max_connections":40,"ip_address":"8.8.8.8","allowed_updates":["message"]}}"#;
        let address = Some([8, 8, 8, 8].into());
        assert_eq!(told(TELEGRAMS, address).as_deref(), Some(own));
        let without =
            |text: &str, address: &str| text.replace(&format!(r#""ip_address":"{address}","#), "");
        let known = without(TELEGRAMS, "192.0.2.1");
        assert_eq!(told(&known, address).as_deref(), Some(own));
        let unknown = without(own, "8.8.8.8");
        assert_eq!(told(TELEGRAMS, None), Some(unknown));
    }

    #[test]
    fn the_later_error_is_told_in_its_place() {
        let failed = |second| FailedAttempt {
            at: time::OffsetDateTime::from_unix_timestamp(second)
                .unwrap()
                .into(),
            label: "endpoint_fails".to_owned(),
            message: "an \"own\"".to_owned(),
        };
        let theirs = r#""last_error_date":9,"last_error_message":"a \"b\"","#;
        let own = theirs.replace('9', "10").replace(r#"a \"b"#, r#"an \"own"#);
        let without = TELEGRAMS.replace(theirs, "");
        for (answer, second, error) in [
            (TELEGRAMS, 8, theirs),
            (TELEGRAMS, 9, theirs),
            (TELEGRAMS, 10, &own),
            (&without, 10, &own),
        ] {
            let expected = told(&without, None).unwrap();
            let place = r#""max_connections""#;
            let expected = expected.replace(place, &format!("{error}{place}"));
            let told = told_of(answer, None, Some(&failed(second)));
            assert_eq!(told, Some(expected), "{answer} {second}");
        }
    }

    #[test]
    fn what_is_not_understood_is_not_touched() {
        for answer in [
            "",
            "null",
            r#"{"ok":false,"error_code":401,"description":"Unauthorized"}"#,
            r#"{"ok":true,"result":true}"#,
            r#"{"ok":true,"result":{"url":"x"}}"#,
        ] {
            assert_eq!(told(answer, None), None, "{answer}");
        }
    }
}
