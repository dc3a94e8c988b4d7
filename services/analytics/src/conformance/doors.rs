//! Whether a bot has come, who was refused, and the console's own tables.
//!
//! In: events of calls, made up; Out: a panic where a promise is broken. Invariant: each row counts bots, or days, of its own.

use gramtap_bus::TopicPartition;
use gramtap_database::Statement;
use gramtap_events::event::{Direction, Event, Name};
use gramtap_events::{Record, TenantId, topics};

use super::stream::{Dice, blank, seed, tenant};
use super::{Subject, batch};
use crate::fold::Folded;
use crate::query::connection::{connection, last_hour};
use crate::query::refused::{of_bot, refused};
use crate::store::retention::Keep;
use crate::store::{Applied, Limits, Store};
use crate::zone::{DAY, HOUR};

const EVENTS: TopicPartition = TopicPartition {
    topic: &topics::EVENTS,
    partition: 3,
};
/// 2033-05-18; nobody else counts there.
const DAY_OF_ITS_OWN: i64 = 23_148;

const REGISTER: Statement = Statement::new(
    "register",
    "INSERT INTO tenants (id, code, privacy, version, created_at, gone)
     VALUES ($1, $1, 'off', $2, '2026-01-01T00:00:00.000000Z', FALSE)",
);
const FORGET: Statement = Statement::new("forget", "DELETE FROM tenants WHERE id = $1");

/// Adds events in batches of a size.
async fn add(store: &Store, events: &[Event], size: usize) {
    for part in events.chunks(size) {
        let zones = store.zones().await.unwrap();
        let mut folded = Folded::default();
        for event in part {
            folded.add(&topics::EVENTS, &event.payload().unwrap(), &zones);
        }
        assert_eq!(folded.unread, 0);
        let batch = batch(store, EVENTS, folded).await;
        let applied = store.apply(vec![batch], &zones).await.unwrap();
        assert_eq!(applied, Applied::Kept { lost: Vec::new() });
    }
}

fn event(tenant: TenantId, place: i64, second: i64, name: Name, addr: &str) -> Event {
    let mut event = blank(tenant, place, second * 1_000_000);
    event.event = name;
    event.direction = Direction::Out;
    event.method = Some("getMe".to_owned());
    event.ok = Some(true);
    event.took_ms = Some(41.5);
    event.props.insert("addr".to_owned(), addr.into());
    event.props.insert("agent".to_owned(), "aiohttp/3".into());
    event
}

pub async fn the_first_good_call_and_the_last_refused_one_are_kept(subject: &Subject) {
    let store = subject.store();
    let from = DAY_OF_ITS_OWN * DAY;
    for (place, size) in [1, 3, 100].into_iter().enumerate() {
        let bot = tenant(&mut Dice(seed() ^ (place as u64 + 11)));
        assert_eq!(
            connection(&subject.database, bot).await.unwrap(),
            Default::default()
        );
        assert_eq!(last_hour(&subject.database, bot).await.unwrap(), None);
        // Not in their order: two instances of ingress write to one partition.
        let mut events = Vec::new();
        for (place, second, addr) in [(0, 500, "late"), (1, 20, "first"), (2, 300, "middle")] {
            events.push(event(bot, place, from + second, Name::CallMade, addr));
        }
        let mut failed = event(bot, 3, from + 1, Name::CallMade, "failed");
        failed.ok = Some(false);
        events.push(failed);
        for (place, second, addr) in [(4, 2, "old"), (5, 9, "last"), (6, 5, "between")] {
            let mut refused = event(bot, place, from + second, Name::CallUnverified, addr);
            refused.ok = Some(false);
            refused.error_code = Some(401);
            events.push(refused);
        }
        add(&store, &events, size).await;
        let known = connection(&subject.database, bot).await.unwrap();
        let good = known.good.unwrap();
        assert_eq!(
            (good.at, good.addr.as_str()),
            ((from + 20) * 1_000_000, "first")
        );
        assert_eq!(
            (good.method.as_str(), good.agent.as_str(), good.took_us),
            ("getMe", "aiohttp/3", 41_500)
        );
        let refused = known.refused.unwrap();
        assert_eq!(
            (refused.at, refused.addr.as_str(), refused.code),
            ((from + 9) * 1_000_000, "last", Some(401))
        );
        let heard = last_hour(&subject.database, bot).await.unwrap();
        assert_eq!(heard, Some((from + 500) / HOUR * HOUR));
        // Kept for as long as the bot is.
        let values = [bot.as_str().into(), (place as i64 + 1_000).into()];
        subject.database.execute(&REGISTER, &values).await.unwrap();
        while store.sweep(&Keep::default(), from, 1_000).await.unwrap() > 0 {}
        assert!(
            connection(&subject.database, bot)
                .await
                .unwrap()
                .good
                .is_some()
        );
        let values = [bot.as_str().into()];
        subject.database.execute(&FORGET, &values).await.unwrap();
        while store.sweep(&Keep::default(), from, 1_000).await.unwrap() > 0 {}
        assert_eq!(
            connection(&subject.database, bot).await.unwrap(),
            Default::default()
        );
    }
}

