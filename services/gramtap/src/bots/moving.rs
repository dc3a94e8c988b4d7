//! Moving a bot's webhook by hand: to Gramtap's address, and back to its own.
//!
//! In: a code. Out: the registry; Telegram, where the bot's token is stored, else the commands to type. Invariant: what Telegram was told besides the address stays: the secret, the number of
//! connections (which setWebhook would set back) and the kinds of updates (which it keeps by itself); no token, secret or path of the bot's own address is printed. Telegram is told
//! before the registry forgets an address, and after it knows one; the address before is good for a day.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};
use gramtap_analytics::query::audit::Action;
use gramtap_botapi::get;
use gramtap_telegram::{Answer, Token};
use gramtap_tenants::{Registry, Tenant, Webhook};
use serde_json::Value;
use url::form_urlencoded::Serializer;

use super::webhook::address;
use super::{close, note, show};
use crate::cli::Which;
use crate::effective::Effective;
use crate::out;

/// How often it is waited as Telegram asks, and how many seconds at most.
const WAITS: u32 = 3;
const LONGEST_WAIT: u64 = 10;

/// Gives a bot its webhook back.
pub(crate) async fn release(effective: Effective, which: Which) -> anyhow::Result<ExitCode> {
    let registry = effective.open()?.registry;
    let (tenant, webhook) = known(&registry, which).await?;
    let moved = tell(&effective, &registry, &tenant, &webhook, webhook.given()).await?;
    let released = registry.release_webhook(tenant.code).await;
    released.context("the webhook was not given back")?;
    let name = show::called(&tenant);
    out::print(&match moved {
        true => format!(
            "{name}: Telegram pushes to {} again; what the bot sets is left alone from now on\n",
            webhook.endpoint()
        ),
        false => format!(
            "{name}: its webhook is its own again, and what the bot sets is left alone from now on. Start the bot anew if it sets its webhook by itself; \
             if not, tell Telegram its own address, at {}, within a day:\n\n{}\n",
            webhook.endpoint(),
            command(api(&effective), "$URL", &webhook)
        ),
    })?;
    note(&registry, Action::WebhookReleased, &tenant, "").await?;
    close(&registry).await;
    Ok(ExitCode::SUCCESS)
}

/// Gives a bot's webhook another address.
pub(crate) async fn rotate(effective: Effective, which: Which) -> anyhow::Result<ExitCode> {
    let registry = effective.open()?.registry;
    let (_, webhook) = known(&registry, which.clone()).await?;
    let (tenant, hook) = registry.rotate_hook(which.code).await?;
    let address = address(&effective.config.process.public_url, &hook);
    let told = tell(&effective, &registry, &tenant, &webhook, &address).await;
    let name = show::called(&tenant);
    // Where Telegram was asked in vain, the address is printed all the same: nobody could tell it otherwise.
    out::print(&match matches!(told, Ok(true)) {
        true => {
            format!("{name}: Telegram pushes to a new address; the one before is good for a day\n")
        }
        false => format!(
            "{name}: the address before is good for a day. Tell Telegram the new one; it is shown only now:\n\n{}\n",
            command(api(&effective), &address, &webhook)
        ),
    })?;
    let endpoint = webhook.endpoint();
    note(&registry, Action::WebhookRotated, &tenant, &endpoint).await?;
    close(&registry).await;
    told.context("the new address is good, but Telegram does not push to it yet")?;
    Ok(ExitCode::SUCCESS)
}

/// A bot that has a webhook here.
async fn known(registry: &Registry, which: Which) -> anyhow::Result<(Tenant, Webhook)> {
    let tenant = registry.get(which.code).await?;
    let tenant = tenant.context("no bot has this code; `gramtap bots list` shows the codes")?;
    match registry.webhook(&tenant)? {
        Some(webhook) if tenant.hook.is_some() => Ok((tenant, webhook)),
        _ => bail!("the bot has no webhook here"),
    }
}

fn api(effective: &Effective) -> &str {
    effective.analytics.telegram.url.trim_end_matches('/')
}

/// Tells Telegram, if the token is stored. False: it is not.
async fn tell(
    effective: &Effective,
    registry: &Registry,
    tenant: &Tenant,
    webhook: &Webhook,
    url: &str,
) -> anyhow::Result<bool> {
    let Some(token) = registry.token(tenant.id).await? else {
        return Ok(false);
    };
    let info = ask(effective, &token, "getWebhookInfo", "").await?;
    let secret = webhook.secret.as_ref().map(|it| it.expose().as_str());
    ask(effective, &token, "setWebhook", &order(url, secret, &info)).await?;
    Ok(true)
}

