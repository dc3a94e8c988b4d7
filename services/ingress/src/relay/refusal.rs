//! The answers that are Gramtap's own, in the Bot API's shape.
//!
//! In: `gate.rs` (no such bot here), `exchange.rs` (the way to Telegram failed), `accept/`.
//! Out: [`Refusal`], written as `{"ok":false,"error_code":…,"description":…}` with the header
//! `Gramtap-Error: <label>`. Invariant: a fault of ours or of the way is 502, 503 or 504; 404
//! says "no such bot here" and nothing else; 401 and 409 never occur, because they make
//! libraries stop for good; no text holds a token. What Telegram is told of a push is never 2xx, and never 410,
//! which would end the webhook.

use std::borrow::Cow;

use gramtap_outbound::{Cause, Fault, Side};
use gramtap_telegram::BotId;
use serde::Serialize;

/// The header by which an answer of ours is told from Telegram's.
pub(crate) const HEADER: &str = "gramtap-error";

/// An answer that Gramtap gives itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The HTTP status, which is `error_code` too.
    pub(crate) status: u16,
    /// A fixed word: the header's value, the record's and the metric's label.
    pub(crate) label: &'static str,
    /// What the bot's developer reads.
    pub(crate) description: Cow<'static, str>,
    /// Seconds; only with 429.
    pub(crate) retry_after: Option<u32>,
}

#[derive(Serialize)]
struct Shape<'a> {
    ok: bool,
    error_code: u16,
    description: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameters: Option<Wait>,
}

#[derive(Serialize)]
struct Wait {
    retry_after: u32,
}

impl Refusal {
    fn new(status: u16, label: &'static str, description: impl Into<Cow<'static, str>>) -> Self {
        Self {
            status,
            label,
            description: description.into(),
            retry_after: None,
        }
    }

    /// The path is none of the Bot API's; Telegram says the same.
    pub(crate) fn path() -> Self {
        Self::new(404, "path_unknown", "Not Found")
    }

    /// The target is a whole URL; Telegram's server says the same.
    pub(crate) fn absolute_target() -> Self {
        Self::new(
            404,
            "absolute_target",
            "Not Found: absolute URI is specified in the Request-Line",
        )
    }

    /// The Host header is missing, double or unreadable.
    pub(crate) fn host() -> Self {
        Self::new(
            400,
            "host_malformed",
            "Bad Request: the Host header is missing, given twice or malformed",
        )
    }

    /// The host is not one of `ingress.hosts`.
    pub(crate) fn host_not_served() -> Self {
        Self::new(
            404,
            "host_unknown",
            "Not Found: Gramtap does not serve this host",
        )
    }

    /// No token can be read from the path, so no bot can be found.
    pub(crate) fn token() -> Self {
        Self::new(404, "token_malformed", "Not Found")
    }

    /// The bot is not registered, and the shared host serves registered ones only.
    pub(crate) fn bot(bot: BotId) -> Self {
        Self::new(
            404,
            "bot_unknown",
            format!("Not Found: bot {bot} is not connected to this Gramtap"),
        )
    }

    /// There is no such code.
    pub(crate) fn code() -> Self {
        Self::new(
            404,
            "code_unknown",
            "Not Found: this address belongs to no bot of this Gramtap",
        )
    }

    /// The address is another bot's.
    pub(crate) fn other_bot(owner: BotId, caller: BotId) -> Self {
        let text = format!(
            "Not Found: this address belongs to bot {owner}, and the token is bot {caller}'s"
        );
        Self::new(404, "bot_mismatch", text)
    }

    /// Too many calls with tokens that Telegram has not accepted wait for this bot.
    pub(crate) fn unverified() -> Self {
        let text = "Too Many Requests: too many calls with tokens that are not verified yet; retry after 1";
        Self {
            retry_after: Some(1),
            ..Self::new(429, "unverified_limit", text)
        }
    }

    /// No bot's webhook has this hook. Telegram tries again; who guesses learns nothing.
    pub(crate) fn hook() -> Self {
        Self::new(404, "hook_unknown", "Not Found")
    }

    /// The push does not hold the secret that Telegram was given.
    pub(crate) fn forged() -> Self {
        Self {
            label: "push_forged",
            ..Self::hook()
        }
    }

    /// The registry cannot say whose a hook is.
    pub(crate) fn registry() -> Self {
        let text = "Service Unavailable: the registry of bots does not answer";
        Self::new(503, "registry_unreachable", text)
    }

