//! Tests of `webhook.rs`: what is kept of an address, what is shown, and who opens it.
//!
//! In: addresses of all forms. Out: pass or fail. Invariant: nothing of an address or a secret is in what is sealed, or in `Debug`.

#![allow(clippy::unwrap_used)]
use super::*;
use crate::keys::tests::keys;

fn whole() -> Webhook {
    let mut webhook =
        Webhook::new("https://ann:pw@Bot.Example.org:8443/AAcanary?x=1#there").unwrap();
    webhook.secret = Some(SecretString::new("AAcanary-header".to_owned()));
    webhook.ca = Some("-----BEGIN CERTIFICATE-----".to_owned());
    webhook.ip_address = Some([192, 0, 2, 1].into());
    webhook.hook = Some("abcdefghijklmnopqrstuvwxyz".parse().unwrap());
    webhook.with_connections(7).unwrap()
}

type Parts<'a> = (
    &'a str,
    Option<&'a str>,
    u8,
    Option<&'a str>,
    Option<IpAddr>,
    Option<&'a str>,
);

fn parts(webhook: &Webhook) -> Parts<'_> {
    let secret = webhook
        .secret
        .as_ref()
        .map(|secret| secret.expose().as_str());
    (
        webhook.given(),
        secret,
        webhook.max_connections,
        webhook.ca.as_deref(),
        webhook.ip_address,
        webhook.hook().map(Hook::expose),
    )
}

#[test]
fn an_address_is_kept_whole_and_shown_in_part() {
    let webhook = whole();
    assert_eq!(
        webhook.url().as_str(),
        "https://ann:pw@bot.example.org:8443/AAcanary?x=1"
    );
    assert_eq!(webhook.endpoint(), "https://bot.example.org:8443");
    assert!(
        webhook
            .given()
            .starts_with("https://ann:pw@Bot.Example.org")
    );
    assert_eq!(
        Webhook::new("http://10.0.0.1:80/x").unwrap().endpoint(),
        "http://10.0.0.1"
    );
    let shown = format!("{webhook:?}");
    assert!(
        !shown.contains("AAcanary") && !shown.contains("pw"),
        "{shown}"
    );
}

#[test]
fn what_is_no_address_is_refused() {
    let long = format!("https://a.example/{}", "x".repeat(Webhook::LONGEST_URL));
    for (text, error) in [
        ("", WebhookError::Url),
        ("bot.example.org", WebhookError::Url),
        ("https://", WebhookError::Url),
        ("ftp://bot.example.org", WebhookError::Scheme),
        ("file:///etc/passwd", WebhookError::Scheme),
        (&long, WebhookError::Length),
    ] {
        assert_eq!(Webhook::new(text).unwrap_err(), error, "{text}");
    }
    for connections in [0, 101, 256 + 7] {
        let refused = whole().with_connections(connections);
        assert_eq!(
            refused.unwrap_err(),
            WebhookError::Connections,
            "{connections}"
        );
    }
}

#[test]
fn the_way_is_another_with_each_of_its_parts() {
    let plain = || Webhook::new("https://bot.example.org").unwrap();
    let with = |change: fn(&mut Webhook)| {
        let mut changed = plain();
        change(&mut changed);
        plain().same_way(&changed) && changed.same_way(&plain())
    };
    assert!(with(|_| {}) && with(|it| it.max_connections = 7));
    assert!(!plain().same_way(&Webhook::new("https://bot.example.org/").unwrap()));
    assert!(!with(|it| it.secret = Some("AAcanary".to_owned().into())));
    assert!(!with(|it| it.ip_address = Some([192, 0, 2, 1].into())));
    assert!(!with(|it| it.ca = Some("pem".to_owned())));
}

#[test]
fn a_webhook_opens_for_its_tenant_alone() {
    let ids = ["aaaaaaaaaaaaaaaaaaaaaaaaab", "aaaaaaaaaaaaaaaaaaaaaaaaac"];
    let [one, other] = ids.map(|id| id.parse().unwrap());
    let sealed = keys(1).seal_webhook(one, &whole()).unwrap();
    for part in ["AAcanary", "example"] {
        assert!(!sealed.as_str().contains(part));
    }
    let opened = keys(1).open_webhook(one, &sealed).unwrap();
    assert_eq!(parts(&opened), parts(&whole()));
    assert!(matches!(
        keys(1).open_webhook(other, &sealed),
        Err(KeysError::Damaged)
    ));
    assert!(matches!(
        keys(2).open_webhook(one, &sealed),
        Err(KeysError::UnknownKey { .. })
    ));
    for text in ["", ".", "x.y", &sealed.as_str()[1..]] {
        assert!(
            keys(1)
                .open_webhook(one, &SealedWebhook(text.to_owned()))
                .is_err(),
            "{text}"
        );
    }
}
