//! Deliveries, dead letters and their replays, and the webhook in the settings.
//!
//! In: records in the log, as forwarders write them; forms, and requests of scripts. Out: a failure where a page or an answer tells anything else, or where what went
//! into the log again is not what was asked for. Invariant: nothing that begins with AAcanary is in a page, an answer or the log.

mod scripts;
mod webhook;

use actix_web::http::StatusCode;
use gramtap_bus::{Event, Isolation, Message, Offset, TopicPartition};
use gramtap_events::inbox::{Dead, Inbox, Tried};
use gramtap_events::tenant::Privacy;
use gramtap_events::topics::{DELIVERIES, INBOX, INBOX_DEAD};
use gramtap_events::{Mint, Moment, Record};
use gramtap_telegram::{BotId, Queue};
use gramtap_tenants::{FailedAttempt, NewTenant, Part, Place, StandingRow, Tenant};
use serde_json::{Value, json};

use super::canary::Log;
use super::subject::Subject;
use crate::fold::{self, Folded, Zones};
use crate::replay;
use crate::store::Batch;

const BODY: &str = r#"{"update_id":77,"message":{"message_id":5,"from":{"id":42,"is_bot":false,"first_name":"AAcanary-name"},"chat":{"id":42,"type":"private"},"date":1,"text":"AAcanary-text"}}"#;

async fn bot(subject: &Subject, privacy: Privacy) -> Tenant {
    let new = NewTenant {
        bot: Some(BotId(7)),
        privacy: Some(privacy),
        ..NewTenant::default()
    };
    subject.site.registry.add(&new).await.unwrap()
}