    /// Where the bot takes updates is not known, or not readable.
    pub(crate) fn endpoint_unknown() -> Self {
        let text = "Service Unavailable: Gramtap does not know where this bot takes updates";
        Self::new(503, "endpoint_unknown", text)
    }

    /// Whether the update is in the inbox is not known.
    pub(crate) fn inbox_unconfirmed() -> Self {
        let text = "Service Unavailable: the update was not acknowledged in time, send it again";
        Self::new(503, "inbox_unconfirmed", text)
    }

    /// The inbox takes nothing now, and the update might overtake one of its queue.
    pub(crate) fn inbox_held() -> Self {
        let text = "Service Unavailable: earlier updates may not be delivered yet, send it again";
        Self::new(503, "inbox_held", text)
    }

    /// The bot's endpoint did not answer in time.
    pub(crate) fn endpoint_slow() -> Self {
        let text = "Gateway Timeout: the bot's webhook did not answer in time";
        Self::new(504, "endpoint_slow", text)
    }

    /// An update is larger than any of Telegram's.
    pub(crate) fn update_size() -> Self {
        Self::new(413, "update_size", "Request Entity Too Large")
    }

    /// The bot's endpoint was not reached.
    pub(crate) fn endpoint(fault: &Fault) -> Self {
        let label = fault.label();
        let text = |status: &str| format!("{status}: the bot's webhook was not reached ({label})");
        match (fault.side(), fault.cause()) {
            (Side::Internal, _) => Self::new(503, label, text("Service Unavailable")),
            (_, Cause::ConnectTimeout | Cause::Idle) => {
                Self::new(504, label, text("Gateway Timeout"))
            }
            _ => Self::new(502, label, text("Bad Gateway")),
        }
    }

    /// A handler failed; a fault of ours.
    pub(crate) fn internal() -> Self {
        Self::new(
            502,
            "internal",
            "Bad Gateway: Gramtap failed to handle the call",
        )
    }

    /// The bot's body was cut short; it will hardly read this.
    pub(crate) fn upload() -> Self {
        Self::new(
            400,
            "upload_cut",
            "Bad Request: the request's body ended before its length",
        )
    }

    /// The call got no answer from Telegram.
    pub(crate) fn fault(fault: &Fault) -> Self {
        let label = fault.label();
        let text =
            |status: &str| format!("{status}: Telegram was not reached through Gramtap ({label})");
        match (fault.side(), fault.cause()) {
            (Side::Internal, _) => Self::new(503, label, text("Service Unavailable")),
            (Side::Downstream, _) => Self::upload(),
            (_, Cause::ConnectTimeout | Cause::Idle) => {
                Self::new(504, label, text("Gateway Timeout"))
            }
            _ => Self::new(502, label, text("Bad Gateway")),
        }
    }

    /// The answer's body.
    pub(crate) fn body(&self) -> Vec<u8> {
        let shape = Shape {
            ok: false,
            error_code: self.status,
            description: &self.description,
            parameters: self.retry_after.map(|retry_after| Wait { retry_after }),
        };
        serde_json::to_vec(&shape).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_refusal_has_the_bot_apis_shape_and_a_status_that_stops_no_library() {
        let all = [
            Refusal::path(),
            Refusal::absolute_target(),
            Refusal::host(),
            Refusal::host_not_served(),
            Refusal::token(),
            Refusal::bot(BotId(7)),
            Refusal::code(),
            Refusal::other_bot(BotId(7), BotId(8)),
            Refusal::unverified(),
            Refusal::internal(),
            Refusal::upload(),
            Refusal::hook(),
            Refusal::forged(),
            Refusal::registry(),
            Refusal::endpoint_unknown(),
            Refusal::endpoint_slow(),
            Refusal::inbox_unconfirmed(),
            Refusal::inbox_held(),
            Refusal::update_size(),
        ];
        let mut labels = std::collections::BTreeSet::new();
        for refusal in all {
            let body = refusal.body();
            let answer = gramtap_telegram::Answer::parse(&body).unwrap();
            assert!(!answer.ok);
            assert_eq!(answer.error_code, Some(i64::from(refusal.status)));
            assert!(!answer.description.unwrap().is_empty());
            assert!(
                matches!(refusal.status, 400 | 404 | 413 | 429 | 502..=504),
                "{refusal:?}"
            );
            let wait = answer.parameters.and_then(|it| it.retry_after);
            assert_eq!(wait.is_some(), refusal.status == 429);
            assert!(
                labels.insert(refusal.label),
                "{} is used twice",
                refusal.label
            );
        }
    }
}
