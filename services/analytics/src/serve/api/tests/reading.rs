//! Numbers and records: the same as the questions and the topics have.

use std::time::Duration;

use gramtap_bus::Message;
use gramtap_events::topics::{ERRORS, EVENTS};
use gramtap_events::{Record, Topic};
use serde_json::Value;
use tokio::time::timeout;

use super::Script;
use super::script::{bot, count, traffic, write};
use crate::conformance::stream::BEGIN;
use crate::query::{self, Period};
use crate::serve::tests::Subject;
use crate::zone::{DAY, Zone};

/// The bot's records of a topic, as they were written.
fn written(traffic: &crate::conformance::stream::Traffic, topic: &'static Topic) -> Vec<String> {
    let text = |payload: bytes::Bytes| String::from_utf8(payload.to_vec()).unwrap();
    match topic == &EVENTS {
        true => traffic
            .events
            .iter()
            .map(|it| text(it.payload().unwrap()))
            .collect(),
        false => traffic
            .failures
            .iter()
            .map(|it| text(it.payload().unwrap()))
            .collect(),
    }
}

/// The last digit may be lost where JSON is read.
fn near(told: &Value, inside: Option<f64>) {
    let (told, inside) = (told.as_f64().unwrap(), inside.unwrap());
    assert!((told - inside).abs() < 1e-9, "{told} {inside}");
}

#[actix_rt::test]
async fn every_number_is_that_of_its_question() {
    let subject = Subject::new().await;
    let script = Script::new(&subject).await;
    let tenant = bot(&subject, "one").await;
    let traffic = traffic(tenant.id, 600);
    write(&subject, &traffic).await;
    count(&subject).await;
    let ask = async |page: &str| {
        let path = format!("/v1/bots/{}/{page}", tenant.code);
        let sign = if page.contains('?') { '&' } else { '?' };
        let got = script
            .get(&format!("{path}{sign}from=2026-03-20&to=2026-04-02"))
            .await;
        assert_eq!(
            got.status,
            200,
            "{page}: {}",
            String::from_utf8_lossy(&got.body)
        );
        got.json()
    };
    let database = subject.database();
    let first = BEGIN / DAY;
    let period = Period {
        zone: Zone::UTC,
        first,
        days: 14,
    };
    let inside = query::overview::overview(database, tenant.id, &period)
        .await
        .unwrap();
    let told = ask("overview").await;
    assert_eq!(told["period"]["days"], 14);
    assert_eq!(told["period"]["before_from"], "2026-03-06");
    let figures = inside.total;
    assert!(figures.traffic.updates > 0 && figures.people.active > 0);
    let total = &told["total"];
    assert_eq!(total["traffic"]["updates"], figures.traffic.updates);
    assert_eq!(total["traffic"]["calls"], figures.traffic.calls);
    assert_eq!(total["traffic"]["failed"], figures.traffic.failed);
    assert_eq!(total["traffic"]["errors"], figures.traffic.errors);
    assert_eq!(total["traffic"]["polls"], figures.traffic.polls);
    assert_eq!(
        total["traffic"]["polls_failed"],
        figures.traffic.polls_failed
    );
    assert_eq!(total["traffic"]["unverified"], figures.traffic.unverified);
    assert_eq!(total["traffic"]["lost"], figures.traffic.lost);
    near(
        &total["traffic"]["error_rate"],
        figures.traffic.error_rate(),
    );
    assert_eq!(total["people"]["active"], figures.people.active);
    assert_eq!(total["people"]["fresh"], figures.people.fresh);
    assert_eq!(total["people"]["returning"], figures.people.returning);
    assert_eq!(total["people"]["blocked"], figures.people.blocked);
    assert_eq!(told["days"][0]["date"], "2026-03-20");
    assert_eq!(told["days"][13]["start"], "2026-04-02T00:00:00.000000Z");

    let inside = query::audience::audience(database, tenant.id, &period)
        .await
        .unwrap();
    let told = ask("audience").await;
    for (name, number) in [
        ("active", inside.active),
        ("ever", inside.ever),
        ("blocked", inside.blocked),
        ("no_language", inside.no_language),
        ("premium", inside.premium),
        ("regular", inside.regular),
    ] {
        assert_eq!(told[name], number, "{name}");
    }
    assert_eq!(told["languages"][0]["n"], inside.languages[0].1);

    let inside = query::actions::actions(database, tenant.id, &period, 3)
        .await
        .unwrap();
    let told = ask("actions?top=3").await;
    for (name, ranking) in [
        ("commands", inside.commands),
        ("callbacks", inside.callbacks),
        ("updates", inside.updates),
    ] {
        let shown = &told[name];
        assert_eq!(
            shown["top"].as_array().unwrap().len(),
            ranking.top.len(),
            "{name}"
        );
        assert_eq!(shown["top"][0]["label"], ranking.top[0].label);
        assert_eq!(shown["top"][0]["n"], ranking.top[0].n);
        assert_eq!(shown["rest"], ranking.rest);
    }
    let inside = query::sources::sources(database, tenant.id, &period, 100)
        .await
        .unwrap();
    let told = ask("sources").await;
    assert_eq!(told["direct"], inside.direct);
    assert_eq!(
        told["arrived"].as_array().unwrap().len(),
        inside.arrived.len()
    );

    let inside = query::errors::errors(database, tenant.id, &period)
        .await
        .unwrap();
    let told = ask("errors").await;
    assert_eq!(told["groups"].as_array().unwrap().len(), inside.len());
    assert_eq!(told["groups"][0]["n"], inside[0].n);
    let group = told["groups"][0]["group"].as_str().unwrap().to_owned();
    let told = ask(&format!("errors/{group}")).await;
    assert_eq!(told["group"]["n"], inside[0].n);
    assert!(!told["examples"].as_array().unwrap().is_empty());

    let inside = query::latency::latency(database, tenant.id, &period)
        .await
        .unwrap();
    let told = ask("latency").await;
    assert_eq!(told["all"]["own"]["n"], inside.all.own.n);
    near(&told["all"]["telegram"]["p95"], inside.all.telegram.p95);
    assert_eq!(told["methods"][0]["method"], inside.methods[0].0);
    let polls = script
        .get(&format!("/v1/bots/{}/polls?hours=720", tenant.code))
        .await
        .json();
    assert_eq!(polls["rivals"]["kind"], "none");
}

