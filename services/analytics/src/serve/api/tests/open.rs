//! Bots: connected, listed, changed, removed.

use actix_web::http::Method;
use serde_json::{Value, json};

use super::Script;
use super::script::bot;
use crate::serve::tests::{Subject, tick};

#[actix_rt::test]
async fn a_bot_is_connected_changed_and_removed() {
    let subject = Subject::new().await;
    let script = Script::new(&subject).await;
    let send =
        async |method, path: &str, body: Value| script.send(method, path, Some(body), &[]).await;
    let by_id = json!({"bot": 7_000_000_001i64, "name": " Orders ", "privacy": "off", "time_zone": "Asia/Tehran"});
    let got = send(Method::POST, "/v1/bots", by_id.clone()).await;
    assert_eq!(got.status, 201);
    let made = got.json();
    assert_eq!(
        [
            &made["name"],
            &made["privacy"],
            &made["time_zone"],
            &made["bot"],
            &made["address"]
        ],
        [
            &json!("Orders"),
            &json!("off"),
            &json!("Asia/Tehran"),
            &json!(7_000_000_001i64),
            &json!("https://bots.example.com")
        ]
    );
    let again = send(Method::POST, "/v1/bots", by_id).await;
    assert_eq!(again.status, 409);
    let code = made["code"].as_str().unwrap();
    assert!(again.json()["detail"].as_str().unwrap().contains(code));
    let by_code = send(Method::POST, "/v1/bots", json!({})).await.json();
    let address = format!(
        "https://bots.example.com/c/{}",
        by_code["code"].as_str().unwrap()
    );
    assert_eq!(by_code["address"], address);

    let one = format!("/v1/bots/{code}");
    assert_eq!(script.get(&one).await.json(), made);
    let changed = send(Method::PATCH, &one, json!({"privacy": "full"}))
        .await
        .json();
    assert_eq!([&changed["name"], &changed["privacy"]], ["Orders", "full"]);
    let changed = send(
        Method::PATCH,
        &one,
        json!({"name": null, "time_zone": "UTC"}),
    )
    .await
    .json();
    assert_eq!(
        [&changed["name"], &changed["time_zone"]],
        [&Value::Null, &json!("UTC")]
    );
    assert_eq!(script.get(&one).await.json(), changed);

    let left = send(Method::DELETE, &one, json!(null)).await.json();
    assert!(left["removed_at"].is_string());
    // Still relayed, still told, no longer changed.
    assert_eq!(script.get(&one).await.status, 200);
    assert_eq!(
        send(Method::PATCH, &one, json!({"privacy": "off"}))
            .await
            .status,
        404
    );
    let gone = send(Method::DELETE, &format!("{one}?now=true"), json!(null)).await;
    assert_eq!(gone.status, 200);
    assert_eq!(script.get(&one).await.status, 404);
}

#[actix_rt::test]
async fn pages_of_bots_have_each_once_while_others_come() {
    let subject = Subject::new().await;
    let script = Script::new(&subject).await;
    let mut known = Vec::new();
    for number in 0..7 {
        known.push(bot(&subject, &number.to_string()).await.code.to_string());
    }
    let (mut seen, mut path) = (Vec::new(), "/v1/bots?limit=2".to_owned());
    loop {
        let page = script.get(&path).await.json();
        let bots = page["bots"].as_array().unwrap();
        assert!(bots.len() <= 2);
        seen.extend(
            bots.iter()
                .map(|bot| bot["code"].as_str().unwrap().to_owned()),
        );
        bot(&subject, "later").await;
        match page["next"].as_str() {
            Some(next) => path = format!("/v1/bots?limit=2&cursor={next}"),
            None => break,
        }
    }
    known.reverse();
    assert_eq!(seen, known);
}

#[actix_rt::test]
async fn the_use_of_a_key_is_noted_once_a_minute() {
    let subject = Subject::new().await;
    let script = Script::new(&subject).await;
    let used = async || {
        let keys = crate::serve::keys::kept::list(subject.database())
            .await
            .unwrap();
        keys[0].used
    };
    let noted = async |wanted: i64| {
        while used().await != Some(wanted) {
            // paced: nobody waits for the note
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    let begin = (subject.site.clock)();
    assert_eq!(used().await, None);
    for (seconds, wanted) in [(0, begin), (59, begin), (1, begin + 60)] {
        tick(seconds);
        assert_eq!(script.get("/v1/bots").await.status, 200);
        let within = std::time::Duration::from_secs(30);
        tokio::time::timeout(within, noted(wanted)).await.unwrap();
    }
}
