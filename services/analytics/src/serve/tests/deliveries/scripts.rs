//! The same for scripts: `/v1/bots/{code}/deliveries` and below `dead`.
//!
//! In: requests with keys of both scopes. Out: a failure where an answer differs from what was written, or a key does what it may not.

use actix_web::http::Method;

use super::*;
use crate::serve::api::tests::script::Script;
use crate::serve::keys::kept::Scope;

#[actix_rt::test]
async fn scripts_list_read_and_replay_what_their_key_allows() {
    let subject = Subject::new().await;
    let tenant = bot(&subject, Privacy::Full).await;
    let letters = dead(&subject, &tenant, &["expired", "endpoint_gone", "expired"]).await;
    attempts(&subject, &tenant, letters[0].inbox.record.as_str()).await;
    let reads = Script::scoped(&subject, Scope::Read, &[tenant.id]).await;
    let manages = Script::scoped(&subject, Scope::Manage, &[tenant.id]).await;
    let path = |rest: &str| format!("/v1/bots/{}/{rest}", tenant.code);
    let told = reads.get(&path("deliveries?days=1")).await.json();
    assert_eq!(told["total"]["attempts"], 2);
    assert_eq!(told["waiting"][0]["n"], 1);
    assert_eq!(
        told["standing"],
        json!({"n": 0, "failed": null}),
        "nothing was written of it"
    );
    stands(&subject, &tenant).await;
    let told = reads.get(&path("deliveries?days=1")).await.json();
    let failed = &told["standing"]["failed"];
    assert_eq!(told["standing"]["n"], 1_234);
    assert_eq!(failed["label"], "endpoint_fails");
    assert_eq!(
        failed["message"],
        "Wrong response from the webhook: 500 <Oops>"
    );
    assert_eq!(told["failures"][0]["label"], "endpoint_fails");
    let told = reads.get(&path("attempts?limit=1")).await.json();
    assert_eq!(told["attempts"].as_array().unwrap().len(), 1);

    let told = reads.get(&path("dead?cause=expired&limit=1")).await.json();
    assert_eq!(
        (&told["n"], told["letters"].as_array().unwrap().len()),
        (&json!(2), 1)
    );
    let next = told["next"].as_str().unwrap();
    let rest = reads
        .get(&path(&format!("dead?cause=expired&limit=1&cursor={next}")))
        .await
        .json();
    assert_ne!(rest["letters"][0]["record"], told["letters"][0]["record"]);
    assert_eq!(rest["next"], Value::Null);
    let one = letters[0].inbox.record.as_str();
    let told = reads.get(&path(&format!("dead/{one}"))).await.json();
    assert_eq!(
        (&told["cause"], &told["tried"][0]["record"]),
        (&json!("expired"), &json!("f-1-0"))
    );
    assert!(!told.to_string().contains("AAcanary"));

    let replay = path("dead/replay");
    let refused = reads
        .send(Method::POST, &replay, Some(json!({"all": true})), &[])
        .await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    for (body, said) in [
        (json!({}), "all"),
        (json!({"records": []}), "records"),
        (json!({"records": [one], "cause": "expired"}), "records"),
        (json!({"cause": "expired", "from": "yesterday"}), "from"),
        (
            json!({"all": true, "to": "https://10.0.0.1/AAcanary"}),
            "to",
        ),
        (json!({"every": true}), "every"),
    ] {
        let refused = manages.send(Method::POST, &replay, Some(body), &[]).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        let detail = refused.json()["detail"].as_str().unwrap().to_owned();
        assert!(
            detail.contains(said) && !detail.contains("AAcanary"),
            "{detail}"
        );
    }
    let wish = json!({"cause": "expired", "to": "https://bot.example/AAcanary"});
    let told = manages.send(Method::POST, &replay, Some(wish), &[]).await;
    assert_eq!(
        (told.status, &told.json()["asked"]),
        (StatusCode::ACCEPTED, &json!(2))
    );
    assert_eq!(do_replays(&subject).await, 2);
    let told = reads.get(&path(&format!("dead/{one}"))).await.json();
    assert_eq!(told["asked_to"], "https://bot.example");
    assert!(
        told["replayed_at"].is_string() && told["asked_by"].as_str().unwrap().starts_with("key ")
    );
    assert_eq!(audited(&subject).await.len(), 1);
}
