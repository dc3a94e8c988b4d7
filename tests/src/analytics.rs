//! A `gramtap-analytics` process of a test's own.
//!
//! In: an installation on servers (`installation.rs`). Out: a running process (`service.rs`). Invariant: Kafka's topics and
//! groups are shared by all tests, so one installation at a time has analytics: whoever has the [`Turn`].

use std::ops::Deref;
use std::process::ExitStatus;

use tokio::sync::{Mutex, MutexGuard};

use crate::Installation;
use crate::service::Service;

static TURN: Mutex<()> = Mutex::const_new(());

/// The right to have analytics on the servers.
#[derive(Debug)]
pub struct Turn(#[expect(dead_code, reason = "it is held")] MutexGuard<'static, ()>);

/// Waits until no other test has analytics on the servers.
pub async fn analytics_turn() -> Turn {
    Turn(TURN.lock().await)
}

/// Running analytics.
#[derive(Debug)]
pub struct Analytics(Service);

impl Analytics {
    /// Starts one. `instance` is its name, which its groups know it by, and that of its folder in the installation.
    pub async fn start(_: &Turn, installation: &Installation, instance: &str) -> Self {
        let environment = [("GRAMTAP_ANALYTICS__INSTANCE", instance)];
        Self(Service::start(installation, "gramtap-analytics", instance, &environment).await)
    }

    /// Waits until it has ended.
    pub async fn ended(self) -> ExitStatus {
        self.0.ended().await
    }

    /// Ends it; it has to end in order.
    pub async fn stop(self) {
        self.0.stop().await;
    }
}

impl Deref for Analytics {
    type Target = Service;

    fn deref(&self) -> &Service {
        &self.0
    }
}
