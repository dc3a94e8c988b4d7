//! Connecting and removing against a simulated Telegram and a registry in a folder of its own.
//! In: made-up tokens. Out: `cargo test`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;

use gramtap_botapi::Section;
use gramtap_botapi::verify::{self, VerifyError};
use gramtap_events::tenant::Mode;
use gramtap_settings::{SecretString, Settings};
use gramtap_simulator::{Simulator, SimulatorConfig};
use gramtap_telegram::{BotId, Token};
use gramtap_tenants::{Addresses, GRACE, NewTenant, Registry, Tenant, TenantsConfig, Webhook};

use super::{read_token, show};

fn section(url: &str, ca_file: &str) -> Section {
    Section {
        url: url.to_owned(),
        ca_file: ca_file.to_owned(),
        bind: String::new(),
    }
}

pub(super) fn registry(folder: &Path) -> Registry {
    let settings = Settings::load(None, std::iter::empty()).unwrap();
    TenantsConfig::load(&settings, folder)
        .unwrap()
        .open()
        .unwrap()
        .registry
}

async fn tenant(folder: &Path, bot: Option<i64>) -> Tenant {
    let name = Some("sh\u{1b}[2Jop".to_owned());
    registry(folder)
        .add(&NewTenant {
            bot: bot.map(BotId),
            name,
            ..NewTenant::default()
        })
        .await
        .unwrap()
}

#[actix_rt::test]
async fn telegram_says_whose_a_token_is() {
    let config = SimulatorConfig {
        accept_any_token: true,
        ..SimulatorConfig::default()
    };
    let simulator = Simulator::start(config).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let ca_file = folder.path().join("ca.pem");
    std::fs::write(&ca_file, simulator.ca_pem()).unwrap();
    let token = Token::parse("123456:AAF-abcdefghijklmnopqrstuvwxyz_0123").unwrap();
    let ca_file = ca_file.to_str().unwrap();
    for (url, ca_file) in [(simulator.http_url(), ""), (simulator.tls_url(), ca_file)] {
        let verified = verify::ask(&section(&url, ca_file), &token).await.unwrap();
        assert!(verified.username().is_some());
    }
    // Its authority is not a public one.
    let error = verify::ask(&section(&simulator.tls_url(), ""), &token)
        .await
        .unwrap_err();
    assert!(matches!(error, VerifyError::Unreachable { .. }), "{error}");
    simulator.shutdown().await;
}

#[actix_rt::test]
async fn a_refused_token_is_said_to_be_one() {
    let simulator = Simulator::start(SimulatorConfig::default()).await.unwrap();
    let token = Token::parse("123456:AAF-abcdefghijklmnopqrstuvwxyz_0123").unwrap();
    let error = verify::ask(&section(&simulator.http_url(), ""), &token)
        .await
        .unwrap_err();
    assert!(matches!(error, VerifyError::Refused { .. }), "{error}");
    assert!(!format!("{error} {error:?}").contains("AAF"), "{error}");
    simulator.shutdown().await;
}

#[test]
fn what_is_no_token_is_not_shown() {
    for text in ["canary", "canary:x", "1:canary canary", "1:"] {
        let error = read_token(&SecretString::new(text.to_owned())).unwrap_err();
        assert!(
            !format!("{error:#} {error:?}").contains("canary"),
            "{error:#}"
        );
    }
}

#[actix_rt::test]
async fn scripts_get_the_same_keys_always() {
    let folder = tempfile::tempdir().unwrap();
    let tenant = tenant(folder.path(), Some(7)).await;
    let addresses = Addresses::of("http://127.0.0.1:8080", &tenant);
    let row = serde_json::to_value(show::Row::of(&tenant, &addresses)).unwrap();
    let code = tenant.code.as_str();
    let expected = serde_json::json!({
        "tenant": tenant.id, "code": code, "bot": 7, "name": "sh\u{1b}[2Jop", "privacy": "metadata",
        "address": "http://127.0.0.1:8080", "code_path_address": format!("http://127.0.0.1:8080/c/{code}"),
        "code_host_address": null, "token_stored": false, "webhook_mode": null, "standing": "connected",
    });
    assert_eq!(row, expected);
    let webhook = Webhook::new("https://bot.example/AAcanary").unwrap();
    let registry = registry(folder.path());
    let set = registry.set_webhook(tenant.code, &webhook, Some(Mode::Inbox));
    let (tenant, _) = set.await.unwrap();
    let row = serde_json::to_value(show::Row::of(&tenant, &addresses)).unwrap();
    assert_eq!(row["webhook_mode"], "inbox");
}

#[actix_rt::test]
async fn people_are_told_the_addresses_that_work() {
    let folder = tempfile::tempdir().unwrap();
    let known = tenant(folder.path(), Some(7)).await;
    let unknown = tenant(folder.path(), None).await;
    let text = show::added(
        &known,
        Some("x_bot"),
        &Addresses::of("https://g.example", &known),
    );
    assert!(
        text.contains("7 (@x_bot)")
            && text.contains(r#"TelegramAPIServer.from_base("https://g.example")"#),
        "{text}"
    );
    let text = show::added(
        &unknown,
        None,
        &Addresses::of("https://g.example", &unknown),
    );
    assert!(
        text.contains(&format!(
            r#"from_base("https://{}.g.example")"#,
            unknown.code
        )),
        "{text}"
    );
    let text = show::added(
        &unknown,
        None,
        &Addresses::of("http://127.0.0.1:8080", &unknown),
    );
    assert!(
        text.contains(&format!(
            r#"from_base("http://127.0.0.1:8080/c/{}")"#,
            unknown.code
        )),
        "{text}"
    );
    // Each library is named, and what would drop a path says so instead.
    for recipe in gramtap_tenants::recipes::all() {
        assert!(text.contains(&format!("\n  {} (", recipe.library)));
    }
    assert_eq!(text.matches("drops the path").count(), 2);
    assert!(text.contains(&format!(
        "    curl \"http://127.0.0.1:8080/c/{}/bot$TOKEN/getMe\"\n",
        unknown.code
    )));
    let webhook = Webhook::new("https://bot.example/AAcanary").unwrap();
    let registry = registry(folder.path());
    let set = registry.set_webhook(known.code, &webhook, Some(Mode::Relay));
    let (pushed, _) = set.await.unwrap();
    let table = show::table(&[known, unknown, pushed]);
    assert_eq!(table.lines().count(), 4);
    let webhooks = table.lines().map(|line| line.contains(" relay "));
    assert_eq!(webhooks.collect::<Vec<_>>(), [false, false, false, true]);
    assert!(
        table.contains("not yet") && !table.contains('\u{1b}'),
        "{table:?}"
    );
}

#[actix_rt::test]
async fn a_removal_says_until_when() {
    let folder = tempfile::tempdir().unwrap();
    let tenant = tenant(folder.path(), Some(7)).await;
    let registry = registry(folder.path());
    let text = show::removed(&registry.remove(tenant.code, false).await.unwrap(), GRACE);
    assert!(
        text.contains("without records until 20") && text.contains("--now"),
        "{text}"
    );
    let text = show::removed(&registry.remove(tenant.code, true).await.unwrap(), GRACE);
    assert!(text.contains("unknown from now on"), "{text}");
}
