//! The tests' Kafka broker, and who may do what to it.
//!
//! In: `GRAMTAP_TEST_KAFKA`, `deploy/dev/services`. Out: guards. Invariant: whoever kills or
//! freezes the broker is alone with it, and it is back when the guard goes, also after a panic.
//! A test that shares it already may share it once more: whoever waits to be alone holds up nobody.

use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

static USERS: Mutex<Users> = Mutex::new(Users {
    shared: 0,
    alone: false,
});
static CHANGED: Notify = Notify::const_new();

struct Users {
    shared: usize,
    alone: bool,
}

fn users() -> MutexGuard<'static, Users> {
    USERS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits until `enter` succeeds.
async fn when(enter: impl Fn(&mut Users) -> bool) {
    loop {
        let changed = CHANGED.notified();
        if enter(&mut users()) {
            return;
        }
        changed.await;
    }
}

/// host:port.
#[must_use]
pub fn address() -> String {
    crate::installation::address("GRAMTAP_TEST_KAFKA")
}

/// The broker stays up while this is held.
#[derive(Debug)]
pub struct Shared(());

/// Uses the broker beside others.
pub async fn shared() -> Shared {
    when(|users| {
        let free = !users.alone;
        users.shared += usize::from(free);
        free
    })
    .await;
    Shared(())
}

impl Drop for Shared {
    fn drop(&mut self) {
        users().shared -= 1;
        CHANGED.notify_waiters();
    }
}

/// Uses the broker alone, and may end it.
pub async fn alone() -> Alone {
    when(|users| {
        let free = !users.alone && users.shared == 0;
        users.alone |= free;
        free
    })
    .await;
    Alone { away: None }
}

/// See [`alone`].
#[derive(Debug)]
pub struct Alone {
    /// What brings it back.
    away: Option<&'static str>,
}

impl Alone {
    /// Ends it with kill -9. False: it is not ours to end (the address was given), so there is
    /// nothing to test.
    pub async fn kill(&mut self) -> bool {
        self.take_away("kill", "start").await
    }

    /// Freezes it. False as for `kill`.
    pub async fn pause(&mut self) -> bool {
        self.take_away("pause", "resume").await
    }

    async fn take_away(&mut self, how: &'static str, back: &'static str) -> bool {
        match elsewhere(how).await {
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
    pub async fn bring_back(&mut self) {
        if let Some(how) = self.away.take() {
            elsewhere(how).await.unwrap();
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
        users().alone = false;
        CHANGED.notify_waiters();
    }
}

/// Off the test's own thread: its simulator and its bots go on meanwhile.
async fn elsewhere(action: &'static str) -> Result<(), String> {
    let done = tokio::task::spawn_blocking(move || services(action));
    done.await.unwrap()
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
