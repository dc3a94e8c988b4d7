//! Every error that a call can meet, from the wire to its advice.
//!
//! In: the table that decode is tested with, and deviations on the way, all played by the simulated Telegram; a real `gramtap up` in
//! between. Out: pass or fail: the record in errors.v1 has its class, origin and advice, and so have the sums. Invariant: calls are made
//! one after another, so the events of the bot are in the order of the table.

use std::collections::BTreeSet;

use gramtap_analytics::query::errors::errors;
use gramtap_analytics::query::period::Period;
use gramtap_analytics::zone::Zone;
use gramtap_events::TenantId;
use gramtap_events::event::{Event, Name};
use gramtap_events::failure::Failure;
use gramtap_simulator::{Control, Fault, Part, Simulator, SimulatorConfig};
use gramtap_tests::{
    Ingress, Installation, Stores, errors_until, events_until, fresh_bot, seconds, until, within,
};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Code, method, Telegram's text, class, advice.
const ANSWERS: &str = include_str!("../../../services/analytics/src/decode/tests/errors.txt");

/// A failure to be met.
#[derive(Debug)]
struct Row {
    method: &'static str,
    fault: Fault,
    origin: &'static str,
    class: &'static str,
    advice: &'static str,
}

/// What Telegram itself answers.
fn told() -> Vec<Row> {
    let mut rows = Vec::new();
    for line in ANSWERS.lines().filter(|line| !line.starts_with('#')) {
        let fields: Vec<&str> = line.split(" | ").collect();
        let [code, method, description, class, advice] = fields[..] else {
            panic!("{line}")
        };
        let code: u16 = code.parse().unwrap();
        let body = json!({"ok": false, "error_code": code, "description": description});
        let fault = Fault {
            body: Some(body.to_string()),
            ..Fault::status(code)
        };
        rows.push(Row {
            method,
            fault,
            origin: "telegram",
            class,
            advice,
        });
    }
    assert!(rows.len() > 60);
    rows
}

/// What happens on the way.
fn on_the_way() -> Vec<Row> {
    let table = [
        (
            "sendMessage",
            Fault::nginx(502),
            "edge",
            "outage",
            "gateway",
        ),
        (
            "sendMessage",
            Fault::nginx(503),
            "edge",
            "outage",
            "gateway",
        ),
        (
            "sendMessage",
            Fault::empty(504),
            "edge",
            "outage",
            "gateway",
        ),
        (
            "sendDocument",
            Fault::nginx(413),
            "edge",
            "capacity",
            "upload_too_large",
        ),
        (
            "getMe",
            Fault::nginx(200),
            "edge",
            "outage",
            "not_the_bot_api",
        ),
        (
            "sendMessage",
            Fault::cut(Part::Head, 0, false),
            "network",
            "outage",
            "answer_lost",
        ),
        (
            "sendMessage",
            Fault::cut(Part::Head, 0, true),
            "network",
            "outage",
            "answer_lost",
        ),
        (
            "sendMessage",
            Fault::cut(Part::Head, 20, false),
            "network",
            "outage",
            "answer_lost",
        ),
        (
            "getMe",
            Fault::cut(Part::Body, 10, false),
            "network",
            "outage",
            "answer_lost",
        ),
    ];
    let row = |(method, fault, origin, class, advice)| Row {
        method,
        fault,
        origin,
        class,
        advice,
    };
    table.map(row).into()
}

