//! The whole stage, each step once; and on demand how long it takes:
//! `GRAMTAP_TIMINGS=1 cargo test -p gramtap-ingress --release observe::timing -- --nocapture --test-threads=1`.
//! Times are printed, not judged: the machine decides.
#![allow(clippy::unwrap_used, reason = "a file of tests")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use gramtap_events::call::{Client, TokenStanding, Took};
use gramtap_events::tenant::Privacy;
use gramtap_events::{Mint, Moment, TenantId};
use gramtap_privacy::Mask;
use gramtap_telegram::Target;

use super::*;

const LIMITS: CaptureLimits = CaptureLimits {
    body: 64 << 10,
    update: 512 << 10,
    answer: 8 << 20,
};

/// Runs `each` once; on demand for half a second, to say how long the quickest took, or how many
/// bytes a second that was: what else runs on the machine only makes it slower.
fn time(name: &str, bytes: usize, mut each: impl FnMut()) {
    each();
    if std::env::var_os("GRAMTAP_TIMINGS").is_none() {
        return;
    }
    let began = Instant::now();
    let mut best = Duration::MAX;
    while began.elapsed() < Duration::from_millis(500) {
        let batch = Instant::now();
        (0..10).for_each(|_| each());
        best = best.min(batch.elapsed() / 10);
    }
    let rate = u128::try_from(bytes).unwrap() * 1000 / best.as_nanos().max(1);
    println!("{name:<44} {best:>12.2?}  {rate:>6} MB/s");
}

struct Call<'a> {
    path: &'a str,
    kind: &'a str,
    body: &'a [u8],
    answer: &'a [u8],
    privacy: Privacy,
}

fn observe(
    call: &Call<'_>,
    budget: &Budget,
    folds: &mut PollFolds,
    mint: &Mint,
    now: Instant,
) -> Observed {
    let target = Target::parse(call.path).unwrap();
    let head = RequestHead {
        content_type: Some(call.kind.as_bytes()),
        ..RequestHead::default()
    };
    let mut tap = RequestTap::new(&LIMITS, budget, &head);
    for chunk in call.body.chunks(16 << 10) {
        tap.push(chunk);
    }
    let request = tap.finish();
    let mask = Mask::new(call.privacy, [7; 32]);
    let expect = if target.is_poll() {
        Expect::Poll
    } else {
        Expect::Call
    };
    let head = AnswerHead {
        status: 200,
        content_encoding: None,
    };
    let mut tap = AnswerTap::new(expect, &LIMITS, budget, &mask, &head);
    for chunk in call.answer.chunks(16 << 10) {
        tap.push(chunk);
    }
    let answer = tap.finish(true);
    let moment = Moment::now();
    let facts = CallFacts {
        tenant: TenantId::UNATTRIBUTED,
        bot: target.bot,
        at: moment,
        until: moment,
        client: Client {
            addr: Some("10.0.0.1".to_owned()),
            agent: Some("Python/3.13 aiohttp/3.14".to_owned()),
        },
        door: target.door,
        verb: "POST".to_owned(),
        status: Some(200),
        bytes_out: call.answer.len() as u64,
        token: TokenStanding::Verified,
        ending: Ending::Answered,
        took: Took::default(),
    };
    record::observe(facts, &request, Some(answer), &mask, folds, now, mint)
}

const MESSAGE: &str = r#"{"message_id":815,"from":{"id":7000000001,"is_bot":true,"first_name":"Orders","username":"orders_bot"},"chat":{"id":42,"first_name":"Ann","username":"ann","type":"private"},"date":1767225600,"text":"Your order is on its way and will be there in the evening.","reply_markup":{"inline_keyboard":[[{"text":"Where is it?","callback_data":"where:17"},{"text":"Cancel","callback_data":"cancel:17"}]]}}"#;
const FORM: &str = "application/x-www-form-urlencoded";
const POLL: Call<'_> = Call {
    path: "/bot42:a/getUpdates",
    kind: FORM,
    body: b"offset=5&timeout=50",
    answer: br#"{"ok":true,"result":[]}"#,
    privacy: Privacy::Metadata,
};

