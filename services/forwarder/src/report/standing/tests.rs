//! Rounds against a table: what is written, what is not, and what is left after failures and moves.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use gramtap_events::Moment;
use proptest::prelude::*;

use super::*;
use crate::tests::{at, tenant};

fn failed(second: i64) -> FailedAttempt {
    FailedAttempt {
        at: at(second),
        label: "endpoint_fails".to_owned(),
        message: second.to_string(),
    }
}

fn waiting(bots: &[(u8, u64)]) -> Waiting {
    let bots = bots.iter().map(|(bot, count)| (tenant(*bot), *count));
    HashMap::from([(0, bots.collect())])
}

fn row(bot: u8, waiting: u64, failed: Option<FailedAttempt>) -> StandingRow {
    StandingRow {
        tenant: tenant(bot),
        partition: 0,
        waiting,
        failed,
    }
}

/// Knows that SQL says nothing of partition 0.
fn fresh() -> Standings {
    let mut standings = Standings::default();
    let round = standings.begin(&waiting(&[])).cloned();
    assert_eq!(round.unwrap().unread, [0]);
    standings.end(Some(Vec::new()));
    standings
}

/// What a round writes that succeeds.
fn rows(standings: &mut Standings, now: &Waiting) -> Vec<StandingRow> {
    let round = standings.begin(now).cloned().unwrap_or_default();
    standings.end(Some(Vec::new()));
    round.rows
}

#[test]
fn what_has_changed_is_written_once() {
    let mut standings = fresh();
    let of = &mut standings;
    assert_eq!(rows(of, &waiting(&[])), []);
    let three = waiting(&[(1, 3)]);
    assert_eq!(rows(of, &three), [row(1, 3, None)]);
    assert_eq!(rows(of, &three), []);
    of.fail(0, tenant(1), failed(1));
    of.fail(0, tenant(1), failed(2));
    of.fail(0, tenant(2), failed(3));
    let both = [row(1, 3, Some(failed(2))), row(2, 0, Some(failed(3)))];
    assert_eq!(rows(of, &three), both);
    assert_eq!(rows(of, &three), []);
    assert_eq!(
        rows(of, &waiting(&[(2, 1)])),
        [row(1, 0, None), row(2, 1, None)]
    );
}

#[test]
fn one_round_at_a_time_and_what_failed_is_made_again() {
    let mut of = fresh();
    of.fail(0, tenant(1), failed(1));
    of.fail(0, tenant(2), failed(1));
    assert_eq!(of.begin(&waiting(&[(1, 3)])).unwrap().rows.len(), 2);
    assert_eq!(of.begin(&waiting(&[(1, 4)])), None);
    of.fail(0, tenant(1), failed(2));
    of.end(None);
    let again = [row(1, 5, Some(failed(2))), row(2, 0, Some(failed(1)))];
    assert_eq!(rows(&mut of, &waiting(&[(1, 5)])), again);
}

#[test]
fn what_a_former_owner_has_left_is_set_right() {
    let mut of = Standings::default();
    of.fail(0, tenant(4), failed(1));
    let now = waiting(&[(1, 3), (2, 2), (5, 1)]);
    let round = of.begin(&now).cloned().unwrap();
    assert_eq!((round.unread, round.rows), (vec![0], vec![]));
    of.end(None);
    assert_eq!(of.begin(&now).unwrap().unread, [0]);
    let left = [(0, tenant(1), 3), (0, tenant(2), 9), (0, tenant(3), 7)];
    of.end(Some(left.into()));
    let right = [
        row(2, 2, None),
        row(3, 0, None),
        row(4, 0, Some(failed(1))),
        row(5, 1, None),
    ];
    assert_eq!(rows(&mut of, &now), right);
}

/// What happens next.
#[derive(Clone, Debug)]
enum Step {
    Waits(u8, u64),
    Fails(u8),
    Begin,
    End(bool),
    /// The partition goes, another process writes of it, and it comes back.
    Move(i32, Vec<(u8, u64)>),
}

