//! A row of the tables of bad input, and what many rows have in common.
//!
//! In: a row's own words. Out: bytes to send, and what is expected, for `malformed.rs`. Invariant: a row
//! whose two sides may differ says what exactly each side gives, and why.

use gramtap_simulator::Fault;

use super::TOKEN;
use super::heard::Then;

pub(super) const GIVES_ME: &str = "200 OK [telegram] ME | open";
pub(super) const GIVES_CHAT: &str = "200 OK [telegram] CHAT | open";
pub(super) const NOT_FOUND: &str = "404 Not Found [telegram] error: Not Found | open";
pub(super) const NO_METHOD: &str =
    "404 Not Found [telegram] error: Not Found: method not found | open";
pub(super) const ABSOLUTE: &str = "404 Not Found [telegram] error: Not Found: absolute URI is specified in the Request-Line | open";
/// What actix answers to what it refuses itself.
pub(super) const REFUSED: &str = "400 Bad Request [length] | closed";
pub(super) const OWN_ABSOLUTE: &str = "404 Not Found [gramtap absolute_target] error: Not Found: absolute URI is specified in the Request-Line | open";
pub(super) const NO_CODE: &str = "404 Not Found [gramtap code_unknown] error: Not Found: this address belongs to no bot of this Gramtap | open";
const NO_HOST: &str = "400 Bad Request [gramtap host_malformed] error: Bad Request: the Host header is missing, given twice or malformed | open";
const CUT_UPLOAD: &str = "400 Bad Request [gramtap upload_cut] error: Bad Request: the request's body ended before its length | closed";
/// What may be told of a client that hung up inside its body.
const CUT_TOLD: &str = "getChat 400 client upload OR getChat 400 client upload_cut OR getChat - client upload_cut OR getChat - client client_left OR getChat - client upload";
const NO_ANSWER_OF: &str = "error: Bad Gateway: Telegram was not reached through Gramtap";

/// Why rows differ.
pub(super) mod why {
    pub(crate) const OWN_404: &str =
        "no bot can be told from it, so nobody is asked; Telegram says 404 as well";
    pub(crate) const NOBODYS: &str =
        "Gramtap serves the bots that are connected to it, and no others";
    pub(crate) const HOSTS: &str =
        "the host says whose call it is; Telegram's server never looks at it";
    pub(crate) const ACTIX: &str = "actix refuses it, with an empty answer and one status for all";
    pub(crate) const LIMITS: &str =
        "actix-http has 96 fields, 65,534 bytes of target, 128 KiB of head; Telegram 256 KiB";
    pub(crate) const URI: &str = "the http crate takes no target with such bytes";
    pub(crate) const LENIENT: &str =
        "httparse takes LF for CR LF; what is relayed is written anew, with CR LF";
    pub(crate) const VERSION: &str = "actix answers in the version that was asked in";
    pub(crate) const CONTINUES: &str = "100 is answered here, and Expect not passed on; nginx sends none for bodies that have come";
    pub(crate) const UPGRADES: &str = "actix keeps no connection that asked for an upgrade; what follows the request is thrown away";
    pub(crate) const LAST: &str =
        "actix goes on after `close` with what has come already: a call of its own";
    pub(crate) const GARBAGE: &str = "what follows is no request: actix gives up the connection, and with it the call that waits";
    pub(crate) const CONNECTIONS: &str =
        "the end of Telegram's connection is not the end of the bot's";
    pub(crate) const NO_TUNNEL: &str = "CONNECT asks for a tunnel, and Gramtap makes none";
    pub(crate) const UPLOAD: &str = "the bot's body did not come whole, and Gramtap says so";
    pub(crate) const STRICT: &str =
        "who reads on after such an answer may take a part of it for another one";
    pub(crate) const NO_ANSWER: &str =
        "the bot is told that Telegram hung up, in the Bot API's shape";
    pub(crate) const IN_CHUNKS: &str = "its end can be told from a cut";
    pub(crate) const INTERIM: &str =
        "interim answers belong to the connection; Telegram sends none";
}

/// What getMe gives, which rows call `ME`.
pub(super) const ME: &str = r#"{"ok":true,"result":{"id":7000000123,"is_bot":true,"first_name":"Bot 7000000123","username":"bot7000000123_bot","can_join_groups":true,"can_read_all_group_messages":false,"supports_inline_queries":true,"can_connect_to_business":false,"has_main_web_app":false,"has_topics_enabled":false,"allows_users_to_create_topics":false}}"#;
/// What getChat gives for chat 7, and for it alone.
pub(super) const CHAT: &str = r#"{"ok":true,"result":{"id":7,"first_name":"Ann","type":"private","accent_color_id":0,"max_reaction_count":11,"accepted_gift_types":{"unlimited_gifts":true,"limited_gifts":true,"unique_gifts":true,"premium_subscription":true,"gifts_from_channels":true}}}"#;

/// What deleteWebhook gives.
pub(super) const DELETED: &str =
    r#"{"ok":true,"result":true,"description":"Webhook is already deleted"}"#;

/// What the client hears.
pub(super) enum Hears {
    /// The same on both sides, and it begins like this.
    Same(&'static str),
    /// Something else on each side.
    Differs {
        direct: String,
        through: String,
        reason: &'static str,
    },
}

/// What Telegram receives through Gramtap.
pub(super) enum Reaches {
    /// Verbs and targets, in order; `T` stands for the token.
    These(&'static [&'static str]),
    /// These or fewer: whoever sent them may have left before. Of others at most a part.
    AtMost(&'static [&'static str]),
}