/// Letters as a forwarder writes them, in the log and in the index.
async fn dead(subject: &Subject, tenant: &Tenant, causes: &[&'static str]) -> Vec<Dead> {
    let mint = Mint::new("ingress-0", 1);
    let mut letters = Vec::new();
    let mut folded = Folded::default();
    let mut last = None;
    for (number, cause) in (77..).zip(causes) {
        let record = mint.mint();
        let place = Place {
            tenant: tenant.id,
            record: &record,
            update_id: Some(number),
        };
        let seal = |part, bytes: &[u8]| subject.site.keys.seal_update(place, part, bytes).unwrap();
        let (headers, body) = (
            seal(Part::Headers, b"[]"),
            seal(Part::Body, BODY.as_bytes()),
        );
        let letter = Dead {
            inbox: Inbox {
                v: 1,
                record: record.clone(),
                tenant: tenant.id,
                at: Moment::now(),
                update_id: Some(number),
                kind: "message".into(),
                queue: Queue::OTHER,
                headers,
                body,
                replay: None,
            },
            cause: (*cause).into(),
            tried: Tried {
                attempts: 2,
                first_at: Some(Moment::now()),
                last_at: None,
            },
        };
        let message = Message::of(&letter).unwrap();
        let position = subject.site.bus.produce(message).await.unwrap();
        let place = fold::Place {
            partition: position.partition,
            offset: position.offset.unwrap(),
            timestamp: Moment::now().time().unix_timestamp() * 1_000,
        };
        let payload = letter.payload().unwrap();
        folded.add_at(&INBOX_DEAD, place, &payload, &Zones::default());
        last = Some(position);
        letters.push(letter);
    }
    let position = last.unwrap();
    let partition = TopicPartition {
        topic: &INBOX_DEAD,
        partition: position.partition,
    };
    apply(subject, partition, position.offset.unwrap() + 1, folded).await;
    letters
}

async fn apply(subject: &Subject, partition: TopicPartition, next: i64, folded: Folded) {
    let store = &subject.site.store;
    let batch = Batch {
        partition,
        expected: store.position(partition).await.unwrap(),
        next,
        marks: Default::default(),
        folded,
    };
    store.apply(vec![batch], &Zones::default()).await.unwrap();
}

/// Attempts of one update: one that failed and is followed by another, and one that delivered.
async fn attempts(subject: &Subject, tenant: &Tenant, inbox_record: &str) {
    let now = Moment::now();
    let attempt = |record: &str, changes: Value| {
        let mut attempt = json!({
            "v": 1, "record": record, "tenant": tenant.id, "bot": 7, "at": now, "received_at": now, "inbox_record": inbox_record,
            "update_id": 77, "type": "message", "queue": "chat:424242", "attempt": 1, "endpoint": "https://bot.example.com", "status": 502,
            "label": "endpoint_fails", "verdict": "retry", "next_at": now, "took_us": 5000, "reply_method": null,
        });
        let Value::Object(changes) = changes else {
            unreachable!("an object")
        };
        attempt.as_object_mut().unwrap().extend(changes);
        serde_json::to_vec(&attempt).unwrap()
    };
    let mut folded = Folded::default();
    for payload in [
        attempt("f-1-0", json!({})),
        attempt(
            "f-1-1",
            json!({"inbox_record": "other", "verdict": "delivered", "status": 200, "label": null, "next_at": null}),
        ),
    ] {
        folded.add(&DELIVERIES, &payload, &Zones::default());
    }
    assert_eq!(folded.unread, 0);
    let partition = TopicPartition {
        topic: &DELIVERIES,
        partition: 0,
    };
    apply(subject, partition, 2, folded).await;
}

/// What the forwarder has written of the webhook.
async fn stands(subject: &Subject, tenant: &Tenant) {
    let at = Moment::now();
    let row = StandingRow {
        tenant: tenant.id,
        partition: 0,
        waiting: 1_234,
        failed: Some(FailedAttempt {
            at,
            label: "endpoint_fails".to_owned(),
            message: "Wrong response from the webhook: 500 <Oops>".to_owned(),
        }),
    };
    let registry = &subject.site.registry;
    registry.write_standing(at, &[row]).await.unwrap();
}

/// What went into the inbox again.
async fn replays(subject: &Subject, count: usize) -> Vec<Inbox> {
    let bus = &subject.site.bus;
    let partitions = 0..bus.partitions(&INBOX).await.unwrap();
    let from = partitions.map(|partition| {
        let topic = &INBOX;
        (TopicPartition { topic, partition }, Offset::Beginning)
    });
    let reader = bus
        .assign(from.collect(), Isolation::Committed)
        .await
        .unwrap();
    let mut read = Vec::new();
    while read.len() < count {
        if let Some(Ok(Event::Record(record))) = reader.next().await {
            read.push(serde_json::from_slice(&record.payload.unwrap()).unwrap());
        }
    }
    read
}

async fn do_replays(subject: &Subject) -> usize {
    let site = &subject.site;
    replay::once(&site.bus, subject.database(), &site.keys)
        .await
        .unwrap()
}

#[actix_rt::test]
async fn a_bot_without_a_webhook_is_told_what_to_do_and_one_with_attempts_shows_them() {
    let subject = Subject::new().await;
    let tenant = bot(&subject, Privacy::Metadata).await;
    let mut owner = subject.owner().await;
    let path = format!("/bots/{}/deliveries", tenant.code);
    let seen = owner.get(&path).await;
    assert_eq!(seen.status, StatusCode::OK);
    for said in [
        "This bot has no webhook here",
        r#"data-number="standing.n" value="0""#,
    ] {
        assert!(seen.body.contains(said), "{said}: {}", seen.body);
    }
    attempts(&subject, &tenant, "i-1-7").await;
    stands(&subject, &tenant).await;
    let seen = owner.get(&path).await;
    for said in [
        r#"data-number="total.attempts" value="2""#,
        r#"data-number="total.delivered" value="1""#,
        r#"data-number="total.retries" value="1""#,
        r#"data-number="waiting.n" value="1""#,
        r#"data-number="standing.n" value="1234""#,
        "500 &#60;Oops&#62;",
        "The webhook fails",
        r#"data-record="f-1-0""#,
        "https://bot.example.com",
    ] {
        assert!(seen.body.contains(said), "{said}: {}", seen.body);
    }
    assert!(!seen.body.contains("424242"), "a queue tells whose it is");
}

#[actix_rt::test]
async fn a_letter_is_opened_by_the_owner_alone_as_the_mode_lets_it_and_noted() {
    for (privacy, text, id) in [
        (Privacy::Full, true, true),
        (Privacy::Metadata, false, true),
        (Privacy::Pseudonymous, false, false),
        (Privacy::Off, false, false),
    ] {
        let subject = Subject::new().await;
        let tenant = bot(&subject, privacy).await;
        let letter = dead(&subject, &tenant, &["endpoint_gone"]).await.remove(0);
        let mut owner = subject.owner().await;
        let path = format!(
            "/bots/{}/dead/{}",
            tenant.code,
            letter.inbox.record.as_str()
        );
        let seen = owner.get(&path).await;
        assert!(
            seen.body.contains("The webhook says that it is gone"),
            "{}",
            seen.body
        );
        assert!(!seen.body.contains("AAcanary") && !seen.body.contains("message_id"));
        let seen = owner.submit(&format!("{path}/open"), &[]).await;
        assert_eq!(seen.status, StatusCode::OK, "{}", seen.body);
        assert_eq!(
            seen.body.contains("AAcanary-text"),
            text,
            "{privacy:?}: {}",
            seen.body
        );
        assert_eq!(
            seen.body.contains("&quot;id&quot;: 42,") || seen.body.contains("&#34;id&#34;: 42,"),
            id,
            "{privacy:?}: {}",
            seen.body
        );
        assert!(seen.body.contains("77"));
        assert_eq!(
            audited(&subject).await,
            [format!("Ann open {}", letter.inbox.record.as_str())]
        );

        // Somebody who is signed in and is not the owner.
        const DEMOTE: gramtap_database::Statement =
            gramtap_database::Statement::new("demote", "UPDATE accounts SET owner = NULL");
        subject.database().execute(&DEMOTE, &[]).await.unwrap();
        let seen = owner.submit(&format!("{path}/open"), &[]).await;
        assert_eq!(seen.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(!seen.body.contains("AAcanary"));
        assert!(!owner.get(&path).await.body.contains("/open"));
        assert_eq!(audited(&subject).await.len(), 1);
    }
}

async fn audited(subject: &Subject) -> Vec<String> {
    const ALL: gramtap_database::Statement = gramtap_database::Statement::new(
        "audited",
        "SELECT who || ' ' || action || ' ' || subject AS t FROM audit_log ORDER BY id",
    );
    let rows = subject.database().fetch(&ALL, &[]).await.unwrap();
    rows.iter().map(|row| row.get("t").unwrap()).collect()
}

#[actix_rt::test]
async fn letters_go_into_the_inbox_again_one_or_all_that_fit() {
    let log = Log::watch();
    tracing::info!("replays are watched");
    let subject = Subject::new().await;
    let tenant = bot(&subject, Privacy::Metadata).await;
    let letters = dead(
        &subject,
        &tenant,
        &["expired", "endpoint_gone", "expired", "expired"],
    )
    .await;
    let mut owner = subject.owner().await;
    let list = format!("/bots/{}/dead", tenant.code);
    let seen = owner.get(&format!("{list}?cause=expired")).await;
    assert!(
        seen.body.contains(r#"data-number="letters.n" value="3""#),
        "{}",
        seen.body
    );

    // One, to another address.
    let one = letters[0].inbox.record.as_str();
    let path = format!("{list}/{one}/replay");
    for (refused, said) in [
        ("https://127.0.0.1/AAcanary-path", "loopback"),
        ("ftp://bot.example/AAcanary-path", "https://"),
        ("http://bot.example/AAcanary-path", "refused"),
        ("https://bot.example:22/AAcanary-path", "refused"),
    ] {
        let seen = owner.submit(&path, &[("to", refused)]).await;
        assert_eq!(seen.status, StatusCode::UNPROCESSABLE_ENTITY, "{refused}");
        assert!(
            seen.body.contains(said) && !seen.body.contains("AAcanary"),
            "{}",
            seen.body
        );
    }
    let to = "https://other.example/AAcanary-path?x=1";
    let seen = owner.submit(&path, &[("to", to)]).await;
    assert_eq!(seen.status, StatusCode::SEE_OTHER, "{}", seen.body);
    assert_eq!(do_replays(&subject).await, 1);
    let inbox = replays(&subject, 1).await.remove(0);
    let asked = inbox.replay.clone().unwrap();
    let keys = &subject.site.keys;
    let sealed = asked.to.unwrap();
    let opened = keys
        .open_update(Place::from(&inbox), Part::Address, &sealed)
        .unwrap();
    assert_eq!(opened, to.as_bytes());
    assert_eq!(
        Inbox {
            replay: None,
            ..inbox
        },
        letters[0].inbox
    );
    let seen = owner.get(&format!("{list}/{one}")).await;
    assert!(
        seen.body.contains("by Ann to https://other.example") && !seen.body.contains("AAcanary"),
        "{}",
        seen.body
    );
    let page = format!("/bots/{}/deliveries", tenant.code);
    let seen = owner.get(&page).await.body;
    assert!(seen.contains("value=\"3\">3</data>, 1 replayed<"), "{seen}");
    assert!(seen.contains("value=\"1\">1</data><"), "{seen}");

    // All that fit, but for the one that was.
    let fitting = [
        ("cause", "expired"),
        ("kind", ""),
        ("hours", ""),
        ("to", ""),
    ];
    let seen = owner.submit(&format!("{list}/replay"), &fitting).await;
    assert_eq!(
        seen.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "{}",
        seen.body
    );
    let sure = [&fitting[..], &[("sure", "yes")]].concat();
    let seen = owner.submit(&format!("{list}/replay"), &sure).await;
    assert_eq!(seen.status, StatusCode::SEE_OTHER, "{}", seen.body);
    assert!(seen.location().contains("asked=2"), "{}", seen.location());
    assert_eq!(do_replays(&subject).await, 2);
    assert_eq!(do_replays(&subject).await, 0, "each wish is made good once");
    let again = replays(&subject, 3).await;
    let records: Vec<&str> = again.iter().map(|it| it.record.as_str()).collect();
    let expected: Vec<&str> = [0, 2, 3]
        .map(|at: usize| letters[at].inbox.record.as_str())
        .to_vec();
    assert_eq!(records, expected);
    assert!(
        again[1..]
            .iter()
            .all(|it| it.replay.as_ref().is_some_and(|it| it.to.is_none()))
    );
    let seen = owner.get(&page).await.body;
    assert!(
        seen.contains("value=\"3\">3</data>, all replayed<"),
        "{seen}"
    );
    assert!(
        seen.contains("/dead?cause=expired&amp;replayed=yes\""),
        "{seen}"
    );
    assert_eq!(audited(&subject).await.len(), 2);
    log.assert_without("AAcanary-path", "replays are watched");
}

#[actix_rt::test]
async fn a_letter_that_is_gone_says_so() {
    let subject = Subject::new().await;
    let tenant = bot(&subject, Privacy::Metadata).await;
    let mut letters = dead(&subject, &tenant, &["expired"]).await;
    // The index names a place where another record stands, and one that is not there.
    let mut folded = Folded::default();
    let stranger = letters.remove(0);
    let mint = Mint::new("ingress-5", 1);
    let zones = Zones::default();
    for offset in [0, 1_000] {
        let mut letter = stranger.clone();
        letter.inbox.record = mint.mint();
        let place = fold::Place {
            partition: 0,
            offset,
            timestamp: 0,
        };
        folded.add_at(&INBOX_DEAD, place, &letter.payload().unwrap(), &zones);
    }
    let gone: Vec<String> = folded.bots[&tenant.id]
        .deliveries
        .letters
        .keys()
        .map(|it| it.to_string())
        .collect();
    let partition = TopicPartition {
        topic: &INBOX_DEAD,
        partition: 3,
    };
    apply(&subject, partition, 2, folded).await;
    let mut owner = subject.owner().await;
    for record in &gone {
        let path = format!("/bots/{}/dead/{record}", tenant.code);
        owner.submit(&format!("{path}/replay"), &[("to", "")]).await;
        let seen = owner.submit(&format!("{path}/open"), &[]).await;
        assert!(seen.body.contains("no longer kept"), "{}", seen.body);
    }
    assert_eq!(do_replays(&subject).await, 2);
    let path = format!("/bots/{}/dead/{}", tenant.code, gone[0]);
    assert!(owner.get(&path).await.body.contains("could not be: gone"));
}
