//! Random updates, outcomes and times against an oracle that remembers all that was ever sent.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

/// What happens in a random run.
#[derive(Clone, Debug)]
enum Act {
    /// An update in this chat, which lives so long.
    Add(i64, u64),
    /// Milliseconds pass.
    Pass(u64),
    /// Of the updates in flight, the nth ends so; whether its connection stays.
    End(usize, Option<(u16, u64)>, bool),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let outcome = prop_oneof![
        3 => Just(Some((200, 0))),
        2 => Just(Some((500, 0))),
        1 => (1_u64..5_000).prop_map(|seconds| Some((429, seconds))),
        1 => Just(None),
    ];
    let life = prop_oneof![Just(30_u64), Just(150), Just(600), Just(86_400)];
    let act = prop_oneof![
        4 => (1_i64..6, life).prop_map(|(chat, life)| Act::Add(chat, life)),
        3 => prop_oneof![0_u64..1_000, 0_u64..200_000].prop_map(Act::Pass),
        6 => (0_usize..8, outcome, any::<bool>()).prop_map(|(nth, how, stays)| Act::End(nth, how, stays)),
    ];
    proptest::collection::vec(act, 1..150)
}

/// What must be true of all that was ever sent.
#[derive(Default)]
struct Oracle {
    /// By update: its chat, when it expires.
    known: BTreeMap<i64, (i64, Duration)>,
    taken: BTreeSet<i64>,
    /// By connection: the update that is out on it.
    out: BTreeMap<u64, i64>,
    /// By update: fails, and when it may go again at the earliest.
    fails: BTreeMap<i64, (u32, Duration)>,
}

impl Oracle {
    fn sent(&mut self, parcel: &Parcel, stage: &Stage, most: usize) {
        let (chat, expires) = self.known[&parcel.update];
        assert!(expires > stage.now, "sent after its expiry");
        assert!(
            !self.taken.contains(&parcel.update),
            "sent after it was taken"
        );
        let before = self
            .known
            .iter()
            .filter(|(id, known)| **id < parcel.update && known.0 == chat);
        for (id, (_, expires)) in before {
            let done = self.taken.contains(id) || !stage.waiting.live(*id, stage.now);
            assert!(
                done,
                "{id} of chat {chat}, until {expires:?}, was overtaken"
            );
        }
        let (fails, at) = self.fails.get(&parcel.update).copied().unwrap_or_default();
        assert_eq!(parcel.attempt, fails + 1);
        assert!(stage.now >= at, "too early");
        let busy = self.out.insert(parcel.connection, parcel.update);
        assert_eq!(busy, None, "two on one connection");
        assert!(self.out.len() <= most, "too many in flight");
        assert!(stage.plan.connections.len() <= most, "too many connections");
    }

    fn ended(&mut self, update: i64, how: Option<(u16, u64)>, now: Duration) {
        if matches!(how, Some((200, _))) {
            self.taken.insert(update);
            return;
        }
        let (fails, at) = self.fails.entry(update).or_default();
        let retry_after = how.map_or(0, |(_, seconds)| seconds.min(3_600));
        // At least: at once, then two seconds; the exact steps are the schedule's test.
        let step = if *fails == 0 { 0 } else { 2 };
        *at = now + s(if retry_after > 0 { retry_after } else { step });
        *fails += 1;
    }

    /// How many wait, of those that have not been taken.
    fn pending(&self, stage: &Stage) -> usize {
        let waits = |id: &i64| !self.taken.contains(id) && stage.waiting.live(*id, stage.now);
        self.known.keys().filter(|id| waits(id)).count()
    }
}

fn verdict(how: Option<(u16, u64)>) -> Verdict {
    match how {
        Some((200, _)) => Verdict::Taken,
        Some((status, retry_after)) => failed(Some(status), retry_after),
        None => failed(None, 0),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]
    #[test]
    fn nothing_is_lost_overtaken_late_or_too_much_at_once(acts in acts(), most in 1_i64..6) {
        let limit = usize::try_from(most).unwrap();
        let mut stage = Stage::new(most);
        let mut oracle = Oracle::default();
        let mut dropped = 0;
        let look = |stage: &mut Stage, oracle: &mut Oracle| {
            let (parcels, again) = stage.next();
            for parcel in &parcels {
                oracle.sent(parcel, stage, limit);
            }
            assert!(again.is_none_or(|at| at > stage.now));
            assert!(stage.next().0.is_empty(), "asked twice, something went out again");
            again
        };
        for act in acts {
            match act {
                Act::Add(chat, life) => {
                    let id = stage.add(chat, s(life));
                    oracle.known.insert(id, (chat, stage.now + s(life)));
                }
                Act::Pass(ms) => stage.now += Duration::from_millis(ms),
                Act::End(nth, how, stays) => {
                    let Some((connection, update)) = oracle.out.iter().nth(nth).map(|(c, u)| (*c, *u)) else {
                        continue;
                    };
                    oracle.out.remove(&connection);
                    oracle.ended(update, how, stage.now);
                    let (waiting, now) = (&mut stage.waiting, stage.now);
                    stage.plan.ended(connection, &verdict(how), stays, waiting, now);
                    if let Some((_, at)) = oracle.fails.get(&update).filter(|_| !oracle.taken.contains(&update)) {
                        // Dropped early only where the next step would come too late.
                        let (_, expires) = oracle.known[&update];
                        let gone = !stage.waiting.live(update, Duration::ZERO);
                        prop_assert!(!gone || *at + s(120) >= expires);
                        dropped += usize::from(gone);
                    }
                }
            }
            look(&mut stage, &mut oracle);
            let pending = stage.waiting.pending(stage.now);
            prop_assert_eq!(pending, oracle.pending(&stage));
        }
        // From here on everything succeeds: what has not expired arrives.
        for _ in 0..100_000 {
            let again = look(&mut stage, &mut oracle);
            if let Some((connection, update)) = oracle.out.pop_first() {
                oracle.ended(update, Some((200, 0)), stage.now);
                stage.end(connection, &Verdict::Taken);
            } else if let Some(at) = again {
                stage.now = at;
            } else {
                break;
            }
        }
        prop_assert_eq!(stage.waiting.pending(stage.now), 0);
        prop_assert_eq!(stage.plan.lanes.count(), 0);
        let expired = usize::try_from(stage.waiting.expired()).unwrap();
        let both = oracle.taken.iter().filter(|id| oracle.known[*id].1 <= stage.now).count();
        prop_assert!(dropped <= expired);
        // Taken or expired, each is accounted for; one that expired in flight may be both.
        prop_assert!(oracle.taken.len() + expired >= oracle.known.len());
        prop_assert!(oracle.taken.len() + expired <= oracle.known.len() + both);
    }
}
