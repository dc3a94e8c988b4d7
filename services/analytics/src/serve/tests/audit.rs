//! What was done: who sees it, what of it, page by page.
//!
//! In: forms; notes written directly. Out: a failure where a page tells anything else. Invariant: nothing that begins with AAcanary is in a page.

use actix_web::http::StatusCode;
use gramtap_database::Statement;
use gramtap_tenants::NewTenant;

use super::subject::{Browser, Subject};
use crate::query::audit::{self, Action};

/// The cells of its rows, without tags.
fn rows(page: &str) -> Vec<Vec<String>> {
    let text = |cell: &str| {
        let parts = cell
            .split('<')
            .map(|part| part.split_once('>').map_or(part, |it| it.1));
        parts.collect::<String>()
    };
    let table = page.split("</tbody>").next().unwrap();
    let rows = table.split("<tr>").skip(2);
    let cells = |row: &str| {
        let cells = row.split("<td data-name=").skip(1);
        cells
            .map(|cell| text(&cell.split_once('>').unwrap().1.replace("</td>", "")))
            .collect()
    };
    rows.map(cells).collect()
}

/// Who, what and more of a page's rows.
async fn told(browser: &mut Browser<'_>, path: &str) -> (Vec<String>, Option<String>) {
    let seen = browser.get(path).await;
    assert_eq!(seen.status, StatusCode::OK, "{}", seen.body);
    assert!(!seen.body.contains("AAcanary"), "{}", seen.body);
    let told = rows(&seen.body).into_iter().map(|cells| {
        let [_, who, what, bot, more] = cells.try_into().unwrap();
        [who, what, bot, more]
            .map(|it| it.trim().to_owned())
            .join("|")
    });
    let older = seen.body.split_once("<a href=\"/audit?before=");
    let older = older.map(|(_, rest)| rest.split_once('"').unwrap().0.to_owned());
    (
        told.collect(),
        older.map(|id| format!("/audit?before={id}")),
    )
}

#[actix_rt::test]
async fn what_people_and_scripts_do_is_told() {
    let subject = Subject::new().await;
    let mut owner = subject.owner().await;
    let (none, _) = told(&mut owner, "/audit").await;
    assert_eq!(none, [] as [&str; 0]);
    let added = owner
        .submit("/bots/add", &[("way", "id"), ("bot", "7")])
        .await;
    assert_eq!(added.status, StatusCode::SEE_OTHER, "{}", added.body);
    let code = added.location().split('/').nth(2).unwrap().to_owned();
    let settings = format!("/bots/{code}/settings");
    for (what, form, status) in [
        ("name", &[("name", "<b>Shop")][..], 303),
        ("privacy", &[("privacy", "full")], 303),
        ("privacy", &[("privacy", "most")], 422),
        ("zone", &[("zone", "Asia/Tehran")], 303),
        ("webhook", &[("url", "https://bot.example/AAcanary")], 200),
        ("webhook/release", &[("sure", "yes")], 303),
        ("rebind", &[("bot", "8"), ("sure", "yes")], 303),
        ("remove", &[("sure", "yes")], 303),
        ("return", &[], 303),
        ("remove", &[("sure", "yes"), ("now", "yes")], 303),
    ] {
        let seen = owner.submit(&format!("{settings}/{what}"), form).await;
        assert_eq!(seen.status.as_u16(), status, "{what}: {}", seen.body);
    }
    let key = [
        ("name", "Reports"),
        ("scope", "read"),
        ("bots", "all"),
        ("days", "30"),
    ];
    assert_eq!(owner.submit("/keys", &key).await.status, StatusCode::OK);
    let keys = crate::serve::keys::kept::list(subject.database())
        .await
        .unwrap();
    let id = keys[0].id.as_str();
    let revoked = owner.submit(&format!("/keys/{id}/revoke"), &[]).await;
    assert_eq!(revoked.status, StatusCode::SEE_OTHER);

    let (told, older) = told(&mut owner, "/audit").await;
    let gone = "one that is gone";
    let mut expected = [
        format!("Connected the bot|{gone}|"),
        format!("Renamed the bot|{gone}|"),
        format!("Set the privacy mode|{gone}|full"),
        format!("Set the time zone|{gone}|Asia/Tehran"),
        format!("Set the webhook|{gone}|https://bot.example"),
        format!("Gave the webhook back|{gone}|"),
        format!("Rebound to another bot|{gone}|8"),
        format!("Removed the bot|{gone}|"),
        format!("Connected the bot|{gone}|"),
        format!("Removed the bot|{gone}|at once"),
        format!("Made an API key||{id}"),
        format!("Revoked an API key||{id}"),
    ]
    .map(|done| format!("Ann|{done}"));
    expected.reverse();
    assert_eq!((told.as_slice(), older), (&expected[..], None));
}