/// Times the whole stage for one call, which gives so many calls and updates.
fn time_call(name: &str, call: &Call<'_>, records: (usize, usize)) {
    let budget = Budget::new(64 << 20);
    let mut folds = PollFolds::new(Duration::from_secs(10), 1000);
    let mint = Mint::new("timing", 1);
    let now = Instant::now();
    time(name, call.body.len() + call.answer.len(), || {
        let observed = black_box(observe(call, &budget, &mut folds, &mint, now));
        assert_eq!((observed.calls.len(), observed.updates.len()), records);
        assert_eq!(observed.cuts, []);
    });
    assert_eq!(budget.used(), 0);
}

#[test]
fn calls() {
    let sent = br#"chat_id=42&text=Your+order+is+on+its+way+and+will+be+there+in+the+evening.&reply_markup=%7B%22inline_keyboard%22%3A%5B%5B%7B%22text%22%3A%22Where+is+it%3F%22%2C%22callback_data%22%3A%22where%3A17%22%7D%5D%5D%7D"#;
    let answer = format!(r#"{{"ok":true,"result":{MESSAGE}}}"#);
    for privacy in [
        Privacy::Off,
        Privacy::Metadata,
        Privacy::Pseudonymous,
        Privacy::Full,
    ] {
        let call = Call {
            path: "/bot42:a/sendMessage",
            kind: FORM,
            body: sent,
            answer: answer.as_bytes(),
            privacy,
        };
        time_call(&format!("sendMessage, {}", privacy.as_str()), &call, (1, 0));
    }
    time_call("empty poll", &POLL, (0, 0));
}

fn hundred() -> String {
    let update = |id: usize| format!(r#"{{"update_id":{id},"message":{MESSAGE}}}"#);
    let updates: Vec<String> = (0..100).map(update).collect();
    format!(r#"{{"ok":true,"result":[{}]}}"#, updates.join(","))
}

#[test]
fn polls_with_updates() {
    let answer = hundred();
    for privacy in [Privacy::Metadata, Privacy::Full] {
        let call = Call {
            answer: answer.as_bytes(),
            privacy,
            ..POLL
        };
        time_call(
            &format!("poll of 100 updates, {}", privacy.as_str()),
            &call,
            (1, 100),
        );
    }
}

#[test]
fn streams() {
    let budget = Budget::new(64 << 20);
    let large = format!(
        r#"{{"ok":true,"result":[{}]}}"#,
        vec![hundred(); 100].join(",")
    );
    let limits = CaptureLimits {
        update: 0,
        ..LIMITS
    };
    let mask = Mask::new(Privacy::Metadata, [7; 32]);
    time(
        "splitting alone (each update is too large)",
        large.len(),
        || {
            let head = AnswerHead {
                status: 200,
                content_encoding: None,
            };
            let mut tap = AnswerTap::new(Expect::Poll, &limits, &budget, &mask, &head);
            large
                .as_bytes()
                .chunks(16 << 10)
                .for_each(|chunk| tap.push(chunk));
            assert_eq!(black_box(tap.finish(true)).update_count(), 100);
        },
    );

    let file: Vec<u8> = (0u32..4 << 20)
        .map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    let part = b"--b\r\nContent-Disposition: form-data; name=document; filename=f\r\n\r\n";
    let upload = [&part[..], &file, b"\r\n--b--\r\n"].concat();
    time("upload of 4 MiB", upload.len(), || {
        let head = RequestHead {
            content_type: Some(b"multipart/form-data; boundary=b"),
            ..RequestHead::default()
        };
        let mut tap = RequestTap::new(&LIMITS, &budget, &head);
        upload.chunks(16 << 10).for_each(|chunk| tap.push(chunk));
        assert_eq!(black_box(tap.finish()).files()[0].bytes, 4 << 20);
    });
}
