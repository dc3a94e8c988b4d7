//! A bot as a row.
//!
//! In: rows of `statements.rs`. Out: [`Tenant`], and the values that one is written with.
//! Invariant: reading what was written gives the same; what cannot be read is an error that names
//! its column, never a default. Pure.

use std::str::FromStr;

use gramtap_database::{Row, Value};
use gramtap_events::Moment;
use gramtap_events::tenant::{Mode, Privacy};
use gramtap_telegram::BotId;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::RegistryError;
use crate::{Former, SealedWebhook, Tenant};

/// The columns in the order of `statements::PUT`.
pub(super) fn write(tenant: &Tenant) -> Vec<Value> {
    let former = tenant.former_hook;
    vec![
        tenant.id.as_str().into(),
        tenant.code.as_str().into(),
        tenant.bot.map(|bot| bot.0).into(),
        tenant.name.clone().into(),
        tenant.privacy.as_str().into(),
        tenant.mode.map(mode_word).into(),
        tenant.hook.map(|hash| hash.to_string()).into(),
        former.map(|former| former.hash.to_string()).into(),
        former.map(|former| former.until.to_string()).into(),
        tenant
            .webhook
            .as_ref()
            .map(|sealed| sealed.as_str().to_owned())
            .into(),
        tenant.dropped_before.map(|at| at.to_string()).into(),
        tenant.upstream.clone().into(),
        signed(tenant.version).into(),
        tenant.created_at.map(|at| at.to_string()).into(),
        tenant.deleted_at.map(|at| at.to_string()).into(),
        tenant.gone.into(),
    ]
}

pub(super) fn read(row: &Row) -> Result<Tenant, RegistryError> {
    let version: i64 = row.get("version")?;
    let unreadable = |column| RegistryError::Unreadable { column, version };
    let read_moment = |text: &str, column| moment(text).ok_or(unreadable(column));
    let deleted_at: Option<String> = row.get("deleted_at")?;
    let mode: Option<String> = row.get("mode")?;
    let former_hash = optional(row, "former_hook_hash", &unreadable)?;
    let former_until: Option<String> = row.get("former_hook_until")?;
    let dropped_before: Option<String> = row.get("dropped_before")?;
    Ok(Tenant {
        id: parsed(row, "id", &unreadable)?,
        code: parsed(row, "code", &unreadable)?,
        bot: row.get::<Option<i64>>("bot")?.map(BotId),
        name: row.get("name")?,
        privacy: parsed::<Privacy>(row, "privacy", &unreadable)?,
        mode: match mode.as_deref() {
            None => None,
            Some("inbox") => Some(Mode::Inbox),
            Some("relay") => Some(Mode::Relay),
            Some(_) => return Err(unreadable("mode")),
        },
        hook: optional(row, "hook_hash", &unreadable)?,
        former_hook: match (former_hash, former_until) {
            (Some(hash), Some(until)) => Some(Former {
                hash,
                until: read_moment(&until, "former_hook_until")?,
            }),
            _ => None,
        },
        webhook: row
            .get::<Option<String>>("webhook")?
            .map(SealedWebhook::from),
        dropped_before: match dropped_before {
            Some(text) => Some(read_moment(&text, "dropped_before")?),
            None => None,
        },
        upstream: row.get("upstream")?,
        version: unsigned(version),
        created_at: Some(read_moment(
            &row.get::<String>("created_at")?,
            "created_at",
        )?),
        deleted_at: match deleted_at {
            Some(text) => Some(read_moment(&text, "deleted_at")?),
            None => None,
        },
        gone: row.get("gone")?,
        token_stored: row.get("token_stored")?,
    })
}

/// A version as SQL has it. Both have 63 bits to grow in.
pub(crate) fn signed(version: u64) -> i64 {
    i64::try_from(version).unwrap_or(i64::MAX)
}

pub(crate) fn unsigned(version: i64) -> u64 {
    u64::try_from(version).unwrap_or_default()
}

fn parsed<T: FromStr>(
    row: &Row,
    column: &'static str,
    unreadable: &impl Fn(&'static str) -> RegistryError,
) -> Result<T, RegistryError> {
    let text: String = row.get(column)?;
    text.parse().map_err(|_| unreadable(column))
}

fn optional<T: FromStr>(
    row: &Row,
    column: &'static str,
    unreadable: &impl Fn(&'static str) -> RegistryError,
) -> Result<Option<T>, RegistryError> {
    let text: Option<String> = row.get(column)?;
    let parsed = text.map(|text| text.parse().map_err(|_| unreadable(column)));
    parsed.transpose()
}

fn moment(text: &str) -> Option<Moment> {
    OffsetDateTime::parse(text, &Rfc3339).ok().map(Moment::from)
}

fn mode_word(mode: Mode) -> &'static str {
    match mode {
        Mode::Inbox => "inbox",
        Mode::Relay => "relay",
    }
}
