//! How much waits, of each bot.
//!
//! In: bots and partitions as they are. Out: numbers, for `report/standing.rs`. Invariant: an update counts from when it is read until it is delivered or given
//! up, wherever it waits: in memory, under way, or in `inbox.retry.v1`; a replay to the webhook counts like any other, one to elsewhere does not wait for it. What is still to be read of the inbox is not counted: nobody knows whose it is.

use std::collections::HashMap;

use gramtap_events::TenantId;

use super::Dispatch;

impl<P: Clone> Dispatch<P> {
    /// What waits, by partition and bot. For a bot that is not there nothing waits; of a partition that is not there nobody can say yet, because not
    /// all has been read that was in it at the assignment.
    #[must_use]
    pub fn waiting(&self) -> HashMap<i32, HashMap<TenantId, u64>> {
        let known = self.partitions.iter().filter(|(_, it)| it.is_caught_up());
        let mut waiting: HashMap<i32, HashMap<TenantId, u64>> =
            known.map(|(number, _)| (*number, HashMap::new())).collect();
        let webhooks = self.bots.iter().filter(|(to, _)| !to.elsewhere);
        for (to, bot) in webhooks.filter(|(_, bot)| bot.waiting > 0) {
            if let Some(bots) = waiting.get_mut(&bot.partition) {
                bots.insert(to.tenant, bot.waiting);
            }
        }
        waiting
    }

    /// Each bot's number is that of its lanes.
    #[cfg(test)]
    pub(crate) fn check_waiting(&self) {
        for bot in self.bots.values() {
            assert_eq!(bot.waiting, bot.counted());
        }
    }
}
