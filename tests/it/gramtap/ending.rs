//! How `gramtap up` ends.
//!
//! In: signals, while a poll waits and an upload stands still. Out: pass or fail.

use std::time::Duration;

use gramtap_tests::DEADLINE;
use tokio::time::{Instant, sleep};

use super::*;

async fn until_it_is_not_ready(place: &Place) {
    let until = Instant::now() + DEADLINE;
    loop {
        let mut operator = Client::connect(place.admin).await;
        let ready = "GET /-/ready HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        if operator.ask(ready).await.status() == 503 {
            return;
        }
        assert!(Instant::now() < until, "it is ready for ever");
        // paced: a signal is not answered
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn the_first_sigterm_drains_and_the_second_ends_at_once() {
    let place = Place::new().await;
    // Only a second signal ends it before that.
    let patient = [("GRAMTAP_INGRESS__DRAIN_TIMEOUT", "10m")];
    let up = place.up(&patient).await;
    let id = BOT.to_string();
    assert_eq!(place.run(&["bots", "add", "--id", &id]).await.code, OK);
    let mut poll = place.client().await;
    poll.send(get(&format!("/bot{TOKEN}/getUpdates?timeout=50")))
        .await;
    let parked = place.control.wait_for_polls(1, DEADLINE).await;
    assert_eq!(parked.len(), 1);
    let mut upload = place.client().await;
    let head = format!(
        "POST /bot{TOKEN}/sendDocument HTTP/1.1\r\nHost: x\r\n\
         Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 1000000\r\n\r\n--b\r\n"
    );
    upload.send(head).await;
    upload.send(vec![b'x'; 200_000]).await;
    let begun = place.control.wait_for(
        |control| Some(control.connections()).filter(|open| open.len() >= 2),
        DEADLINE,
    );
    assert!(begun.await.is_some(), "the upload did not reach Telegram");

    up.signal(Signal::TERM);
    let drained = poll.answer().await.unwrap();
    assert_eq!(drained.text(), r#"{"ok":true,"result":[]}"#);
    assert_eq!(drained.header("connection"), Some("close"));
    until_it_is_not_ready(&place).await;
    up.signal(Signal::TERM);
    // Not in order: a transfer was cut.
    assert_eq!(up.ended().await.code(), FAILED);
}

#[tokio::test]
async fn a_sigterm_ends_in_order_what_waits_for_nothing() {
    let place = Place::new().await;
    place.up(&[]).await.stop().await;
    // What it kept is there for the next one.
    let id = BOT.to_string();
    assert_eq!(place.run(&["bots", "add", "--id", &id]).await.code, OK);
    let up = place.up(&[]).await;
    assert_eq!(place.get(&format!("/bot{TOKEN}/getMe")).await.status(), 200);
    let second = place.run(&["up"]).await;
    assert_eq!(second.code, FAILED, "{}", second.err);
    assert!(
        second.err.contains("set another data_dir"),
        "{}",
        second.err
    );
    up.stop().await;
}
