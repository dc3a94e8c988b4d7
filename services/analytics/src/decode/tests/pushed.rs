//! Updates that were pushed: relayed, and kept first. Both are told alike.

use gramtap_events::inbox::{Inbox, Replay};
use gramtap_events::tenant::Privacy;
use gramtap_events::{Moment, RecordId, TenantId};
use gramtap_privacy::{Mask, Push};
use gramtap_telegram::queue::Head;
use gramtap_telegram::{BotId, Queue, UpdateKind};
use gramtap_tenants::{Keys, NewTenant, Part, Place, Tenant};

use super::*;
use crate::consume::tests::{keys, source};

const MODES: [Privacy; 4] = [
    Privacy::Off,
    Privacy::Metadata,
    Privacy::Pseudonymous,
    Privacy::Full,
];

fn moment() -> Moment {
    serde_json::from_value(json!(AT)).unwrap()
}

/// A push as ingress keeps it.
fn kept(keys: &Keys, tenant: TenantId, record: &RecordId, at: Moment, body: &[u8]) -> Inbox {
    let head = Head::read(body).unwrap_or(Head {
        update_id: None,
        kind: UpdateKind::named(""),
        queue: Queue::OTHER,
    });
    let place = Place {
        tenant,
        record,
        update_id: head.update_id,
    };
    Inbox {
        v: 1,
        record: record.clone(),
        tenant,
        at,
        update_id: head.update_id,
        kind: head.kind.name(),
        queue: head.queue,
        headers: keys.seal_update(place, Part::Headers, b"[]").unwrap(),
        body: keys.seal_update(place, Part::Body, body).unwrap(),
        replay: None,
    }
}

fn made(topic: &'static Topic, record: &impl serde::Serialize, bots: &Bots) -> (Outcome, Yield) {
    let mut into = Yield::default();
    let record = serde_json::to_value(record).unwrap();
    let outcome = Decoder::default().decode(&delivery(topic, &record), bots, &mut into);
    (outcome, into)
}

fn bodies() -> Vec<Vec<u8>> {
    let corpus = include_str!("../../../../../shared/events/golden/updates.jsonl");
    let row = |line: &str| serde_json::from_str::<Value>(line).unwrap()["full"].to_string();
    let mut bodies: Vec<Vec<u8>> = corpus.lines().map(|line| row(line).into_bytes()).collect();
    for odd in [
        &br#"{"update_id":5,"message":{"te"#[..],
        b"[]",
        b"\xff",
        br#"{"update_id":6}"#,
        br#"{"message":{"message_id":1},"update_id":7}"#,
        br#"{"update_id":8,"hologram":{"id":1}}"#,
    ] {
        bodies.push(odd.to_vec());
    }
    bodies
}

/// A bot of each mode, as the registry has it.
async fn tenants() -> Vec<Tenant> {
    let folder = tempfile::tempdir().unwrap();
    let registry = source(folder.path()).registry;
    let mut tenants = Vec::new();
    for (number, privacy) in (1..).zip(MODES) {
        let new = NewTenant {
            bot: Some(BotId(number)),
            privacy: Some(privacy),
            ..NewTenant::default()
        };
        tenants.push(registry.add(&new).await.unwrap());
    }
    tenants
}

#[tokio::test]
async fn relayed_and_kept_the_same_push_is_told_byte_for_byte_alike() {
    let (keys, at) = (keys(), moment());
    let mint = gramtap_events::Mint::new("ingress-0", 1_767_225_600_000);
    let mut told = 0;
    for tenant in tenants().await {
        let mut bots = Bots::new(keys.clone());
        bots.learn(&tenant);
        for body in bodies() {
            let record = mint.mint();
            let pseudonyms = keys.pseudonym_key(tenant.id);
            let mask = Mask::new(tenant.privacy, pseudonyms);
            let push = Push {
                record: record.clone(),
                tenant: tenant.id,
                bot: tenant.bot,
                at,
            };
            let relayed = made(
                &topics::UPDATES,
                &mask.pushed(push, &body),
                &Bots::default(),
            );
            let kept = kept(&keys, tenant.id, &record, at, &body);
            let kept = made(&topics::INBOX, &kept, &bots);
            assert_eq!((relayed.0, kept.0), (Outcome::Event, Outcome::Event));
            let text = |made: &Yield| serde_json::to_string(&made.events).unwrap();
            assert_eq!(text(&relayed.1), text(&kept.1), "{:?}", tenant.privacy);
            assert!(kept.1.errors.is_empty());
            assert_eq!(kept.1.events[0].bot, tenant.bot);
            told += 1;
        }
    }
    assert!(told > 4 * gramtap_telegram::update::KNOWN.len());
}

