//! Connecting by a token, which is told to Telegram and to nobody else.

use actix_web::http::Method;
use serde_json::{Value, json};

use super::Script;
use crate::serve::tests::bots::{TOKEN, telegram};
use crate::serve::tests::{Log, Subject};

/// Of a bot that Telegram does not know.
const UNKNOWN: &str = "7000000002:AAcanary-_0123456789abcdefghijklmnop";

#[actix_rt::test]
async fn telegram_is_asked_whose_it_is() {
    let url = telegram().await;
    let subject = Subject::with(&url, &url).await;
    let script = Script::new(&subject).await;
    let post = async |body: Value| script.send(Method::POST, "/v1/bots", Some(body), &[]).await;
    let got = post(json!({"token": format!(" {TOKEN}\n"), "store_token": true})).await;
    assert_eq!(got.status, 201);
    let made = got.json();
    assert_eq!(
        [&made["bot"], &made["name"]],
        [&json!(7_000_000_001i64), &json!("@shop_bot")]
    );
    let kept = subject.site.registry.list().await.unwrap();
    assert_eq!(
        kept.iter().map(|it| it.token_stored).collect::<Vec<_>>(),
        [true]
    );
    let again = post(json!({"token": TOKEN})).await;
    assert_eq!(
        (again.status.as_u16(), again.problem()),
        (409, "connected".to_owned())
    );
    let path = format!("/v1/bots/{}?now=true", made["code"].as_str().unwrap());
    assert_eq!(
        script.send(Method::DELETE, &path, None, &[]).await.status,
        200
    );

    let named = post(json!({"token": TOKEN, "name": "Shop"})).await.json();
    assert_eq!(named["name"], "Shop");
    let kept = subject.site.registry.list().await.unwrap();
    assert!(
        kept.iter()
            .all(|it| it.deleted_at.is_some() || !it.token_stored)
    );
}

#[actix_rt::test]
async fn what_is_wrong_is_told_without_it() {
    let log = Log::watch();
    let url = telegram().await;
    let subject = Subject::with(&url, &url).await;
    let away = Subject::new().await;
    let mut seen = Vec::new();
    for (subject, body, status, told) in [
        (
            &subject,
            json!({"token": UNKNOWN}),
            422,
            "refuses that of bot 7000000002: Unauthorized",
        ),
        (
            &subject,
            json!({"token": "7000000003-AAcanary"}),
            422,
            "token is none",
        ),
        (
            &subject,
            json!({"token": TOKEN, "bot": 7_000_000_001i64}),
            422,
            "bot: not together",
        ),
        (
            &subject,
            json!({"store_token": true}),
            422,
            "store_token: needs token",
        ),
        (
            &subject,
            json!({"bot": TOKEN}),
            422,
            "goes into the field `token`",
        ),
        (&subject, json!({"name": TOKEN}), 422, "name holds a token"),
        (
            &subject,
            json!({"privacy": TOKEN}),
            422,
            "goes into the field `token`",
        ),
        (&subject, json!({"time_zone": TOKEN}), 422, "IANA"),
        (
            &subject,
            json!({TOKEN: 1}),
            422,
            "goes into the field `token`",
        ),
        (&subject, json!({"token": [TOKEN]}), 422, "body: "),
        (&subject, json!([TOKEN]), 422, "body: "),
        (&subject, json!(TOKEN), 422, "goes into the field `token`"),
        (&away, json!({"token": TOKEN}), 502, "no answer"),
    ] {
        let script = Script::new(subject).await;
        let got = script
            .send(Method::POST, "/v1/bots", Some(body.clone()), &[])
            .await;
        assert_eq!(got.status, status, "{body}");
        got.problem();
        let detail = got.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(told), "{detail}");
        seen.push(String::from_utf8(got.body).unwrap());
    }
    let script = Script::new(&subject).await;
    for path in [
        format!("/v1/bots?{TOKEN}=1"),
        format!("/v1/bots?cursor={TOKEN}"),
        format!("/v1/bots/{TOKEN}"),
    ] {
        seen.push(String::from_utf8(script.get(&path).await.body).unwrap());
    }
    let got = script
        .send(Method::POST, "/v1/bots", Some(json!({"token": TOKEN})), &[])
        .await;
    assert_eq!(got.status, 201);
    seen.push(String::from_utf8(got.body).unwrap());
    for body in seen {
        assert!(!body.contains("AAcanary"), "{body}");
    }
    for subject in [&subject, &away] {
        subject.database().close().await;
        for file in subject.folder.path().read_dir().unwrap() {
            let file = file.unwrap();
            let bytes = std::fs::read(file.path()).unwrap_or_default();
            assert!(
                !String::from_utf8_lossy(&bytes).contains("AAcanary"),
                "{file:?}"
            );
        }
    }
    log.assert_without("AAcanary", "a script was not answered");
}
