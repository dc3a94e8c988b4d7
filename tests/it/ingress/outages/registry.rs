//! Redis and Postgres gone, frozen, and not there when the process starts.
//!
//! In: wires to the real servers (`tests/src/wire.rs`), so that no other test notices. Out: pass or
//! fail. Invariant: bots that the process knows are recorded as ever; of one that it does not know
//! and cannot ask about, calls pass, and are recorded as unattributed until it can.

use gramtap_tests::Wire;
use load::{message, newcomer};

use super::*;

const BOTS: usize = 4;

type Fault = fn(&Wire);
const FAULTS: [(&str, Fault); 2] = [("gone", Wire::cut), ("frozen", Wire::freeze)];

/// Calls of a bot that is not part of the load, one after another; their statuses.
async fn statuses(ingress: &Ingress, token: &str, texts: &[String]) -> Vec<u16> {
    let mut client = ingress.client().await;
    let mut statuses = Vec::new();
    for text in texts {
        statuses.push(client.ask(message(token, text)).await.status());
    }
    statuses
}

/// Waits until the registry's word counts again: a bot that nobody has connected is refused.
async fn asks_again(ingress: &Ingress, stranger: &str) {
    let began = Instant::now();
    while statuses(ingress, stranger, &["x".to_owned()]).await != [404] {
        assert!(
            began.elapsed() < DEADLINE,
            "the registry is not asked again"
        );
        // paced: asks again until it is so
        sleep(Duration::from_millis(50)).await;
    }
}

fn texts(when: &str) -> Vec<String> {
    (0..5).map(|number| format!("{when}-{number}")).collect()
}

/// The texts that a bot's records have, `None` for those that are unattributed.
async fn told(at: &Installation, tenant: TenantId, bot: i64) -> Vec<Option<String>> {
    let records = calls(&at.open_bus(), &[tenant, TenantId::UNATTRIBUTED]).await;
    let mut told: Vec<_> = only_calls_of(records, bot);
    told.sort_by_key(|call| call.at);
    let text = |call: &Call| {
        let params = call.params.as_ref()?;
        let params: serde_json::Value = serde_json::from_str(params.get()).unwrap();
        Some(params["text"].as_str()?.to_owned())
    };
    told.iter().map(text).collect()
}

fn only_calls_of(records: Vec<CallRecord>, bot: i64) -> Vec<Call> {
    let call = |record| match record {
        CallRecord::Call(call) if call.bot.is_some_and(|it| it.0 == bot) => Some(call),
        _ => None,
    };
    records.into_iter().filter_map(call).collect()
}

#[tokio::test]
async fn no_call_fails_and_all_is_told_when_redis_is_away() {
    let telegram = Telegram::start().await;
    let installation = Installation::new(Stores::Servers).await;
    let wires = installation.wires();
    let load = Load::new(&telegram, &installation, BOTS).await;
    let (url, more) = (telegram.url(), wires.environment());
    let ingress = Ingress::with(&installation, "ingress", &url, &more).await;
    let (_, stranger) = newcomer(&telegram);
    let outages = async {
        let mut added = Vec::new();
        for (name, fault) in FAULTS {
            load.goes_on(10, "before").await;
            fault(&wires.redis);
            load.goes_on(20, name).await;
            // A bot that is connected meanwhile is found in SQL, and a stranger is not.
            let (bot, token) = newcomer(&telegram);
            let tenant = installation.add(Some(bot)).await.id;
            let texts = texts(name);
            assert_eq!(statuses(&ingress, &token, &texts).await, [200; 5], "{name}");
            added.push((tenant, bot, texts));
            asks_again(&ingress, &stranger).await;
            wires.redis.mend();
        }
        load.goes_on(10, "after").await;
        added
    };
    let added = load.beside(&telegram, &ingress, outages).await;
    let pid = ended(ingress).await;
    load.is_told(&installation, pid).await;
    for (tenant, bot, texts) in added {
        let texts: Vec<_> = texts.into_iter().map(Some).collect();
        assert_eq!(told(&installation, tenant, bot).await, texts);
    }
    installation.remove().await;
}

#[tokio::test]
async fn no_call_fails_and_all_is_told_when_postgres_is_away() {
    let telegram = Telegram::start().await;
    let installation = Installation::new(Stores::Servers).await;
    let wires = installation.wires();
    let load = Load::new(&telegram, &installation, BOTS).await;
    let (url, more) = (telegram.url(), wires.environment());
    let ingress = Ingress::with(&installation, "ingress", &url, &more).await;
    let (_, stranger) = newcomer(&telegram);
    let outages = async {
        let mut added = Vec::new();
        for (name, fault) in FAULTS {
            load.goes_on(10, "before").await;
            asks_again(&ingress, &stranger).await;
            fault(&wires.sql);
            load.goes_on(20, name).await;
            // Nobody can say whether these two are connected: their calls pass.
            let (bot, token) = newcomer(&telegram);
            let (_, other) = newcomer(&telegram);
            let tenant = installation.add(Some(bot)).await.id;
            assert_eq!(
                statuses(&ingress, &token, &texts(name)).await,
                [200; 5],
                "{name}"
            );
            assert_eq!(
                statuses(&ingress, &other, &texts(name)).await,
                [200; 5],
                "{name}"
            );
            wires.sql.mend();
            asks_again(&ingress, &other).await;
            let texts = texts("after");
            assert_eq!(statuses(&ingress, &token, &texts).await, [200; 5], "{name}");
            added.push((tenant, bot, texts));
        }
        load.goes_on(10, "after").await;
        added
    };
    let added = load.beside(&telegram, &ingress, outages).await;
    settled(&ingress).await;
    let pid = ingress.pid();
    // It ends in order without it, too.
    wires.sql.freeze();
    ingress.stop().await;
    load.is_told(&installation, pid).await;
    for (tenant, bot, texts) in added {
        let mut expected = vec![None; 5];
        expected.extend(texts.into_iter().map(Some));
        assert_eq!(told(&installation, tenant, bot).await, expected);
    }
    installation.remove().await;
}

#[tokio::test]
async fn a_start_without_sql_and_redis_serves_every_bot() {
    let telegram = Telegram::start().await;
    let installation = Installation::new(Stores::Servers).await;
    for (name, fault) in FAULTS {
        let wires = installation.wires();
        let load = Load::new(&telegram, &installation, BOTS).await;
        let (_, stranger) = newcomer(&telegram);
        fault(&wires.sql);
        fault(&wires.redis);
        let (url, more) = (telegram.url(), wires.environment());
        let ingress = Ingress::with(&installation, name, &url, &more).await;
        let outage = async {
            load.goes_on(10, name).await;
            wires.sql.mend();
            wires.redis.mend();
            asks_again(&ingress, &stranger).await;
            load.goes_on(10, "after").await;
        };
        load.beside(&telegram, &ingress, outage).await;
        let pid = ended(ingress).await;
        let unattributed = load.is_told_in_part(&installation, pid).await;
        assert!(
            unattributed.iter().all(|count| *count >= 10),
            "{unattributed:?}"
        );
    }
    installation.remove().await;
}
