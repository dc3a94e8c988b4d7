//! The updates that wait for a bot.
//!
//! In: updates, in the order they happened (`world/polling.rs`). Out: those a getUpdates asks for, and
//! those that are pushed (`push/plan.rs`). Invariant: ids are consecutive; an update leaves only by
//! confirmation (a higher offset, a delivery), by expiry, or by [`UpdateQueue::clear`]. At most a
//! million wait (as with Telegram's server); beyond that, new ones are refused and counted.

use std::collections::VecDeque;
use std::time::Duration;

use gramtap_telegram::Queue;
use gramtap_telegram::queue::Head;

/// Waiting updates at most.
const MOST: usize = 1_000_000;
/// The longest update that the server keeps.
const LONGEST: usize = 512 << 10;
/// An answer to getUpdates is cut before it outgrows this.
const ANSWER: usize = 4 << 20;
/// What Telegram's server counts for an update besides its text.
const OVERHEAD: usize = 50;

/// One update: its id, and the rest of its object, `"message":{…}`.
pub(crate) struct Update {
    pub(crate) id: i64,
    expires_at: Duration,
    pub(crate) text: String,
}

impl Update {
    /// The name of its kind.
    pub(crate) fn kind(&self) -> &str {
        let kind = self.text.split_once(':').map_or("", |(kind, _)| kind);
        kind.trim_matches('"')
    }

    /// Which of Telegram's queues it waits in.
    pub(crate) fn queue(&self) -> Queue {
        let mut text = String::new();
        self.write(&mut text);
        Head::read(text.as_bytes()).map_or(Queue::OTHER, |head| head.queue)
    }

    /// Writes the object, as getUpdates and webhooks show it.
    pub(crate) fn write(&self, text: &mut String) {
        text.push_str("{\"update_id\":");
        text.push_str(&self.id.to_string());
        text.push_str(",\n");
        text.push_str(&self.text);
        text.push('}');
    }
}

/// Updates in order.
pub(crate) struct UpdateQueue {
    updates: VecDeque<Update>,
    /// The id of the next update.
    tail: i64,
    /// Nothing expires before this.
    next_expiry: Duration,
    refused: u64,
    expired: u64,
}

impl UpdateQueue {
    /// An empty queue whose first update will have the id `first`.
    pub(crate) fn new(first: i64) -> Self {
        Self {
            updates: VecDeque::new(),
            tail: first.max(1),
            next_expiry: Duration::MAX,
            refused: 0,
            expired: 0,
        }
    }

    /// Adds an update; gives its id, or `None` if it was refused.
    pub(crate) fn push(&mut self, text: String, expires_at: Duration) -> Option<i64> {
        if self.updates.len() >= MOST || text.is_empty() || text.len() > LONGEST {
            self.refused += 1;
            return None;
        }
        let id = self.tail;
        self.tail += 1;
        self.next_expiry = self.next_expiry.min(expires_at);
        self.updates.push_back(Update {
            id,
            expires_at,
            text,
        });
        Some(id)
    }

    /// The id of the first update that waits, or of the next one to come.
    pub(crate) fn head(&self) -> i64 {
        self.updates.front().map_or(self.tail, |update| update.id)
    }

    /// The id of the next update.
    pub(crate) fn tail(&self) -> i64 {
        self.tail
    }

    /// What getUpdates with this offset and limit gives now. All before the offset is confirmed
    /// and gone. A negative offset counts from the end; one that is far from any update that was
    /// (more than 10 ahead, or two million behind) restarts from the head.
    pub(crate) fn get(&mut self, offset: i64, limit: usize, now: Duration) -> &[Update] {
        let from = self.resolve(offset);
        let confirmed = self.updates.partition_point(|update| update.id < from);
        self.updates.drain(..confirmed);
        self.expire(now);
        let mut room = ANSWER;
        let mut count = 0;
        let updates = self.updates.make_contiguous();
        for update in updates.iter().take(limit) {
            let size = OVERHEAD + update.text.len();
            if size >= room {
                break;
            }
            room -= size;
            count += 1;
        }
        &updates[..count]
    }

    /// How many wait now.
    pub(crate) fn pending(&mut self, now: Duration) -> usize {
        self.expire(now);
        self.updates.len()
    }

    /// How many were refused since the start.
    pub(crate) fn refused(&self) -> u64 {
        self.refused
    }

    /// How many have expired since the start.
    pub(crate) fn expired(&self) -> u64 {
        self.expired
    }

    /// Those with this id or a higher one.
    pub(crate) fn since(&self, id: i64) -> impl Iterator<Item = &Update> {
        let from = self.updates.partition_point(|update| update.id < id);
        self.updates.range(from..)
    }

    /// Whether an update is here and will not have expired by then.
    pub(crate) fn live(&self, id: i64, at: Duration) -> bool {
        self.get_one(id)
            .is_some_and(|update| update.expires_at > at)
    }

    /// An update.
    pub(crate) fn get_one(&self, id: i64) -> Option<&Update> {
        self.find(id).map(|place| &self.updates[place])
    }

    /// An update was taken by a webhook; it may have expired on the way.
    pub(crate) fn delivered(&mut self, id: i64) {
        if let Some(place) = self.find(id) {
            self.updates.remove(place);
        }
    }

