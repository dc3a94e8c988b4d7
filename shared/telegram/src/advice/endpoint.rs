//! Failures of a bot's own webhook, seen by whoever delivers updates to it, or by whoever sees it set.
//!
//! In: the forwarder's words (`services/forwarder/src/deliver/`). Out: rows of the catalogue. Invariant: says what the endpoint
//! did, and what becomes of the update.

use super::Again::{Never, Soon};
use super::Class::{Bug, Capacity, Config, Expected, Outage};
use super::{Advice, Class, Fits};

macro_rules! rows {
    ($($key:literal $class:ident: $title:literal, $meaning:literal, $remedy:literal;)+) => {
        pub(super) const ROWS: &[Advice] = &[$(row($key, $class, $title, $meaning, $remedy, &[$key]),)+ BLOCKED, SEALED, PAST];
    };
}

/// A row of which the word is the key.
const fn row(
    key: &'static str,
    class: Class,
    title: &'static str,
    meaning: &'static str,
    remedy: &'static str,
    labels: &'static [&'static str],
) -> Advice {
    Advice {
        key,
        class,
        title,
        meaning,
        remedy,
        again: Soon,
        fits: Fits::Label(labels),
    }
}

rows! {
    "reply_no_token" Config: "A method in the webhook's answer was not executed",
        "The bot answered an update with a method. Updates are kept first and delivered then, so Gramtap has to call it, and has no token of this bot.",
        "Store the bot's token here, or let its updates be relayed: then Telegram executes what the bot answers.";
    "reply_forbidden" Bug: "A method in the webhook's answer is none that Telegram executes",
        "Methods that read something, and those that change the webhook or the session, are not executed from an answer, by Telegram neither: nobody would get the result.",
        "Call the method as usual instead.";
    "reply_unreadable" Bug: "A method in the webhook's answer cannot be read",
        "The answer is packed in a way that is not known, or the method's name is none.",
        "Answer with JSON, a form or multipart, packed with gzip, deflate or not at all.";
    "reply_too_large" Capacity: "The webhook's answer is too large",
        "The answers that are held at a time take more than forwarder.answers_limit, so this one was not executed.",
        "Send files by a call of their own, or have the operator raise forwarder.answers_limit.";
    "reply_timeout" Outage: "Telegram did not answer a method of the webhook's answer in time",
        "It was called and may have been executed; it is not called again.",
        "Look whether other calls are slow at the same time.";
    "endpoint_unresolved" Config: "The webhook's name does not resolve",
        "DNS knows no address of the bot's webhook, or did not answer. Updates wait and are tried again until they expire.",
        "Look the name up from the machine that the forwarder runs on. A name of an inner network needs a resolver that knows it.";
    "endpoint_unreachable" Outage: "The webhook cannot be reached",
        "Nobody accepts connections at the address of the bot's webhook. Updates wait and are tried again until they expire.",
        "Check that the bot runs, listens on this port, and that no firewall stands between the forwarder and it.";
    "endpoint_tls" Config: "The webhook's certificate is not accepted",
        "The TLS handshake failed: the certificate is expired, for another name, or of an authority that is not trusted here.",
        "Renew the certificate, send the whole chain, or give the authority's certificate in the bot's settings.";
    "endpoint_broke_off" Outage: "The webhook closed the connection",
        "The update was sent, or being sent, and no whole answer came back. The bot may have handled it; it will get it again.",
        "Look into the bot's log at that time: a crash, a restart, a limit of its server. A bot that remembers update_id handles nothing twice.";
    "endpoint_timeout" Capacity: "The webhook answers too late",
        "No answer came in time. The bot may be handling the update still; it will get it again, and its chat waits meanwhile.",
        "Answer 200 first and do long work afterwards; give the webhook more processes.";
    "endpoint_malformed" Bug: "The webhook's answer is not HTTP",
        "What came back cannot be read as an answer of HTTP/1.1.",
        "Check that the port speaks HTTP and that https is not answered in clear.";
    "endpoint_redirects" Config: "The webhook answers with a redirect",
        "Redirects are not followed, by Telegram neither: the update counts as not delivered.",
        "Set the webhook to the address that the redirect names. Often a slash at the end, http for https, or www.";
    "endpoint_denies" Config: "The webhook denies access",
        "The bot's server answered 401 or 403: it did not like the secret token, the sender's address or a login.",
        "Compare the secret token of setWebhook with the bot's. A filter by address must admit the forwarder instead of Telegram.";
    "endpoint_not_found" Config: "The webhook's path is unknown to the bot",
        "The bot's server answered 404 or 405: no handler is bound to the path of the webhook.",
        "Compare the path of the webhook with the one that the bot's server listens on.";
    "endpoint_gone" Config: "The webhook says that it is gone",
        "The bot's server answered 410. Telegram removes a webhook that does so for 23 hours.",
        "If the bot has moved, set its webhook to the new address; if it shall stop, delete the webhook.";
    "endpoint_busy" Capacity: "The webhook asks to wait",
        "The bot's server answered 429 or 503. A Retry-After is honoured up to an hour.",
        "Give the webhook more processes, or lower max_connections until it keeps up.";
    "endpoint_refuses" Bug: "The webhook refuses the update",
        "The bot's server answered with a code of 4xx. The update is tried again until it expires, and its chat waits behind it.",
        "Answer 2xx for every update that was understood, also for those that the bot has no use for.";
    "endpoint_fails" Bug: "The webhook fails",
        "The bot's server answered with a code of 5xx: a handler failed, or the server before it found no bot.",
        "Look into the bot's log at that time; the list of attempts has the first bytes of the answer.";
    "endpoint_odd" Bug: "The webhook answers with a code that is none",
        "The code is neither 2xx nor one of the known kinds of failure.",
        "Check what answers at the webhook's address.";
    "endpoint_missing" Config: "The bot has no webhook to deliver to",
        "Updates were taken in for a bot that has no address of its own any more.",
        "Set the bot's webhook; then replay the dead letters.";
    "endpoint_unsendable" Bug: "The update cannot be sent",
        "The address or a header of it cannot be written as HTTP.",
        "Set the webhook to an address without spaces or control characters.";
    "expired" Capacity: "The update expired before it was delivered",
        "Its time was over before its turn came, as it would be with Telegram: 30 s for inline queries, 150 s for buttons and checkouts, a day for most.",
        "See what the attempts before it, or those of its chat, met. Such updates are kept as dead letters.";
    "dropped" Expected: "The bot had its waiting updates dropped",
        "It called setWebhook or deleteWebhook with drop_pending_updates while this update waited here. As at Telegram, it is not delivered any more.",
        "Nothing has to be done. If it was not meant so: replay the dead letters, and leave drop_pending_updates out.";
}

