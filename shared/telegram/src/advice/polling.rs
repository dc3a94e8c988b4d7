//! Failures of getUpdates and of webhooks: who receives the bot's updates.
//!
//! In: 409s, and 400s of setWebhook. Out: rows of the catalogue.

use super::Again::{AfterRetryAfter, Never, Soon};
use super::Class::{Bug, Capacity, Config};
use super::{Advice, Fits};

pub(super) const ROWS: &[Advice] = &[
    Advice {
        key: "two_pollers",
        class: Config,
        title: "Two programs poll with the same token",
        meaning: "Telegram gives updates to one getUpdates at a time and ends the older one. As long as both run, each gets only a part of the updates.",
        remedy: "Find the other one and stop it: an old container, a second replica, a laptop. The bot's page lists the pollers that come through Gramtap by address and library; if there is only one, the other does not.",
        again: Soon,
        fits: Fits::Answer {
            codes: &[409],
            methods: &[],
            texts: &["other getUpdates request"],
        },
    },
    Advice {
        key: "webhook_in_the_way",
        class: Config,
        title: "A webhook is set, so polling is refused",
        meaning: "Telegram sends the updates to the webhook's URL.",
        remedy: "Call deleteWebhook (its drop_pending_updates decides about what waits), or stop polling.",
        again: Never,
        fits: Fits::Answer {
            codes: &[409],
            methods: &[],
            texts: &["webhook is active"],
        },
    },
    Advice {
        key: "poll_ended_by_webhook",
        class: Config,
        title: "setWebhook ended a poll or another setWebhook",
        meaning: "Two programs decide about this bot's webhook at the same time, as a rule at a deployment.",
        remedy: "Let one place alone call setWebhook. If the poller is meant to stay, remove the webhook.",
        again: Soon,
        fits: Fits::Answer {
            codes: &[409],
            methods: &[],
            texts: &["terminated by setWebhook", "terminated by other setWebhook"],
        },
    },
    Advice {
        key: "conflict",
        class: Config,
        title: "Two programs use this bot against each other",
        meaning: "Telegram refused the call because of another one.",
        remedy: "Find out what else runs with this token.",
        again: Soon,
        fits: Fits::Answer {
            codes: &[409],
            methods: &[],
            texts: &[],
        },
    },
    Advice {
        key: "webhook_refused",
        class: Config,
        title: "Telegram does not accept the webhook's URL",
        meaning: "It has to be HTTPS with a certificate that fits, on port 443, 80, 88 or 8443, at a public IPv4 address whose name resolves.",
        remedy: "Telegram's text names the reason. Check DNS and certificate from outside of your network.",
        again: Never,
        fits: Fits::Answer {
            codes: &[400],
            methods: &["setWebhook"],
            texts: &["webhook", "HTTPS", "IP address"],
        },
    },
    Advice {
        key: "webhook_secret_refused",
        class: Bug,
        title: "The webhook's secret is not acceptable",
        meaning: "secret_token may have 1 to 256 characters of A-Z, a-z, 0-9, _ and -.",
        remedy: "Choose another one.",
        again: Never,
        fits: Fits::Answer {
            codes: &[400],
            methods: &["setWebhook"],
            texts: &["secret token"],
        },
    },
    Advice {
        key: "webhook_too_often",
        class: Capacity,
        title: "setWebhook is called too often",
        meaning: "Telegram allows one a second.",
        remedy: "Set it once at a deployment, not in every worker.",
        again: AfterRetryAfter,
        fits: Fits::Answer {
            codes: &[429],
            methods: &["setWebhook", "deleteWebhook"],
            texts: &[],
        },
    },
    Advice {
        key: "closing_too_early",
        class: Capacity,
        title: "close is refused in a server's first ten minutes",
        meaning: "Telegram guards against loops of restarts.",
        remedy: "Wait, or leave close out: it is needed before a move between local servers only.",
        again: AfterRetryAfter,
        fits: Fits::Answer {
            codes: &[429],
            methods: &["close"],
            texts: &[],
        },
    },
];
