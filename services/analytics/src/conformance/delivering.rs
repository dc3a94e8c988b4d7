//! Deliveries and dead letters.
//!
//! In: attempts drawn from a seed, as a forwarder tells them; dead letters. Out: a panic where a number is not that of a plain count of them, or where what waits or is
//! dead is not what was last said. Invariant: the count knows nothing of sums or of SQL.

use gramtap_events::delivery::{Delivery, Verdict};
use gramtap_events::inbox::{Dead, Inbox, Sealed, Tried};
use gramtap_events::topics::{DELIVERIES, INBOX_DEAD};
use gramtap_events::{Mint, Moment, Record, TenantId};
use gramtap_telegram::Queue;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use time::{Duration, OffsetDateTime};

use super::stream::{BEGIN, seed};
use super::{Subject, batch};
use crate::fold::delivery::{ATTEMPTS, lane};
use crate::fold::{Folded, Place};
use crate::query::Period;
use crate::query::deliveries::{Numbers, attempts, deliveries, waiting};
use crate::query::letters::{self, Filter};
use crate::replay::{self, Which};
use crate::store::Applied;
use crate::zone::{DAY, Zone};

const WORDS: [&str; 3] = ["endpoint_fails", "endpoint_timeout", "endpoint_unreachable"];

fn tenant(random: &mut StdRng) -> TenantId {
    let letters = (0..26).map(|_| char::from(b'b' + random.random_range(0..20_u8)));
    letters.collect::<String>().parse().unwrap()
}

fn moment(micros: i64) -> Moment {
    (OffsetDateTime::UNIX_EPOCH + Duration::microseconds(micros)).into()
}

/// Attempts in the order in which a forwarder would tell them, of updates that each have one end or none.
fn scripted(random: &mut StdRng, tenant: TenantId, count: usize) -> Vec<Delivery> {
    let (inboxes, records) = (Mint::new("ingress-0", 1), Mint::new("forwarder-0", 1));
    let mut told = Vec::new();
    for number in 0..count {
        let inbox_record = inboxes.mint();
        let received = BEGIN * 1_000_000 + random.random_range(0..2 * DAY * 1_000_000);
        let mut at = received;
        let queue = Queue {
            id: random.random_range(1..6),
            ..Queue::OTHER
        };
        for attempt in 1..=4 {
            at += random.random_range(1_000..30_000_000);
            let took = random.random_range(100..90_000_000_u64);
            let verdict = match random.random_range(0..8) {
                0..5 => Verdict::Delivered,
                5 | 6 => Verdict::Retry,
                _ => [Verdict::Expired, Verdict::Dead, Verdict::Refused][random.random_range(0..3)],
            };
            let is_delivered = verdict == Verdict::Delivered;
            let made = verdict != Verdict::Refused;
            told.push(Delivery {
                v: 1,
                record: records.mint(),
                tenant,
                bot: None,
                at: moment(at),
                received_at: Some(moment(received)),
                inbox_record: inbox_record.clone(),
                update_id: Some(number as i64),
                kind: "message".into(),
                queue,
                attempt: if made { attempt } else { 0 },
                endpoint: Some("https://bot.example.com".to_owned()),
                status: match verdict {
                    Verdict::Delivered => Some(200),
                    _ => [None, Some(500), Some(502)][random.random_range(0..3)],
                },
                label: (!is_delivered).then(|| WORDS[random.random_range(0..3)].into()),
                verdict,
                next_at: (!verdict.is_final()).then(|| moment(at + 2_000_000)),
                took_us: took,
                reply_method: None,
                replay: None,
            });
            if verdict.is_final() {
                break;
            }
        }
    }
    told
}

async fn add(
    subject: &Subject,
    topic: &'static gramtap_events::Topic,
    payloads: &[Vec<u8>],
    step: usize,
) {
    let store = subject.store();
    let zones = store.zones().await.unwrap();
    let mut offset = 0;
    for chunk in payloads.chunks(step) {
        let mut folded = Folded::default();
        for payload in chunk {
            let place = Place {
                partition: 0,
                offset,
                timestamp: BEGIN * 1_000 + offset,
            };
            folded.add_at(topic, place, payload, &zones);
            offset += 1;
        }
        assert_eq!(folded.unread, 0);
        let partition = gramtap_bus::TopicPartition {
            topic,
            partition: 0,
        };
        let applied = store
            .apply(vec![batch(&store, partition, folded).await], &zones)
            .await;
        assert_eq!(applied.unwrap(), Applied::Kept { lost: Vec::new() });
    }
}

