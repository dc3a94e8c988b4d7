//! The request that the forwarder makes is the one that ingress makes when it relays.
//!
//! In: `../forwarder.rs`. Out: pass or fail.

use gramtap_events::Moment;
use gramtap_tests::{Endpoint, Inboxes, Ingress, Installation, Pushed, Stores, message, put};

use super::*;

#[tokio::test]
async fn an_update_from_the_inbox_looks_like_one_that_is_relayed() {
    let endpoint = Endpoint::start().await;
    let installation = Installation::new(Stores::Embedded).await;
    let registry = installation.registry();
    let tenant = registry.add(&NewTenant::default()).await.unwrap();
    let url = format!(
        "http://user:AAcanary@{}/a%20path?with=AAcanary",
        endpoint.address()
    );
    let mut webhook = Webhook::new(&url).unwrap();
    webhook.secret = Some(SECRET.to_owned().into());
    let (tenant, hook) = registry
        .set_webhook(tenant.code, &webhook, None)
        .await
        .unwrap();
    let (bus, inboxes) = (installation.open_bus(), Inboxes::new(&installation));
    let update = message(1, 1, "text");
    put(
        &bus,
        &inboxes.record(tenant.id, &update, SECRET, Moment::now()),
    )
    .await;
    drop(bus);
    let port = format!("[\"{}\"]", endpoint.address().port());
    let more = [
        ("GRAMTAP_WEBHOOKS__ALLOW", r#"["127.0.0.0/8"]"#),
        ("GRAMTAP_WEBHOOKS__PORTS", port.as_str()),
        ("GRAMTAP_WEBHOOKS__HTTP", "true"),
    ];
    let up = Ingress::up(&installation, "http://127.0.0.1:1", &more).await;
    let forwarded = endpoint.wait(1).await.remove(0);
    let body = serde_json::to_string(&update).unwrap();
    let push = format!(
        "POST /webhook/{} HTTP/1.1\r\nHost: gramtap.test\r\nX-Telegram-Bot-Api-Secret-Token: {SECRET}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\nConnection: keep-alive\r\n\
         Accept-Encoding: gzip, deflate\r\n\r\n{body}",
        hook.expose(),
        body.len()
    );
    assert_eq!(up.client().await.ask(push).await.status(), 200);
    let relayed = endpoint.wait(2).await.remove(1);
    let same = |pushed: &Pushed| {
        let from = "X-Forwarded-For: ";
        let head = pushed.head.iter();
        let head = head.map(|line| {
            line.split_once(from)
                .map_or(line.as_str(), |_| from)
                .to_owned()
        });
        (head.collect::<Vec<_>>(), pushed.body.clone())
    };
    assert_eq!(same(&forwarded), same(&relayed));
    assert_eq!(forwarded.header("x-forwarded-for"), Some("192.0.2.7"));
    assert_eq!(
        forwarded.header("x-telegram-bot-api-secret-token"),
        Some(SECRET)
    );
    assert_eq!(
        forwarded.header("authorization"),
        Some("Basic dXNlcjpBQWNhbmFyeQ==")
    );
    up.stop().await;
    installation.remove().await;
}
