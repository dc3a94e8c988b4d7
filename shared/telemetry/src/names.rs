//! The closed list of metrics: each is a variant whose fields are its labels and whose doc comment
//! is its help text. Input: everyone who counts. Output: `metric.rs`, which keeps the series.
//! Invariant: a metric that is not here does not exist, and a missing or wrong label does not
//! compile. Label values are fixed words (`label()` of an error, a table's name), never data.

use crate::metric::{Descriptor, metrics};

/// Seconds, from what a call costs us to the longest poll.
const CALL_SECONDS: &[f64] = &[
    0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
    5.0, 10.0, 30.0, 60.0, 120.0,
];

/// Seconds of a query or a round trip to a neighbour.
const TRIP_SECONDS: &[f64] = &[
    0.000_1, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0,
];

metrics! {
    /// A number that only grows.
    Counter => CounterHandle, prometheus::IntCounterVec {
        /// Calls answered, by who made the answer (telegram, gramtap) and the class of its status (2xx to 5xx).
        Calls { origin, code } = "gramtap_calls_total",
        /// Requests that were refused and not relayed.
        Refused { reason } = "gramtap_refused_total",
        /// Connections to the Bot API that were dialled, by result (ok or the fault's label).
        UpstreamDials { result } = "gramtap_upstream_dials_total",
        /// Records handed to the bus, by topic and result (delivered, failed, spooled, replayed).
        Records { topic, result } = "gramtap_records_total",
        /// Records that were dropped and will be numbered by a gap.
        RecordsDropped { reason } = "gramtap_records_dropped_total",
        /// Updates that Telegram pushed, by what it was answered: `answered` by the bot, `taken_in` here, or why not.
        Pushes { result } = "gramtap_pushes_total",
        /// Updates for the inbox that it did not take and that were relayed, by reason (circuit, full, too_large, closed, unsealed).
        InboxPassed { reason } = "gramtap_inbox_passed_total",
        /// Calls of setWebhook by bots whose webhook may be taken over: `taken`, or why not.
        Takeovers { result } = "gramtap_takeovers_total",
        /// How webhooks stand could not be told (by `forwarder`) or asked for (by `ingress`), by the error's label.
        StandingFailed { by, result } = "gramtap_webhook_standing_failed_total",
        /// Copies of bodies that were cut short before they were recorded.
        TapsCut { reason } = "gramtap_taps_cut_total",
        /// Messages that an actor did not handle: refused at its mailbox or lost with it.
        MailboxDropped { actor, reason } = "gramtap_mailbox_dropped_total",
        /// Actors started anew, by cause (panic, stop, stall, start).
        ActorRestarts { actor, cause } = "gramtap_actor_restarts_total",
        /// Tasks and threads that ended by a panic.
        TaskPanics { name } = "gramtap_task_panics_total",
        /// Panics of any thread, caught or not.
        Panics = "gramtap_panics_total",
        /// Look-ups of a bot, by the layer that answered (local, redis, sql) and the result.
        DirectoryLookups { layer, result } = "gramtap_directory_lookups_total",
        /// Records that the bus has acknowledged.
        BusProduced { topic } = "gramtap_bus_produced_total",
        /// Records that the bus did not take or did not acknowledge.
        BusFailed { reason } = "gramtap_bus_failed_total",
        /// Statements of the registry's SQL database, by result (ok or the error's label).
        RegistryQueries { result } = "gramtap_registry_queries_total",
        /// Commands sent to Redis, by result (ok, error, timeout, skipped).
        RedisCommands { result } = "gramtap_redis_commands_total",
        /// Records that analytics has read, by what became of them (event, repeat, unreadable, lost).
        Decoded { outcome } = "gramtap_decoded_total",
        /// Transactions of analytics with events and offsets, by result (ok or the error's label).
        DecodeBatches { result } = "gramtap_decode_batches_total",
        /// Events and errors on their way into sums, by topic and result (counted, unread, skipped).
        FoldRecords { topic, result } = "gramtap_fold_records_total",
        /// Batches of sums that were dropped and read again, by reason (taken, rezoned, or the error's label).
        FoldRetries { reason } = "gramtap_fold_retries_total",
        /// Records that watchers of live tails were too slow for; they may come back for them.
        LiveDropped = "gramtap_live_dropped_total",
        /// Attempts to hand updates to bots' webhooks, by result (delivered or what went wrong).
        Deliveries { result } = "gramtap_deliveries_total",
        /// Methods in webhooks' answers, by what became of them (executed, failed, or why they were not called).
        Replies { result } = "gramtap_replies_total",
        /// Updates that were given up, by cause.
        ForwarderDead { cause } = "gramtap_forwarder_dead_total",
        /// Records of the inbox that were not simply delivered, by outcome (repeat, doubtful, unreadable, lost, garbled).
        ForwarderRecords { outcome } = "gramtap_forwarder_records_total",
        /// Commits of the forwarder that failed, by the error's label.
        ForwarderCommits { result } = "gramtap_forwarder_commits_failed_total",
        /// Log lines, by level.
        LogLines { level } = "gramtap_log_lines_total",
        /// Log lines that standard error did not take in time.
        LogLinesDropped = "gramtap_log_lines_dropped_total",
        /// Spans given to the collector, by result (exported, failed).
        Spans { result } = "gramtap_spans_total",
        /// Log lines, spans and panics in which a secret was masked at the last moment; each is a fault of ours.
        SecretsMasked = "gramtap_secrets_masked_total",
    }
}

