//! Bad input, from either side: what the client gets, what Telegram gets, what is told of it.
//!
//! In: the rows (`malformed/row.rs`) of `malformed/asked.rs`, `heads.rs` and `framing.rs` (what bots
//! send) and of `answered.rs` (what Telegram answers), each to the simulated Telegram directly and
//! through an embedded ingress. Out: pass or fail. Invariant: all that either client hears (`malformed/heard.rs`) is compared; what Telegram
//! received through Gramtap and what calls.v1 tells of it is exactly what the row says; after each row
//! a plain call works. Every difference is a row's own, with its reason.

mod answered;
mod asked;
mod framing;
mod heads;
mod heard;
mod row;

use std::collections::BTreeMap;

use gramtap_events::TenantId;
use gramtap_simulator::{Captured, Fault, Filter};
use gramtap_tests::{Ingress, Installation, Stores, calls};

use self::heard::{Then, hear};
use self::row::{CHAT, DELETED, Hears, ME, Reaches, Row};
use super::*;

/// A request of the test itself, which no row is to be mistaken for.
fn own(method: &str) -> String {
    format!("GET /bot{TOKEN}/{method} HTTP/1.1\r\nHost: x\r\nUser-Agent: the test\r\n\r\n")
}

/// What is wrong with a row's outcome, for the end of the test.
#[derive(Default)]
struct Verdict(Vec<String>);

impl Verdict {
    /// `expected` may be one of several, with ` OR ` between them.
    fn check(&mut self, row: &str, what: &str, got: &str, expected: &str) {
        if !expected.split(" OR ").any(|one| got == one) {
            self.0.push(format!(
                "{row}: {what}\n  got      {got}\n  expected {expected}"
            ));
        }
    }
}

/// Plays the rows; `name` is the folder of the process.
async fn play(rows: Vec<Row>) {
    let telegram = Telegram::start().await;
    let probe = Fault {
        method: Some("probe".to_owned()),
        body: Some("probe".to_owned()),
        ..Fault::default()
    };
    telegram.control.fault(probe);
    let installation = Installation::new(Stores::Embedded).await;
    let tenant = installation.add(Some(BOT)).await;
    let one_worker = [("GRAMTAP_INGRESS__WORKERS", "1")];
    let ingress = Ingress::with(&installation, "ingress", &telegram.url(), &one_worker).await;
    let mut verdict = Verdict::default();
    for row in &rows {
        let direct = sides(&telegram, row, None).await;
        let before = telegram.control.total_requests();
        let through = sides(&telegram, row, Some(&ingress)).await;
        match &row.hears {
            Hears::Same(begins) => {
                verdict.check(row.name, "through Gramtap is not direct", &through, &direct);
                let start = direct.get(..begins.len()).unwrap_or(&direct);
                verdict.check(row.name, "begins", start, begins);
            }
            Hears::Differs {
                direct: expected,
                through: differing,
                reason,
            } => {
                verdict.check(row.name, "directly", &direct, expected);
                verdict.check(
                    row.name,
                    &format!("through Gramtap ({reason})"),
                    &through,
                    differing,
                );
                assert_ne!(expected, differing, "{}", row.name);
            }
        }
        let plain = ingress.client().await.ask(own("getMe")).await;
        assert_eq!(plain.status(), 200, "after {}", row.name);
        check_reached(&telegram, row, before, &mut verdict);
    }
    let smuggled = telegram.control.requests(&Filter::method("deleteWebhook"));
    let pipelined = |row: &Row| match row.reaches {
        Reaches::These(these) => these
            .iter()
            .filter(|it| it.starts_with("GET /botT/deleteWebhook"))
            .count(),
        Reaches::AtMost(_) => 0,
    };
    let through = smuggled.iter().filter(|one| is_through(one)).count();
    let expected: usize = rows.iter().map(pipelined).sum();
    verdict.check(
        "all rows",
        "deleteWebhook",
        &through.to_string(),
        &expected.to_string(),
    );
    ingress.stop().await;
    let told = told(&installation, &[tenant.id, TenantId::UNATTRIBUTED]).await;
    for row in &rows {
        let told = told.get(row.name).map_or("", String::as_str);
        verdict.check(row.name, "is told as", told, row.told);
    }
    assert!(verdict.0.is_empty(), "{}", verdict.0.join("\n"));
}