pub async fn deliveries_are_those_of_a_plain_count(subject: &Subject) {
    let random = &mut StdRng::seed_from_u64(seed());
    let tenant = tenant(random);
    let told = scripted(random, tenant, 300);
    let payloads: Vec<Vec<u8>> = told
        .iter()
        .map(|it| it.payload().unwrap().to_vec())
        .collect();
    add(subject, &DELIVERIES, &payloads, random.random_range(1..200)).await;

    let period = Period {
        zone: Zone::UTC,
        first: BEGIN.div_euclid(DAY),
        days: 4,
    };
    let database = &subject.database;
    let answer = deliveries(database, tenant, &period).await.unwrap();
    let count = |fits: &dyn Fn(&Delivery) -> bool| told.iter().filter(|it| fits(it)).count() as i64;
    let of = |verdict| count(&|it| it.verdict == verdict);
    let made = count(&|it| it.attempt > 0);
    assert_eq!(
        answer.total,
        Numbers {
            delivered: of(Verdict::Delivered),
            attempts: made,
            failed: made - of(Verdict::Delivered),
            retries: of(Verdict::Retry),
            expired: of(Verdict::Expired),
            dead: of(Verdict::Dead) + of(Verdict::Refused),
        }
    );
    let by_day: i64 = answer.series.iter().map(|(_, it)| it.attempts).sum();
    assert_eq!(by_day, made);
    for failures in &answer.failures {
        let n = count(&|it| {
            it.label.as_deref() == Some(&failures.label)
                && it.status.map(i64::from) == failures.status
        });
        assert_eq!(n, failures.n, "{failures:?}");
    }
    let failed: i64 = answer.failures.iter().map(|it| it.n).sum();
    assert_eq!(failed, told.len() as i64 - of(Verdict::Delivered));
    assert_eq!(
        (answer.delivery.n, answer.endpoint.n),
        (of(Verdict::Delivered), made)
    );
    let mut waits: Vec<f64> = told
        .iter()
        .filter(|it| it.verdict == Verdict::Delivered)
        .map(|it| {
            it.at.since(it.received_at.unwrap()).as_secs_f64() * 1_000.0
                + it.took_us as f64 / 1_000.0
        })
        .collect();
    waits.sort_by(f64::total_cmp);
    let half = waits[(waits.len() as f64 * 0.5).ceil() as usize - 1];
    let p50 = answer.delivery.p50.unwrap();
    assert!((p50 / half - 1.0).abs() < 0.05, "{p50} is not {half}");

    let mut newest: Vec<&Delivery> = told.iter().collect();
    newest.sort_by_key(|it| std::cmp::Reverse((it.at, it.record.as_str().to_owned())));
    let kept = attempts(database, tenant, None, 1_000).await.unwrap();
    let records: Vec<&str> = kept.iter().map(|it| it.record.as_str()).collect();
    let expected: Vec<&str> = newest
        .iter()
        .take(ATTEMPTS)
        .map(|it| it.record.as_str())
        .collect();
    assert_eq!(records, expected);

    // What was said last of an update is that it is tried again.
    let now = BEGIN + DAY;
    let mut waits = std::collections::BTreeMap::<String, i64>::new();
    for (place, it) in told.iter().enumerate() {
        let is_last = told
            .get(place + 1)
            .is_none_or(|next| next.inbox_record != it.inbox_record);
        let expires = it.received_at.unwrap().time().unix_timestamp() + DAY;
        if is_last && it.verdict == Verdict::Retry && expires > now {
            *waits.entry(lane(it.queue)).or_default() += 1;
        }
    }
    let answer = waiting(database, tenant, now).await.unwrap();
    let answer: std::collections::BTreeMap<String, i64> =
        answer.into_iter().map(|it| (it.lane, it.n)).collect();
    assert_eq!(answer, waits);
}

