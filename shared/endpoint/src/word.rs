//! Fixed words for what went wrong at a bot's endpoint: labels of attempts, keys of their advice.
//!
//! In: the status that was answered, or the label of the fault. Out: a word of `gramtap_telegram::advice`. Invariant: the same failure has the same word
//! whether ingress or the forwarder met it. Pure.

/// The word for a status that is no success.
#[must_use]
pub fn answered(status: u16) -> &'static str {
    match status {
        300..=399 => "endpoint_redirects",
        401 | 403 => "endpoint_denies",
        404 | 405 => "endpoint_not_found",
        410 => "endpoint_gone",
        429 | 503 => "endpoint_busy",
        400..=499 => "endpoint_refuses",
        500..=599 => "endpoint_fails",
        _ => "endpoint_odd",
    }
}

/// The word for a fault of the endpoint, or of the way to it.
#[must_use]
pub fn broken(fault: &str) -> &'static str {
    match fault {
        "resolve" => "endpoint_unresolved",
        "connect" | "connect_timeout" => "endpoint_unreachable",
        "tls" => "endpoint_tls",
        "idle" => "endpoint_timeout",
        "malformed" => "endpoint_malformed",
        // send, receive, closed, cut
        _ => "endpoint_broke_off",
    }
}
