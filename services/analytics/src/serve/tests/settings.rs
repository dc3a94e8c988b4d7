//! Changing and removing a bot.

use actix_web::http::StatusCode;
use gramtap_tenants::{NewTenant, Standing, Tenant};

use super::subject::{Seen, Subject};

async fn bot(subject: &Subject, bot: i64) -> Tenant {
    let new = NewTenant {
        bot: Some(gramtap_telegram::BotId(bot)),
        ..NewTenant::default()
    };
    subject.site.registry.add(&new).await.unwrap()
}

async fn now(subject: &Subject, tenant: &Tenant) -> Option<Tenant> {
    subject.site.registry.get(tenant.code).await.unwrap()
}

fn done(seen: &Seen, tenant: &Tenant, what: &str) {
    assert_eq!(seen.status, StatusCode::SEE_OTHER, "{}", seen.body);
    let path = format!("/bots/{}/settings?done={what}", tenant.code);
    assert_eq!(seen.location(), path);
}

fn refused(seen: &Seen, said: &str) {
    assert_eq!(
        seen.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "{}",
        seen.body
    );
    assert!(seen.body.contains(said), "{said}: {}", seen.body);
}

#[actix_rt::test]
async fn name_privacy_and_zone_are_changed_and_nonsense_is_refused() {
    let subject = Subject::new().await;
    let tenant = bot(&subject, 7).await;
    let mut owner = subject.owner().await;
    let path = |form: &str| format!("/bots/{}/settings/{form}", tenant.code);
    done(
        &owner.submit(&path("name"), &[("name", " Shop ")]).await,
        &tenant,
        "name",
    );
    assert_eq!(
        now(&subject, &tenant).await.unwrap().name.as_deref(),
        Some("Shop")
    );
    refused(
        &owner
            .submit(&path("name"), &[("name", &"x".repeat(129))])
            .await,
        "128",
    );
    refused(
        &owner
            .submit(&path("name"), &[("name", "7000000001:AAcanary12")])
            .await,
        "holds a token",
    );
    done(
        &owner.submit(&path("name"), &[("name", "")]).await,
        &tenant,
        "name",
    );
    assert_eq!(now(&subject, &tenant).await.unwrap().name, None);

    done(
        &owner.submit(&path("privacy"), &[("privacy", "off")]).await,
        &tenant,
        "privacy",
    );
    assert_eq!(
        now(&subject, &tenant).await.unwrap().privacy.as_str(),
        "off"
    );
    refused(
        &owner
            .submit(&path("privacy"), &[("privacy", "everything")])
            .await,
        "one of the four",
    );

    done(
        &owner
            .submit(&path("zone"), &[("zone", "Asia/Tehran ")])
            .await,
        &tenant,
        "zone",
    );
    assert_eq!(
        subject.site.store.zone(tenant.id).await.unwrap().name(),
        "Asia/Tehran"
    );
    refused(
        &owner
            .submit(&path("zone"), &[("zone", "Mars/Olympus")])
            .await,
        "no such time zone",
    );

    let page = owner
        .get(&format!("/bots/{}/settings?done=zone", tenant.code))
        .await
        .body;
    for part in [
        "The time zone is changed",
        "value=\"Asia/Tehran\"",
        "<option value=\"Europe/Berlin\">",
        "value=\"off\" checked",
    ] {
        assert!(page.contains(part), "{part}");
    }
    let page = owner
        .get(&format!("/bots/{}/settings?done=%3Cb%3E", tenant.code))
        .await
        .body;
    assert!(
        !page.contains("<b>") && !page.contains("note good"),
        "{page}"
    );
}

#[actix_rt::test]
async fn rebinding_and_removing_need_to_be_meant() {
    let subject = Subject::new().await;
    let (tenant, other) = (bot(&subject, 7).await, bot(&subject, 8).await);
    let mut owner = subject.owner().await;
    let path = |form: &str| format!("/bots/{}/settings/{form}", tenant.code);
    let rebind = path("rebind");
    refused(
        &owner.submit(&rebind, &[("bot", "9")]).await,
        "Tick the box",
    );
    refused(
        &owner
            .submit(&rebind, &[("bot", "x"), ("sure", "yes")])
            .await,
        "is a number",
    );
    let seen = owner
        .submit(&rebind, &[("bot", "8"), ("sure", "yes")])
        .await;
    refused(&seen, &format!("/bots/{}/connect", other.code));
    done(
        &owner
            .submit(&rebind, &[("bot", "9"), ("sure", "yes")])
            .await,
        &tenant,
        "rebind",
    );
    assert_eq!(now(&subject, &tenant).await.unwrap().bot.unwrap().0, 9);

    refused(&owner.submit(&path("remove"), &[]).await, "Tick the box");
    done(
        &owner.submit(&path("remove"), &[("sure", "yes")]).await,
        &tenant,
        "remove",
    );
    let leaving = now(&subject, &tenant).await.unwrap();
    assert_eq!(leaving.standing_now(), Standing::Leaving);
    assert!(
        owner
            .get("/bots")
            .await
            .body
            .contains("removed, relayed for a day")
    );
    let page = owner
        .get(&format!("/bots/{}/settings", tenant.code))
        .await
        .body;
    assert!(
        page.contains("Connect it again") && !page.contains("Set the privacy mode"),
        "{page}"
    );
    refused(
        &owner.submit(&path("name"), &[("name", "x")]).await,
        "removed meanwhile",
    );
    done(&owner.submit(&path("return"), &[]).await, &tenant, "return");
    assert_eq!(
        now(&subject, &tenant).await.unwrap().standing_now(),
        Standing::Connected
    );

    let seen = owner
        .submit(&path("remove"), &[("sure", "yes"), ("now", "yes")])
        .await;
    assert_eq!(seen.location(), "/bots");
    assert!(now(&subject, &tenant).await.is_none());
    let seen = owner.get(&format!("/bots/{}/settings", tenant.code)).await;
    assert_eq!(seen.status, StatusCode::NOT_FOUND);
}
