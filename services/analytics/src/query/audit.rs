//! Who did what, for whoever owns the console to ask.
//!
//! In: changes made in the console, by `/v1` and from the command line; `audit_log`. Out: [`note`]s; pages of [`Entry`]s, the newest first. Invariant: nothing
//! secret and nothing of an update is in a note; a page goes on behind the last note of the one before, whatever was noted meanwhile.

use std::sync::atomic::{AtomicU64, Ordering};

use gramtap_database::{Database, Error, Row, Statement};
use gramtap_events::TenantId;

const NOTE: Statement = Statement::new(
    "audit_note",
    "INSERT INTO audit_log (id, at, who, action, tenant, subject) VALUES ($1, $2, $3, $4, $5, $6)",
);
const LIST: Statement = Statement::new(
    "audit_list",
    "SELECT id, at, who, action, tenant, subject FROM audit_log WHERE CAST($1 AS TEXT) = '' OR id < $1 ORDER BY id DESC LIMIT $2",
);
pub(super) const STATEMENTS: [&Statement; 2] = [&NOTE, &LIST];

/// Who did what was done from the command line.
pub const COMMAND_LINE: &str = "command line";

/// What can be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// A bot was connected, or once more within its day of grace.
    Connect,
    /// Its name was changed.
    Rename,
    /// Its privacy mode was changed.
    Privacy,
    /// Its time zone was changed.
    Zone,
    /// It was bound to another bot id.
    Rebind,
    /// It was removed.
    Remove,
    /// Its webhook was set, or given another target.
    WebhookSet,
    /// The way of its updates was chosen.
    WebhookMode,
    /// Its webhook was given another address here.
    WebhookRotated,
    /// Its webhook was given back.
    WebhookReleased,
    /// A dead letter was opened.
    Open,
    /// Dead letters were to be delivered again.
    Replay,
    /// An API key was made.
    KeyMade,
    /// An API key was revoked.
    KeyRevoked,
}

impl Action {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::Connect,
        Self::Rename,
        Self::Privacy,
        Self::Zone,
        Self::Rebind,
        Self::Remove,
        Self::WebhookSet,
        Self::WebhookMode,
        Self::WebhookRotated,
        Self::WebhookReleased,
        Self::Open,
        Self::Replay,
        Self::KeyMade,
        Self::KeyRevoked,
    ];

    /// As it is written down.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Rename => "rename",
            Self::Privacy => "privacy",
            Self::Zone => "zone",
            Self::Rebind => "rebind",
            Self::Remove => "remove",
            Self::WebhookSet => "webhook set",
            Self::WebhookMode => "webhook mode",
            Self::WebhookRotated => "webhook rotated",
            Self::WebhookReleased => "webhook released",
            Self::Open => "open",
            Self::Replay => "replay",
            Self::KeyMade => "key made",
            Self::KeyRevoked => "key revoked",
        }
    }

    /// What people read.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Connect => "Connected the bot",
            Self::Rename => "Renamed the bot",
            Self::Privacy => "Set the privacy mode",
            Self::Zone => "Set the time zone",
            Self::Rebind => "Rebound to another bot",
            Self::Remove => "Removed the bot",
            Self::WebhookSet => "Set the webhook",
            Self::WebhookMode => "Set the way of updates",
            Self::WebhookRotated => "Made a new webhook address",
            Self::WebhookReleased => "Gave the webhook back",
            Self::Open => "Opened a dead letter",
            Self::Replay => "Had dead letters delivered again",
            Self::KeyMade => "Made an API key",
            Self::KeyRevoked => "Revoked an API key",
        }
    }

    /// The one that is written so. None: another version of Gramtap has written it.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == name)
    }
}

/// Something that was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its place in the order.
    pub id: String,
    /// When, in microseconds since 1970.
    pub at: i64,
    /// Who: an account's name, `key` and a key's id, or the command line.
    pub who: String,
    /// What, as it was written down.
    pub action: String,
    /// To which bot, as records know it. None: to none.
    pub tenant: Option<String>,
    /// To what of it.
    pub subject: String,
}

/// Notes who did what, in microseconds since 1970. Nothing secret belongs into `subject`.
pub async fn note(
    database: &Database,
    (at, who): (i64, &str),
    action: Action,
    bot: Option<TenantId>,
    subject: &str,
) -> Result<(), Error> {
    // What one process notes stands in the order in which it was done, however coarse the clock is.
    static NOTED: AtomicU64 = AtomicU64::new(0);
    let noted = NOTED.fetch_add(1, Ordering::Relaxed) & u64::from(u32::MAX);
    let id = format!("{at:016x}{noted:08x}{:08x}", rand::random::<u32>());
    let bot = bot.as_ref().map_or("", TenantId::as_str);
    let values = [
        id.into(),
        at.into(),
        who.into(),
        action.as_str().into(),
        bot.into(),
        subject.into(),
    ];
    database.execute(&NOTE, &values).await?;
    Ok(())
}

/// A page of what was done. `before`: the id of the last one of the page before; empty: from the newest on.
pub async fn list(database: &Database, before: &str, most: i64) -> Result<Vec<Entry>, Error> {
    let rows = database.fetch(&LIST, &[before.into(), most.into()]).await?;
    let read = |row: &Row| {
        let tenant: String = row.get("tenant")?;
        Ok(Entry {
            id: row.get("id")?,
            at: row.get("at")?,
            who: row.get("who")?,
            action: row.get("action")?,
            tenant: Some(tenant).filter(|tenant| !tenant.is_empty()),
            subject: row.get("subject")?,
        })
    };
    rows.iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_action_has_a_word_of_its_own() {
        for action in Action::ALL {
            assert_eq!(Action::named(action.as_str()), Some(action));
        }
        assert_eq!(Action::named("of another version"), None);
    }
}
