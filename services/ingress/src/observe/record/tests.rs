//! From the facts and the bytes of a call to its records.
#![allow(clippy::unwrap_used)]

mod polls;

use std::time::Duration;

use gramtap_events::call::{Origin, Shape};
use gramtap_events::tenant::Privacy;
use gramtap_telegram::Target;
use serde_json::{Value, json};

use super::super::answer::{AnswerHead, AnswerTap, Expect};
use super::super::budget::Budget;
use super::super::limits::CaptureLimits;
use super::super::request::{RequestHead, RequestTap};
use super::*;

const LIMITS: CaptureLimits = CaptureLimits {
    body: 64 << 10,
    update: 512 << 10,
    answer: 8 << 20,
};
const SECRET: &str = "AAF-abcdefghijklmnopqrstuvwxyz_0123";

/// A worker's observing parts.
struct Stage {
    budget: Budget,
    folds: PollFolds,
    mint: Mint,
    now: Instant,
}

/// One call, told by the test.
struct Told<'a> {
    path: &'a str,
    kind: &'a str,
    query: Option<&'a str>,
    body: &'a str,
    status: Option<u16>,
    answer: Option<&'a str>,
    ending: Ending,
    privacy: Privacy,
}

impl Default for Told<'_> {
    fn default() -> Self {
        Self {
            path: "/bot42:a/getMe",
            kind: "",
            query: None,
            body: "",
            status: Some(200),
            answer: None,
            ending: Ending::Answered,
            privacy: Privacy::Metadata,
        }
    }
}

fn stage() -> Stage {
    Stage {
        budget: Budget::new(1 << 20),
        folds: PollFolds::new(Duration::from_secs(10), 8),
        mint: Mint::new("test", 1),
        now: Instant::now(),
    }
}

impl Stage {
    fn observe(&mut self, told: &Told<'_>) -> Observed {
        let target = Target::parse(told.path).unwrap();
        let head = RequestHead {
            content_type: Some(told.kind.as_bytes()),
            content_encoding: None,
            query: told.query,
        };
        let mut tap = RequestTap::new(&LIMITS, &self.budget, &head);
        tap.push(told.body.as_bytes());
        let mask = Mask::new(told.privacy, [7; 32]);
        let expect = match target.method() {
            None => Expect::File,
            Some(_) if target.is_poll() => Expect::Poll,
            Some(_) => Expect::Call,
        };
        let answer = told.answer.map(|body| {
            let head = AnswerHead {
                status: told.status.unwrap_or(200),
                content_encoding: None,
            };
            let mut tap = AnswerTap::new(expect, &LIMITS, &self.budget, &mask, &head);
            tap.push(body.as_bytes());
            tap.finish(!matches!(told.ending, Ending::CutShort { .. }))
        });
        let at: Moment = serde_json::from_str("\"2026-01-02T03:04:05.000006Z\"").unwrap();
        let facts = CallFacts {
            tenant: "abcdefghijklmnopqrstuvwx27".parse().unwrap(),
            bot: target.bot,
            at,
            until: at,
            client: Client {
                addr: Some("10.0.0.1".to_owned()),
                agent: Some(format!("lib/1 bot42:{SECRET}")),
            },
            door: target.door,
            verb: "POST".to_owned(),
            status: told.status,
            bytes_out: told.answer.map_or(0, |body| body.len() as u64),
            token: TokenStanding::Verified,
            ending: told.ending,
            took: Took {
                total_us: 30,
                upstream_us: 20,
                own_us: 10,
            },
        };
        let observed = observe(
            facts,
            &tap.finish(),
            answer,
            &mask,
            &mut self.folds,
            self.now,
            &self.mint,
        );
        assert_eq!(self.budget.used(), 0);
        observed
    }

    /// The one record of a call.
    fn call(&mut self, told: &Told<'_>) -> (Call, Vec<(Cut, u64)>) {
        let mut observed = self.observe(told);
        assert_eq!((observed.calls.len(), observed.updates.len()), (1, 0));
        match observed.calls.pop() {
            Some(CallRecord::Call(call)) => (call, observed.cuts),
            other => unreachable!("{other:?}"),
        }
    }
}

fn json_of(raw: Option<&serde_json::value::RawValue>) -> Value {
    raw.map_or(Value::Null, |raw| serde_json::from_str(raw.get()).unwrap())
}

