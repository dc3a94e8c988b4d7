//! Signals of the process, sent to itself by `kill`: a program of its own, because they reach all
//! of it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{process::Command, time::Duration};

use gramtap_actors::{Signal, signals};

#[tokio::test]
async fn the_first_asks_to_drain_and_another_to_end() {
    let mut signals = signals().unwrap();
    for (sent, expected) in [
        ("-HUP", Signal::Reload),
        ("-TERM", Signal::Term),
        ("-HUP", Signal::Reload),
        ("-INT", Signal::Second),
        ("-TERM", Signal::Second),
    ] {
        let status = Command::new("kill")
            .args([sent, &std::process::id().to_string()])
            .status()
            .unwrap();
        assert!(status.success());
        let told = tokio::time::timeout(Duration::from_secs(30), signals.next()).await;
        assert_eq!(told.expect("told"), expected, "{sent}");
    }
}