/// What a client hears, directly or through Gramtap.
async fn sides(telegram: &Telegram, row: &Row, ingress: Option<&Ingress>) -> String {
    let armed = row.fault.clone().map(|fault| telegram.control.fault(fault));
    let address = match ingress {
        Some(ingress) => ingress.address(),
        None => telegram.simulator.http_addr().unwrap(),
    };
    let heard = hear(address, &row.bytes(), &own("probe"), row.then).await;
    armed.map(|fault| telegram.control.clear_fault(fault));
    // What is long, by one word.
    let page = |status: &str| {
        format!(
            "<html>\r\n<head><title>{status}</title></head>\r\n<body>\r\n<center><h1>{status}</h1></center>\r\n\
             <hr><center>nginx/1.18.0</center>\r\n</body>\r\n</html>"
        )
    };
    let words = [
        (page("502 Bad Gateway"), "PAGE"),
        (page("413 Request Entity Too Large"), "PAGE"),
        ("a".repeat(100_000), "A"),
        (TOKEN.to_owned(), "T"),
        (ME.to_owned(), "ME"),
        (CHAT.to_owned(), "CHAT"),
        (DELETED.to_owned(), "DELETED"),
    ];
    let short = |text: String, (long, word): (String, &str)| text.replace(&long, word);
    words.into_iter().fold(heard, short)
}

/// Gramtap writes names Like-This, and the rows' own requests say `Host: x`.
fn is_through(one: &Captured) -> bool {
    one.headers
        .iter()
        .any(|(name, value)| name.eq_ignore_ascii_case("host") && value.starts_with("127.0.0.1:"))
}

fn check_reached(telegram: &Telegram, row: &Row, before: u64, verdict: &mut Verdict) {
    let after = Filter {
        after: Some(before),
        ..Filter::default()
    };
    let mine = |one: &Captured| !one.headers.iter().any(|(_, value)| value == "the test");
    let look = || {
        let mut requests = telegram.control.requests(&after);
        requests.retain(mine);
        requests
    };
    let show = |one: &Captured| {
        let cut = if one.complete { "" } else { " (not taken)" };
        format!(
            "{} {}{cut}",
            one.verb,
            one.target
                .replace(TOKEN, "T")
                .replace(&"k".repeat(60_000), "60K")
        )
    };
    match row.reaches {
        Reaches::These(these) => {
            let got: Vec<_> = look().iter().map(show).collect();
            verdict.check(
                row.name,
                "reaches Telegram",
                &got.join(" + "),
                &these.join(" + "),
            );
        }
        Reaches::AtMost(these) => {
            let whole: Vec<_> = look().iter().filter(|one| one.complete).map(show).collect();
            let within = these.starts_with(&whole.iter().map(String::as_str).collect::<Vec<_>>());
            verdict.check(
                row.name,
                &format!("{whole:?} reaches Telegram"),
                &within.to_string(),
                "true",
            );
        }
    }
}

/// What calls.v1 tells of each row, by its agent.
async fn told(installation: &Installation, tenants: &[TenantId]) -> BTreeMap<String, String> {
    let mut told = BTreeMap::new();
    for call in only_calls(calls(&installation.open_bus(), tenants).await) {
        let status = call.http.status.map_or("-".to_owned(), |it| it.to_string());
        let origin = serde_json::to_value(call.origin).unwrap();
        let mut text = format!("{} {status} {}", call.method, origin.as_str().unwrap());
        if let Some(label) = &call.label {
            text.push_str(&format!(" {label}"));
        }
        if call.tenant == TenantId::UNATTRIBUTED {
            text.push_str(" unattributed");
        }
        let line: &mut String = told
            .entry(call.client.agent.unwrap_or_default())
            .or_default();
        if !line.is_empty() {
            line.push_str(" + ");
        }
        line.push_str(&text);
    }
    told
}