#[actix_rt::test]
async fn a_file_is_the_topic_byte_for_byte() {
    let subject = Subject::new().await;
    let script = Script::new(&subject).await;
    // Several bots, so that some share a partition.
    let mut bots = Vec::new();
    for name in ["a", "b", "c", "d", "e"] {
        let tenant = bot(&subject, name).await;
        bots.push((tenant.code, traffic(tenant.id, 150)));
    }
    for (_, traffic) in &bots {
        write(&subject, traffic).await;
    }
    count(&subject).await;
    for (code, traffic) in &bots {
        for (topic, name) in [(&EVENTS, "events"), (&ERRORS, "errors")] {
            let records = written(traffic, topic);
            let got = script
                .get(&format!("/v1/bots/{code}/export?topic={name}"))
                .await;
            assert_eq!(got.status, 200);
            assert_eq!(
                String::from_utf8(got.body).unwrap(),
                records.join("\n") + "\n"
            );
            let disposition = got.headers.get("content-disposition").unwrap();
            assert!(
                disposition
                    .to_str()
                    .unwrap()
                    .ends_with(&format!("{name}.jsonl\""))
            );
            let got = script
                .get(&format!("/v1/bots/{code}/export?topic={name}&format=csv"))
                .await;
            let mut table = csv::Reader::from_reader(&got.body[..]);
            let (id, place) = if name == "events" {
                ("event_id", 1)
            } else {
                ("error_id", 1)
            };
            assert_eq!(table.headers().unwrap().get(place), Some(id));
            let ids: Vec<String> = table
                .records()
                .map(|row| row.unwrap()[place].to_owned())
                .collect();
            let wanted = records.iter().map(|record| {
                let record: Value = serde_json::from_str(record).unwrap();
                record[id].as_str().unwrap().to_owned()
            });
            assert_eq!(ids, wanted.collect::<Vec<_>>());
        }
    }
    // Dates are the bot's, from the first to the last with itself; times end before themselves.
    let (code, traffic) = &bots[0];
    let at = |day: i64| crate::conformance::stream::moment((BEGIN + day * DAY) * 1_000_000);
    for (words, from, to) in [
        ("from=2026-03-22&to=2026-03-23", at(2), at(4)),
        (
            "from=2026-03-22T00:00:00Z&to=2026-03-23T00:00:00Z",
            at(2),
            at(3),
        ),
        ("to=2026-03-21", at(0), at(2)),
    ] {
        let got = script.get(&format!("/v1/bots/{code}/export?{words}")).await;
        let wanted: Vec<String> = traffic
            .events
            .iter()
            .filter(|event| from <= event.at && event.at < to)
            .map(|event| String::from_utf8(event.payload().unwrap().to_vec()).unwrap() + "\n")
            .collect();
        assert!(!wanted.is_empty());
        assert_eq!(
            String::from_utf8(got.body).unwrap(),
            wanted.concat(),
            "{words}"
        );
    }
}

