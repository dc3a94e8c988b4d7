//! The webhook of a bot that is connected: read and checked, set, and shown.
//!
//! In: `--webhook-url`, `--webhook-secret`, `--webhook-ca`. Out: the registry; what to tell Telegram. Invariant: an address that Gramtap would never call is refused
//! before anything is changed; the address that Telegram is told holds a secret, and is printed this once.

use anyhow::Context as _;
use gramtap_endpoint::authority;
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
    if let Some(path) = &arguments.webhook_ca {
        let pem = std::fs::read_to_string(path);
        let pem =
            pem.with_context(|| format!("--webhook-ca: {} cannot be read", path.display()))?;
        let trusted = authority::trust(webhook, &pem);
        webhook = trusted.context("--webhook-ca is refused")?;
    }
    webhook.secret = arguments.webhook_secret.clone();
    Ok(Some(webhook))
}

/// Sets it.
pub(super) async fn set(
    registry: &Registry,
    tenant: &Tenant,
    webhook: &Webhook,
    mode: Option<Mode>,
) -> anyhow::Result<(Tenant, Hook)> {
    // Said once and kept: not every process that asks knows whether the token is stored.
    let mode = mode.unwrap_or_else(|| tenant.webhook_mode());
    let set = registry.set_webhook(tenant.code, webhook, Some(mode));
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

/// What is said of it, with the command that moves it.
pub(super) fn told(webhook: &Webhook, command: &str, tenant: &Tenant) -> String {
    let way = match (tenant.webhook_mode(), tenant.token_stored) {
        (Mode::Relay, _) => "passed on at once to",
        (Mode::Inbox, true) => "taken in first, then delivered to",
        (Mode::Inbox, false) => {
            "taken in first, then delivered (methods in its answers are not called: no token is stored) to"
        }
    };
    format!(
        "webhook      updates are {way} {}\n\
         \n\
         If the bot sets its webhook by itself, through Gramtap, start it anew, and all is done. If not, tell Telegram, once; this address is\n\
         shown only now:\n\
         \n{command}\n",
        webhook.endpoint()
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use clap::{Args as _, Command, FromArgMatches as _};
    use gramtap_tenants::NewTenant;

    use super::*;
    use crate::bots::tests::registry;

    #[actix_rt::test]
    async fn the_bots_own_address_is_told_in_part() {
        let folder = tempfile::tempdir().unwrap();
        let registry = registry(folder.path());
        let tenant = registry.add(&NewTenant::default()).await.unwrap();
        let mut webhook = Webhook::new("https://bot.example/AAcanary").unwrap();
        let (tenant, hook) = set(&registry, &tenant, &webhook, None).await.unwrap();
        let address = address("https://gramtap.example/", &hook);
        assert_eq!(
            address,
            format!("https://gramtap.example/webhook/{}", hook.expose())
        );
        let text = told(&webhook, &address, &tenant);
        assert!(text.contains(&address) && text.contains("at once to https://bot.example\n"));
        assert!(!text.contains("AAcanary"));
        webhook.secret = Some("AAcanary".to_owned().into());
        assert!(!told(&webhook, &address, &tenant).contains("AAcanary"));
    }

    #[test]
    fn a_certificate_is_read_from_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let pem = include_str!("../../../../shared/endpoint/src/authority/bot.example.pem");
        let [fine, wrong, missing] = ["fine", "wrong", "missing"].map(|it| folder.path().join(it));
        std::fs::write(&fine, pem).unwrap();
        std::fs::write(&wrong, "AAcanary").unwrap();
        let given = |path: &std::path::Path| {
            let command = Add::augment_args(Command::new("add"));
            let line = [
                "add",
                "--id",
                "7",
                "--webhook-url",
                "https://bot.example/x",
                "--webhook-ca",
            ];
            let line = line.map(Into::into).into_iter().chain([path.into()]);
            let matches = command.try_get_matches_from(line.collect::<Vec<std::ffi::OsString>>());
            read(
                &Add::from_arg_matches(&matches.unwrap()).unwrap(),
                &Policy::default(),
            )
        };
        let webhook = given(&fine).unwrap().unwrap();
        assert_eq!(webhook.ca.as_deref(), Some(pem.trim()));
        for (path, said) in [(wrong, "BEGIN CERTIFICATE"), (missing, "cannot be read")] {
            let error = format!("{:#}", given(&path).unwrap_err());
            assert!(
                error.contains(said) && !error.contains("AAcanary"),
                "{error}"
            );
        }
    }

    #[actix_rt::test]
    async fn updates_are_taken_in_first_where_methods_can_be_called() {
        let folder = tempfile::tempdir().unwrap();
        let registry = registry(folder.path());
        let token = "123456:AAcanary-abcdefghijklmnopqrstuvwxyz";
        let webhook = Webhook::new("https://bot.example/x").unwrap();
        for (stored, asked, mode, said) in [
            (false, None, Mode::Relay, "at once to"),
            (true, None, Mode::Inbox, "delivered to"),
            (true, Some(Mode::Relay), Mode::Relay, "at once to"),
            (false, Some(Mode::Inbox), Mode::Inbox, "no token is stored"),
        ] {
            let token = stored.then(|| gramtap_telegram::Token::parse(token).unwrap());
            let new = NewTenant {
                token,
                ..NewTenant::default()
            };
            let tenant = registry.add(&new).await.unwrap();
            let (tenant, hook) = set(&registry, &tenant, &webhook, asked).await.unwrap();
            assert_eq!(tenant.mode, Some(mode), "{stored} {asked:?}");
            let text = told(&webhook, &address("https://g.example", &hook), &tenant);
            assert!(text.contains(said), "{text}");
            registry.remove(tenant.code, true).await.unwrap();
        }
    }
}