async fn ask(
    effective: &Effective,
    token: &Token,
    method: &str,
    query: &str,
) -> anyhow::Result<Value> {
    let path = format!("/bot{}/{method}?{query}", token.expose());
    let mut waits = WAITS;
    loop {
        let answered = get(&effective.analytics.telegram, &path).await?;
        let answer = Answer::parse(&answered.body);
        let answer = answer.with_context(|| format!("Telegram did not answer {method}"))?;
        if answer.ok {
            let result = answer
                .result
                .map(|result| serde_json::from_str(result.get()));
            return Ok(result.transpose()?.unwrap_or_default());
        }
        match wait(&answer) {
            Some(wait) if waits > 0 => {
                waits -= 1;
                tokio::time::sleep(wait).await;
            }
            _ => {
                let told = answer.description.unwrap_or_default();
                bail!("Telegram refuses {method}: {told}");
            }
        }
    }
}

/// How long Telegram asks to wait, where that is short: it takes one setWebhook a second, and the bot may have made one just now.
fn wait(answer: &Answer<'_>) -> Option<Duration> {
    let seconds = answer.parameters?.retry_after?;
    let seconds = u64::try_from(seconds).ok()?;
    (seconds <= LONGEST_WAIT).then(|| Duration::from_secs(seconds))
}

/// The arguments of setWebhook by which nothing changes but the address. What Telegram is not told of, it keeps.
fn order(url: &str, secret: Option<&str>, info: &Value) -> String {
    let mut query = Serializer::new(String::new());
    query.append_pair("url", url);
    if let Some(secret) = secret {
        query.append_pair("secret_token", secret);
    }
    for kept in ["max_connections", "allowed_updates"] {
        if !info[kept].is_null() {
            query.append_pair(kept, &info[kept].to_string());
        }
    }
    query.finish()
}

/// The same for a shell, with the token and the secret to be filled in.
pub(super) fn command(api: &str, url: &str, webhook: &Webhook) -> String {
    let secret = match webhook.secret {
        Some(_) => " --data-urlencode \"secret_token=$SECRET\"",
        None => "",
    };
    format!(
        "    MAX=$(curl -s \"{api}/bot$TOKEN/getWebhookInfo\" | sed -n 's/.*\"max_connections\":\\([0-9]*\\).*/\\1/p')\n    \
         curl \"{api}/bot$TOKEN/setWebhook\" -d \"max_connections=${{MAX:-40}}\"{secret} \\\n      \
         --data-urlencode \"url={url}\"\n"
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    #[test]
    fn nothing_changes_but_the_address() {
        let info = json!({"url": "x", "max_connections": 7, "allowed_updates": ["message"], "pending_update_count": 3});
        assert_eq!(
            order("https://g.example/webhook/a", Some("AAcanary"), &info),
            "url=https%3A%2F%2Fg.example%2Fwebhook%2Fa&secret_token=AAcanary&max_connections=7&allowed_updates=%5B%22message%22%5D"
        );
        assert_eq!(order("a", None, &json!({})), "url=a");
    }

    #[test]
    fn short_waits_that_telegram_asks_for_are_waited() {
        for (answer, seconds) in [
            (
                r#"{"ok":false,"error_code":429,"parameters":{"retry_after":1}}"#,
                Some(1),
            ),
            (
                r#"{"ok":false,"error_code":429,"parameters":{"retry_after":10}}"#,
                Some(10),
            ),
            (
                r#"{"ok":false,"error_code":429,"parameters":{"retry_after":11}}"#,
                None,
            ),
            (
                r#"{"ok":false,"error_code":429,"parameters":{"retry_after":-1}}"#,
                None,
            ),
            (r#"{"ok":false,"error_code":429,"parameters":{}}"#, None),
            (
                r#"{"ok":false,"error_code":401,"description":"Unauthorized"}"#,
                None,
            ),
        ] {
            let told = wait(&Answer::parse(answer.as_bytes()).unwrap());
            assert_eq!(told, seconds.map(Duration::from_secs), "{answer}");
        }
    }

    #[test]
    fn a_command_holds_no_secret() {
        let mut webhook = Webhook::new("https://bot.example/AAcanary").unwrap();
        let text = command(
            "https://api.telegram.org",
            "https://g.example/webhook/a",
            &webhook,
        );
        assert!(!text.contains("SECRET") && text.contains("url=https://g.example/webhook/a"));
        webhook.secret = Some("AAcanary".to_owned().into());
        let text = command("https://api.telegram.org", "$URL", &webhook);
        assert!(text.contains("secret_token=$SECRET") && text.contains("bot$TOKEN/setWebhook"));
        assert!(!text.contains("AAcanary"), "{text}");
    }
}