fn step() -> impl Strategy<Value = Step> {
    let others = prop::collection::vec((0..6_u8, 0..4_u64), 0..4);
    prop_oneof![
        6 => (0..6_u8, 0..4_u64).prop_map(|(bot, count)| Step::Waits(bot, count)),
        3 => (0..6_u8).prop_map(Step::Fails),
        5 => Just(Step::Begin),
        4 => prop::bool::weighted(0.7).prop_map(Step::End),
        1 => (0..2_i32, others).prop_map(|(number, others)| Step::Move(number, others)),
    ]
}

#[derive(Debug, Default)]
struct Table {
    rows: BTreeMap<TenantId, (i32, u64, Option<Moment>)>,
}

impl Table {
    fn write(&mut self, row: &StandingRow) {
        let kept = self.rows.entry(row.tenant).or_default();
        let failed = row.failed.as_ref().map(|failed| failed.at);
        *kept = (row.partition, row.waiting, failed.or(kept.2));
    }

    fn read(&self, unread: &[i32]) -> Vec<(i32, TenantId, u64)> {
        let rows = self.rows.iter().filter(|(_, row)| row.1 > 0);
        let rows = rows.filter(|(_, row)| unread.contains(&row.0));
        rows.map(|(tenant, row)| (row.0, *tenant, row.1)).collect()
    }
}

fn partition(bot: u8) -> i32 {
    i32::from(bot % 2)
}

/// The other end of a round that may succeed.
fn make(standings: &mut Standings, table: &mut Table, round: &Round, succeeds: bool) {
    let read = table.read(&round.unread);
    if succeeds {
        round.rows.iter().for_each(|row| table.write(row));
    }
    standings.end(succeeds.then_some(read));
}

proptest! {
    #[test]
    fn in_the_end_the_table_says_what_is(steps in prop::collection::vec(step(), 0..120)) {
        let mut standings = Standings::default();
        let mut table = Table::default();
        let mut now = Waiting::from([(0, HashMap::new()), (1, HashMap::new())]);
        let mut failures = BTreeMap::new();
        let mut under_way: Option<Round> = None;
        for (second, step) in (1..).zip(steps) {
            match step {
                Step::Waits(bot, count) => {
                    let bots = now.get_mut(&partition(bot)).unwrap();
                    match count {
                        0 => bots.remove(&tenant(bot)),
                        _ => bots.insert(tenant(bot), count),
                    };
                }
                Step::Fails(bot) => {
                    standings.fail(partition(bot), tenant(bot), failed(second));
                    failures.insert(tenant(bot), at(second));
                }
                Step::Begin => {
                    let round = standings.begin(&now).cloned();
                    prop_assert!(round.is_none() || under_way.is_none());
                    under_way = under_way.or(round);
                }
                Step::End(succeeds) => {
                    if let Some(round) = under_way.take() {
                        make(&mut standings, &mut table, &round, succeeds);
                    }
                }
                Step::Move(number, others) => {
                    standings.revoked(number);
                    let others = others.into_iter().filter(|(bot, _)| partition(*bot) == number);
                    let rows = others.map(|(bot, waiting)| StandingRow {
                        partition: number,
                        ..row(bot, waiting, None)
                    });
                    // The round that is under way ends before the other owner begins: later, SQL refuses it.
                    if let Some(round) = under_way.take() {
                        make(&mut standings, &mut table, &round, true);
                    }
                    rows.for_each(|row| table.write(&row));
                    // What was not written of failures went with the partition.
                    let kept = |tenant: &TenantId| table.rows.get(tenant).and_then(|row| row.2);
                    let bots = (0..6).filter(|bot| partition(*bot) == number).map(tenant);
                    for bot in bots {
                        match kept(&bot) {
                            Some(at) => failures.insert(bot, at),
                            None => failures.remove(&bot),
                        };
                    }
                }
            }
        }
        if let Some(round) = under_way.take() {
            make(&mut standings, &mut table, &round, true);
        }
        for _ in 0..2 {
            if let Some(round) = standings.begin(&now).cloned() {
                make(&mut standings, &mut table, &round, true);
            }
        }
        for bot in 0..6 {
            let waits = now[&partition(bot)].get(&tenant(bot)).copied().unwrap_or_default();
            let row = table.rows.get(&tenant(bot)).copied().unwrap_or_default();
            prop_assert_eq!((row.1, row.2), (waits, failures.get(&tenant(bot)).copied()));
        }
        prop_assert_eq!(standings.begin(&now), None);
    }
}
