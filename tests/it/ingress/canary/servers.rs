//! The same on Kafka, Postgres and Redis, and with a spool.
//!
//! In: what `canary.rs` says everywhere. Out: pass or fail: every record of every topic, whichever
//! test it is from, every row and value of the installation, every file.

use std::net::TcpListener;
use std::time::Duration;

use gramtap_tests::{DEADLINE, fresh_bot};
use tokio::time::{Instant, sleep};

use super::*;

#[tokio::test]
async fn no_token_reaches_a_topic_a_table_or_redis() {
    let telegram = Telegram::start().await;
    let collector = Collector::start().await;
    let installation = Installation::new(Stores::Servers).await;
    let bot = fresh_bot();
    let token = format!("{bot}:AAcanary-of-a-bot-on-servers-____0005");
    telegram.control.add_bot_token(&token).unwrap();
    add_with_token(&installation, bot, &token).await;
    let all = talkative(&collector);
    let ingress = Ingress::with(&installation, "ingress", &telegram.url(), &all).await;
    say_it_everywhere(&telegram, &ingress, bot, &token).await;
    check_metrics(&ingress).await;
    ingress.stop().await;
    // The bot is there to be found, so a search that looks nowhere fails.
    let id = bot.to_string();
    let found = installation.canaries(&[&id, CANARY]).await;
    let (tokens, bots): (Vec<_>, Vec<_>) = found.into_iter().partition(|it| it.starts_with(CANARY));
    let bots = bots.join("\n");
    for place in [
        "gramtap.calls.v1 ",
        "gramtap.updates.v1 ",
        "gramtap.tenants.v1 ",
        "in tenants",
    ] {
        assert!(bots.contains(place), "{place} in {bots}");
    }
    // What an earlier run has leaked is there as well, until the services are wiped.
    assert_eq!(tokens, [""; 0]);
    assert_eq!(
        canaries_in_bytes("traces", &collector.heard(), &[CANARY]),
        [""; 0]
    );
    installation.remove().await;
}

#[tokio::test]
async fn no_token_waits_on_disk_for_kafka() {
    let telegram = Telegram::start().await;
    let installation = Installation::new(Stores::Embedded).await;
    add_with_token(&installation, BOT, TOKEN).await;
    // Nobody listens there any more.
    let nobody = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let nobody = nobody.to_string();
    let away = [
        ("GRAMTAP_BUS__KIND", "kafka"),
        ("GRAMTAP_KAFKA__BROKERS", &nobody),
        ("GRAMTAP_TELEMETRY__LOG", "trace"),
    ];
    let ingress = Ingress::with(&installation, "ingress", &telegram.url(), &away).await;
    say_it_everywhere(&telegram, &ingress, BOT, TOKEN).await;
    let until = Instant::now() + DEADLINE;
    let spool = installation.folder().join("ingress/data");
    // What the last call is told as.
    while gramtap_tests::canaries_in(&spool, &["my token is"]).is_empty() {
        assert!(Instant::now() < until, "nothing is on disk");
        // paced: files are written without telling
        sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(installation.canaries(&[CANARY]).await, [""; 0], "running");
    // It says that it could not tell its records.
    ingress.sigterm();
    ingress.ended().await;
    assert_eq!(installation.canaries(&[CANARY]).await, [""; 0], "ended");
}
