//! What becomes of a bot's calls: events, and numbers in SQL.
//!
//! In: calls through `gramtap up` on its own stores, and through `gramtap-ingress` beside `gramtap-analytics` on real Kafka and
//! Postgres. Out: pass or fail. Invariant: what is asked of SQL is asked as the console asks.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use gramtap_analytics::query::overview::{Traffic, overview};
use gramtap_analytics::query::period::Period;
use gramtap_analytics::zone::Zone;
use gramtap_bus::Bus;
use gramtap_bus::conformance::embedded;
use gramtap_database::Database;
use gramtap_events::TenantId;
use gramtap_events::event::Name;
use gramtap_tests::{
    Analytics, DEADLINE, Ingress, Installation, Stores, analytics_turn, errors_until, events_until,
    fresh_bot,
};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::*;

/// The traffic of today and yesterday, as soon as so many calls are counted.
async fn counted(database: &Database, tenant: TenantId, calls: i64) -> Traffic {
    let until = Instant::now() + DEADLINE;
    loop {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let now = i64::try_from(now.as_secs()).unwrap();
        let period = Period::last(Zone::UTC, now, 2);
        let traffic = overview(database, tenant, &period).await.unwrap();
        let traffic = traffic.total.traffic;
        if traffic.calls >= calls {
            return traffic;
        }
        assert!(Instant::now() < until, "not counted: {traffic:?}");
        // paced: sums tell nobody that they have grown
        sleep(Duration::from_millis(50)).await;
    }
}

async fn calls(client: &mut Client, token: &str) {
    for (target, status) in [
        ("getMe", 200),
        ("sendMessage?chat_id=7&text=hello", 200),
        ("sendMessage?chat_id=7", 400),
    ] {
        let answer = client.ask(get(&format!("/bot{token}/{target}"))).await;
        assert_eq!(answer.status(), status, "{}", answer.text());
    }
}

/// The events and the error of [`calls`], and their sums.
async fn told(bus: &Bus, database: &Database, tenant: TenantId) {
    let events = events_until(bus, tenant, |events| events.len() >= 3).await;
    let names: Vec<_> = events.iter().map(|it| (it.event, it.ok)).collect();
    let sent = Name::MessageSent;
    assert_eq!(names[1..], [(sent, Some(true)), (sent, Some(false))]);
    assert_eq!(events[0].method.as_deref(), Some("getMe"));
    let errors = errors_until(bus, tenant, |errors| !errors.is_empty()).await;
    assert_eq!(errors[0].error_id, events[2].event_id);
    let traffic = counted(database, tenant, 3).await;
    assert_eq!((traffic.calls, traffic.failed, traffic.lost), (3, 1, 0));
}

#[tokio::test]
async fn up_counts_what_a_bot_does() {
    let place = Place::new().await;
    let up = place.up(&[]).await;
    let id = BOT.to_string();
    let added = place.run(&["bots", "add", "--id", &id, "--json"]).await;
    let added: Value = serde_json::from_str(&added.out).unwrap();
    let tenant = added["tenant"].as_str().unwrap().parse().unwrap();
    calls(&mut place.client().await, TOKEN).await;

    let data = place.path().join("gramtap-data");
    let bus = Bus::observe(&embedded(&data));
    let section = json!({"url": "", "max_connections": 2});
    let database = Database::open(&serde_json::from_value(section).unwrap(), &data).unwrap();
    told(&bus.unwrap(), &database, tenant).await;
    database.close().await;
    let mut operator = Client::connect(place.admin).await;
    let metrics = "GET /-/metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let metrics = operator.ask(metrics).await;
    for task in ["decode", "sums", "sweep"] {
        let running = format!("gramtap_tasks{{name=\"{task}\"}} ");
        assert!(metrics.text().contains(&running), "{task}");
    }
    up.stop().await;
}

#[tokio::test]
async fn two_processes_count_what_a_bot_does() {
    let installation = Installation::new(Stores::Servers).await;
    let turn = analytics_turn(&installation).await;
    let simulator = Simulator::start(SimulatorConfig {
        accept_any_chat: true,
        ..SimulatorConfig::default()
    });
    let simulator = simulator.await.unwrap();
    let bot = fresh_bot();
    let token = format!("{bot}:AAcanary-of-the-counted-bot_00000006");
    simulator.control().add_bot_token(&token).unwrap();
    let tenant = installation.add(Some(bot)).await;
    let ingress = Ingress::start(&installation, "ingress", &simulator.http_url()).await;
    let analytics = Analytics::start(&turn, &installation, "analytics-0").await;
    calls(&mut ingress.client().await, &token).await;
    let database = installation.registry().database().clone();
    told(&installation.observe_bus(), &database, tenant.id).await;

    // A second of the same name puts the first one out: it cannot go on, and says so.
    let second = Analytics::start(&turn, &installation, "analytics-0").await;
    calls(&mut ingress.client().await, &token).await;
    let ended = analytics.ended().await;
    assert_eq!(ended.code(), FAILED);
    let traffic = counted(&database, tenant.id, 6).await;
    assert_eq!((traffic.calls, traffic.failed), (6, 2), "each once");
    second.stop().await;
    ingress.stop().await;
    database.close().await;
    installation.remove().await;
}

#[tokio::test]
async fn bots_are_served_though_analytics_cannot_go_on() {
    let installation = Installation::new(Stores::Servers).await;
    let turn = analytics_turn(&installation).await;
    let config = SimulatorConfig {
        accept_any_chat: true,
        ..SimulatorConfig::default()
    };
    let simulator = Simulator::start(config).await.unwrap();
    let bot = fresh_bot();
    let token = format!("{bot}:AAcanary-of-the-served-bot_000000010");
    simulator.control().add_bot_token(&token).unwrap();
    let tenant = installation.add(Some(bot)).await.id;
    let name = "analytics-1";
    let more = [("GRAMTAP_ANALYTICS__INSTANCE", name)];
    let up = Ingress::up(&installation, &simulator.http_url(), &more).await;
    // Another process takes its name.
    let analytics = Analytics::start(&turn, &installation, name).await;
    let until = Instant::now() + DEADLINE;
    let reasons = loop {
        calls(&mut up.client().await, &token).await;
        let ready = up.operator("/-/ready").await;
        if ready.status() == 503 && ready.text().contains("decode was given up") {
            break ready.text();
        }
        assert!(Instant::now() < until, "ready for ever: {}", ready.text());
        // paced: it learns of it with its next commit
        sleep(Duration::from_millis(200)).await;
    };
    assert!(reasons.contains("the same name"), "{reasons}");
    assert!(up.words().contains("given up"), "{}", up.words());
    assert_eq!(up.operator("/-/live").await.status(), 200);
    calls(&mut up.client().await, &token).await;
    // What it relays is counted elsewhere.
    let database = installation.registry().database().clone();
    counted(&database, tenant, 3).await;
    up.stop().await;
    analytics.stop().await;
    database.close().await;
    installation.remove().await;
}
