//! The local cache: order, precedence, grace, room.
//!
//! In: states in any order, by proptest and by tables. Out: pass or fail.

use std::collections::HashMap;

use gramtap_events::Moment;
use proptest::prelude::*;

use super::*;
use crate::Standing;

#[tokio::test]
async fn a_removed_bot_is_found_for_a_day_and_then_is_not() {
    let set = set();
    let hours = |hours: i64| {
        let mut removed = tenant(1, 7, u64::try_from(30 + hours).unwrap());
        let at = Moment::now().time() - time::Duration::hours(hours);
        removed.deleted_at = Some(Moment::from(at));
        removed
    };
    set.directory.learn(&tenant(1, 7, 1));
    set.directory.learn(&hours(1));
    let leaving = set.directory.cached(&bot(7)).unwrap();
    assert_eq!(found(&leaving).standing_now(), Standing::Leaving);
    set.directory.learn(&hours(25));
    assert_eq!(set.directory.cached(&bot(7)), Some(Lookup::Absent));
    let mut gone = hours(0);
    (gone.gone, gone.version) = (true, 100);
    set.directory.learn(&gone);
    assert_eq!(set.directory.cached(&bot(7)), Some(Lookup::Absent));
    let code = Key::Code(gone.code);
    assert_eq!(set.directory.cached(&code), Some(Lookup::Absent));
}

/// Three tenants that had the bot one after the other: one that leaves, one that is gone, one that is rebound to another bot.
#[tokio::test]
async fn one_that_is_gone_hides_those_before_it_whoever_came_after() {
    let set = set();
    let mut leaving = tenant(1, 7, 5);
    leaving.deleted_at = Some(Moment::now());
    let mut gone = tenant(2, 7, 11);
    (gone.deleted_at, gone.gone) = (Some(Moment::now()), true);
    set.directory.learn(&leaving);
    set.directory.learn(&gone);
    set.directory.learn(&tenant(3, 7, 14));
    assert_eq!(found(&set.directory.cached(&bot(7)).unwrap()).version, 14);
    set.directory.learn(&tenant(3, 8, 16));
    assert_eq!(set.directory.cached(&bot(7)), Some(Lookup::Absent));
    assert_eq!(found(&set.directory.cached(&bot(8)).unwrap()).version, 16);
}

#[tokio::test]
async fn what_tenants_v1_does_not_tell_is_filled_in_by_sql() {
    let set = set();
    let mut full = tenant(1, 7, 5);
    full.token_stored = true;
    let told = Tenant::from_state(full.state()).unwrap();
    set.directory.learn(&told);
    set.directory.learn(&full);
    set.directory.learn(&told);
    assert_eq!(*found(&set.directory.cached(&bot(7)).unwrap()), full);
}

#[tokio::test]
async fn what_was_heard_of_is_no_longer_taken_for_unknown() {
    let set = set();
    assert_eq!(set.directory.find(bot(7)).await, Lookup::Absent);
    assert_eq!(set.directory.cached(&bot(7)), Some(Lookup::Absent));
    set.directory.learn(&tenant(1, 7, 1));
    // Pushed out of the cache, say.
    set.directory.0.cache.forget(&bot(7));
    assert_eq!(
        set.directory.cached(&bot(7)),
        None,
        "it has to be asked for"
    );
}

#[tokio::test]
async fn beyond_its_bound_the_cache_drops_whole_tenants() {
    let set = set_of(1_024);
    let all = (0..2_000).map(|number| tenant(number, i64::from(number) + 1, 1));
    for tenant in all.clone() {
        set.directory.learn(&tenant);
    }
    let cache = &set.directory.0.cache;
    assert!(!cache.is_whole());
    assert!((200..=600).contains(&cache.len()), "{}", cache.len());
    assert_eq!(cache.len(), cache.all().len());
    for tenant in all {
        let (code, bot) = (Key::Code(tenant.code), bot(tenant.bot.unwrap().0));
        assert_eq!(cache.get(&code).is_some(), cache.get(&bot).is_some());
    }
}

/// What is done to the registry. Numbers choose tenants and bots.
#[derive(Clone, Debug)]
enum Step {
    Add(usize, i64),
    Remove(usize, bool),
    Rebind(usize, i64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (0..6usize, 1..5i64).prop_map(|(number, bot)| Step::Add(number, bot)),
        2 => (0..6usize, any::<bool>()).prop_map(|(number, now)| Step::Remove(number, now)),
        2 => (0..6usize, 1..5i64).prop_map(|(number, bot)| Step::Rebind(number, bot)),
    ];
    proptest::collection::vec(step, 1..40)
}

/// The states that the steps make, as the registry would: a bot is connected once.
fn history(steps: &[Step]) -> Vec<Tenant> {
    let mut last: HashMap<usize, Tenant> = HashMap::new();
    let mut history: Vec<Tenant> = Vec::new();
    for step in steps {
        let version = history.len() as u64 + 1;
        let free = |bot: i64, last: &HashMap<usize, Tenant>| {
            let has = |it: &Tenant| it.bot == Some(BotId(bot)) && it.deleted_at.is_none();
            !last.values().any(has)
        };
        let changed = match *step {
            Step::Add(number, bot) if !last.contains_key(&number) && free(bot, &last) => {
                (number, tenant(number as u32 + 1, bot, version))
            }
            Step::Remove(number, now) if last.contains_key(&number) => {
                let mut tenant = last[&number].clone();
                tenant.deleted_at = tenant.deleted_at.or(Some(Moment::now()));
                (tenant.gone, tenant.version) = (now, version);
                (number, tenant)
            }
            Step::Rebind(number, bot) => match last.get(&number) {
                Some(known) if known.deleted_at.is_none() && free(bot, &last) => {
                    let mut tenant = known.clone();
                    (tenant.bot, tenant.version) = (Some(BotId(bot)), version);
                    (number, tenant)
                }
                _ => continue,
            },
            _ => continue,
        };
        history.push(changed.1.clone());
        last.insert(changed.0, changed.1);
    }
    history
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Told in any order, some twice, the cache ends up where the registry is.
    #[test]
    fn order_does_not_matter(steps in steps(), order in any::<u64>()) {
        let history = history(&steps);
        let mut told: Vec<Tenant> = history.iter().chain(&history).cloned().collect();
        let mix = |tenant: &Tenant, salt: u64| tenant.version.wrapping_mul(order | 1).wrapping_add(salt) % 97;
        told.sort_by_key(|tenant| mix(tenant, order));
        let cache = cache::Cache::new(cache::KEYS);
        for tenant in told {
            cache.apply(tenant);
        }

        let mut last: HashMap<_, &Tenant> = HashMap::new();
        for tenant in &history {
            last.insert(tenant.id, tenant);
        }
        for tenant in last.values() {
            let served = cache.get(&Key::Code(tenant.code));
            prop_assert_eq!(served.as_deref(), Some(*tenant));
        }
        for id in 1..5 {
            let has = last.values().filter(|tenant| tenant.bot == Some(BotId(id)));
            let serves = has.max_by_key(|tenant| (tenant.deleted_at.is_none(), tenant.version));
            let served = cache.get(&bot(id));
            let (serves, served) = (serves.copied(), served.as_deref());
            // Of those that are gone it does not matter which one is known, if any.
            if serves.is_some_and(|it| it.standing_now() == Standing::Gone) {
                prop_assert!(served.is_none_or(|it| it.standing_now() == Standing::Gone));
            } else {
                prop_assert_eq!(served, serves);
            }
        }
    }
}
