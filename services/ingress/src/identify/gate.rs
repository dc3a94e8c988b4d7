//! Whose call it is, and whether it passes.
//!
//! In: the door that was called and the bot id in its path; the registry's word
//! (`shared/tenants`). Out: an [`Admission`] or a refusal. Invariant: 404 only when the registry
//! has said so; when it cannot be asked the call passes, recorded as unattributed. The decision
//! is pure ([`decide`]); asking is bounded by the directory.

use std::sync::Arc;

use gramtap_telegram::BotId;
use gramtap_tenants::{Code, Directory, Key, Lookup, Standing, Tenant};

use crate::relay::refusal::Refusal;

/// What was called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Door {
    /// The shared host: the bot id says whose call it is.
    Shared,
    /// A code's host or prefix.
    Code(Code),
}

impl Door {
    /// The door of a label; what is no code is no one's address.
    pub(crate) fn code(label: &str) -> Result<Self, Refusal> {
        label
            .to_ascii_lowercase()
            .parse()
            .map(Self::Code)
            .map_err(|_| Refusal::code())
    }
}

/// A call that passes.
#[derive(Clone, Debug)]
pub(crate) enum Admission {
    /// The bot is known.
    Known {
        /// Whose call it is.
        tenant: Arc<Tenant>,
        /// Whether it is recorded; not after the bot was removed.
        captured: bool,
        /// The code that this bot is bound to if Telegram accepts its token.
        binds: Option<Code>,
    },
    /// The registry could not be asked.
    Unknown,
}

/// Asks the registry and decides.
pub(crate) async fn admit(
    directory: &Directory,
    door: &Door,
    bot: Option<BotId>,
) -> Result<Admission, Refusal> {
    let key = match (door, bot) {
        (Door::Code(code), _) => Key::Code(*code),
        (Door::Shared, Some(bot)) => Key::Bot(bot),
        (Door::Shared, None) => return Err(Refusal::token()),
    };
    let lookup = match directory.cached(&key) {
        Some(lookup) => lookup,
        None => directory.find(key).await,
    };
    decide(door, bot, lookup)
}

/// The decision.
fn decide(door: &Door, bot: Option<BotId>, lookup: Lookup) -> Result<Admission, Refusal> {
    let tenant = match (lookup, door, bot) {
        (Lookup::Found(tenant), ..) => tenant,
        (Lookup::Unreachable, ..) => return Ok(Admission::Unknown),
        (Lookup::Absent, Door::Shared, Some(bot)) => return Err(Refusal::bot(bot)),
        (Lookup::Absent, Door::Shared, None) => return Err(Refusal::token()),
        (Lookup::Absent, Door::Code(_), _) => return Err(Refusal::code()),
    };
    let binds = match (door, tenant.bot, bot) {
        (Door::Code(_), Some(owner), Some(caller)) if owner != caller => {
            return Err(Refusal::other_bot(owner, caller));
        }
        (Door::Code(code), None, Some(_)) => Some(*code),
        _ => None,
    };
    let captured = tenant.standing_now() == Standing::Connected;
    Ok(Admission::Known {
        tenant,
        captured,
        binds: binds.filter(|_| captured),
    })
}
