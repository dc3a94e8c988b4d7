//! The table of topics: the one place where a topic is defined.
//!
//! In: nothing. Out: read by `gramtap topics apply`, by the check at every start, and by both
//! engines of the bus. Invariant: names end in their version, keys are always the tenant.

use std::time::Duration;

/// One topic. Compared by name; the table is static, so `&'static Topic` is the handle.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Topic {
    /// Full name.
    pub name: &'static str,
    /// How long records are kept; `None` where only the last one of each key is.
    pub retention: Option<Duration>,
    /// Only the last record of each key is kept.
    pub compacted: bool,
    /// Only Gramtap's own services may read it: bodies that no privacy mode has filtered.
    pub restricted: bool,
    /// What it holds, in a line.
    pub about: &'static str,
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Calls of bots with their answers, folds of empty polls, gaps.
pub static CALLS: Topic = Topic {
    name: "gramtap.calls.v1",
    retention: Some(DAY.saturating_mul(7)),
    compacted: false,
    restricted: false,
    about: "one record per call of a bot, per fold of empty polls, per gap",
};

/// Updates seen in getUpdates answers and relayed webhooks.
pub static UPDATES: Topic = Topic {
    name: "gramtap.updates.v1",
    retention: Some(DAY.saturating_mul(7)),
    compacted: false,
    restricted: false,
    about: "one record per update that passed by",
};

/// The analysts' topic: one flat fact for each update and each call.
pub static EVENTS: Topic = Topic {
    name: "gramtap.events.v1",
    retention: Some(DAY.saturating_mul(30)),
    compacted: false,
    restricted: false,
    about: "one flat event per update, per call and per final delivery, exactly once",
};

/// Calls that failed.
pub static ERRORS: Topic = Topic {
    name: "gramtap.errors.v1",
    retention: Some(DAY.saturating_mul(30)),
    compacted: false,
    restricted: false,
    about: "one record per failed call or delivery, with its group, class and advice",
};

/// What analytics has counted.
pub static SEEN: Topic = Topic {
    name: "gramtap.seen.v1",
    retention: None,
    compacted: true,
    restricted: false,
    about: "what has been counted of each bot, so that nothing is counted twice",
};

/// Webhook updates that wait for delivery.
pub static INBOX: Topic = Topic {
    name: "gramtap.inbox.v1",
    retention: Some(DAY.saturating_mul(2)),
    compacted: false,
    restricted: true,
    about: "one record per webhook update taken in, sealed",
};

/// Webhook updates whose delivery failed, and those behind them in their queue.
pub static INBOX_RETRY: Topic = Topic {
    name: "gramtap.inbox.retry.v1",
    retention: Some(DAY.saturating_mul(2)),
    compacted: false,
    restricted: true,
    about: "webhook updates that are tried again, sealed",
};

/// Webhook updates that were given up.
pub static INBOX_DEAD: Topic = Topic {
    name: "gramtap.inbox.dead.v1",
    retention: Some(DAY.saturating_mul(14)),
    compacted: false,
    restricted: true,
    about: "webhook updates that could not be delivered, sealed, with the cause",
};

/// Attempts to deliver.
pub static DELIVERIES: Topic = Topic {
    name: "gramtap.deliveries.v1",
    retention: Some(DAY.saturating_mul(7)),
    compacted: false,
    restricted: false,
    about: "one record per attempt to hand an update to a bot's webhook",
};

/// The registry's changes.
pub static TENANTS: Topic = Topic {
    name: "gramtap.tenants.v1",
    retention: None,
    compacted: true,
    restricted: false,
    about: "the last state of each connected bot, without any secret",
};

/// Every topic of this version.
pub static ALL: [&Topic; 10] = [
    &CALLS,
    &UPDATES,
    &INBOX,
    &INBOX_RETRY,
    &INBOX_DEAD,
    &DELIVERIES,
    &EVENTS,
    &ERRORS,
    &SEEN,
    &TENANTS,
];

/// Looks a topic up by its full name, or by a short one (`calls`, `calls.v1`, `inbox.retry`).
#[must_use]
pub fn named(name: &str) -> Option<&'static Topic> {
    ALL.into_iter().find(|topic| {
        let short = topic.name.trim_start_matches("gramtap.");
        name == topic.name || name == short || Some(name) == short.strip_suffix(".v1")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_versioned_and_each_is_found_by_its_short_forms() {
        for topic in ALL {
            let short = topic.name.strip_prefix("gramtap.").unwrap_or_default();
            let noun = short.strip_suffix(".v1").unwrap_or_default();
            assert!(!noun.is_empty(), "{}", topic.name);
            for name in [topic.name, short, noun] {
                assert_eq!(named(name), Some(topic));
            }
            assert_eq!(topic.compacted, topic.retention.is_none());
        }
        assert_eq!(named("nothing"), None);
    }
}
