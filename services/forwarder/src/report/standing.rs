//! How webhooks stand, told to whoever asks: `webhook_standing`, in SQL.
//!
//! In: what waits of each bot (`arrange/dispatch/waiting.rs`), attempts that failed, each round's end. Out: [`Round`]s of rows that say something else than SQL
//! does, for `consume/poller/standing.rs`. Invariant: of a partition nothing is written before it is known what SQL says of it, so a row that a former
//! owner has left is set right, too; a row is written if its number has changed or a failure is to be told; one round at a time. SQL away: the round
//! is made again with what is true then; a bot's last failure waits for it. Dies: what the rows say is read again. Pure.

use std::collections::{BTreeSet, HashMap};

use gramtap_events::TenantId;
use gramtap_tenants::{FailedAttempt, StandingRow};

/// What waits: by partition and bot.
type Waiting = HashMap<i32, HashMap<TenantId, u64>>;

/// What is to be asked of SQL, and told to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Round {
    /// Partitions of which it is not known what SQL says.
    pub(crate) unread: Vec<i32>,
    /// What is to be written.
    pub(crate) rows: Vec<StandingRow>,
}

/// What SQL says, and what it is to be told.
#[derive(Debug, Default)]
pub(crate) struct Standings {
    /// What SQL says that waits, of partitions that were read. Bots with nothing are left out.
    written: HashMap<i32, HashMap<TenantId, u64>>,
    /// The last failures that are not written.
    failed: HashMap<i32, HashMap<TenantId, FailedAttempt>>,
    /// The round that is being made.
    round: Option<Round>,
}

impl Standings {
    /// An attempt has failed.
    pub(crate) fn fail(&mut self, partition: i32, tenant: TenantId, failed: FailedAttempt) {
        let of = self.failed.entry(partition).or_default();
        of.insert(tenant, failed);
    }

    /// The next round, if there is anything to do.
    pub(crate) fn begin(&mut self, waiting: &Waiting) -> Option<&Round> {
        if self.round.is_some() {
            return None;
        }
        let mut round = Round::default();
        for (number, bots) in waiting {
            let Some(written) = self.written.get(number) else {
                round.unread.push(*number);
                continue;
            };
            let mut failed = self.failed.remove(number).unwrap_or_default();
            let tenants = bots.keys().chain(written.keys()).chain(failed.keys());
            let tenants: BTreeSet<TenantId> = tenants.copied().collect();
            for tenant in tenants {
                let count = |of: &HashMap<_, u64>| of.get(&tenant).copied().unwrap_or_default();
                let failed = failed.remove(&tenant);
                if failed.is_some() || count(bots) != count(written) {
                    round.rows.push(StandingRow {
                        tenant,
                        partition: *number,
                        waiting: count(bots),
                        failed,
                    });
                }
            }
        }
        if round == Round::default() {
            return None;
        }
        self.round = Some(round);
        self.round.as_ref()
    }

    /// The round has ended: what SQL says of the partitions that were not known. None: it has failed.
    pub(crate) fn end(&mut self, read: Option<Vec<(i32, TenantId, u64)>>) {
        let Some(Round { unread, rows }) = self.round.take() else {
            return;
        };
        let Some(read) = read else {
            for row in rows {
                if let Some(failed) = row.failed {
                    let of = self.failed.entry(row.partition).or_default();
                    // A newer one may be there.
                    of.entry(row.tenant).or_insert(failed);
                }
            }
            return;
        };
        for number in unread {
            let of = read.iter().filter(|(of, ..)| *of == number);
            let of = of.map(|(_, tenant, waiting)| (*tenant, *waiting));
            self.written.insert(number, of.collect());
        }
        for row in rows {
            if let Some(written) = self.written.get_mut(&row.partition) {
                match row.waiting {
                    0 => written.remove(&row.tenant),
                    waiting => written.insert(row.tenant, waiting),
                };
            }
        }
    }

    /// A partition is another process' now, which tells of it from here on.
    pub(crate) fn revoked(&mut self, partition: i32) {
        self.written.remove(&partition);
        self.failed.remove(&partition);
        if let Some(round) = &mut self.round {
            round.unread.retain(|of| *of != partition);
            round.rows.retain(|row| row.partition != partition);
        }
    }
}

#[cfg(test)]
mod tests;
