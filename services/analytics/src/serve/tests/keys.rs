//! API keys: made, shown once, revoked.

use std::collections::BTreeSet;

use super::canary::Log;
use super::subject::Subject;
use crate::serve::keys::kept;
use gramtap_database::Statement;
use gramtap_tenants::NewTenant;

const FORM: [(&str, &str); 5] = [
    ("name", "Reports <b>"),
    ("scope", "read"),
    ("scope", "export"),
    ("bots", "all"),
    ("days", "30"),
];

fn key_in(page: &str) -> Option<String> {
    let rest = page.split_once("<pre><code>gt_")?.1;
    Some(format!("gt_{}", rest.split_once('<')?.0))
}

#[actix_rt::test]
async fn a_key_is_shown_once_and_kept_as_a_hash() {
    let log = Log::watch();
    let subject = Subject::new().await;
    let mut owner = subject.owner().await;
    assert!(
        owner
            .get("/keys")
            .await
            .body
            .contains("There is no key yet")
    );
    let made = owner.submit("/keys", &FORM).await;
    assert_eq!(made.status, 200, "{}", made.body);
    let text = key_in(&made.body).unwrap();
    assert!(made.body.contains("Reports &#60;b&#62;"), "{}", made.body);
    let again = owner.get("/keys").await.body;
    assert_eq!(key_in(&again), None);
    let secret = text.rsplit('_').next().unwrap();
    assert!(!again.contains(secret));
    let kept = kept::list(subject.database()).await.unwrap();
    let now = (subject.site.clock)();
    assert_eq!(kept[0].expires, Some(now + 30 * 86_400));
    assert_eq!((kept[0].scopes.len(), kept[0].made_by.as_str()), (2, "Ann"));
    // No column of SQL has it, nor have the files of the folder.
    const ALL: Statement = Statement::new(
        "all",
        "SELECT id || name || hash || scopes || made_by AS t FROM api_keys",
    );
    for row in subject.database().fetch(&ALL, &[]).await.unwrap() {
        assert!(!row.get::<String>("t").unwrap().contains(secret));
    }
    for file in subject.folder.path().read_dir().unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap_or_default();
        let found = bytes
            .windows(secret.len())
            .any(|window| window == secret.as_bytes());
        assert!(!found);
    }
    // It opens /v1 until it is revoked.
    let mut script = subject.stranger();
    let header: &'static str = format!("Bearer {text}").leak();
    script.headers.push(("authorization", header));
    assert_eq!(script.get("/v1/bots").await.status, 200);
    let path = format!("/keys/{}/revoke", kept[0].id);
    assert_eq!(owner.post(&path, &[("csrf", "x")]).await.status, 403);
    assert_eq!(script.get("/v1/bots").await.status, 200);
    assert_eq!(owner.submit(&path, &[]).await.status, 303);
    assert_eq!(script.get("/v1/bots").await.status, 401);
    assert!(owner.get("/keys").await.body.contains(">revoked<"));
    assert_eq!(owner.submit(&path, &[]).await.status, 404);
    // Nor is it in a log, wherever else a script puts it.
    let header: &'static str = text.clone().leak();
    for name in ["api-key", "authorization"] {
        script.headers = vec![(name, header)];
        assert_eq!(script.get("/v1/bots").await.status, 401);
    }
    for path in [format!("/v1/bots?key={text}"), format!("/v1/{text}")] {
        assert_eq!(script.get(&path).await.status, 401);
    }
    log.assert_without(secret, "api key revoked");
}

#[actix_rt::test]
async fn a_form_that_says_too_little_makes_no_key() {
    let subject = Subject::new().await;
    let tenant = subject
        .site
        .registry
        .add(&NewTenant::default())
        .await
        .unwrap();
    let mut owner = subject.owner().await;
    for left_out in ["name", "scope", "bots", "days"] {
        let form: Vec<_> = FORM
            .iter()
            .filter(|(name, _)| *name != left_out)
            .copied()
            .collect();
        let seen = owner.submit("/keys", &form).await;
        assert_eq!(seen.status, 422, "{left_out}: {}", seen.body);
    }
    assert_eq!(owner.post("/keys", &FORM).await.status, 403);
    let mut stranger = subject.stranger();
    assert_eq!(stranger.get("/keys").await.status, 303);
    assert_eq!(stranger.post("/keys", &FORM).await.status, 303);
    assert_eq!(kept::list(subject.database()).await.unwrap(), []);
    let mut form = FORM;
    form[3] = ("bots", "some");
    let id = tenant.id.to_string();
    let mut form = form.to_vec();
    form.push(("bot", &id));
    assert_eq!(owner.submit("/keys", &form).await.status, 200);
    let kept = kept::list(subject.database()).await.unwrap();
    assert_eq!(kept[0].bots, Some(BTreeSet::from([tenant.id])));
}

#[actix_rt::test]
async fn every_statement_fits_the_schema() {
    let subject = Subject::new().await;
    for statement in kept::STATEMENTS {
        subject.database().check(statement).await.unwrap();
    }
}