#[tokio::test]
async fn an_update_is_told_once_whatever_way_it_came() {
    let keys = keys();
    let tenant = tenants().await.remove(3);
    let mut bots = Bots::new(keys.clone());
    bots.learn(&tenant);
    let mint = gramtap_events::Mint::new("ingress-0", 1);
    let at: Moment = moment();
    let inbox = |body: &[u8]| kept(&keys, tenant.id, &mint.mint(), at, body);
    let body = br#"{"update_id":9,"message":{"message_id":1}}"#;
    let mut replay = inbox(br#"{"update_id":10,"message":{"message_id":1}}"#);
    replay.replay = Some(Replay { at, to: None });
    // It was changed on the way: what the record says outside is told, and it is known from then on.
    let mut damaged = inbox(br#"{"update_id":11,"callback_query":{"id":"1"}}"#);
    damaged.body.text[0] ^= 1;
    let mut relayed = update(
        Some("message"),
        json!({"update_id": 11, "message": {"message_id": 1}}),
    );
    relayed["tenant"] = json!(tenant.id);
    let json = |inbox: &Inbox| serde_json::to_value(inbox).unwrap();
    let numberless = json(&inbox(b"{}"));
    let rows = [
        (&topics::INBOX, json(&inbox(body)), Outcome::Event),
        // Telegram pushed it twice.
        (&topics::INBOX, json(&inbox(body)), Outcome::Repeat),
        (&topics::INBOX, json(&replay), Outcome::Replay),
        (&topics::INBOX, json(&damaged), Outcome::Unopened),
        (&topics::INBOX, json(&damaged), Outcome::Repeat),
        (&topics::UPDATES, relayed, Outcome::Repeat),
        (&topics::INBOX, numberless.clone(), Outcome::Event),
        (&topics::INBOX, numberless, Outcome::Repeat),
        (&topics::INBOX, json(&inbox(b"{}")), Outcome::Event),
    ];
    let (mut decoder, mut into) = (Decoder::default(), Yield::default());
    for (turn, (topic, record, expected)) in rows.into_iter().enumerate() {
        let outcome = decoder.decode(&delivery(topic, &record), &bots, &mut into);
        assert_eq!(outcome, expected, "{turn}");
        let mut restored = Decoder::default();
        restored.restore(decoder.kept(tenant.id).unwrap());
        decoder = restored;
    }
    let error = &into.errors[0];
    let unopened = &into.events[1];
    assert_eq!(into.errors.len(), 1);
    assert_eq!(error.advice, "update_unopenable");
    assert_eq!(error.error_id, unopened.event_id);
    assert_eq!(unopened.event_id, format!("u:{}:11", tenant.id));
    assert_eq!(unopened.update_type.as_deref(), Some("callback_query"));
    assert_eq!(unopened.props["label"], "damaged");
}

#[tokio::test]
async fn of_a_bot_that_is_not_known_nothing_is_told_and_of_a_removed_one_no_update() {
    let keys = keys();
    let mut tenant = tenants().await.remove(3);
    let record = gramtap_events::Mint::new("ingress-0", 1).mint();
    let at: Moment = moment();
    let body = br#"{"update_id":9,"message":{"message_id":8128496,"text":"AAcanary"}}"#;
    let inbox = kept(&keys, tenant.id, &record, at, body);
    let (outcome, into) = made(&topics::INBOX, &inbox, &Bots::new(keys.clone()));
    assert_eq!(outcome, Outcome::Event);
    let text = serde_json::to_string(&into.events).unwrap();
    assert!(
        !text.contains("AAcanary") && !text.contains("8128496"),
        "{text}"
    );

    let mut bots = Bots::new(keys);
    tenant.deleted_at = Some(at);
    bots.learn(&tenant);
    assert_eq!(made(&topics::INBOX, &inbox, &bots).0, Outcome::Removed);
}