pub async fn refused_requests_are_told_apart_and_bounded(subject: &Subject) {
    let store = Store::new(subject.database.clone(), Limits { labels: 4 });
    let from = DAY_OF_ITS_OWN * DAY;
    let stranger = |place: i64, second: i64, bot: i64, label: &str, addr: &str| {
        let mut event = event(
            TenantId::UNATTRIBUTED,
            place,
            from + second,
            Name::CallUnverified,
            addr,
        );
        event.bot = Some(gramtap_telegram::BotId(bot));
        event.ok = Some(false);
        event.props.insert("label".to_owned(), label.into());
        event
    };
    let mut events = vec![
        stranger(0, 100, 7, "bot_unknown", "a"),
        stranger(1, 40, 7, "bot_unknown", "a"),
        stranger(2, 200, 7, "bot_unknown", "b"),
        // What was relayed because the registry could not be asked, and what is none of the bots' business.
        stranger(3, 1, 7, "path_unknown", "a"),
        stranger(4, 1, 7, "", "a"),
    ];
    let mut mismatch = stranger(5, 300, 8, "bot_mismatch", "a");
    let code = "abcdefghijklmnopqrstuvwxyz";
    mismatch.props.insert("code".to_owned(), code.into());
    events.push(mismatch);
    for bot in 0..20 {
        events.push(stranger(
            6 + bot,
            400 + bot,
            100 + bot,
            "bot_unknown",
            "flood",
        ));
    }
    add(&store, &events, 4).await;
    let rows = refused(&subject.database, DAY_OF_ITS_OWN, 100)
        .await
        .unwrap();
    let told: Vec<_> = rows
        .iter()
        .map(|row| {
            (
                row.reason.as_str(),
                row.bot,
                row.code.as_str(),
                row.addr.as_str(),
                row.n,
            )
        })
        .collect();
    let expected = [
        ("", 0, "", "", 19),
        ("bot_unknown", 100, "", "flood", 1),
        ("bot_mismatch", 8, code, "a", 1),
        ("bot_unknown", 7, "", "b", 1),
        ("bot_unknown", 7, "", "a", 2),
    ];
    assert_eq!(told, expected);
    assert_eq!(
        (rows[4].first_at, rows[4].last_at),
        ((from + 40) * 1_000_000, (from + 100) * 1_000_000)
    );
    assert_eq!(
        refused(&subject.database, DAY_OF_ITS_OWN, 2)
            .await
            .unwrap()
            .len(),
        2
    );
    assert!(
        refused(&subject.database, DAY_OF_ITS_OWN + 1, 9)
            .await
            .unwrap()
            .is_empty()
    );
    // At an address, of a bot id, of both, of none.
    for (code, bot, since, expected) in [
        (code, None, 0, &[8][..]),
        ("zz", Some(7), 0, &[7, 7]),
        (code, Some(7), 0, &[8, 7, 7]),
        ("zz", None, 0, &[]),
        (code, Some(7), 1, &[]),
    ] {
        let since = DAY_OF_ITS_OWN + since;
        let rows = of_bot(&subject.database, code, bot, since, 9).await;
        let told: Vec<i64> = rows.unwrap().iter().map(|row| row.bot).collect();
        assert_eq!(told, expected, "{code} {bot:?}");
    }
    // Kept for thirty days.
    let keep = Keep::default();
    for (days, left) in [(30, 5), (31, 0)] {
        store.sweep(&keep, from + days * DAY, 1_000).await.unwrap();
        let rows = refused(&subject.database, DAY_OF_ITS_OWN, 100)
            .await
            .unwrap();
        assert_eq!(rows.len(), left, "{days}");
    }
    // They are numbers of no bot.
    const CLEAN: Statement = Statement::new(
        "d",
        "SELECT COUNT(*) AS n FROM first_calls WHERE tenant = $1",
    );
    let values = [TenantId::UNATTRIBUTED.as_str().into()];
    let row = subject
        .database
        .first(&CLEAN, &values)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(row.get::<i64>("n").unwrap(), 0);
}

pub async fn every_statement_of_the_door_fits_the_schema(subject: &Subject) {
    for statement in crate::serve::door::statements() {
        let checked = subject.database.check(statement).await;
        assert!(checked.is_ok(), "{}: {checked:?}", statement.name);
    }
    let swept = crate::serve::door::sweep(&subject.database, 1, 10).await;
    assert_eq!(swept.unwrap(), 0);
}