#[actix_rt::test]
async fn pages_of_events_have_each_once_while_others_come() {
    let subject = Subject::new().await;
    let script = Script::new(&subject).await;
    let (tenant, other) = (bot(&subject, "one").await, bot(&subject, "other").await);
    let mut all = traffic(tenant.id, 90);
    let rest = all.events.split_off(40);
    let mut later = rest.chunks(10);
    write(&subject, &all).await;
    write(&subject, &traffic(other.id, 30)).await;
    count(&subject).await;
    let path = format!("/v1/bots/{}/events?limit=7", tenant.code);
    let (mut seen, mut next) = (Vec::new(), path.clone());
    loop {
        let page = script.get(&next).await.json();
        let records = page["records"].as_array().unwrap();
        assert!(records.len() <= 7);
        seen.extend(
            records
                .iter()
                .map(|record| record["event_id"].as_str().unwrap().to_owned()),
        );
        assert_eq!(page["gone"], 0);
        next = format!("{path}&cursor={}", page["next"].as_str().unwrap());
        if page["more"] == true {
            continue;
        }
        let Some(events) = later.next() else { break };
        let more = crate::conformance::stream::Traffic {
            tenant: tenant.id,
            events: events.to_vec(),
            failures: Vec::new(),
        };
        all.events.extend(more.events.clone());
        write(&subject, &more).await;
        count(&subject).await;
    }
    let wanted: Vec<String> = all
        .events
        .iter()
        .map(|event| event.event_id.clone())
        .collect();
    assert_eq!(wanted.len(), 90);
    assert_eq!(seen, wanted);
    // From a time on.
    let from = all.events[80].at;
    let page = script
        .get(&format!("/v1/bots/{}/events?from={from}", tenant.code))
        .await
        .json();
    let ids = page["records"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["event_id"].as_str().unwrap());
    assert!(
        ids.collect::<Vec<_>>()
            .contains(&all.events[80].event_id.as_str())
    );
}

#[actix_rt::test]
async fn a_watcher_gets_what_is_written_and_goes_on_where_it_left() {
    let subject = Subject::new().await;
    let script = Script::new(&subject).await;
    let (tenant, other) = (bot(&subject, "one").await, bot(&subject, "other").await);
    // So few may have no error among them.
    let mut some = std::iter::repeat_with(|| traffic(tenant.id, 40));
    let traffic_of = some.find(|it| !it.failures.is_empty()).unwrap();
    let path = format!("/v1/bots/{}/live", tenant.code);
    write(&subject, &traffic(other.id, 10)).await;
    let mut one = script.watch(&path, &[]).await;
    let mut two = script.watch(&path, &[]).await;
    one.until("event: open\ndata: {}\n\n").await;
    two.until("event: open\ndata: {}\n\n").await;
    assert_eq!(subject.site.desk.hub.tails().await, 1);
    let mut last = String::new();
    for event in &traffic_of.events[..10] {
        subject
            .site
            .bus
            .produce(Message::of(event).unwrap())
            .await
            .unwrap();
        let wanted = String::from_utf8(event.payload().unwrap().to_vec()).unwrap();
        let wanted = format!("event: event\ndata: {wanted}\n\n");
        last = one.until(&wanted).await;
        two.until(&wanted).await;
    }
    let failure = &traffic_of.failures[0];
    subject
        .site
        .bus
        .produce(Message::of(failure).unwrap())
        .await
        .unwrap();
    one.until("event: error\n").await;
    // One leaves, misses some, and comes back with the id of the last event that it had.
    let id = last
        .split("id: ")
        .nth(1)
        .unwrap()
        .split('\n')
        .next()
        .unwrap()
        .to_owned();
    drop(one);
    for event in &traffic_of.events[10..20] {
        subject
            .site
            .bus
            .produce(Message::of(event).unwrap())
            .await
            .unwrap();
    }
    let mut one = script.watch(&path, &[("last-event-id", &id)]).await;
    let last_id = &traffic_of.events[19].event_id;
    let mut text = one.until(&format!("\"{last_id}\"")).await;
    // What comes after it has caught up comes once, too.
    for event in &traffic_of.events[20..] {
        subject
            .site
            .bus
            .produce(Message::of(event).unwrap())
            .await
            .unwrap();
    }
    let last_id = &traffic_of.events[39].event_id;
    text += &one.until(&format!("\"{last_id}\"")).await;
    for event in &traffic_of.events[10..] {
        let id = format!("\"event_id\":\"{}\"", event.event_id);
        assert_eq!(text.matches(&id).count(), 1, "{id}");
    }
    assert_eq!(text.matches("event: error\n").count(), 1);
    assert!(!text.contains(other.id.as_str()));
    drop((one, two));
    let ended = async {
        while subject.site.desk.hub.tails().await > 0 {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(30), ended).await.unwrap();
}

#[actix_rt::test]
async fn a_watcher_that_does_not_read_is_let_go_with_a_count() {
    let subject = Subject::new().await;
    let script = Script::new(&subject).await;
    let tenant = bot(&subject, "one").await;
    let path = format!("/v1/bots/{}/live", tenant.code);
    let (mut slow, mut quick) = (
        script.watch(&path, &[]).await,
        script.watch(&path, &[]).await,
    );
    slow.until("event: open").await;
    let traffic = traffic(tenant.id, 1_300);
    for event in &traffic.events {
        subject
            .site
            .bus
            .produce(Message::of(event).unwrap())
            .await
            .unwrap();
        quick.until(&format!("\"{}\"", event.event_id)).await;
    }
    let text = slow.until("event: behind").await;
    assert!(text.contains("data: {\"missed\":276}"), "{text}");
    assert!(slow.ends().await);
}
