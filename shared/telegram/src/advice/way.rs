//! Failures on the way to Telegram, of Telegram as a whole, and of Gramtap itself.
//!
//! In: codes from 500 on, pages of front servers, Gramtap's words. Out: rows of the catalogue.
//! Invariant: says whose fault it is and by what that can be seen.

use super::Again::{AfterRetryAfter, IfItOnlyReads, Never, Soon};
use super::Class::{Capacity, Config, Expected, Outage};
use super::{Advice, Fits};

pub(super) const ROWS: &[Advice] = &[
    Advice {
        key: "address_of_another_bot",
        class: Config,
        title: "The address belongs to another bot",
        meaning: "The bot called with a token whose bot id is not the one that this address is bound to.",
        remedy: "Compare both ids. Give the bot the address of its own page, or, if it is to take this one over, rebind the address in its settings.",
        again: Never,
        fits: Fits::Label(&["bot_mismatch"]),
    },
    Advice {
        key: "bot_not_connected",
        class: Config,
        title: "This bot is not connected here",
        meaning: "The address exists but no bot with this id is registered, so Gramtap answered 404 by itself; Telegram was not asked.",
        remedy: "Connect the bot by its id or token, then check that its base address is the one that its page shows.",
        again: Never,
        fits: Fits::Label(&["bot_unknown", "code_unknown", "host_unknown"]),
    },
    Advice {
        key: "path_malformed",
        class: Config,
        title: "The address is put together wrongly",
        meaning: "The path is not /bot<token>/<method>: a slash too many, `bot` missing before the token, or a token that is none.",
        remedy: "Compare the base address with the snippet for the library. Most want it without a slash at its end.",
        again: Never,
        fits: Fits::Label(&[
            "path_unknown",
            "token_malformed",
            "absolute_target",
            "host_malformed",
        ]),
    },
    Advice {
        key: "tokens_unverified",
        class: Capacity,
        title: "Too many calls with a token that Telegram has not accepted",
        meaning: "Somebody calls with tokens for this bot's id that Telegram has never accepted; Gramtap lets only a few of them wait at a time.",
        remedy: "If these are your calls, check the token. If not, nothing is wrong with the bot: its own calls are not slowed down.",
        again: AfterRetryAfter,
        fits: Fits::Label(&["unverified_limit"]),
    },
    Advice {
        key: "bot_left",
        class: Expected,
        title: "The bot hung up before the answer",
        meaning: "The bot closed the connection while it waited. Long polls end so at every restart. A message may have been sent all the same: Gramtap waits for the late answer and records it.",
        remedy: "If it happens outside of restarts, raise the library's read timeout: above the poll's own `timeout` for getUpdates, 60 s for uploads.",
        again: IfItOnlyReads,
        fits: Fits::Label(&[
            "left",
            "client_left",
            "client_left_and_cut",
            "client_left_and_failed",
            "upload_cut",
            "upload",
            "upload_length",
            "upload_idle",
        ]),
    },
    Advice {
        key: "restarting",
        class: Expected,
        title: "Gramtap was restarted",
        meaning: "A poll was answered with an empty list because its process was told to end. The bot polls again; nothing is lost.",
        remedy: "Nothing.",
        again: Soon,
        fits: Fits::Label(&["drained"]),
    },
    Advice {
        key: "gramtap_busy",
        class: Outage,
        title: "Gramtap had no connection to Telegram left",
        meaning: "All connections that a worker may open are in use.",
        remedy: "Raise outbound.max_connections, or run more ingress processes. One parked long poll holds one connection.",
        again: Soon,
        fits: Fits::Label(&["pool_full"]),
    },
    Advice {
        key: "gramtap_failed",
        class: Outage,
        title: "Gramtap failed",
        meaning: "An error of Gramtap's own; Telegram is not to blame.",
        remedy: "Look for the time in ingress' log and report what it says.",
        again: IfItOnlyReads,
        fits: Fits::Label(&["internal", "request"]),
    },
    Advice {
        key: "telegram_unreachable",
        class: Outage,
        title: "Telegram could not be reached",
        meaning: "No connection came about: the name did not resolve, or nobody answered at the address. Nothing of the call was sent.",
        remedy: "If other bots fail at the same time, check the network, DNS and firewall of the machine that ingress runs on; `gramtap doctor` tries each step.",
        again: Soon,
        fits: Fits::Label(&["resolve", "connect", "connect_timeout", "tls"]),
    },
    Advice {
        key: "answer_lost",
        class: Outage,
        title: "The connection to Telegram broke",
        meaning: "The call was sent, or was being sent, and no whole answer came. Telegram may have carried it out.",
        remedy: "Do not repeat a message blindly. If other bots or methods fail at the same time, it is the way to Telegram; if it is one method with large files, it is their size.",
        again: IfItOnlyReads,
        fits: Fits::Label(&["send", "receive", "closed", "cut", "idle", "malformed"]),
    },
    Advice {
        key: "gateway",
        class: Outage,
        title: "Telegram's front server failed",
        meaning: "A server in front of the Bot API answered instead of it (502, 503 or 504). It is seldom the request's fault.",
        remedy: "Look whether other bots and other methods got it at the same time: then it is Telegram's, and waiting mends it. If it is one call alone, try it without its file or with a shorter list.",
        again: IfItOnlyReads,
        fits: Fits::Answer {
            codes: &[502, 503, 504, 520, 521, 522, 523, 524],
            methods: &[],
            texts: &[],
        },
    },
    Advice {
        key: "server_restarts",
        class: Outage,
        title: "Telegram's server is being moved",
        meaning: "The server that holds the bot restarts or hands it over.",
        remedy: "Wait; it takes seconds to minutes.",
        again: IfItOnlyReads,
        fits: Fits::Answer {
            codes: &[500],
            methods: &[],
            texts: &["restart", "requested data is inaccessible"],
        },
    },
    Advice {
        key: "server_failed",
        class: Outage,
        title: "Telegram failed",
        meaning: "An error inside the Bot API's server.",
        remedy: "Wait. If it stays and always meets the same call, its arguments bring it about: take parts away until it passes.",
        again: IfItOnlyReads,
        fits: Fits::Answer {
            codes: &[500],
            methods: &[],
            texts: &[],
        },
    },
];

/// For what no code tells.
pub(super) const LAST: &[Advice] = &[Advice {
    key: "not_the_bot_api",
    class: Outage,
    title: "Something else than the Bot API answered",
    meaning: "The answer was a web page, or empty, where the Bot API writes JSON: a server in front of it answered, or a proxy or filter on the way.",
    remedy: "If all calls get it, look at what stands between ingress and Telegram, and at the address of the upstream. If it passes by itself, it was Telegram's.",
    again: IfItOnlyReads,
    fits: Fits::Label(&["page", "empty"]),
}];

/// For what no row fits.
pub(super) static UNKNOWN: Advice = Advice {
    key: "unknown",
    class: super::Class::Bug,
    title: "An error that Gramtap does not know",
    meaning: "This version has no advice for it.",
    remedy: "Read Telegram's text; the method's documentation says what each argument may be.",
    again: Never,
    fits: Fits::Label(&[]),
};
