//! Panics on demand, for tests of what a panic costs. Input: a test, by an actor's name. Output: a
//! panic inside the context of every living actor of that name, as from a handler. Invariant: only
//! with the feature `inject-panics`, which no release has.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::keeper::Vitals;

type Living = (&'static str, Weak<Vitals>);

static LIVING: Mutex<Vec<Living>> = Mutex::new(Vec::new());

pub(crate) fn register(actor: &'static str, vitals: &Arc<Vitals>) {
    let mut living = LIVING.lock().unwrap_or_else(PoisonError::into_inner);
    living.retain(|(_, vitals)| vitals.strong_count() > 0);
    living.push((actor, Arc::downgrade(vitals)));
}

/// Makes every living actor of this name panic. Returns how many there are.
pub fn poison(actor: &str) -> usize {
    let living = LIVING.lock().unwrap_or_else(PoisonError::into_inner);
    let named = living.iter().filter(|(name, _)| *name == actor);
    named
        .filter_map(|(_, vitals)| vitals.upgrade())
        .map(|vitals| vitals.poison())
        .count()
}

/// The names of all living actors, and how many of each there are.
pub fn living() -> BTreeMap<&'static str, usize> {
    let living = LIVING.lock().unwrap_or_else(PoisonError::into_inner);
    let mut counts = BTreeMap::new();
    for (name, vitals) in living.iter() {
        if vitals.strong_count() > 0 {
            *counts.entry(*name).or_default() += 1;
        }
    }
    counts
}
