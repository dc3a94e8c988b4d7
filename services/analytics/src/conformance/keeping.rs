//! What the store promises, apart from the numbers' truth: exactly once, bounded, and the same on both engines.
//!
//! In: random traffic and made-up labels, added as batches of partitions. Out: a panic where a promise is broken. Invariant:
//! each row counts bots of its own.

use gramtap_bus::TopicPartition;
use gramtap_database::Statement;
use gramtap_events::event::{Event, Name};
use gramtap_events::failure::Class;
use gramtap_events::topics;

use super::stream::{BEGIN, DAYS, Dice, Traffic, blank, failed, seed, tenant, traffic};
use super::{Subject, add, batch, dump, fold, same};
use crate::fold::sketch::KEPT;
use crate::query::{Period, actions, errors, overview};
use crate::store::retention::Keep;
use crate::store::{self, Applied, Limits, Store};
use crate::zone::{DAY, Zone};

const EVENTS: TopicPartition = TopicPartition {
    topic: &topics::EVENTS,
    partition: 0,
};

pub async fn every_statement_fits_the_schema(subject: &Subject) {
    let keys = crate::serve::keys::kept::STATEMENTS;
    for statement in store::statements()
        .chain(crate::query::statements())
        .chain(keys)
    {
        let checked = subject.database.check(statement).await;
        assert!(checked.is_ok(), "{}: {checked:?}", statement.name);
    }
}

pub async fn parts_of_a_batch_are_the_whole(subject: &Subject) {
    let (store, seed) = (subject.store(), seed());
    println!("seed {seed}");
    let whole = traffic(seed, 800);
    add(&store, &whole, &[usize::MAX]).await;
    let truth = dump(&subject.database, whole.tenant).await;
    assert!(truth.len() > 500, "{}", truth.len());
    for (place, sizes) in [&[1][..], &[13, 1, 90], &[400]].into_iter().enumerate() {
        let mut parts = whole.clone();
        parts.tenant = tenant(&mut Dice(seed ^ (place as u64 + 1)));
        parts
            .events
            .iter_mut()
            .for_each(|event| event.tenant = parts.tenant);
        parts
            .failures
            .iter_mut()
            .for_each(|it| it.tenant = parts.tenant);
        add(&store, &parts, sizes).await;
        same(&dump(&subject.database, parts.tenant).await, &truth);
    }
}

pub async fn a_second_owner_changes_nothing(subject: &Subject) {
    let store = subject.store();
    let traffic = traffic(seed(), 200);
    let zones = store.zones().await.unwrap();
    let folded = fold(&traffic, &zones);
    let first = batch(&store, EVENTS, folded.clone()).await;
    let second = first.clone();
    let other = TopicPartition {
        partition: 1,
        ..EVENTS
    };
    store.position(other).await.unwrap();
    assert_eq!(
        store.apply(vec![first], &zones).await.unwrap(),
        Applied::Kept { lost: Vec::new() }
    );
    let truth = dump(&subject.database, traffic.tenant).await;
    // What came from another partition in the same transaction is kept all the same.
    let more = super::stream::traffic(seed() ^ 1, 100);
    let more_folded = fold(&more, &zones);
    let beside = batch(&store, other, more_folded).await;
    let applied = store.apply(vec![second, beside], &zones).await.unwrap();
    assert_eq!(applied, Applied::Kept { lost: vec![EVENTS] });
    same(&dump(&subject.database, traffic.tenant).await, &truth);
    assert!(!dump(&subject.database, more.tenant).await.is_empty());
    assert_eq!(store.position(EVENTS).await.unwrap(), folded.records as i64);
}

pub async fn a_batch_folded_with_an_old_zone_is_refused(subject: &Subject) {
    let store = subject.store();
    let traffic = traffic(seed(), 100);
    let zones = store.zones().await.unwrap();
    let old = batch(&store, EVENTS, fold(&traffic, &zones)).await;
    store.set_zone(traffic.tenant, "Asia/Tehran").await.unwrap();
    assert_eq!(
        store.apply(vec![old], &zones).await.unwrap(),
        Applied::Rezoned
    );
    assert!(dump(&subject.database, traffic.tenant).await.is_empty());
    assert_eq!(store.position(EVENTS).await.unwrap(), 0);
}

/// One event a minute from the second day on.
fn events(seed: u64, count: i64, fill: impl Fn(i64, &mut Event, &mut Traffic)) -> Traffic {
    let tenant = tenant(&mut Dice(seed));
    let mut traffic = Traffic {
        tenant,
        events: Vec::new(),
        failures: Vec::new(),
    };
    for place in 0..count {
        let mut event = blank(tenant, place, (BEGIN + place * 60) * 1_000_000);
        event.event = Name::MessageReceived;
        event.direction = gramtap_events::event::Direction::In;
        fill(place, &mut event, &mut traffic);
        traffic.events.push(event);
    }
    traffic
}

