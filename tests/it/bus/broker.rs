//! The tests' Kafka broker, and who may do what to it.
//!
//! In: `GRAMTAP_TEST_KAFKA`, `deploy/dev/services`. Out: guards. Invariant: whoever kills or
//! freezes the broker is alone with it, and it is back when the guard goes, also after a panic.

use std::process::Command;

use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

static BROKER: RwLock<()> = RwLock::const_new(());

/// host:port.
pub(crate) fn address() -> String {
    std::env::var("GRAMTAP_TEST_KAFKA").unwrap_or_else(|_| {
        panic!("GRAMTAP_TEST_KAFKA is not set: run this with deploy/dev/services run -- cargo test")
    })
}

/// The broker stays up while this is held.
pub(crate) type Shared = RwLockReadGuard<'static, ()>;

/// Uses the broker beside others.
pub(crate) async fn shared() -> Shared {
    BROKER.read().await
}

/// Uses the broker alone, and may end it.
pub(crate) async fn alone() -> Alone {
    Alone {
        _alone: BROKER.write().await,
        away: None,
    }
}

/// See [`alone`].
pub(crate) struct Alone {
    _alone: RwLockWriteGuard<'static, ()>,
    /// What brings it back.
    away: Option<&'static str>,
}

impl Alone {
    /// Ends it with kill -9. False: it is not ours to end (the address was given), so there is
    /// nothing to test.
    pub(crate) fn kill(&mut self) -> bool {
        self.take_away("kill", "start")
    }

    /// Freezes it. False as for `kill`.
    pub(crate) fn pause(&mut self) -> bool {
        self.take_away("pause", "resume")
    }

    fn take_away(&mut self, how: &str, back: &'static str) -> bool {
        match services(how) {
            Ok(()) => {
                self.away = Some(back);
                true
            }
            Err(text) if text.contains("not ours") => {
                println!("skipped: {text}");
                false
            }
            Err(text) => panic!("{text}"),
        }
    }

    /// Starts it or lets it go on; waits until it answers.
    pub(crate) fn bring_back(&mut self) {
        if let Some(how) = self.away.take() {
            services(how).unwrap();
        }
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        if let Some(how) = self.away.take()
            && let Err(text) = services(how)
        {
            eprintln!("the broker is not back: {text}");
        }
    }
}

fn services(action: &str) -> Result<(), String> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/dev/services");
    let output = Command::new(script)
        .args([action, "kafka"])
        .output()
        .unwrap();
    match output.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}
