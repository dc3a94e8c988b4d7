//! The webhook of a bot that is connected: read and checked, set, and shown.
//!
//! In: `--webhook-url`, `--webhook-secret`. Out: the registry; what to tell Telegram. Invariant: an address that Gramtap would never call is refused
//! before anything is changed; the address that Telegram is told holds a secret, and is printed this once.

use anyhow::Context as _;
use gramtap_events::tenant::Mode;
use gramtap_outbound::guard::{Endpoint, Policy};
use gramtap_tenants::{Hook, Registry, Tenant, Webhook};

use crate::cli::Add;

/// What the arguments say of it.
pub(super) fn read(arguments: &Add, policy: &Policy) -> anyhow::Result<Option<Webhook>> {
    let Some(url) = &arguments.webhook_url else {
        return Ok(None);
    };
    let url = url.expose();
    let mut webhook = Webhook::new(url).context("--webhook-url is refused")?;
    let endpoint = Endpoint::parse(webhook.url().as_str());
    let admitted = endpoint.and_then(|endpoint| match endpoint.name() {
        // What a name leads to is looked at each time it is called.
        Some(_) => policy.admit(&endpoint),
        None => policy.check(&endpoint, &[]).map(drop),
    });
    admitted.context(
        "--webhook-url is refused; [webhooks] of the configuration says what is allowed",
    )?;
    webhook.secret = arguments.webhook_secret.clone();
    Ok(Some(webhook))
}

/// Sets it.
pub(super) async fn set(
    registry: &Registry,
    tenant: &Tenant,
    webhook: &Webhook,
) -> anyhow::Result<(Tenant, Hook)> {
    let set = registry.set_webhook(tenant.code, webhook, Some(Mode::Relay));
    set.await
        .context("the bot is connected, but its webhook was not set")
}

/// Where Telegram is to push the bot's updates.
pub(super) fn address(public_url: &str, hook: &Hook) -> String {
    format!(
        "{}/webhook/{}",
        public_url.trim_end_matches('/'),
        hook.expose()
    )
}

/// What is said of it.
pub(super) fn told(webhook: &Webhook, address: &str) -> String {
    let secret = match webhook.secret {
        Some(_) => "   and the same secret_token",
        None => "",
    };
    format!(
        "webhook      updates are passed on to {}\n\
         \n\
         Tell Telegram, once, with setWebhook{secret}; this address is shown only now:\n\
         \n    {address}\n\n",
        webhook.endpoint()
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_bots_own_address_is_told_in_part() {
        let mut webhook = Webhook::new("https://bot.example/AAcanary").unwrap();
        let hook = Hook::generate().unwrap();
        let address = address("https://gramtap.example/", &hook);
        assert_eq!(
            address,
            format!("https://gramtap.example/webhook/{}", hook.expose())
        );
        let text = told(&webhook, &address);
        assert!(text.contains(&address) && text.contains("https://bot.example\n"));
        assert!(!text.contains("AAcanary") && !text.contains("secret_token"));
        webhook.secret = Some("AAcanary".to_owned().into());
        let text = told(&webhook, &address);
        assert!(!text.contains("AAcanary") && text.contains("same secret_token"));
    }
}
