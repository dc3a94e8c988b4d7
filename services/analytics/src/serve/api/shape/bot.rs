//! A connected bot, as JSON, and what may be said of one. Pure.
//!
//! In: the registry's tenants; bodies of scripts. Out: [`Shown`], [`New`], [`Change`]. Invariant: no secret is told, and one that came can be shown by nothing; a field that is not known is
//! refused by its name.

use gramtap_events::tenant::Privacy;
use gramtap_settings::SecretString;
use gramtap_tenants::Tenant;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use crate::zone::Zone;

/// A connected bot.
#[derive(Serialize, ToSchema)]
#[schema(as = Bot)]
pub struct Shown {
    /// Its public label, and its part of the paths here.
    pub code: String,
    /// Who it is in records, for ever: the column `tenant`.
    pub tenant: String,
    /// Telegram's id of the bot; null until its first call was answered.
    pub bot: Option<i64>,
    /// What its owner calls it.
    pub name: Option<String>,
    /// What is kept of bodies.
    pub privacy: PrivacyMode,
    /// Where its hours and dates begin: an IANA name.
    pub time_zone: String,
    /// What to use instead of Telegram's address: good for every library once the bot's id is known, and before that for
    /// those that take an address with a path.
    pub address: String,
    /// When it was connected, UTC.
    #[schema(format = DateTime)]
    pub created_at: Option<String>,
    /// When it was removed, UTC. It is still relayed for a day, and nothing is kept of it.
    #[schema(format = DateTime)]
    pub removed_at: Option<String>,
}

/// A page of bots.
#[derive(Serialize, ToSchema)]
pub struct Bots {
    /// The newest first.
    pub bots: Vec<Shown>,
    /// What to ask the next page with, as `cursor`. None: this is the last one.
    pub next: Option<String>,
}

/// What is kept of bodies: `off`: method, status, sizes and times alone. `metadata`: ids, commands and kinds; no texts, no names.
/// `pseudonymous`: the same with ids replaced by keyed hashes. `full`: everything but tokens and secrets.
#[derive(Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum PrivacyMode {
    /// Nothing.
    Off,
    /// No texts, no names.
    Metadata,
    /// No ids either.
    Pseudonymous,
    /// Everything.
    Full,
}

/// A bot to be connected.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewBot)]
pub struct New {
    /// Telegram's id of the bot. None: whichever bot makes the first good call to the code's address.
    #[schema(minimum = 1, maximum = 4_503_599_627_370_495i64)]
    #[serde(default)]
    pub bot: Option<i64>,
    /// The bot's token, in the place of `bot`: Telegram is asked whose it is, and the bot is called by its username if nothing else is
    /// said. The token is never told again, and forgotten unless `store_token` says otherwise.
    #[schema(value_type = Option<String>, write_only)]
    #[serde(default)]
    pub token: Option<SecretString>,
    /// Whether to keep the token, sealed. Only with `token`.
    #[serde(default)]
    pub store_token: bool,
    /// What to call it.
    #[schema(max_length = 128)]
    #[serde(default)]
    pub name: Option<String>,
    /// What is kept of bodies; `metadata` if nothing is said.
    #[serde(default)]
    pub privacy: Option<PrivacyMode>,
    /// Where its hours and dates begin: an IANA name such as `Asia/Tehran`; `UTC` if nothing is said.
    #[serde(default)]
    pub time_zone: Option<String>,
}

/// What to change of a bot; what is left out stays as it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BotChange)]
pub struct Change {
    /// What to call it; null for no name.
    #[schema(max_length = 128, value_type = Option<String>)]
    #[serde(default, deserialize_with = "said")]
    pub name: Option<Option<String>>,
    /// What is kept of bodies from now on.
    #[serde(default)]
    pub privacy: Option<PrivacyMode>,
    /// Where its hours and dates begin: an IANA name such as `Asia/Tehran`. Active users of all dates are counted anew.
    #[serde(default)]
    pub time_zone: Option<String>,
}

impl Shown {
    /// What is told of a bot. `public_url` is the address that bots are told to use.
    #[must_use]
    pub fn new(tenant: &Tenant, zone: &Zone, public_url: &str) -> Self {
        let address = match tenant.bot {
            Some(_) => public_url.to_owned(),
            None => format!("{public_url}/c/{}", tenant.code),
        };
        Self {
            code: tenant.code.to_string(),
            tenant: tenant.id.to_string(),
            bot: tenant.bot.map(|bot| bot.0),
            name: tenant.name.clone(),
            privacy: tenant.privacy.into(),
            time_zone: zone.name().to_owned(),
            address,
            created_at: tenant.created_at.map(|at| at.to_string()),
            removed_at: tenant.deleted_at.map(|at| at.to_string()),
        }
    }
}

impl From<Privacy> for PrivacyMode {
    fn from(privacy: Privacy) -> Self {
        match privacy {
            Privacy::Off => Self::Off,
            Privacy::Metadata => Self::Metadata,
            Privacy::Pseudonymous => Self::Pseudonymous,
            Privacy::Full => Self::Full,
        }
    }
}

impl From<PrivacyMode> for Privacy {
    fn from(mode: PrivacyMode) -> Self {
        match mode {
            PrivacyMode::Off => Self::Off,
            PrivacyMode::Metadata => Self::Metadata,
            PrivacyMode::Pseudonymous => Self::Pseudonymous,
            PrivacyMode::Full => Self::Full,
        }
    }
}

/// Tells null, which takes the name away, from nothing said.
fn said<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Option<String>>, D::Error> {
    Option::<String>::deserialize(from).map(Some)
}
