//! Groups: which consumer of this process has which partition.
//!
//! In: members that join, leave and give up. Out: what each member is to take and to give up; the
//! writer's question whether a commit comes from the owner. Invariant: a partition has at most
//! one owner at any time, and a new one only after the old one has let go (or its deadline is
//! over, or it has left). A change wakes every member of its group.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gramtap_events::Topic;

use super::balance::share;
use super::jobs::Member;
use crate::consume::inbox::Inbox;
use crate::consume::{ConsumerOptions, TopicPartition};

/// All groups of a log.
#[derive(Default)]
pub(super) struct Groups(Mutex<State>);

#[derive(Default)]
struct State {
    groups: HashMap<Arc<str>, Group>,
    last_member: u64,
}

#[derive(Default)]
struct Group {
    members: BTreeMap<u64, Joined>,
    owners: BTreeMap<Key, u64>,
    wanted: BTreeMap<Key, u64>,
}

/// A partition by its topic's name, so that there is an order.
type Key = (&'static str, i32);

struct Joined {
    /// The static id, if it has one.
    name: Option<String>,
    topics: Vec<(&'static Topic, i32)>,
    /// Wants partitions of the same number together.
    together: bool,
    inbox: Arc<Inbox>,
    fenced: bool,
}

/// What a member has to do.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Changes {
    /// Owned by it from now on.
    pub(super) taken: Vec<TopicPartition>,
    /// To be given up, by `release`.
    pub(super) unwanted: Vec<TopicPartition>,
    /// Another member has its static id: it is out.
    pub(super) fenced: bool,
}

impl Groups {
    /// Adds a member that reads these topics, each with its number of partitions.
    pub(super) fn join(
        &self,
        group: &str,
        options: &ConsumerOptions,
        topics: Vec<(&'static Topic, i32)>,
        inbox: Arc<Inbox>,
    ) -> Member {
        let name = options.member.clone();
        let mut state = self.lock();
        state.last_member += 1;
        let id = state.last_member;
        let group: Arc<str> = Arc::from(group);
        let members = state.groups.entry(Arc::clone(&group)).or_default();
        for other in members.members.values_mut() {
            other.fenced |= name.is_some() && other.name == name;
        }
        members.members.insert(
            id,
            Joined {
                name,
                topics,
                together: options.together,
                inbox,
                fenced: false,
            },
        );
        members.rebalance();
        Member { group, id }
    }

    /// Removes a member; its partitions are free at once.
    pub(super) fn leave(&self, member: &Member) {
        let mut state = self.lock();
        if let Some(group) = state.groups.get_mut(&member.group) {
            group.members.remove(&member.id);
            group.owners.retain(|_, owner| *owner != member.id);
            group.rebalance();
            if group.members.is_empty() {
                state.groups.remove(&member.group);
            }
        }
    }

    /// What the member has to do now. What it takes is its own from here on.
    pub(super) fn changes(&self, member: &Member) -> Changes {
        let mut state = self.lock();
        let Some(group) = state.groups.get_mut(&member.group) else {
            return Changes::default();
        };
        let Some(joined) = group.members.get(&member.id) else {
            return Changes::default();
        };
        let mut changes = Changes {
            fenced: joined.fenced,
            ..Changes::default()
        };
        for (topic, count) in &joined.topics {
            for partition in 0..*count {
                let key = (topic.name, partition);
                let wanted = group.wanted.get(&key) == Some(&member.id);
                let partition = TopicPartition { topic, partition };
                match group.owners.get(&key) {
                    None if wanted => {
                        group.owners.insert(key, member.id);
                        changes.taken.push(partition);
                    }
                    Some(owner) if *owner == member.id && !wanted => {
                        changes.unwanted.push(partition)
                    }
                    _ => {}
                }
            }
        }
        changes
    }

    /// The member has let go.
    pub(super) fn release(&self, member: &Member, partitions: &[TopicPartition]) {
        let mut state = self.lock();
        if let Some(group) = state.groups.get_mut(&member.group) {
            for partition in partitions {
                let key = (partition.topic.name, partition.partition);
                if group.owners.get(&key) == Some(&member.id) {
                    group.owners.remove(&key);
                }
            }
            group.wake();
        }
    }

    /// Whether a partition is the member's.
    pub(super) fn owns(&self, member: &Member, partition: TopicPartition) -> bool {
        let key = (partition.topic.name, partition.partition);
        let state = self.lock();
        let group = state.groups.get(&member.group);
        group.is_some_and(|group| group.owners.get(&key) == Some(&member.id))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Group {
    /// Decides anew who shall have what.
    fn rebalance(&mut self) {
        let alive: Vec<u64> = self
            .members
            .iter()
            .filter(|(_, it)| !it.fenced)
            .map(|(id, _)| *id)
            .collect();
        let mut partitions: Vec<Key> = self
            .members
            .values()
            .flat_map(|member| &member.topics)
            .flat_map(|(topic, count)| (0..*count).map(|partition| (topic.name, partition)))
            .collect();
        partitions.sort_unstable();
        partitions.dedup();
        let wants = |member: u64, key: Key| {
            let joined = self.members.get(&member);
            joined.is_some_and(|it| it.topics.iter().any(|(topic, _)| topic.name == key.0))
        };
        self.wanted = match self.members.values().all(|member| member.together) {
            true => self.share_numbers(&alive, &partitions),
            false => share(&alive, &partitions, wants, &self.wanted),
        };
        self.wake();
    }

    /// The same, with all partitions of one number to the same member.
    fn share_numbers(&self, alive: &[u64], partitions: &[Key]) -> BTreeMap<Key, u64> {
        let mut numbers: Vec<i32> = partitions.iter().map(|(_, number)| *number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let current = self.wanted.iter().map(|((_, number), id)| (*number, *id));
        let shares = share(alive, &numbers, |_, _| true, &current.collect());
        let owner = |key: &Key| Some((*key, *shares.get(&key.1)?));
        partitions.iter().filter_map(owner).collect()
    }

    fn wake(&self) {
        for member in self.members.values() {
            member.inbox.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use gramtap_events::topics::CALLS;

    fn inbox() -> Arc<Inbox> {
        Arc::new(Inbox::new(1, 1))
    }

    fn named(name: Option<&str>) -> ConsumerOptions {
        ConsumerOptions {
            member: name.map(str::to_owned),
            ..ConsumerOptions::default()
        }
    }

    fn partitions(list: &[TopicPartition]) -> Vec<i32> {
        list.iter().map(|it| it.partition).collect()
    }

    #[test]
    fn a_partition_moves_only_after_its_owner_let_go() {
        let groups = Groups::default();
        let first = groups.join("g", &named(None), vec![(&CALLS, 4)], inbox());
        assert_eq!(partitions(&groups.changes(&first).taken), [0, 1, 2, 3]);

        let second = groups.join("g", &named(None), vec![(&CALLS, 4)], inbox());
        assert_eq!(groups.changes(&second), Changes::default());
        let unwanted = groups.changes(&first).unwanted;
        assert_eq!(unwanted.len(), 2);
        assert!(groups.owns(&first, unwanted[0]) && !groups.owns(&second, unwanted[0]));

        groups.release(&first, &unwanted);
        assert_eq!(groups.changes(&second).taken, unwanted);
        assert!(!groups.owns(&first, unwanted[0]) && groups.owns(&second, unwanted[0]));

        groups.leave(&second);
        assert_eq!(groups.changes(&first).taken, unwanted);
    }

    #[test]
    fn a_second_member_of_the_same_name_fences_the_first() {
        let groups = Groups::default();
        let first = groups.join("g", &named(Some("pod-1")), vec![(&CALLS, 1)], inbox());
        assert_eq!(groups.changes(&first).taken.len(), 1);
        let second = groups.join("g", &named(Some("pod-1")), vec![(&CALLS, 1)], inbox());
        assert!(groups.changes(&first).fenced && !groups.changes(&second).fenced);
        groups.leave(&first);
        assert_eq!(groups.changes(&second).taken.len(), 1);
    }
}