#[actix_rt::test]
async fn a_bot_is_called_by_its_name_and_another_versions_word_is_shown_as_it_is() {
    let subject = Subject::new().await;
    let mut owner = subject.owner().await;
    let new = NewTenant {
        name: Some("<b>Shop".to_owned()),
        ..NewTenant::default()
    };
    let tenant = subject.site.registry.add(&new).await.unwrap();
    let who = (1, "command line");
    let noted = audit::note(subject.database(), who, Action::Open, Some(tenant.id), "r");
    noted.await.unwrap();
    const OTHER: Statement = Statement::new(
        "other",
        "UPDATE audit_log SET action = 'of <another> version'",
    );
    let (told_, _) = told(&mut owner, "/audit").await;
    assert_eq!(
        told_,
        ["command line|Opened a dead letter|&#60;b&#62;Shop|r"]
    );
    subject.database().execute(&OTHER, &[]).await.unwrap();
    let (told_, _) = told(&mut owner, "/audit").await;
    assert_eq!(
        told_,
        ["command line|of &#60;another&#62; version|&#60;b&#62;Shop|r"]
    );
}

#[actix_rt::test]
async fn each_is_on_one_page_in_order_whatever_is_noted_meanwhile() {
    let subject = Subject::new().await;
    let mut owner = subject.owner().await;
    let note = async |number: i64| {
        // Several in one microsecond.
        let (at, subject_) = (number / 7, number.to_string());
        let noted = audit::note(
            subject.database(),
            (at, "Ann"),
            Action::Open,
            None,
            &subject_,
        );
        noted.await.unwrap();
    };
    for number in 0..120 {
        note(number).await;
    }
    let (mut found, mut next, mut pages) = (Vec::new(), Some("/audit".to_owned()), 0);
    while let Some(path) = next {
        let (told, older) = told(&mut owner, &path).await;
        found.extend(told);
        (next, pages) = (older, pages + 1);
        note(1_000 + pages).await;
    }
    let expected: Vec<_> = (0..120)
        .rev()
        .map(|it| format!("Ann|Opened a dead letter||{it}"))
        .collect();
    assert_eq!((found, pages), (expected, 3));
}

#[actix_rt::test]
async fn only_the_owner_sees_it() {
    let subject = Subject::new().await;
    let stranger = subject.stranger().get("/audit").await;
    assert_eq!(stranger.status, StatusCode::SEE_OTHER);
    let mut owner = subject.owner().await;
    assert!(owner.get("/bots").await.body.contains("href=\"/audit\""));
    const DEMOTE: Statement = Statement::new("demote", "UPDATE accounts SET owner = NULL");
    subject.database().execute(&DEMOTE, &[]).await.unwrap();
    let noted = audit::note(
        subject.database(),
        (1, "Ann"),
        Action::Open,
        None,
        "AAcanary",
    );
    noted.await.unwrap();
    let seen = owner.get("/audit").await;
    assert_eq!(seen.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(seen.body.contains("owner") && !seen.body.contains("AAcanary"));
    assert!(!owner.get("/bots").await.body.contains("href=\"/audit\""));
}