/// Makes a call on a connection of its own and reads whatever comes.
async fn call(ingress: &Ingress, target: &str) {
    let mut stream = TcpStream::connect(ingress.address()).await.unwrap();
    let request = format!("GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // An answer that is cut is one, too.
    within("an answer", stream.read_to_end(&mut answer))
        .await
        .ok();
}

fn target(token: &str, method: &str) -> String {
    match method {
        "file" => format!("/file/bot{token}/documents/file_1.txt"),
        method => format!("/bot{token}/{method}?chat_id=7"),
    }
}

/// Plays a row.
async fn meet(ingress: &Ingress, telegram: &Control, bot: i64, token: &str, row: &Row) {
    let fault = row.fault.clone().bot(bot).method(row.method).times(1);
    let armed = telegram.fault(fault);
    call(ingress, &target(token, row.method)).await;
    let faults = telegram.faults();
    let played = faults.iter().find(|it| it.id == armed).unwrap().played;
    assert_eq!(played, 1, "{row:?}");
    telegram.clear_fault(armed);
}

#[tokio::test]
async fn every_error_ends_in_its_class_origin_and_advice() {
    let installation = Installation::new(Stores::Embedded).await;
    let simulator = Simulator::start(SimulatorConfig {
        accept_any_chat: true,
        ..SimulatorConfig::default()
    });
    let simulator = simulator.await.unwrap();
    let telegram = simulator.control();
    let bot = fresh_bot();
    let token = format!("{bot}:AAcanary-of-the-corpus-bot_000000007");
    telegram.add_bot_token(&token).unwrap();
    let tenant = installation.add(Some(bot)).await.id;
    // Failures are not held back here: most of the corpus repeats one.
    let more = [("GRAMTAP_INGRESS__ERROR_HOLD", "1ms")];
    let ingress = Ingress::up(&installation, &simulator.http_url(), &more).await;
    // From here on the token is known to be the bot's.
    call(&ingress, &target(&token, "getMe")).await;

    let mut rows = told();
    rows.extend(on_the_way());
    for row in &rows {
        meet(&ingress, &telegram, bot, &token, row).await;
    }
    // The bot itself hangs up.
    let mut poll = ingress.client().await;
    let request = format!("GET /bot{token}/getUpdates?timeout=50 HTTP/1.1\r\nHost: x\r\n\r\n");
    poll.send(request).await;
    let parked = telegram.wait_for_polls(1, gramtap_tests::DEADLINE).await;
    assert_eq!(parked.len(), 1);
    drop(poll);
    // Nobody is there any more.
    let bus = installation.observe_bus();
    let before = rows.len();
    errors_until(&bus, tenant, |errors| errors.len() > before).await;
    simulator.shutdown().await;
    call(&ingress, &target(&token, "sendMessage")).await;
    let last = [
        ("getUpdates", "client", "expected", "bot_left"),
        ("sendMessage", "network", "outage", "telegram_unreachable"),
    ];
    let mut expected: Vec<_> = rows
        .iter()
        .map(|row| (row.method, row.origin, row.class, row.advice))
        .collect();
    expected.extend(last);

    let errors = errors_until(&bus, tenant, |errors| errors.len() >= expected.len()).await;
    let found: Vec<_> = errors.iter().map(read).collect();
    let differ: Vec<_> = expected
        .iter()
        .zip(&found)
        .filter(|(row, (method, origin, class, advice))| {
            let found = (method.as_str(), origin.as_str(), *class, advice.as_str());
            **row != found
        })
        .collect();
    assert!(differ.is_empty(), "expected, found: {differ:#?}");
    assert_eq!(found.len(), expected.len());
    are_counted(&installation, tenant, &expected, &errors).await;
    strangers_are_told_apart(&installation, &ingress, &token).await;
    ingress.stop().await;
}

fn read(failure: &Failure) -> (String, String, &'static str, String) {
    let origin = serde_json::to_value(failure.origin).unwrap();
    (
        failure.method.clone(),
        origin.as_str().unwrap().to_owned(),
        failure.class.as_str(),
        failure.advice.clone(),
    )
}

/// The sums have a group for each, with the same class, origin and advice.
async fn are_counted(
    installation: &Installation,
    tenant: TenantId,
    expected: &[(&str, &str, &str, &str)],
    found: &[Failure],
) {
    let database = installation.registry().database().clone();
    let groups: BTreeSet<_> = found.iter().map(|it| it.group.clone()).collect();
    let all = i64::try_from(expected.len()).unwrap();
    let counted = until("all errors in SQL", async || {
        let period = Period::last(Zone::UTC, seconds(), 2);
        let counted = errors(&database, tenant, &period).await.unwrap();
        let sum: i64 = counted.iter().map(|group| group.n).sum();
        (sum >= all).then_some(counted)
    });
    let counted = counted.await;
    assert_eq!(counted.iter().map(|group| group.n).sum::<i64>(), all);
    assert_eq!(counted.len(), groups.len());
    for group in &counted {
        let advice = group.advice.unwrap().key;
        let row = (
            group.method.as_str(),
            group.origin.as_str(),
            group.class.as_str(),
            advice,
        );
        assert!(expected.contains(&row), "{row:?}");
    }
    database.close().await;
}

/// What Gramtap itself refuses is told apart from every bot: calls of nobody's bot, and of a bot at another's address. The event
/// says what to do.
async fn strangers_are_told_apart(installation: &Installation, ingress: &Ingress, token: &str) {
    let other = installation.add(Some(fresh_bot())).await;
    let refused = |advice: &'static str| {
        move |events: &[Event]| {
            events.iter().any(|it| {
                let told = it.props.get("advice").and_then(|it| it.as_str());
                it.event == Name::CallUnverified && told == Some(advice)
            })
        }
    };
    let bus = installation.observe_bus();
    let nobody = format!(
        "/bot{}:AAcanary-of-nobodys-bot_00000000008/getMe",
        fresh_bot()
    );
    call(ingress, &nobody).await;
    let unattributed = TenantId::UNATTRIBUTED;
    events_until(&bus, unattributed, refused("bot_not_connected")).await;
    call(ingress, &format!("/c/{}/bot{token}/getMe", other.code)).await;
    events_until(&bus, unattributed, refused("address_of_another_bot")).await;
}
