//! The headers of a request to a bot's webhook: Telegram's own, in Telegram's order.
//!
//! In: the headers of a push that pass (ingress says which), the endpoint. Out: the headers to write behind `Host`. Invariant: what Telegram sends is written as it
//! writes it, byte for byte; what is not known here passes behind the others. Pure.

use crate::Endpoint;

/// The header that proves Telegram, in lower case.
pub const SECRET: &str = "x-telegram-bot-api-secret-token";

/// A name and a value.
pub type Header = (Vec<u8>, Vec<u8>);

/// The order in which Telegram writes its headers, with ours in their places. `Host` goes first by itself.
const ORDER: [&str; 7] = [
    "Authorization",
    "X-Telegram-Bot-Api-Secret-Token",
    "Content-Type",
    "Content-Length",
    "Connection",
    "Accept-Encoding",
    "X-Forwarded-For",
];

/// The headers to write. `passing` holds none that belong to the connection that the push came by, and whom it came from as `X-Forwarded-For`.
/// The length is for the connection to fill in.
#[must_use]
pub fn arrange(passing: Vec<Header>, endpoint: &Endpoint) -> Vec<Header> {
    let mut lines = Vec::with_capacity(ORDER.len());
    for name in ORDER {
        let value = match name {
            "Authorization" => endpoint
                .authorization
                .as_ref()
                .map(|it| it.as_bytes().to_vec()),
            "Content-Length" => Some(Vec::new()),
            "Connection" => Some(b"keep-alive".to_vec()),
            _ => {
                let mut sent = passing.iter();
                let sent = sent.find(|(it, _)| it.eq_ignore_ascii_case(name.as_bytes()));
                sent.map(|(_, value)| value.clone())
            }
        };
        lines.extend(value.map(|value| (name.as_bytes().to_vec(), value)));
    }
    let known = |name: &[u8]| {
        ORDER
            .iter()
            .any(|it| it.as_bytes().eq_ignore_ascii_case(name))
    };
    let others = passing.into_iter().filter(|(name, _)| !known(name));
    lines.extend(others);
    lines
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::Arc;

    use gramtap_tenants::Webhook;

    use super::*;

    #[test]
    fn headers_stand_in_telegrams_order() {
        let header =
            |name: &str, value: &str| (name.as_bytes().to_vec(), value.as_bytes().to_vec());
        let passing = vec![
            header("x-forwarded-for", "192.0.2.1"),
            header("X-Other", "1"),
            header("accept-encoding", "gzip, deflate"),
            header("authorization", "Basic of-the-sender"),
            header("content-type", "application/json"),
            header("X-Telegram-Bot-Api-Secret-Token", "AAcanary"),
        ];
        let webhook = Webhook::new("https://u:p@bot.example/x").unwrap();
        let endpoint = Endpoint::new(webhook, &Arc::default()).unwrap();
        let lines = arrange(passing, &endpoint);
        let lines: Vec<_> = lines
            .iter()
            .map(|(name, value)| {
                (
                    str::from_utf8(name).unwrap(),
                    str::from_utf8(value).unwrap(),
                )
            })
            .collect();
        assert_eq!(
            lines,
            [
                ("Authorization", "Basic dTpw"),
                ("X-Telegram-Bot-Api-Secret-Token", "AAcanary"),
                ("Content-Type", "application/json"),
                ("Content-Length", ""),
                ("Connection", "keep-alive"),
                ("Accept-Encoding", "gzip, deflate"),
                ("X-Forwarded-For", "192.0.2.1"),
                ("X-Other", "1"),
            ]
        );
    }
}