metrics! {
    /// A number that goes up and down.
    Gauge => GaugeHandle, prometheus::IntGaugeVec {
        /// The version of this process, as a label of the constant 1.
        BuildInfo { version } = "gramtap_build_info",
        /// 1 while the process asks for traffic.
        Ready = "gramtap_ready",
        /// 1 from the first SIGTERM on.
        Draining = "gramtap_draining",
        /// Calls being relayed, polls among them.
        CallsInFlight = "gramtap_calls_in_flight",
        /// getUpdates calls that wait for Telegram.
        PollsParked = "gramtap_polls_parked",
        /// Connections to the Bot API, by state (idle, busy).
        UpstreamConnections { state } = "gramtap_upstream_connections",
        /// 1 while updates for the inbox are relayed, because the bus is slow or fails.
        InboxCircuitOpen = "gramtap_inbox_circuit_open",
        /// What the spool holds on disk.
        SpoolBytes = "gramtap_spool_bytes",
        /// Records that the spool holds.
        SpoolRecords = "gramtap_spool_records",
        /// Messages waiting in the mailboxes of an actor, all workers together.
        MailboxDepth { actor } = "gramtap_mailbox_depth",
        /// How many may wait, all workers together.
        MailboxBound { actor } = "gramtap_mailbox_bound",
        /// Tasks and threads that are running.
        Tasks { name } = "gramtap_tasks",
        /// Records that the bus was given and has not acknowledged.
        BusQueueRecords = "gramtap_bus_queue_records",
        /// The same in bytes.
        BusQueueBytes = "gramtap_bus_queue_bytes",
        /// 1 while the registry's SQL database answers.
        RegistryUp = "gramtap_registry_up",
        /// Bots that the local cache knows.
        RegistryTenants = "gramtap_registry_tenants",
        /// Seconds from the hand-over of the record that was counted last to its being counted.
        FoldLagSeconds = "gramtap_fold_lag_seconds",
        /// Updates that wait in memory for their delivery.
        ForwarderWaiting = "gramtap_forwarder_waiting",
        /// The same in bytes.
        ForwarderWaitingBytes = "gramtap_forwarder_waiting_bytes",
        /// Updates that are being handed to bots' webhooks.
        DeliveriesInFlight = "gramtap_deliveries_in_flight",
        /// Seconds from the receipt of the update that was read last from the inbox to its being read.
        ForwarderLagSeconds = "gramtap_forwarder_lag_seconds",
        /// 1 while Redis answers.
        RedisUp = "gramtap_redis_up",
    }
}

metrics! {
    /// A distribution.
    Histogram => HistogramHandle, prometheus::HistogramVec {
        /// Seconds of a call, by leg: total, upstream (waiting for Telegram), own (what Gramtap adds).
        CallSeconds { leg } = "gramtap_call_seconds" in CALL_SECONDS,
        /// Seconds from a pushed update's head to the bus's word that it is in the inbox.
        InboxSeconds = "gramtap_inbox_seconds" in TRIP_SECONDS,
        /// Seconds of a statement of the registry.
        RegistrySeconds = "gramtap_registry_seconds" in TRIP_SECONDS,
        /// Seconds of the transaction that adds a batch to the sums.
        FoldSeconds = "gramtap_fold_seconds" in TRIP_SECONDS,
        /// Seconds of a command to Redis.
        RedisSeconds = "gramtap_redis_seconds" in TRIP_SECONDS,
        /// Seconds from a record's hand-over to the bus to its acknowledgement.
        BusSeconds = "gramtap_bus_seconds" in TRIP_SECONDS,
    }
}

/// All metrics, for the documentation and for tests of dashboards and alerts.
pub fn descriptors() -> impl Iterator<Item = &'static Descriptor> {
    [
        Counter::DESCRIPTORS,
        Gauge::DESCRIPTORS,
        Histogram::DESCRIPTORS,
    ]
    .into_iter()
    .flatten()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_follow_the_conventions_of_prometheus() {
        let mut seen = HashSet::new();
        for descriptor in descriptors() {
            let name = descriptor.name;
            assert!(seen.insert(name), "{name} twice");
            assert!(name.starts_with("gramtap_"), "{name}");
            assert!(
                name.chars()
                    .all(|letter| letter.is_ascii_lowercase() || letter == '_'),
                "{name}"
            );
            assert!(
                descriptor.help().ends_with('.') && descriptor.help().len() > 5,
                "{name}"
            );
            assert!(!descriptor.labels.contains(&"le"), "{name}");
        }
        assert!(
            Counter::DESCRIPTORS
                .iter()
                .all(|descriptor| descriptor.name.ends_with("_total"))
        );
        assert!(
            Gauge::DESCRIPTORS
                .iter()
                .all(|descriptor| !descriptor.name.ends_with("_total"))
        );
        for descriptor in Histogram::DESCRIPTORS {
            assert!(descriptor.name.ends_with("_seconds") || descriptor.name.ends_with("_bytes"));
            assert!(
                descriptor.buckets.is_sorted_by(|left, right| left < right),
                "{}",
                descriptor.name
            );
        }
    }
}