pub async fn labels_are_bounded_and_nothing_is_left_out(subject: &Subject) {
    let store = Store::new(subject.database.clone(), Limits { labels: 5 });
    let made_up = events(seed(), 60, |place, event, traffic| {
        // The first five of the day come back at its end.
        event.command = Some(format!("/made-up-{}", place % 55));
        event.callback_data = Some("same".to_owned());
        if place % 2 == 0 {
            let mut call = event.clone();
            call.method = Some(format!("method{}", "x".repeat(place as usize)));
            failed(&mut call, 400, Class::Bug, "unknown", &mut traffic.failures);
        }
    });
    add(&store, &made_up, &[7]).await;
    let period = Period {
        zone: Zone::UTC,
        first: BEGIN / DAY,
        days: 1,
    };
    let told = actions::actions(&subject.database, made_up.tenant, &period, 100)
        .await
        .unwrap();
    let commands: Vec<(&str, i64)> = told
        .commands
        .top
        .iter()
        .map(|it| (it.label.as_str(), it.n))
        .collect();
    let expected: Vec<(String, i64)> = (0..5)
        .map(|place| (format!("/made-up-{place}"), 2))
        .collect();
    assert_eq!(
        commands,
        expected
            .iter()
            .map(|(label, n)| (label.as_str(), *n))
            .collect::<Vec<_>>()
    );
    assert_eq!(told.commands.other, 50);
    assert_eq!((told.callbacks.top[0].n, told.callbacks.other), (60, 0));
    let groups = errors::errors(&subject.database, made_up.tenant, &period)
        .await
        .unwrap();
    assert_eq!(groups.len(), 6);
    assert_eq!(groups[0].group, "");
    assert_eq!((groups[0].n, groups[0].template.as_str()), (25, ""));
    assert_eq!(groups.iter().map(|group| group.n).sum::<i64>(), 30);
}

pub async fn errors_keep_few_examples_and_many_hits(subject: &Subject) {
    let store = subject.store();
    let many = events(seed(), 900, |place, event, traffic| {
        event.chat_id = Some(place % 700 + 1);
        event.method = Some("sendMessage".to_owned());
        let mut call = event.clone();
        failed(&mut call, 400, Class::Bug, "unknown", &mut traffic.failures);
    });
    add(&store, &many, &[50]).await;
    let period = Period {
        zone: Zone::UTC,
        first: BEGIN / DAY,
        days: 1,
    };
    let group = &many.failures[0].group;
    let detail = errors::error(&subject.database, many.tenant, group, &period)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(detail.group.n, 900);
    assert_eq!(detail.examples.len(), 5);
    assert!(
        detail.chats.estimate && (detail.chats.n - 700).abs() < 210,
        "{:?}",
        detail.chats
    );
    const KEPT_HITS: Statement = Statement::new(
        "n",
        "SELECT COUNT(*) AS n FROM error_hits WHERE tenant = $1 AND who = 'chat'",
    );
    let row = subject
        .database
        .first(&KEPT_HITS, &[many.tenant.as_str().into()])
        .await
        .unwrap()
        .unwrap();
    assert_eq!(row.get::<i64>("n").unwrap(), KEPT as i64);
}

pub async fn old_rows_are_deleted_in_bounded_steps(subject: &Subject) {
    let store = subject.store();
    let traffic = traffic(seed(), 500);
    add(&store, &traffic, &[100]).await;
    let keep = Keep {
        sums: 3,
        latency: 3,
        pollers: 3,
        errors: 3,
        users: 3,
        audience: 3,
        deliveries: 3,
        audit: 3,
        marks: 3,
    };
    let now = BEGIN + DAYS * DAY;
    let before = dump(&subject.database, traffic.tenant).await.len() as u64;
    let mut steps = 0;
    while store.sweep(&keep, now, 10).await.unwrap() > 0 {
        steps += 1;
    }
    assert!(steps > 10, "{steps}");
    let after = dump(&subject.database, traffic.tenant).await.len() as u64;
    assert!(after > 0 && after < before / 2, "{after} of {before}");
    let period = Period::last(Zone::UTC, now - 1, 14);
    let told = overview::overview(&subject.database, traffic.tenant, &period)
        .await
        .unwrap();
    for (place, day) in told.days.iter().enumerate() {
        assert_eq!(
            day.figures.traffic.updates > 0,
            place >= 11,
            "{place} {day:?}"
        );
        assert_eq!(
            day.figures.people.active > 0,
            place >= 11,
            "{place} {day:?}"
        );
    }
    const OLD: [Statement; 9] = [
        Statement::new(
            "old",
            "SELECT COUNT(*) AS n FROM sum_labels WHERE hour < $1 * 86400",
        ),
        Statement::new(
            "old",
            "SELECT COUNT(*) AS n FROM sum_calls WHERE hour < $1 * 86400",
        ),
        Statement::new(
            "old",
            "SELECT COUNT(*) AS n FROM sum_latency WHERE hour < $1 * 86400",
        ),
        Statement::new(
            "old",
            "SELECT COUNT(*) AS n FROM sum_pollers WHERE hour < $1 * 86400",
        ),
        Statement::new(
            "old",
            "SELECT COUNT(*) AS n FROM sum_errors WHERE hour < $1 * 86400",
        ),
        Statement::new("old", "SELECT COUNT(*) AS n FROM day_labels WHERE day < $1"),
        Statement::new("old", "SELECT COUNT(*) AS n FROM error_hits WHERE day < $1"),
        Statement::new(
            "old",
            "SELECT COUNT(*) AS n FROM bot_user_days WHERE day < $1",
        ),
        Statement::new(
            "old",
            "SELECT COUNT(*) AS n FROM bot_users WHERE last_day < $1",
        ),
    ];
    for statement in &OLD {
        let values = [(now / DAY - 3).into()];
        let row = subject
            .database
            .first(statement, &values)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(row.get::<i64>("n").unwrap(), 0, "{}", statement.sql);
    }
    assert_eq!(store.sweep(&Keep::default(), now, 10).await.unwrap(), 0);
}
