//! The webhook of a bot in its settings.
//!
//! In: forms. Out: a failure where the registry or a page holds anything else than was asked for. Invariant: of an address scheme and host alone are in a page, but
//! for the one that Telegram is to be told, once.

use gramtap_events::tenant::Mode;

use super::*;

const PEM: &str = include_str!("../../../../../../shared/endpoint/src/authority/bot.example.pem");

#[actix_rt::test]
async fn a_webhook_is_set_rotated_and_given_back_and_shown_in_part() {
    let subject = Subject::new().await;
    let tenant = bot(&subject, Privacy::Metadata).await;
    let mut owner = subject.owner().await;
    let settings = format!("/bots/{}/settings", tenant.code);
    let now = async || {
        subject
            .site
            .registry
            .get(tenant.code)
            .await
            .unwrap()
            .unwrap()
    };
    for (url, said) in [
        ("https://10.0.0.1/AAcanary", "private"),
        ("nonsense", "URL"),
        ("https://bot.example:22/AAcanary", "refused"),
    ] {
        let seen = owner
            .submit(&format!("{settings}/webhook"), &[("url", url)])
            .await;
        assert_eq!(seen.status, StatusCode::UNPROCESSABLE_ENTITY, "{url}");
        assert!(
            seen.body.contains(said) && !seen.body.contains("AAcanary"),
            "{}",
            seen.body
        );
    }
    let label = "PRIVATE KEY";
    let key = format!("{PEM}-----BEGIN {label}-----\nAAcanary\n-----END {label}-----");
    for (ca, said) in [
        ("AAcanary", "-----BEGIN CERTIFICATE-----"),
        (&PEM[..200], "-----BEGIN CERTIFICATE-----"),
        (key.as_str(), "without it"),
    ] {
        let form = [("url", "https://bot.example/AAcanary"), ("ca", ca)];
        let seen = owner.submit(&format!("{settings}/webhook"), &form).await;
        assert_eq!(seen.status, StatusCode::UNPROCESSABLE_ENTITY, "{ca}");
        let trouble = seen
            .body
            .split_once("The certificate is refused")
            .unwrap()
            .1;
        assert!(trouble.contains(said), "{trouble}");
        assert!(!seen.body.contains("AAcanary"), "{}", seen.body);
    }
    assert!(now().await.webhook.is_none());

    let windows = PEM.replace('\n', "\r\n");
    let given = [
        ("url", "https://bot.example/AAcanary"),
        ("secret", "AAcanary-secret"),
        ("connections", "7"),
        ("ca", windows.as_str()),
    ];
    let seen = owner.submit(&format!("{settings}/webhook"), &given).await;
    assert_eq!(seen.status, StatusCode::OK, "{}", seen.body);
    let address = |body: &str| {
        let rest = body
            .split_once("https://bots.example.com/webhook/")
            .unwrap()
            .1;
        rest[..26].to_owned()
    };
    let first = address(&seen.body);
    assert!(!seen.body.contains("AAcanary") && seen.body.contains("max_connections=7"));
    assert!(
        seen.body
            .contains("curl \"http://127.0.0.1:1/bot$TOKEN/setWebhook\"")
    );
    let hash = |hook: &str| Some(hook.parse::<gramtap_tenants::Hook>().unwrap().hash());
    assert_eq!(now().await.hook, hash(&first));
    let webhook = subject.site.registry.webhook(&now().await);
    let ca = webhook.unwrap().unwrap().ca.unwrap();
    assert_eq!(ca.replace("\r\n", "\n"), PEM.trim());
    let seen = owner.get(&settings).await;
    for shown in ["https://bot.example</code>", "certificate that was given"] {
        assert!(seen.body.contains(shown), "{}", seen.body);
    }
    assert!(!seen.body.contains("AAcanary") && !seen.body.contains(&first));

    let seen = owner
        .submit(&format!("{settings}/webhook/mode"), &[("mode", "inbox")])
        .await;
    assert_eq!(seen.status, StatusCode::SEE_OTHER, "{}", seen.body);
    assert_eq!(now().await.mode, Some(Mode::Inbox));
    assert_eq!(now().await.hook, hash(&first), "the address stays");

    let seen = owner
        .submit(&format!("{settings}/webhook/rotate"), &[])
        .await;
    let second = address(&seen.body);
    assert_ne!(first, second);
    let tenant = now().await;
    assert_eq!(
        (tenant.hook, tenant.former_hook.map(|it| it.hash)),
        (hash(&second), hash(&first))
    );
    let released = owner
        .submit(&format!("{settings}/webhook/release"), &[])
        .await;
    assert_eq!(released.status, StatusCode::UNPROCESSABLE_ENTITY);
    let released = owner
        .submit(&format!("{settings}/webhook/release"), &[("sure", "yes")])
        .await;
    assert_eq!(released.status, StatusCode::SEE_OTHER, "{}", released.body);
    assert_eq!(now().await.hook, None);
    let at = "https://bot.example";
    assert_eq!(
        audited(&subject).await,
        [
            format!("Ann webhook set {at}"),
            "Ann webhook mode inbox".to_owned(),
            format!("Ann webhook rotated {at}"),
            "Ann webhook released ".to_owned(),
        ]
    );
}
