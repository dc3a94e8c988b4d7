//! Which member of a group gets which partition.
//!
//! In: members with their topics, partitions, who has what now. Out: who shall have what.
//! Invariant: every partition that any member wants has one owner, who wants it; owners of the
//! same wishes differ by at most one partition; no partition moves without need. Pure.

use std::collections::BTreeMap;

/// Shares partitions out. `wants` tells whether a member reads a partition's topic; `current` who
/// has it now. `P` is ordered only so that the outcome is the same every time.
pub(super) fn share<P: Ord + Copy>(
    members: &[u64],
    partitions: &[P],
    wants: impl Fn(u64, P) -> bool,
    current: &BTreeMap<P, u64>,
) -> BTreeMap<P, u64> {
    let mut load: BTreeMap<u64, usize> = members.iter().map(|member| (*member, 0)).collect();
    let mut shares = BTreeMap::new();
    for partition in partitions {
        let owner = current.get(partition).copied();
        if let Some(owner) =
            owner.filter(|owner| load.contains_key(owner) && wants(*owner, *partition))
        {
            shares.insert(*partition, owner);
            *load.entry(owner).or_default() += 1;
        }
    }
    for partition in partitions {
        if shares.contains_key(partition) {
            continue;
        }
        let idle = load
            .iter()
            .filter(|(member, _)| wants(**member, *partition))
            .min_by_key(|(_, count)| **count);
        if let Some(idle) = idle.map(|(member, _)| *member) {
            shares.insert(*partition, idle);
            *load.entry(idle).or_default() += 1;
        }
    }
    // Each move takes from one who has at least two more than the one who gets: it ends.
    while let Some((partition, from, to)) = better(&shares, &load, &wants) {
        shares.insert(partition, to);
        *load.entry(from).or_default() -= 1;
        *load.entry(to).or_default() += 1;
    }
    shares
}

/// A move that evens the shares out.
fn better<P: Ord + Copy>(
    shares: &BTreeMap<P, u64>,
    load: &BTreeMap<u64, usize>,
    wants: &impl Fn(u64, P) -> bool,
) -> Option<(P, u64, u64)> {
    shares.iter().rev().find_map(|(partition, from)| {
        let has = load.get(from)?;
        let (to, _) = load
            .iter()
            .filter(|(member, count)| **count + 2 <= *has && wants(**member, *partition))
            .min_by_key(|(_, count)| **count)?;
        Some((*partition, *from, *to))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn shares_are_whole_fair_and_sticky(count in 0..40_u32, before in 1..6_u64, after in 1..6_u64, first in 1..4_u64) {
            let partitions: Vec<u32> = (0..count).collect();
            let old: Vec<u64> = (0..before).collect();
            let new: Vec<u64> = (first..first + after).collect();
            let current = share(&old, &partitions, |_, _| true, &BTreeMap::new());
            let shares = share(&new, &partitions, |_, _| true, &current);
            prop_assert_eq!(shares.len(), partitions.len());
            let loads: Vec<usize> = new.iter().map(|it| shares.values().filter(|owner| *owner == it).count()).collect();
            let (least, most) = (loads.iter().min().copied().unwrap_or(0), loads.iter().max().copied().unwrap_or(0));
            prop_assert!(most - least <= 1, "{loads:?}");
            // A partition moves only because its owner has gone or had more than its share.
            for owner in old.iter().filter(|it| new.contains(it)) {
                let had: Vec<u32> = current.iter().filter(|(_, it)| *it == owner).map(|(partition, _)| *partition).collect();
                let lost = had.iter().filter(|it| shares.get(it) != Some(owner)).count();
                prop_assert!(lost <= had.len().saturating_sub(least), "{owner} had {had:?}, lost {lost}");
            }
            prop_assert_eq!(share(&new, &partitions, |_, _| true, &shares), shares);
        }

        #[test]
        fn nobody_gets_what_it_does_not_want(wishes in prop::collection::vec(prop::collection::vec(any::<bool>(), 8), 1..5)) {
            let members: Vec<u64> = (0..wishes.len() as u64).collect();
            let partitions: Vec<usize> = (0..8).collect();
            let wants = |member: u64, partition: usize| wishes[usize::try_from(member).unwrap_or(0)][partition];
            let shares = share(&members, &partitions, wants, &BTreeMap::new());
            for partition in partitions {
                match shares.get(&partition) {
                    Some(owner) => prop_assert!(wants(*owner, partition)),
                    None => prop_assert!(members.iter().all(|member| !wants(*member, partition))),
                }
            }
        }
    }
}
