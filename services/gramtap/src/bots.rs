//! `gramtap bots`: connects, lists and removes bots.
//!
//! In: the arguments. Out: the registry, in SQL, which a running `up` or ingress follows by itself;
//! standard output. `shared/botapi` asks Telegram whose a token is, `shared/tenants` knows the addresses of
//! a bot, `bots/show.rs` writes them; `bots/webhook.rs` takes its webhook over, `bots/moving.rs` moves it. Invariant: nothing is changed before everything
//! that can be refused was checked; a token is kept only where that was asked for.

mod moving;
mod show;
mod webhook;

use std::io::Read;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use gramtap_analytics::query::audit::{self, Action, COMMAND_LINE};
use gramtap_botapi::verify::{self, Verified};
use gramtap_events::Moment;
use gramtap_settings::SecretString;
use gramtap_telegram::Token;
use gramtap_tenants::{Addresses, GRACE, NewTenant, Registry, Tenant};

use crate::cli::{Add, List, Rm};
use crate::dead::micros;
use crate::effective::Effective;
use crate::out;

pub(crate) use moving::{release, rotate};

pub(crate) async fn add(effective: Effective, arguments: Add) -> anyhow::Result<ExitCode> {
    let token = arguments.token.as_ref().map(read_token).transpose()?;
    let webhook = webhook::read(&arguments, &effective.config.webhooks)?;
    let verified = match &token {
        Some(token) => Some(verify::ask(&effective.analytics.telegram, token).await?),
        None => None,
    };
    let new = NewTenant {
        bot: token.as_ref().map(Token::bot).or(arguments.id),
        name: arguments.name,
        privacy: arguments.privacy,
        token: token.filter(|_| arguments.store_token),
    };
    let registry = effective.open()?.registry;
    let mut tenant = registry
        .add(&new)
        .await
        .context("the bot was not connected")?;
    let public_url = &effective.config.process.public_url;
    let mut pushed_to = None;
    if let Some(webhook) = &webhook {
        let (with_webhook, hook) =
            webhook::set(&registry, &tenant, webhook, arguments.mode).await?;
        tenant = with_webhook;
        pushed_to = Some(webhook::address(public_url, &hook));
    }
    let addresses = Addresses::of(public_url, &tenant);
    if arguments.json {
        let mut row = show::Row::of(&tenant, &addresses);
        row.webhook_address = pushed_to.as_deref();
        out::line(&serde_json::to_string(&row)?)?;
    } else {
        let username = verified.as_ref().and_then(Verified::username);
        out::print(&show::added(&tenant, username, &addresses))?;
        if let (Some(webhook), Some(address)) = (&webhook, &pushed_to) {
            let command = moving::command(&effective.analytics.telegram.url, address, webhook);
            out::print(&webhook::told(webhook, &command, &tenant))?;
        }
    }
    note(&registry, Action::Connect, &tenant, "").await?;
    if let Some(webhook) = &webhook {
        note(&registry, Action::WebhookSet, &tenant, &webhook.endpoint()).await?;
    }
    close(&registry).await;
    Ok(ExitCode::SUCCESS)
}

pub(crate) async fn list(effective: Effective, arguments: List) -> anyhow::Result<ExitCode> {
    let registry = effective.open()?.registry;
    let tenants = registry
        .list()
        .await
        .context("the registry cannot be read")?;
    close(&registry).await;
    if arguments.json {
        let rows: Vec<_> = tenants
            .iter()
            .map(|tenant| {
                (
                    tenant,
                    Addresses::of(&effective.config.process.public_url, tenant),
                )
            })
            .collect();
        let rows: Vec<_> = rows
            .iter()
            .map(|(tenant, addresses)| show::Row::of(tenant, addresses))
            .collect();
        out::line(&serde_json::to_string(&rows)?)?;
    } else if tenants.is_empty() {
        out::line("no bot is connected: gramtap bots add --id <bot id>")?;
    } else {
        out::print(&show::table(&tenants))?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) async fn remove(effective: Effective, arguments: Rm) -> anyhow::Result<ExitCode> {
    let registry = effective.open()?.registry;
    let removed = registry.remove(arguments.code, arguments.now).await;
    let tenant: Tenant =
        removed.context("nothing was removed; `gramtap bots list` shows the codes")?;
    out::print(&show::removed(&tenant, GRACE))?;
    let how = if arguments.now { "at once" } else { "" };
    note(&registry, Action::Remove, &tenant, how).await?;
    close(&registry).await;
    Ok(ExitCode::SUCCESS)
}

/// Notes what was done, last: what is printed is told only once.
async fn note(
    registry: &Registry,
    action: Action,
    tenant: &Tenant,
    subject: &str,
) -> anyhow::Result<()> {
    let who = (micros(Moment::now()), COMMAND_LINE);
    let noted = audit::note(registry.database(), who, action, Some(tenant.id), subject);
    noted.await.context("it is done, but was not noted")
}

/// The registry's database is asked once by a command, and left in order.
async fn close(registry: &Registry) {
    registry.database().close().await;
}

/// The token that was given, or the one on standard input.
fn read_token(given: &SecretString) -> anyhow::Result<Token> {
    let token = match given.expose().as_str() {
        "-" => {
            let mut text = String::new();
            std::io::stdin()
                .take(1024)
                .read_to_string(&mut text)
                .context("standard input cannot be read")?;
            let text = SecretString::new(text);
            Token::parse(text.expose().trim())
        }
        text => Token::parse(text.trim()),
    };
    match token {
        Ok(token) => Ok(token),
        Err(error) => {
            bail!("what was given as --token is none: {error}; copy it again from @BotFather")
        }
    }
}

#[cfg(test)]
mod tests;