pub(super) struct Row {
    pub(super) name: &'static str,
    /// `|` is a line end, `{T}` the token, `{A}` the row's `User-Agent` field, `{S}` a request that
    /// must never be taken out of another one, `{K}` a thousand letters.
    pub(super) sends: String,
    pub(super) then: Then,
    pub(super) fault: Option<Fault>,
    pub(super) hears: Hears,
    pub(super) reaches: Reaches,
    /// What calls.v1 tells: method, status, origin, label, for each call.
    pub(super) told: &'static str,
}

impl Row {
    pub(super) fn new(name: &'static str, sends: impl Into<String>) -> Self {
        Self {
            name,
            sends: sends.into(),
            then: Then::Asks,
            fault: None,
            hears: Hears::Same(""),
            reaches: Reaches::These(&[]),
            told: "",
        }
    }

    pub(super) fn then(self, then: Then) -> Self {
        Self { then, ..self }
    }

    pub(super) fn answered(self, fault: Fault) -> Self {
        Self {
            fault: Some(fault),
            ..self
        }
    }

    pub(super) fn same(self, begins: &'static str) -> Self {
        Self {
            hears: Hears::Same(begins),
            ..self
        }
    }

    pub(super) fn differs(self, direct: &str, through: &str, reason: &'static str) -> Self {
        Self {
            hears: Hears::Differs {
                direct: direct.to_owned(),
                through: through.to_owned(),
                reason,
            },
            ..self
        }
    }

    pub(super) fn reaches(self, these: &'static [&'static str]) -> Self {
        Self {
            reaches: Reaches::These(these),
            ..self
        }
    }

    pub(super) fn reaches_at_most(self, these: &'static [&'static str]) -> Self {
        Self {
            reaches: Reaches::AtMost(these),
            ..self
        }
    }

    pub(super) fn told(self, told: &'static str) -> Self {
        Self { told, ..self }
    }

    /// getMe, as if nothing were wrong with it.
    pub(super) fn works(self) -> Self {
        self.same(GIVES_ME).reaches_as_me()
    }

    /// Telegram carried out getMe, whatever the client heard of it.
    pub(super) fn reaches_as_me(self) -> Self {
        let verb: &[&str] = match self.sends.starts_with("POST") {
            true => &["POST /botT/getMe"],
            false => &["GET /botT/getMe"],
        };
        self.reaches(verb).told("getMe 200 telegram")
    }

    /// getChat with a body, and a request behind it which is one of its own.
    pub(super) fn works_and_so_does_the_next(self) -> Self {
        self.same("200 OK [telegram] CHAT | 200 OK [telegram] DELETED | open")
            .reaches(&["POST /botT/getChat", "GET /botT/deleteWebhook"])
            .told("getChat 200 telegram + deleteWebhook 200 telegram")
    }

    /// Refused by both, by Telegram's server with this status.
    pub(super) fn refused(self, status: &str) -> Self {
        let direct = format!("{status} [telegram length] | closed");
        self.differs(&direct, REFUSED, why::ACTIX)
    }

    /// A verb that Telegram does not know.
    pub(super) fn no_verb(self, reaches: &'static [&'static str]) -> Self {
        let gives = "501 Not Implemented [telegram length]";
        let (direct, through) = (format!("{gives} | closed"), format!("{gives} | open"));
        self.differs(&direct, &through, why::CONNECTIONS)
            .reaches(reaches)
            .told("getMe 501 edge empty")
    }

    /// Answered by Gramtap with Telegram's own text.
    pub(super) fn unknown(self, label: &str) -> Self {
        let through = format!("404 Not Found [gramtap {label}] error: Not Found | open");
        self.differs(NOT_FOUND, &through, why::OWN_404)
    }

    pub(super) fn no_host(self) -> Self {
        self.differs(GIVES_ME, NO_HOST, why::HOSTS)
    }

    /// A body that ends early or cannot be read. Whoever hangs up may hear nothing any more.
    pub(super) fn cut_upload(self, direct: &str) -> Self {
        let through = match self.then {
            Then::HangsUp => format!("{CUT_UPLOAD} OR closed"),
            _ => CUT_UPLOAD.to_owned(),
        };
        let told = match self.then {
            Then::HangsUp => CUT_TOLD,
            _ => "getChat 400 client upload",
        };
        self.differs(direct, &through, why::UPLOAD)
            .reaches_at_most(&[])
            .told(told)
    }

    /// getMe is answered 502 by Gramtap.
    pub(super) fn no_answer(self, direct: &str, label: &str, reason: &'static str) -> Self {
        let through = format!("502 Bad Gateway [gramtap {label}] {NO_ANSWER_OF} ({label}) | open");
        let told = match label {
            "malformed" => "getMe 502 network malformed",
            "closed" => "getMe 502 network closed",
            _ => "getMe 502 network receive",
        };
        self.differs(direct, &through, reason)
            .reaches(&["GET /botT/getMe"])
            .told(told)
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let smuggled = "GET /bot{T}/deleteWebhook HTTP/1.1|Host: x|{A}||";
        let text = self.sends.replace("{S}", smuggled);
        let text = text.replace("{A}", &format!("User-Agent: {}", self.name));
        let text = text.replace("{K}", &"k".repeat(1_000));
        text.replace("{T}", TOKEN).replace('|', "\r\n").into_bytes()
    }
}
