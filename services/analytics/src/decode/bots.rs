//! What decoding has to know of bots: how an update that was kept for one is opened, and what of it may be told.
//!
//! In: the registry's bots (`consume/roll.rs`), the installation's keys. Out: the [`Update`] that ingress would have told of the same push, to
//! `decoder.rs`. Invariant: of a bot that is not in the registry nothing of a body is told; the same push gives the same record,
//! whether it was relayed or kept first. No I/O.

use std::collections::HashMap;

use gramtap_events::inbox::Inbox;
use gramtap_events::tenant::Privacy;
use gramtap_events::update::{Update, Via};
use gramtap_events::{Moment, Record, TenantId};
use gramtap_privacy::{Mask, Push};
use gramtap_telegram::BotId;
use gramtap_tenants::{Keys, KeysError, Part, Place, Tenant};

/// The bots that are known, and the keys that open what is sealed.
#[derive(Debug, Default)]
pub struct Bots {
    keys: Option<Keys>,
    known: HashMap<TenantId, Bot>,
}

#[derive(Clone, Debug)]
struct Bot {
    id: Option<BotId>,
    mask: Mask,
    removed_at: Option<Moment>,
}

/// What was found in a record.
#[derive(Debug)]
pub(super) enum Opened {
    /// The update, filtered.
    Update(Update),
    /// The bot had been removed when the update came: it is delivered, and not told of.
    Removed,
    /// It cannot be opened; what the record says outside.
    Unopened(Update, KeysError),
}

impl Bots {
    /// Knows nobody yet.
    #[must_use]
    pub fn new(keys: Keys) -> Self {
        Self {
            keys: Some(keys),
            known: HashMap::new(),
        }
    }

    /// Takes in a bot's last state.
    pub fn learn(&mut self, tenant: &Tenant) {
        let pseudonyms = match (tenant.privacy, &self.keys) {
            (Privacy::Pseudonymous, Some(keys)) => keys.pseudonym_key(tenant.id),
            _ => [0; 32],
        };
        let bot = Bot {
            id: tenant.bot,
            mask: Mask::new(tenant.privacy, pseudonyms),
            removed_at: tenant.deleted_at,
        };
        self.known.insert(tenant.id, bot);
    }

    /// Whether a bot is known.
    #[must_use]
    pub fn knows(&self, tenant: TenantId) -> bool {
        self.known.contains_key(&tenant)
    }

    /// Opens an update that was kept.
    pub(super) fn open(&self, inbox: Inbox) -> Opened {
        let bot = self.known.get(&inbox.tenant);
        if bot
            .and_then(|bot| bot.removed_at)
            .is_some_and(|at| at <= inbox.at)
        {
            return Opened::Removed;
        }
        let id = bot.and_then(|bot| bot.id);
        let body = match &self.keys {
            Some(keys) => keys.open_update(Place::from(&inbox), Part::Body, &inbox.body),
            None => Err(KeysError::Damaged),
        };
        let body = match body {
            Ok(body) => body,
            Err(error) => return Opened::Unopened(outside(inbox, id), error),
        };
        let push = Push {
            record: inbox.record,
            tenant: inbox.tenant,
            bot: id,
            at: inbox.at,
        };
        let nothing = Mask::new(Privacy::Off, [0; 32]);
        let mask = bot.map_or(&nothing, |bot| &bot.mask);
        Opened::Update(mask.pushed(push, &body))
    }
}

/// What is known of an update without opening it.
fn outside(inbox: Inbox, bot: Option<BotId>) -> Update {
    Update {
        v: Update::VERSION,
        record: inbox.record,
        tenant: inbox.tenant,
        bot,
        at: inbox.at,
        via: Via::Webhook,
        client: None,
        update_id: inbox.update_id,
        kind: Some(inbox.kind),
        update: None,
        cut: true,
    }
}
