//! Folds in injected time.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;

const BOT: Option<BotId> = Some(BotId(42));
const WINDOW: Duration = Duration::from_secs(10);

fn moment(second: u64) -> Moment {
    serde_json::from_str(&format!(
        "\"2026-01-01T00:{:02}:{:02}.000000Z\"",
        second / 60,
        second % 60
    ))
    .unwrap()
}

fn client(name: u8) -> Client {
    Client {
        addr: Some(format!("10.0.0.{name}")),
        agent: None,
    }
}

fn poll(name: u8, second: u64) -> EmptyPoll {
    EmptyPoll {
        tenant: TenantId::UNATTRIBUTED,
        bot: BOT,
        client: client(name),
        from: moment(second),
        to: moment(second + 1),
        took_us: 1_000_000 + second,
    }
}

fn shown(polls: &Polls) -> (Option<String>, String, String, u64, u64) {
    (
        polls.client.addr.clone(),
        polls.from.to_string(),
        polls.to.to_string(),
        polls.count,
        polls.longest_us,
    )
}

#[test]
fn a_window_of_polls_is_one_record() {
    let (mint, zero) = (Mint::new("t", 1), Instant::now());
    let at = |second: u64| zero + Duration::from_secs(second);
    let mut folds = PollFolds::new(WINDOW, 8);
    for second in 0..9 {
        assert!(folds.empty(poll(1, second), at(second), &mint).is_none());
        assert!(folds.due(at(second), &mint).is_empty());
    }
    let told = folds.due(at(10), &mint);
    assert_eq!(
        shown(&told[0]),
        (
            Some("10.0.0.1".to_owned()),
            moment(0).to_string(),
            moment(9).to_string(),
            9,
            1_000_008
        )
    );
    assert_eq!(
        (told.len(), told[0].record.as_str(), told[0].bot),
        (1, "t-1-0", Some(BotId(42)))
    );
    assert!(folds.len() == 0 && folds.flush(&mint).is_empty());

    // One that comes late closes the fold whose window is over by itself.
    folds.empty(poll(1, 20), at(20), &mint);
    let told = folds.empty(poll(1, 31), at(31), &mint).unwrap();
    assert_eq!((told.count, folds.len()), (1, 1));
    assert!(folds.due(at(40), &mint).is_empty());
    assert_eq!(folds.due(at(41), &mint).len(), 1);
}

#[test]
fn bots_that_nobody_can_attribute_are_not_folded_together() {
    let (mint, zero) = (Mint::new("t", 1), Instant::now());
    let mut folds = PollFolds::new(WINDOW, 8);
    let other = Some(BotId(43));
    for bot in [BOT, other, BOT] {
        folds.empty(EmptyPoll { bot, ..poll(1, 0) }, zero, &mint);
    }
    let told = folds.flush(&mint);
    let counts: Vec<_> = told.iter().map(|polls| (polls.bot, polls.count)).collect();
    assert_eq!(counts, [(BOT, 2), (other, 1)]);
}

#[test]
fn closing_flushing_and_the_bound() {
    let (mint, zero) = (Mint::new("t", 1), Instant::now());
    let mut folds = PollFolds::new(WINDOW, 2);
    folds.empty(poll(1, 0), zero, &mint);
    folds.empty(poll(2, 1), zero, &mint);
    let early = folds.empty(poll(3, 2), zero, &mint).unwrap();
    assert_eq!((early.client, folds.len()), (client(1), 2));
    assert!(
        folds
            .close(TenantId::UNATTRIBUTED, BOT, &client(1), &mint)
            .is_none()
    );
    assert_eq!(
        folds
            .close(TenantId::UNATTRIBUTED, BOT, &client(3), &mint)
            .unwrap()
            .count,
        1
    );
    folds.empty(poll(4, 3), zero, &mint);
    let rest: Vec<_> = folds
        .flush(&mint)
        .into_iter()
        .map(|polls| polls.client)
        .collect();
    assert_eq!(rest, [client(2), client(4)]);
    assert_eq!(folds.len(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_empty_poll_is_told_once(bound in 1usize..5, steps in prop::collection::vec((0u8..6, 0u64..7, 0u8..4), 0..300)) {
        let (mint, zero) = (Mint::new("t", 1), Instant::now());
        let mut folds = PollFolds::new(WINDOW, bound);
        let mut told = Vec::new();
        let (mut second, mut polled) = (0, 0);
        for (name, later, act) in steps {
            second += later;
            let now = zero + Duration::from_secs(second);
            match act {
                0 => told.extend(folds.close(TenantId::UNATTRIBUTED, BOT, &client(name), &mint)),
                1 => {
                    told.extend(folds.due(now, &mint));
                    prop_assert!(folds.open.values().all(|fold| fold.due > now));
                }
                _ => {
                    polled += 1;
                    told.extend(folds.empty(poll(name, 0), now, &mint));
                }
            }
            prop_assert!(folds.len() <= bound);
            prop_assert!(folds.order.len() <= 2 * folds.len() + 16);
        }
        told.extend(folds.flush(&mint));
        prop_assert_eq!(told.iter().map(|polls| polls.count).sum::<u64>(), polled);
    }
}
