//! What `gramtap bots` writes.
//!
//! In: tenants and their addresses. Out: text for people, and [`Row`] for scripts, whose keys are a
//! contract. Invariant: names that an operator chose cannot move the terminal's cursor. Pure.

use std::time::Duration;

use gramtap_events::{Moment, TenantId};
use gramtap_telegram::BotId;
use gramtap_tenants::{Addresses, Code, Standing, Tenant, recipes};
use serde::Serialize;

use crate::tail::printable;

/// A bot, for scripts.
#[derive(Serialize)]
pub(crate) struct Row<'a> {
    tenant: TenantId,
    code: Code,
    bot: Option<BotId>,
    name: Option<&'a str>,
    privacy: &'static str,
    /// The shared host.
    address: &'a str,
    code_path_address: &'a str,
    code_host_address: Option<&'a str>,
    /// Where Telegram is to push its updates; told once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) webhook_address: Option<&'a str>,
    token_stored: bool,
    /// `inbox` or `relay`, where its updates are pushed to Gramtap.
    webhook_mode: Option<&'static str>,
    /// `connected`, or `leaving` in the day after its removal.
    standing: &'static str,
}

impl<'a> Row<'a> {
    pub(crate) fn of(tenant: &'a Tenant, addresses: &'a Addresses) -> Self {
        Self {
            tenant: tenant.id,
            code: tenant.code,
            bot: tenant.bot,
            name: tenant.name.as_deref(),
            privacy: tenant.privacy.as_str(),
            address: &addresses.shared,
            code_path_address: &addresses.path,
            code_host_address: addresses.host.as_deref(),
            webhook_address: None,
            token_stored: tenant.token_stored,
            webhook_mode: webhook_mode(tenant),
            standing: standing(tenant),
        }
    }
}

fn webhook_mode(tenant: &Tenant) -> Option<&'static str> {
    (tenant.hook.as_ref()).map(|_| tenant.webhook_mode().as_str())
}

fn standing(tenant: &Tenant) -> &'static str {
    match tenant.standing_now() {
        Standing::Connected => "connected",
        Standing::Leaving => "leaving",
        Standing::Gone => "gone",
    }
}

/// After `bots add`.
pub(crate) fn added(tenant: &Tenant, username: Option<&str>, addresses: &Addresses) -> String {
    let known = tenant.bot.is_some();
    let bot = match (tenant.bot, username) {
        (Some(bot), Some(username)) => format!("{bot} (@{})", printable(username)),
        (Some(bot), None) => bot.to_string(),
        (None, _) => "that of the first bot that calls with success".to_owned(),
    };
    let token = match tenant.token_stored {
        true => "stored, sealed",
        false => "not kept",
    };
    let shared = match known {
        true => "",
        false => "   (once its bot id is known)",
    };
    let host = match &addresses.host {
        Some(host) => format!("{host}   (needs wildcard DNS)"),
        None => "none: public_url is an IP address".to_owned(),
    };
    let mut text = format!(
        "connected\n\
         bot id       {bot}\n\
         token        {token}\n\
         privacy      {}\n\
         code         {}\n\
         address      {}{shared}\n\
         code path    {}\n\
         code host    {host}\n\n\
         Set the address in the bot's library, and nothing else:\n",
        tenant.privacy.as_str(),
        tenant.code,
        addresses.shared,
        addresses.path,
    );
    text.push_str(&snippets(addresses.best(known)));
    text.push_str("\nThen watch it: gramtap tail --bot ");
    text.push_str(tenant.code.as_str());
    text.push('\n');
    text
}

/// How each library is told an address.
fn snippets(base: &str) -> String {
    let mut text = String::new();
    for recipe in recipes::all() {
        text.push_str(&format!("\n  {} ({})\n", recipe.library, recipe.note(base)));
        let lines = recipe
            .printed(base)
            .unwrap_or_else(|dropped| dropped.to_string());
        for line in lines.lines() {
            text.push_str(format!("    {line}").trim_end());
            text.push('\n');
        }
    }
    text
}

/// A line for each bot.
pub(crate) fn table(tenants: &[Tenant]) -> String {
    let mut text = format!(
        "{:26}  {:>16}  {:12}  {:7}  {:9}  {}\n",
        "CODE", "BOT", "PRIVACY", "WEBHOOK", "STANDING", "NAME"
    );
    for tenant in tenants {
        let bot = tenant
            .bot
            .map_or_else(|| "not yet".to_owned(), |bot| bot.to_string());
        let name = tenant.name.as_deref().map(printable).unwrap_or_default();
        let line = format!(
            "{}  {bot:>16}  {:12}  {:7}  {:9}  {name}",
            tenant.code,
            tenant.privacy.as_str(),
            webhook_mode(tenant).unwrap_or("-"),
            standing(tenant)
        );
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// What a line about a bot begins with.
pub(crate) fn called(tenant: &Tenant) -> String {
    let name = tenant.name.as_deref();
    name.map_or_else(|| tenant.code.to_string(), |name| printable(name).into())
}

/// After `bots rm`.
pub(crate) fn removed(tenant: &Tenant, grace: Duration) -> String {
    let code = tenant.code;
    match tenant.deleted_at.filter(|_| !tenant.gone) {
        None => format!("removed {code}: its calls are answered as unknown from now on\n"),
        Some(at) => format!(
            "removed {code}: its calls are relayed without records until {}, then answered as unknown\n\
             end that now: gramtap bots rm {code} --now\n",
            Moment::from(at.time() + grace)
        ),
    }
}
