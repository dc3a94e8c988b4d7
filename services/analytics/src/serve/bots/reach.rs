//! Whether bots can reach an address, tried from here.
//!
//! In: an address of `public_url`. Out: reached, or why not. How: `GET {address}/` without a token, which every ingress of Gramtap
//! answers 404 with a header of its own. Invariant: only addresses of this installation are asked; a page waits three seconds
//! at most. What is reached from here may still be shut to a bot elsewhere: the page says so.

use std::time::Duration;

use gramtap_botapi::{AskError, Section, get};
use tokio::time::timeout;

/// A page waits no longer.
const PATIENCE: Duration = Duration::from_secs(3);

/// An address of a bot.
#[derive(Clone, Debug)]
pub(super) struct Reach {
    pub(super) address: String,
    /// What it needs.
    pub(super) note: &'static str,
    /// Why it was not reached.
    pub(super) failed: Option<String>,
}

/// Tries an address.
pub(super) async fn reach(telegram: &Section, address: String, note: &'static str) -> Reach {
    let section = Section {
        url: address.clone(),
        ca_file: telegram.ca_file.clone(),
        bind: String::new(),
    };
    let failed = match timeout(PATIENCE, get(&section, "/")).await {
        Ok(Ok(answered)) if answered.is_ours => None,
        Ok(Ok(answered)) => Some(format!(
            "something else than Gramtap answers there (with {})",
            answered.status
        )),
        Ok(Err(AskError::Unreachable { reason, .. })) => Some(reason),
        Ok(Err(error)) => Some(error.to_string()),
        Err(_) => Some(format!("no answer within {} seconds", PATIENCE.as_secs())),
    };
    Reach {
        address,
        note,
        failed,
    }
}
