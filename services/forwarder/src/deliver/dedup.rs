//! Which updates a bot has been given.
//!
//! In: successes, those of this process (`arrange/dispatch.rs`) and, at an assignment, those that deliveries.v1 tells of since the last
//! commit. Out: whether an update was delivered already: Telegram sends again what it was not answered in time, and a restart reads again what was
//! not committed. Invariant: what is told as delivered was. Bounded: a bot's numbers are kept as ranges, the lowest are forgotten beyond
//! [`RANGES`]; each partition has its own, which goes with it. Forgotten means that a repeat would be delivered again, never that anything is lost. Pure.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use gramtap_events::{Moment, TenantId};

use crate::consume::ranges::Ranges;

/// Ranges of a bot at most. A bot whose every update comes through has one for each queue that lags behind.
pub const RANGES: usize = 256;

/// After a week without updates Telegram starts anew at a random number, which must not be taken for an old one.
const FRESH: Duration = Duration::from_secs(6 * 24 * 60 * 60);

/// Replays that are remembered, of all bots together.
const REPLAYS: usize = 10_000;

/// What has been delivered.
#[derive(Clone, Debug, Default)]
pub struct Dedup {
    bots: HashMap<TenantId, Delivered>,
    /// Replays, by when they were asked for: each is delivered whether or not the update was before.
    replays: BTreeSet<(Moment, TenantId, i64)>,
}

#[derive(Clone, Debug)]
struct Delivered {
    numbers: Ranges,
    /// When the last of these updates was received.
    last_at: Moment,
}

impl Dedup {
    /// An update was delivered. `at`: when it was received.
    pub fn insert(&mut self, tenant: TenantId, update_id: i64, at: Moment) {
        let bot = self.bots.entry(tenant).or_insert_with(|| Delivered {
            numbers: Ranges::default(),
            last_at: at,
        });
        if at.since(bot.last_at) > FRESH {
            bot.numbers = Ranges::default();
        }
        bot.last_at = bot.last_at.max(at);
        bot.numbers.insert(update_id, update_id.saturating_add(1));
        if bot.numbers.len() > RANGES {
            bot.numbers.pop_first();
        }
    }

    /// A replay was delivered. `asked`: when it was asked for.
    pub fn insert_replay(&mut self, tenant: TenantId, update_id: i64, asked: Moment) {
        self.replays.insert((asked, tenant, update_id));
        if self.replays.len() > REPLAYS {
            self.replays.pop_first();
        }
    }

    /// Whether this very replay was delivered.
    #[must_use]
    pub fn contains_replay(&self, tenant: TenantId, update_id: i64, asked: Moment) -> bool {
        self.replays.contains(&(asked, tenant, update_id))
    }

    /// Whether an update was delivered. `at`: when this copy of it was received.
    #[must_use]
    pub fn contains(&self, tenant: TenantId, update_id: i64, at: Moment) -> bool {
        self.bots
            .get(&tenant)
            .is_some_and(|bot| at.since(bot.last_at) <= FRESH && bot.numbers.contains(update_id))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::tests::{at, tenant};

    const DAY: i64 = 86_400;

    #[test]
    fn what_was_delivered_is_known_for_its_bot_alone() {
        let mut dedup = Dedup::default();
        dedup.insert(tenant(0), 5, at(0));
        dedup.insert(tenant(0), 7, at(0));
        let known = |dedup: &Dedup, bot, id| dedup.contains(tenant(bot), id, at(1));
        assert!(known(&dedup, 0, 5) && known(&dedup, 0, 7) && !known(&dedup, 0, 6));
        assert!(!known(&dedup, 1, 5));
    }

    #[test]
    fn numbers_from_before_a_week_of_silence_are_other_updates() {
        let mut dedup = Dedup::default();
        dedup.insert(tenant(0), 5, at(0));
        assert!(dedup.contains(tenant(0), 5, at(6 * DAY)));
        assert!(!dedup.contains(tenant(0), 5, at(6 * DAY + 1)));
        dedup.insert(tenant(0), 9, at(7 * DAY));
        assert!(!dedup.contains(tenant(0), 5, at(7 * DAY)));
        // An older copy that comes late does not bring them back.
        dedup.insert(tenant(0), 10, at(3 * DAY));
        assert!(dedup.contains(tenant(0), 9, at(8 * DAY)));
    }

    #[test]
    fn a_replay_is_another_thing_than_its_update() {
        let mut dedup = Dedup::default();
        dedup.insert(tenant(0), 5, at(0));
        assert!(!dedup.contains_replay(tenant(0), 5, at(9)));
        dedup.insert_replay(tenant(0), 5, at(9));
        dedup.insert_replay(tenant(0), 6, at(9));
        assert!(dedup.contains_replay(tenant(0), 5, at(9)));
        assert!(!dedup.contains_replay(tenant(0), 5, at(10)));
        assert!(!dedup.contains_replay(tenant(1), 5, at(9)));
        assert!(!dedup.contains(tenant(0), 6, at(9)));
    }

    #[test]
    fn the_lowest_are_forgotten_beyond_the_bound() {
        let mut dedup = Dedup::default();
        let ranges = i64::try_from(RANGES).unwrap();
        (0..=ranges).for_each(|step| dedup.insert(tenant(0), step * 2, at(0)));
        assert!(!dedup.contains(tenant(0), 0, at(0)));
        assert!((1..=ranges).all(|step| dedup.contains(tenant(0), step * 2, at(0))));
        dedup.insert(tenant(0), i64::MAX, at(0));
    }
}