    /// An update has expired, or will have before it can be sent again.
    pub(crate) fn expire_one(&mut self, id: i64) {
        if let Some(place) = self.find(id) {
            self.updates.remove(place);
            self.expired += 1;
        }
    }

    /// Drops all.
    pub(crate) fn clear(&mut self) {
        self.updates.clear();
    }

    fn expire(&mut self, now: Duration) {
        if now < self.next_expiry {
            return;
        }
        let before = self.updates.len();
        self.updates.retain(|update| update.expires_at > now);
        self.expired += (before - self.updates.len()) as u64;
        self.next_expiry = self
            .updates
            .iter()
            .map(|update| update.expires_at)
            .min()
            .unwrap_or(Duration::MAX);
    }

    fn find(&self, id: i64) -> Option<usize> {
        self.updates
            .binary_search_by_key(&id, |update| update.id)
            .ok()
    }

    fn resolve(&self, offset: i64) -> i64 {
        let head = self.head();
        let wanted = match offset {
            0 => head,
            1.. => offset,
            _ => self.tail.saturating_add(offset).max(head),
        };
        let future = wanted > self.tail + 10;
        let past = wanted < self.tail - 2 * MOST as i64;
        if future || past { head } else { wanted }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LATER: Duration = Duration::from_secs(86_400);

    fn ids(queue: &mut UpdateQueue, offset: i64, limit: usize) -> Vec<i64> {
        queue
            .get(offset, limit, Duration::ZERO)
            .iter()
            .map(|update| update.id)
            .collect()
    }

    fn filled(count: i64) -> UpdateQueue {
        let mut queue = UpdateQueue::new(100);
        for _ in 0..count {
            queue.push("\"x\":1".to_owned(), LATER);
        }
        queue
    }

    #[test]
    fn offsets() {
        let table: [(i64, usize, &[i64], &[i64]); 9] = [
            (0, 100, &[100, 101, 102, 103], &[100, 101, 102, 103]),
            (0, 2, &[100, 101], &[100, 101, 102, 103]),
            (102, 100, &[102, 103], &[102, 103]),
            (104, 100, &[], &[]),
            (-1, 100, &[103], &[103]),
            (-3, 1, &[101], &[101, 102, 103]),
            (-50, 100, &[100, 101, 102, 103], &[100, 101, 102, 103]),
            (114, 100, &[], &[]),
            (115, 100, &[100, 101, 102, 103], &[100, 101, 102, 103]),
        ];
        for (offset, limit, given, left) in table {
            let mut queue = filled(4);
            assert_eq!(ids(&mut queue, offset, limit), given, "offset {offset}");
            assert_eq!(ids(&mut queue, 0, 100), left, "left after offset {offset}");
        }
    }

    #[test]
    fn expired_updates_go_and_answers_are_cut_near_4_mib() {
        let mut queue = UpdateQueue::new(1);
        queue.push("a".to_owned(), Duration::from_secs(30));
        queue.push("b".to_owned(), LATER);
        assert_eq!(queue.pending(Duration::from_secs(30)), 1);
        let mut large = UpdateQueue::new(1);
        for _ in 0..20 {
            large.push("x".repeat(500_000), LATER);
        }
        assert_eq!(ids(&mut large, 0, 100).len(), 8);
        assert_eq!(large.push("x".repeat(LONGEST + 1), LATER), None);
        assert_eq!(large.refused(), 1);
    }

    #[derive(Clone, Debug)]
    enum Act {
        Push,
        Get { offset: i64, limit: usize },
        Clear,
    }

    fn acts() -> impl Strategy<Value = Vec<Act>> {
        let act = prop_oneof![
            3 => Just(Act::Push),
            2 => (-6_i64..40, 1_usize..8).prop_map(|(offset, limit)| Act::Get { offset, limit }),
            1 => Just(Act::Clear),
        ];
        proptest::collection::vec(act, 0..60)
    }

    proptest! {
        /// The model: a list, and "confirm" removes all below an offset.
        #[test]
        fn behaves_like_a_list_with_confirm(acts in acts()) {
            let mut queue = UpdateQueue::new(1);
            let mut model: Vec<i64> = Vec::new();
            let mut next = 1_i64;
            for act in acts {
                match act {
                    Act::Push => {
                        prop_assert_eq!(queue.push("\"m\":{}".to_owned(), LATER), Some(next));
                        model.push(next);
                        next += 1;
                    }
                    Act::Get { offset, limit } => {
                        let known = offset <= next + 10;
                        if offset > 0 && known {
                            model.retain(|id| *id >= offset);
                        } else if offset < 0 {
                            model.retain(|id| *id >= next + offset);
                        }
                        let expected: Vec<i64> = model.iter().copied().take(limit).collect();
                        prop_assert_eq!(ids(&mut queue, offset, limit), expected);
                    }
                    Act::Clear => {
                        queue.clear();
                        model.clear();
                    }
                }
                prop_assert_eq!(queue.pending(Duration::ZERO), model.len());
                prop_assert_eq!(queue.tail(), next);
            }
        }
    }
}
