//! A connected bot, as the registry keeps it and the directory serves it.
//!
//! In: rows (`registry/row.rs`), records of `tenants.v1`, values in Redis. Out: ingress, the
//! operator's commands, records. Invariant: no secret is in it; `version` grows with every change
//! of the registry as a whole, so that of two states, of one bot or of two that had the same bot
//! id, the later one is known. Pure.

use std::time::Duration;

use gramtap_events::tenant::{Mode, Privacy, TenantState};
use gramtap_events::{Moment, Record, TenantId};
use gramtap_telegram::BotId;
use serde::{Deserialize, Serialize};

use crate::Code;

/// How long a removed bot is still relayed, uncaptured: some libraries stop for good on a 404.
pub const GRACE: Duration = Duration::from_secs(24 * 60 * 60);

/// A connected bot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tenant {
    /// Who it is in records, for ever.
    pub id: TenantId,
    /// Its public label.
    pub code: Code,
    /// Telegram's id of the bot; none until its first call was answered `ok:true`.
    pub bot: Option<BotId>,
    /// What the operator calls it.
    pub name: Option<String>,
    /// What is kept of bodies.
    pub privacy: Privacy,
    /// How its webhook's updates are passed on.
    pub mode: Option<Mode>,
    /// The hash of its webhook's secret part.
    pub hook_hash: Option<String>,
    /// The named upstream, where it is not the usual one.
    pub upstream: Option<String>,
    /// The registry's version at its last change.
    pub version: u64,
    /// When it was connected. None where it is known from `tenants.v1` alone, which does not tell.
    pub created_at: Option<Moment>,
    /// When it was removed.
    pub deleted_at: Option<Moment>,
    /// It was removed at once, without the day of grace.
    pub gone: bool,
    /// Its token is stored. False where it is known from `tenants.v1` alone, which does not tell.
    pub token_stored: bool,
}

/// Whether a bot is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Connected: relayed and captured.
    Connected,
    /// Removed less than [`GRACE`] ago: relayed, not captured.
    Leaving,
    /// Removed: answered as unknown.
    Gone,
}

impl Tenant {
    /// Whether it is served at `now`.
    #[must_use]
    pub fn standing(&self, now: Moment) -> Standing {
        match self.deleted_at {
            None => Standing::Connected,
            Some(_) if self.gone => Standing::Gone,
            Some(at) if now.time() < at.time() + GRACE => Standing::Leaving,
            Some(_) => Standing::Gone,
        }
    }

    /// The standing now. Asks the clock only of bots that were removed.
    #[must_use]
    pub fn standing_now(&self) -> Standing {
        match self.deleted_at {
            None => Standing::Connected,
            Some(_) => self.standing(Moment::now()),
        }
    }

    /// Its record of `tenants.v1`.
    #[must_use]
    pub fn state(&self) -> TenantState {
        TenantState {
            v: TenantState::VERSION,
            version: self.version,
            tenant: self.id,
            code: Some(self.code.to_string()),
            bot: self.bot,
            name: self.name.clone(),
            hook_hash: self.hook_hash.clone(),
            mode: self.mode,
            privacy: self.privacy,
            upstream: self.upstream.clone(),
            deleted_at: self.deleted_at,
            gone: self.gone,
        }
    }

    /// What a record of `tenants.v1` tells; none if it has no code, and so cannot be called.
    #[must_use]
    pub fn from_state(state: TenantState) -> Option<Self> {
        Some(Self {
            id: state.tenant,
            code: state.code?.parse().ok()?,
            bot: state.bot,
            name: state.name,
            privacy: state.privacy,
            mode: state.mode,
            hook_hash: state.hook_hash,
            upstream: state.upstream,
            version: state.version,
            created_at: None,
            deleted_at: state.deleted_at,
            gone: state.gone,
            token_stored: false,
        })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// A bot for tests; its id and code are made of `number`.
    pub(crate) fn tenant(number: u32, bot: Option<i64>, version: u64) -> Tenant {
        let label = format!("{number:0>26}").replace(['0', '1', '8', '9'], "a");
        let digits: String = number
            .to_string()
            .chars()
            .map(|digit| char::from(b'a' + digit as u8 - b'0'))
            .collect();
        let code = format!("{label}{digits}");
        Tenant {
            id: format!("{digits:z>26}").parse().unwrap(),
            code: code[code.len() - 26..].parse().unwrap(),
            bot: bot.map(BotId),
            name: None,
            privacy: Privacy::Metadata,
            mode: None,
            hook_hash: None,
            upstream: None,
            version,
            created_at: Some(Moment::now()),
            deleted_at: None,
            gone: false,
            token_stored: false,
        }
    }

    #[test]
    fn a_removed_bot_has_a_day() {
        let mut tenant = tenant(1, Some(7), 1);
        let now = Moment::now();
        let before = |seconds| Moment::from(now.time() - Duration::from_secs(seconds));
        assert_eq!(tenant.standing(now), Standing::Connected);
        for (seconds, standing) in [
            (0, Standing::Leaving),
            (86_399, Standing::Leaving),
            (86_400, Standing::Gone),
            (999_999, Standing::Gone),
        ] {
            tenant.deleted_at = Some(before(seconds));
            assert_eq!(tenant.standing(now), standing, "{seconds}");
        }
        tenant.deleted_at = Some(now);
        tenant.gone = true;
        assert_eq!(tenant.standing(now), Standing::Gone);
    }

    #[test]
    fn a_record_tells_all_but_what_it_does_not_hold() {
        let mut tenant = tenant(3, Some(7), 9);
        tenant.name = Some("shop".to_owned());
        tenant.upstream = Some("local".to_owned());
        let told = Tenant::from_state(tenant.state()).unwrap();
        tenant.created_at = None;
        assert_eq!(told, tenant);
    }
}
