//! Kafka killed and frozen while Telegram pushes to a bot in inbox mode.
//!
//! In: the tests' broker, alone. Out: pass or fail. Invariant: each update that Telegram has made is in the inbox or was given to the bot when Telegram has
//! nothing more to push; nothing else is ever answered 2xx.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::time::Duration;

use gramtap_tests::{broker, until};
use tokio::time::{Instant, sleep};

use super::*;

/// Between two updates.
const PACE: Duration = Duration::from_millis(30);
/// People who write all the time; the others write once.
const REGULARS: i64 = 8;

/// People who write to the bot.
struct People<'r> {
    rig: &'r Rig,
    wrote: Cell<i64>,
}

impl People<'_> {
    /// Every other one has never written before.
    fn write(&self) {
        let number = self.wrote.get();
        let user = match number % 2 {
            0 => 1_000 + number / 2 % REGULARS,
            _ => 100_000 + number,
        };
        self.rig.telegram.control.add_user(User::new(user, "Bo"));
        self.rig
            .telegram
            .control
            .say(self.rig.bot, user, "text")
            .unwrap();
        self.wrote.set(number + 1);
    }

    /// They go on until `over`.
    async fn write_until(&self, over: impl Future<Output = ()>) {
        let mut over = std::pin::pin!(over);
        loop {
            self.write();
            tokio::select! {
                () = &mut over => return,
                // paced: people write at their own pace
                () = sleep(PACE) => {}
            }
        }
    }

    async fn write_for(&self, time: Duration) {
        // paced: an outage lasts; people write meanwhile
        self.write_until(sleep(time)).await;
    }

    /// Until updates are taken in again: the first ones find out.
    async fn write_until_taken_in(&self) {
        let closed = until("the inbox's circuit", async || {
            let metrics = self.rig.ingress.operator("/-/metrics").await.text();
            metrics
                .contains("gramtap_inbox_circuit_open 0\n")
                .then_some(())
        });
        self.write_until(closed).await;
    }

    /// Each update was taken in or given to the bot.
    async fn nothing_is_lost(&self) {
        self.rig.is_done().await;
        let taken = self.rig.taken().await;
        let taken = taken.iter().map(|it| it.record.update_id.unwrap());
        let mut found: BTreeSet<i64> = taken.collect();
        for pushed in self.rig.endpoint.pushed() {
            let update: serde_json::Value = serde_json::from_slice(&pushed.body).unwrap();
            found.insert(update["update_id"].as_i64().unwrap());
        }
        let pushes = self
            .rig
            .telegram
            .control
            .deliveries(&DeliveryFilter::ended());
        let mut made: Vec<i64> = pushes.iter().map(|push| push.update_id).collect();
        made.sort_unstable();
        made.dedup();
        assert_eq!(
            made.len() as i64,
            self.wrote.get(),
            "Telegram has pushed all of them"
        );
        let lost: Vec<_> = made.iter().filter(|id| !found.contains(id)).collect();
        assert_eq!(lost, Vec::<&i64>::new());
        for push in pushes {
            let status = push.status.unwrap();
            assert!(matches!(status, 200 | 503), "{status}");
        }
    }
}

async fn rig(kafka: &broker::Alone) -> Rig {
    let usual = ("GRAMTAP_INGRESS__INBOX_PATIENCE", "1s");
    Rig::start_with(Installation::alone(kafka).await, Mode::Inbox, usual).await
}

#[tokio::test]
async fn no_update_is_lost_when_kafka_is_killed() {
    let mut kafka = broker::alone().await;
    let rig = rig(&kafka).await;
    let people = People {
        rig: &rig,
        wrote: Cell::new(0),
    };
    people.write_until_taken_in().await;
    people.write_for(Duration::from_secs(2)).await;
    assert_eq!(
        rig.endpoint.pushed().len(),
        0,
        "nothing is relayed while Kafka is there"
    );
    let mut is_ours = false;
    people
        .write_until(async { is_ours = kafka.kill().await })
        .await;
    if !is_ours {
        return;
    }
    people.write_for(Duration::from_secs(5)).await;
    assert_ne!(rig.endpoint.pushed().len(), 0, "whoever is new is relayed");
    people.write_until(kafka.bring_back()).await;
    people.write_until_taken_in().await;
    let before = rig.taken().await.len();
    people.write_for(Duration::from_secs(1)).await;
    people.nothing_is_lost().await;
    assert!(
        rig.taken().await.len() > before,
        "updates are taken in again"
    );
    rig.end().await;
}

#[tokio::test]
async fn no_update_is_lost_when_kafka_is_frozen() {
    let mut kafka = broker::alone().await;
    let rig = rig(&kafka).await;
    let people = People {
        rig: &rig,
        wrote: Cell::new(0),
    };
    people.write_until_taken_in().await;
    people.write_for(Duration::from_secs(1)).await;
    let mut is_ours = false;
    people
        .write_until(async { is_ours = kafka.pause().await })
        .await;
    if !is_ours {
        return;
    }
    // Until what was under way is given up, and a probe too.
    people.write_for(Duration::from_secs(14)).await;
    let relayed = rig.endpoint.pushed().len();
    assert!(relayed > 10, "whoever is new is relayed: {relayed}");
    people.write_until(kafka.bring_back()).await;
    people.write_until_taken_in().await;
    people.nothing_is_lost().await;
    rig.end().await;
}

/// What was answered 503 may be stored all the same, and is sent again: the inbox has it twice, under one number.
#[tokio::test]
async fn an_update_that_was_not_acknowledged_in_time_may_be_taken_in_twice() {
    let mut kafka = broker::alone().await;
    let rig = rig(&kafka).await;
    let push = |number| rig.push_whole(b"", message(number, 7, "text").as_bytes());
    let mut client = rig.ingress.client().await;
    let taken_in = async |client: &mut Client, number| {
        until("200", async || {
            let answer = client.ask(push(number)).await;
            (answer.status() == 200).then_some(())
        })
        .await;
    };
    taken_in(&mut client, 1).await;
    if !kafka.pause().await {
        return;
    }
    let began = Instant::now();
    let answer = client.ask(push(2)).await;
    assert_eq!(
        (answer.status(), answer.header("gramtap-error")),
        (503, Some("inbox_unconfirmed"))
    );
    assert_eq!(answer.json()["error_code"], 503);
    assert!(
        began.elapsed() > Duration::from_secs(9),
        "{:?}",
        began.elapsed()
    );
    // It might overtake itself.
    let answer = client.ask(push(2)).await;
    assert_eq!(
        (answer.status(), answer.header("gramtap-error")),
        (503, Some("inbox_held"))
    );
    kafka.bring_back().await;
    taken_in(&mut client, 2).await;
    let taken = rig.taken().await;
    let numbers: Vec<_> = taken
        .iter()
        .map(|it| it.record.update_id.unwrap())
        .collect();
    assert_eq!(numbers, [1, 2, 2]);
    assert_eq!(taken[1].body, taken[2].body);
    assert_ne!(taken[1].record.record, taken[2].record.record);
    assert_eq!(rig.endpoint.pushed(), []);
    rig.end().await;
}