#[test]
fn a_call_and_its_answer() {
    let told = Told {
        path: "/bot42%3Aabc/sendmessage",
        kind: "application/json",
        query: Some("chat_id=7"),
        body: r#"{"chat_id":8,"text":"hello"}"#,
        answer: Some(r#"{"ok":true,"result":{"message_id":9,"text":"hello"}}"#),
        ..Told::default()
    };
    let (call, cuts) = stage().call(&told);
    assert_eq!(
        json_of(call.params.as_deref()),
        json!({"chat_id": 7, "text_length": 5})
    );
    assert_eq!(
        json_of(call.result.as_deref()),
        json!({"message_id": 9, "text_length": 5})
    );
    assert_eq!(
        (
            call.method.as_str(),
            call.ok,
            call.origin,
            call.label,
            call.error
        ),
        ("sendMessage", Some(true), Origin::Telegram, None, None)
    );
    assert_eq!(
        (
            call.http.shape,
            call.http.bytes_in,
            call.http.bytes_out,
            call.http.status
        ),
        (Shape::Json, 28, 52, Some(200))
    );
    assert_eq!(
        (
            call.record.as_str(),
            call.params_cut,
            call.result_cut,
            cuts.len()
        ),
        ("test-1-0", false, false, 0)
    );
    assert_eq!(call.client.agent.as_deref(), Some("lib/1 bot42:***"));
}

#[test]
fn errors_by_who_made_them() {
    let telegram = r#"{"ok":false,"error_code":400,"description":"Bad Request: Unsupported start tag \"ann\"","parameters":{"migrate_to_chat_id":-100123}}"#;
    let flood = r#"{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 7","parameters":{"retry_after":7}}"#;
    let html = "<html>Bad Gateway</html>";
    let left = Ending::Left {
        label: "client_left",
    };
    let table = [
        (
            Some(400),
            Some(telegram),
            Ending::Answered,
            Origin::Telegram,
            None,
            Some(false),
            Some((400, Some("Bad Request: Unsupported start tag \"…\""))),
        ),
        (
            Some(429),
            Some(flood),
            Ending::Answered,
            Origin::Telegram,
            None,
            Some(false),
            Some((429, Some("Too Many Requests: retry after 7"))),
        ),
        (
            Some(502),
            Some(html),
            Ending::Answered,
            Origin::Edge,
            Some("page"),
            None,
            Some((502, None)),
        ),
        (
            Some(504),
            Some(""),
            Ending::Answered,
            Origin::Edge,
            Some("empty"),
            None,
            Some((504, None)),
        ),
        (
            Some(502),
            None,
            Ending::NoAnswer { label: "connect" },
            Origin::Network,
            Some("connect"),
            None,
            Some((502, None)),
        ),
        (
            Some(200),
            Some(r#"{"ok":true,"re"#),
            Ending::CutShort { label: "cut" },
            Origin::Network,
            Some("cut"),
            Some(true),
            None,
        ),
        (
            Some(404),
            None,
            Ending::Own { label: "not_found" },
            Origin::Gramtap,
            Some("not_found"),
            None,
            Some((404, None)),
        ),
        (
            Some(200),
            None,
            Ending::Own { label: "drained" },
            Origin::Gramtap,
            Some("drained"),
            None,
            None,
        ),
        (
            None,
            None,
            left,
            Origin::Client,
            Some("client_left"),
            None,
            None,
        ),
        (
            None,
            Some(r#"{"ok":true,"result":true}"#),
            left,
            Origin::Telegram,
            None,
            Some(true),
            None,
        ),
    ];
    for (status, answer, ending, origin, label, ok, error) in table {
        let (call, _) = stage().call(&Told {
            status,
            answer,
            ending,
            ..Told::default()
        });
        assert_eq!(
            (call.origin, call.label.as_deref(), call.ok),
            (origin, label, ok),
            "{ending:?}"
        );
        let told = call
            .error
            .as_ref()
            .map(|error| (error.code, error.description.as_deref()));
        assert_eq!(told, error, "{ending:?}");
    }
    let lacking = r#"{"ok":true,"result":{"message_id":4}"#;
    let (call, cuts) = stage().call(&Told {
        answer: Some(lacking),
        ending: Ending::CutShort { label: "cut" },
        ..Told::default()
    });
    assert_eq!(
        (json_of(call.result.as_deref()), call.result_cut, cuts.len()),
        (json!({"message_id": 4}), false, 0)
    );
    let error = |privacy| {
        stage()
            .call(&Told {
                status: Some(400),
                answer: Some(telegram),
                privacy,
                ..Told::default()
            })
            .0
            .error
            .unwrap()
    };
    assert_eq!(error(Privacy::Metadata).migrate_to_chat_id, Some(-100_123));
    assert!(error(Privacy::Pseudonymous).migrate_to_chat_id.unwrap() < -100_123);
    assert_eq!(
        (
            error(Privacy::Off).migrate_to_chat_id,
            error(Privacy::Off).description
        ),
        (None, None)
    );
    assert!(
        error(Privacy::Full)
            .description
            .unwrap()
            .ends_with("tag \"ann\"")
    );
}

#[test]
fn methods_as_records_write_them() {
    let token = format!("/bot42:a/x12345:{SECRET}");
    let table = [
        ("/bot42:a/GETME", "", "getMe"),
        ("/bot42:a/getNewThing", "", "getNewThing"),
        ("/bot42:a/getMe/", "", "getMe/"),
        ("/bot42:a/", r#"{"method":"SendMessage"}"#, "sendMessage"),
        ("/bot42:a/", "{}", ""),
        ("/file/bot42:a/photos/joe.jpg", "", "file"),
        (token.as_str(), "", "x12345"),
        ("/bot42:a/get%20Me", "", "get"),
    ];
    for (path, body, method) in table {
        let (call, _) = stage().call(&Told {
            path,
            kind: "application/json",
            body,
            answer: Some(r#"{"ok":true,"result":true}"#),
            ..Told::default()
        });
        assert_eq!(call.method, method, "{path}");
    }
    let told = Told {
        path: "/file/bot42:a/test/photos/joe.jpg",
        query: Some("name=joe"),
        answer: Some("JPEG"),
        ..Told::default()
    };
    let (call, _) = stage().call(&told);
    assert_eq!(
        (call.test, call.params.is_none(), call.ok, call.origin),
        (true, true, None, Origin::Telegram)
    );
}

#[test]
fn uploads_and_what_off_keeps() {
    let body = "--b\r\nContent-Disposition: form-data; name=\"chat_id\"\r\n\r\n7\r\n--b\r\nContent-Disposition: form-data; name=\"photo\"; filename=\"joe.jpg\"\r\nContent-Type: image/jpeg\r\n\r\nJPEG\r\n--b--\r\n";
    let told = |privacy| Told {
        path: "/bot42:a/sendPhoto",
        kind: "multipart/form-data; boundary=b",
        body,
        answer: Some(r#"{"ok":true,"result":{"message_id":9}}"#),
        privacy,
        ..Told::default()
    };
    let (call, _) = stage().call(&told(Privacy::Full));
    assert_eq!(
        (call.files[0].name.as_deref(), call.files[0].bytes),
        (Some("joe.jpg"), 4)
    );
    let (call, cuts) = stage().call(&told(Privacy::Off));
    assert!(
        call.params.is_none()
            && call.result.is_none()
            && call.files.is_empty()
            && !call.params_cut
            && cuts.is_empty()
    );
    assert_eq!(
        (call.ok, call.http.bytes_in),
        (Some(true), body.len() as u64)
    );
}

#[test]
fn what_is_cut_is_marked_and_counted() {
    let large = format!("chat_id=7&text={}", "x".repeat(70 << 10));
    let answer = format!(r#"{{"ok":true,"result":"{}"}}"#, "y".repeat(70 << 10));
    let told = Told {
        path: "/bot42:a/sendMessage",
        kind: "application/x-www-form-urlencoded",
        body: &large,
        answer: Some(&answer),
        ..Told::default()
    };
    let (call, cuts) = stage().call(&told);
    assert_eq!(json_of(call.params.as_deref()), json!({"chat_id": 7}));
    assert_eq!(
        (
            call.params_cut,
            call.result_cut,
            call.ok,
            call.result.is_none()
        ),
        (true, true, Some(true), true)
    );
    assert_eq!(cuts, [(Cut::TooLarge, 1), (Cut::TooLarge, 1)]);
}