const BLOCKED: Advice = row(
    "endpoint_blocked",
    Config,
    "The webhook's address may not be called",
    "The address is a private, local or reserved one, or has a form that is not accepted. It was not called.",
    "Use a public address with https, or have the operator allow the network (webhooks.allow). Then replay the dead letters.",
    &[
        "url_malformed",
        "url_scheme",
        "url_credentials",
        "url_port",
        "host_missing",
        "host_dot",
        "address_missing",
        "address_unspecified",
        "address_loopback",
        "address_private",
        "address_shared",
        "address_link_local",
        "address_metadata",
        "address_multicast",
        "address_broadcast",
        "address_documentation",
        "address_benchmarking",
        "address_embedded",
        "address_reserved",
    ],
);

const SEALED: Advice = row(
    "update_unopenable",
    Config,
    "The stored update cannot be opened",
    "It was sealed with a key that is not configured, or was changed since.",
    "Put the older key back into the key file, below the first line; then replay the dead letters.",
    &["unknown_key", "damaged"],
);

const PAST: Advice = Advice {
    again: Never,
    ..row(
        "webhook_bypasses",
        Config,
        "The bot's webhook goes past Gramtap",
        "Telegram pushes the bot's updates to an address that is not Gramtap's, mostly since the bot has set its webhook by itself. Its calls are \
         seen here, its updates are not.",
        "Tell Telegram the address that the bot has here (gramtap bots rotate-hook prints a new one), or let Gramtap take over whatever the bot \
         sets (webhooks.takeover = \"always\"); Telegram must be able to reach public_url. If the bot is to take its updates itself: gramtap bots release.",
        &["webhook_bypasses"],
    )
};
