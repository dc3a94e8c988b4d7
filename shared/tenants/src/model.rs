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

use crate::{Code, HookHash, Key, SealedWebhook};

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
    /// What the secret part of its webhook's address is known by. None: its webhook is not ours.
    pub hook: Option<HookHash>,
    /// The one before, which is good for a while more.
    pub former_hook: Option<Former>,
    /// Where it takes updates, sealed. Stays when the webhook is given back, for those that still wait.
    pub webhook: Option<SealedWebhook>,
    /// Updates that were received before this and still wait are not delivered: the bot had Telegram drop them.
    pub dropped_before: Option<Moment>,
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

/// The hook of an address that was replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Former {
    /// What it is known by.
    pub hash: HookHash,
    /// When it ends.
    pub until: Moment,
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

    /// What it is looked up by.
    pub(crate) fn keys(&self) -> impl Iterator<Item = Key> {
        let former = self.former_hook.map(|former| former.hash);
        let hooks = [self.hook, former].into_iter().flatten().map(Key::Hook);
        [Key::Code(self.code), Key::Tenant(self.id)]
            .into_iter()
            .chain(self.bot.map(Key::Bot))
            .chain(hooks)
    }

    /// Whether one of its keys leads to it at `now`.
    pub(crate) fn answers_to(&self, key: &Key, now: Moment) -> bool {
        match (key, self.former_hook) {
            (Key::Hook(hash), Some(former)) if former.hash == *hash && self.hook != Some(*hash) => {
                now < former.until
            }
            _ => self.keys().any(|its| its == *key),
        }
    }

    /// Whether the bot had an update dropped that was received at `at`.
    #[must_use]
    pub fn has_dropped(&self, at: Moment) -> bool {
        self.dropped_before.is_some_and(|before| at < before)
    }

    /// How its webhook's updates are passed on: as was asked for, else kept first only if a method in the bot's answer can be executed here.
    #[must_use]
    pub fn webhook_mode(&self) -> Mode {
        self.mode.unwrap_or(match self.token_stored {
            true => Mode::Inbox,
            false => Mode::Relay,
        })
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
            hook_hash: self.hook.map(|hash| hash.to_string()),
            former_hook_hash: self.former_hook.map(|former| former.hash.to_string()),
            former_hook_until: self.former_hook.map(|former| former.until),
            webhook: self
                .webhook
                .as_ref()
                .map(|sealed| sealed.as_str().to_owned()),
            dropped_before: self.dropped_before,
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
        let hash = |text: Option<String>| text.and_then(|text| text.parse().ok());
        let former = hash(state.former_hook_hash).zip(state.former_hook_until);
        Some(Self {
            id: state.tenant,
            code: state.code?.parse().ok()?,
            bot: state.bot,
            name: state.name,
            privacy: state.privacy,
            mode: state.mode,
            hook: hash(state.hook_hash),
            former_hook: former.map(|(hash, until)| Former { hash, until }),
            webhook: state.webhook.map(SealedWebhook::from),
            dropped_before: state.dropped_before,
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
    use crate::Hook;

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
            hook: None,
            former_hook: None,
            webhook: None,
            dropped_before: None,
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
    fn a_former_hook_ends() {
        let mut tenant = tenant(1, Some(7), 1);
        let now = Moment::now();
        let after = |seconds| Moment::from(now.time() + Duration::from_secs(seconds));
        let [current, former, other] = [0; 3].map(|_| Hook::generate().unwrap().hash());
        tenant.hook = Some(current);
        tenant.former_hook = Some(Former {
            hash: former,
            until: after(60),
        });
        let answers = |hash, seconds| tenant.answers_to(&Key::Hook(hash), after(seconds));
        assert!(answers(current, 0) && answers(current, 999_999));
        assert!(answers(former, 59) && !answers(former, 60));
        assert!(!answers(other, 0));
        assert_eq!(tenant.keys().count(), 5);
        assert!(tenant.keys().all(|key| tenant.answers_to(&key, now)));
    }

    #[test]
    fn updates_are_kept_first_only_where_an_answer_can_be_executed() {
        let mut tenant = tenant(1, Some(7), 1);
        assert_eq!(tenant.webhook_mode(), Mode::Relay);
        tenant.token_stored = true;
        assert_eq!(tenant.webhook_mode(), Mode::Inbox);
        tenant.mode = Some(Mode::Relay);
        assert_eq!(tenant.webhook_mode(), Mode::Relay);
    }

    #[test]
    fn a_record_tells_all_but_what_it_does_not_hold() {
        let mut tenant = tenant(3, Some(7), 9);
        tenant.name = Some("shop".to_owned());
        tenant.upstream = Some("local".to_owned());
        tenant.hook = Some(Hook::generate().unwrap().hash());
        tenant.former_hook = Some(Former {
            hash: Hook::generate().unwrap().hash(),
            until: Moment::now(),
        });
        tenant.webhook = Some("key.sealed".to_owned().into());
        tenant.dropped_before = Some(Moment::now());
        let told = Tenant::from_state(tenant.state()).unwrap();
        tenant.created_at = None;
        assert_eq!(told, tenant);
    }
}