fn dead(tenant: TenantId, mint: &Mint, number: i64) -> Dead {
    let sealed = Sealed {
        key: "k".to_owned(),
        nonce: vec![0; 12],
        text: vec![0; 16],
    };
    Dead {
        inbox: Inbox {
            v: 1,
            record: mint.mint(),
            tenant,
            at: moment(BEGIN * 1_000_000),
            update_id: Some(number),
            kind: ["message", "callback_query"][number as usize % 2].into(),
            queue: Queue::OTHER,
            headers: sealed.clone(),
            body: sealed,
            replay: None,
        },
        cause: ["expired", "endpoint_gone", "address_loopback"][number as usize % 3].into(),
        tried: Tried {
            attempts: 3,
            first_at: Some(moment(BEGIN * 1_000_000)),
            last_at: None,
        },
    }
}

pub async fn dead_letters_are_found_again(subject: &Subject) {
    let random = &mut StdRng::seed_from_u64(seed());
    let tenant = tenant(random);
    let mint = Mint::new("ingress-0", 1);
    let mut letters: Vec<Dead> = (0..30).map(|number| dead(tenant, &mint, number)).collect();
    // One was replayed and died again, of something else.
    let mut again = letters[4].clone();
    again.cause = "endpoint_fails".into();
    letters.push(again);
    let payloads: Vec<Vec<u8>> = letters
        .iter()
        .map(|it| it.payload().unwrap().to_vec())
        .collect();
    let database = &subject.database;
    add(
        subject,
        &INBOX_DEAD,
        &payloads[..30],
        random.random_range(1..20),
    )
    .await;
    let replayed = letters[4].inbox.record.as_str();
    let which = Which::Records(vec![replayed.to_owned()]);
    let asked = replay::ask(database, tenant, &which, (7, "ann"), None).await;
    assert_eq!(asked.unwrap(), 1);
    let known = letters::one(database, tenant, replayed)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (known.asked_at, known.asked_by.as_deref()),
        (Some(7), Some("ann"))
    );
    assert_eq!(known.place, (0, 4));
    let open = letters::count(database, tenant, &Filter::default())
        .await
        .unwrap();
    assert_eq!(open, 29);
    add(subject, &INBOX_DEAD, &payloads[30..], 1).await;
    let known = letters::one(database, tenant, replayed)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (known.asked_at, known.cause.as_str()),
        (None, "endpoint_fails")
    );

    for filter in [
        Filter::default(),
        Filter {
            cause: Some("expired".to_owned()),
            ..Filter::default()
        },
        Filter {
            kind: Some("message".to_owned()),
            ..Filter::default()
        },
        Filter {
            from: Some((BEGIN * 1_000 + 10) * 1_000),
            to: Some((BEGIN * 1_000 + 20) * 1_000),
            ..Filter::default()
        },
    ] {
        let mut wanted: Vec<(usize, &Dead)> = letters
            .iter()
            .enumerate()
            .skip(1)
            .filter(|(place, it)| {
                let at = (BEGIN * 1_000 + (if *place == 30 { 0 } else { *place as i64 })) * 1_000;
                *place != 4
                    && filter.cause.as_ref().is_none_or(|cause| it.cause == *cause)
                    && filter
                        .kind
                        .as_ref()
                        .is_none_or(|kind| it.inbox.kind == *kind)
                    && filter.from.is_none_or(|from| at >= from)
                    && filter.to.is_none_or(|to| at < to)
            })
            .collect();
        wanted.sort_by_key(|(place, _)| *place);
        let mut found = Vec::new();
        let mut behind: Option<(i64, String)> = None;
        loop {
            let last = behind.as_ref().map(|(at, record)| (*at, record.as_str()));
            let page = letters::list(database, tenant, &filter, last, 4)
                .await
                .unwrap();
            let Some(end) = page.last() else { break };
            behind = Some((end.dead_at, end.record.clone()));
            found.extend(page);
        }
        let n = letters::count(database, tenant, &filter).await.unwrap();
        assert_eq!(found.len() as i64, n);
        assert!(found.is_sorted_by(|a, b| (a.dead_at, &a.record) > (b.dead_at, &b.record)));
        found.retain(|it| it.record != letters[0].inbox.record.as_str());
        let mut records: Vec<&str> = found.iter().map(|it| it.record.as_str()).collect();
        let mut wanted: Vec<&str> = wanted
            .iter()
            .map(|(_, it)| it.inbox.record.as_str())
            .collect();
        records.sort_unstable();
        wanted.sort_unstable();
        assert_eq!(records, wanted, "{filter:?}");
    }
    let sorts = letters::sorts(database, tenant).await.unwrap();
    assert_eq!(sorts.iter().map(|it| it.n).sum::<i64>(), 30);
}
