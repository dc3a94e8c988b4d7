//! Signals of the process, sent by itself: a program of its own, because they reach all of it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;

use gramtap_actors::{Signal, signals};
use rustix::process::{Signal as Sent, getpid, kill_process};

#[tokio::test]
async fn the_first_asks_to_drain_and_another_to_end() {
    let mut signals = signals().unwrap();
    for (sent, expected) in [
        (Sent::HUP, Signal::Reload),
        (Sent::TERM, Signal::Term),
        (Sent::HUP, Signal::Reload),
        (Sent::INT, Signal::Second),
        (Sent::TERM, Signal::Second),
    ] {
        kill_process(getpid(), sent).unwrap();
        let told = tokio::time::timeout(Duration::from_secs(30), signals.next()).await;
        assert_eq!(told.expect("told"), expected, "{sent:?}");
    }
}
