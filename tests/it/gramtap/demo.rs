//! `gramtap demo`: what it promises is there within seconds, and nothing of it stays.
//!
//! In: the command, in a temporary folder of the test's own. Out: pass or fail. Invariant: what is asked of the bus and of SQL is
//! asked beside the running demo, as its reader does.

use std::collections::BTreeSet;

use gramtap_analytics::query::deliveries::{Attempt, Waiting, attempts, deliveries, waiting};
use gramtap_analytics::query::errors::errors;
use gramtap_analytics::query::period::Period;
use gramtap_analytics::query::polls::{Rivals, polls};
use gramtap_analytics::zone::Zone;
use gramtap_bus::Bus;
use gramtap_bus::conformance::embedded;
use gramtap_database::Database;
use gramtap_events::TenantId;
use gramtap_events::failure::Class;
use gramtap_tests::{errors_until, events_until, seconds, until};
use serde_json::{Value, json};

use super::*;

/// Different advice that the clumsy bot gets.
const ADVICE: usize = 8;

/// A folder for temporary folders.
fn temporary(place: &Place) -> std::path::PathBuf {
    let folder = place.path().join("tmp");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn demo(place: &Place, more: &[&str]) -> Running {
    let mut command = place.gramtap(&[&["demo"], more].concat());
    let log = std::fs::File::create(place.path().join("demo.log")).unwrap();
    command.env("TMPDIR", temporary(place)).stderr(log);
    Running::start(command)
}

fn is_empty(folder: &Path) -> bool {
    std::fs::read_dir(folder).unwrap().next().is_none()
}

/// Where the running demo keeps its data.
fn data(demo: &Running) -> std::path::PathBuf {
    let line = demo.said.lines().find_map(|line| line.strip_prefix("data"));
    let folder = line.and_then(|rest| rest.trim().strip_suffix(", removed at the end"));
    folder.expect("it says where").into()
}

fn bus(data: &Path) -> Bus {
    Bus::observe(&embedded(data)).unwrap()
}

#[tokio::test]
async fn all_there_is_to_see_is_there_soon_and_gone_at_the_end() {
    let place = Place::new().await;
    let mut demo = demo(&place, &[]);
    let began = std::time::Instant::now();
    while !demo.said.contains("It ends") {
        demo.line().await;
    }
    let data = data(&demo);
    assert!(data.starts_with(temporary(&place)) && data.exists());
    let folder = data.to_str().unwrap();
    let list = ["bots", "list", "--json"];
    let listed = place.run_with(&list, &[("GRAMTAP_DATA_DIR", folder)]).await;
    let listed: Vec<Value> = serde_json::from_str(&listed.out).unwrap();
    let tenant = |name: &str| -> TenantId {
        let row = listed.iter().find(|row| row["name"] == name).unwrap();
        assert!(demo.said.contains(&row["bot"].to_string()), "{name}");
        row["tenant"].as_str().unwrap().parse().unwrap()
    };
    let (tidy, clumsy, rivals) = (tenant("Tidy"), tenant("Clumsy"), tenant("Rivals"));

    let bus = bus(&data);
    for bot in [tidy, clumsy, rivals] {
        events_until(&bus, bot, |events| events.len() >= 3).await;
    }
    // Telegram pushes through Gramtap, though the bot has set its own address.
    let sleepy = tenant("Sleepy");
    let set =
        |it: &&gramtap_events::event::Event| it.event == gramtap_events::event::Name::WebhookSet;
    let pushed = events_until(&bus, sleepy, |events| {
        let pushed =
            |it: &gramtap_events::event::Event| it.via == gramtap_events::event::Via::Webhook;
        events.iter().any(pushed) && events.iter().any(|it| set(&it))
    });
    let pushed = pushed.await;
    let set = pushed.iter().find(set).expect("it sets its webhook");
    assert_eq!(set.error_group, None);
    // A tidy bot's people come from somewhere and press; nothing of it fails but to those who left meanwhile.
    let events = events_until(&bus, tidy, |events| {
        let any = |fits: fn(&gramtap_events::event::Event) -> bool| events.iter().any(fits);
        any(|it| it.payload.as_deref() == Some("ads_winter"))
            && any(|it| it.callback_data.is_some())
            && any(|it| it.command.as_deref() == Some("/start"))
    });
    let failed = |it: &gramtap_events::event::Event| {
        it.ok == Some(false) && it.error_class != Some(Class::Expected)
    };
    let failed: Vec<_> = events.await.into_iter().filter(failed).collect();
    assert!(failed.is_empty(), "{failed:?}");
    errors_until(&bus, rivals, |errors| {
        errors.iter().any(|it| it.advice == "two_pollers")
    })
    .await;
    errors_until(&bus, clumsy, |errors| {
        let advice: BTreeSet<_> = errors.iter().map(|it| &it.advice).collect();
        advice.len() >= ADVICE
    })
    .await;

    let section = json!({"url": "", "max_connections": 2});
    let database = Database::open(&serde_json::from_value(section).unwrap(), &data).unwrap();
    until("advice in SQL", async || {
        let period = Period::last(Zone::UTC, seconds(), 2);
        let groups = errors(&database, clumsy, &period).await.unwrap();
        let advice: BTreeSet<_> = groups
            .iter()
            .filter_map(|it| Some(it.advice?.key))
            .collect();
        (advice.len() >= ADVICE).then_some(())
    })
    .await;
    until("two pollers in SQL", async || {
        let polls = polls(&database, rivals, seconds(), 1).await.unwrap();
        (polls.rivals == Rivals::Through { clients: 2 }).then_some(())
    })
    .await;
    // Its webhook falls over: what it does not take waits, is tried again and comes through; Telegram need not send it again.
    until("a queue that waits for the webhook", async || {
        let queues = waiting(&database, sleepy, seconds()).await.unwrap();
        let failed = |it: &Waiting| it.label == "endpoint_fails" && it.next_at.is_some();
        queues.iter().any(failed).then_some(())
    })
    .await;
    until("updates that came through later", async || {
        let period = Period::last(Zone::UTC, seconds(), 2);
        let told = deliveries(&database, sleepy, &period).await.unwrap().total;
        let attempts = attempts(&database, sleepy, None, 100).await.unwrap();
        let later = |it: &Attempt| it.verdict == "delivered" && it.attempt > 1;
        (told.retries > 0 && attempts.iter().any(later)).then_some(())
    })
    .await;
    println!("all of it was there {:?} after the start", began.elapsed());
    database.close().await;

    demo.stop().await;
    assert!(is_empty(&temporary(&place)), "the folder is still there");
    let log = std::fs::read_to_string(place.path().join("demo.log")).unwrap();
    assert_eq!(log, "", "it had nothing to complain of");
}

#[tokio::test]
async fn it_ends_by_itself_and_with_ctrl_c() {
    let place = Place::new().await;
    let short = demo(&place, &["--for", "1s"]);
    assert_eq!(short.ended().await.code(), OK);
    assert!(is_empty(&temporary(&place)));
    let mut long = demo(&place, &["--for", "1h"]);
    while !long.said.contains("It ends") {
        long.line().await;
    }
    assert!(!is_empty(&temporary(&place)));
    long.signal(Signal::INT);
    assert_eq!(long.ended().await.code(), OK);
    assert!(is_empty(&temporary(&place)));
}
