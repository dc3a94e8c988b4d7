//! Bots that are connected, listed and removed beside a running `up`.
//!
//! In: commands. Out: pass or fail: what they print, and what `up` then serves, without a restart.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::*;

/// A change is seen within three seconds; machines that do much else at once are given more.
const SEEN: Duration = Duration::from_secs(20);

/// Asks until the answer has this status.
async fn until_status(place: &Place, target: &str, status: u16) {
    let began = Instant::now();
    loop {
        let answer = place.get(target).await;
        if answer.status() == status {
            return;
        }
        assert!(began.elapsed() < SEEN, "{target} stays {}", answer.line);
        // paced: another process changes what is answered
        sleep(Duration::from_millis(50)).await;
    }
}

async fn listed(place: &Place) -> Vec<Value> {
    let list = place.run(&["bots", "list", "--json"]).await;
    assert_eq!(list.code, OK, "{}", list.err);
    serde_json::from_str(&list.out).unwrap()
}

#[tokio::test]
async fn what_is_connected_beside_a_running_up_is_served() {
    let place = Place::new().await;
    let mut up = place.up(&[]).await;
    let base = format!("http://{}", place.address);
    let data = place.path().join("gramtap-data").canonicalize().unwrap();
    for part in [&base, data.to_str().unwrap(), "gramtap bots add --id"] {
        assert!(up.said.contains(part), "{part}: {}", up.said);
    }
    let get_me = format!("/bot{TOKEN}/getMe");
    assert_eq!(place.get(&get_me).await.status(), 404);
    assert_eq!(
        place.run(&["bots", "list"]).await.out,
        "no bot is connected: gramtap bots add --id <bot id>\n"
    );

    // By its id, with Telegram not asked.
    let id = BOT.to_string();
    let added = place.run(&["bots", "add", "--id", &id, "--json"]).await;
    assert_eq!(added.code, OK, "{}", added.err);
    let row: Value = serde_json::from_str(&added.out).unwrap();
    let code = row["code"].as_str().unwrap().to_owned();
    assert_eq!(row["address"], base);
    assert_eq!(row["code_path_address"], format!("{base}/c/{code}"));
    let facts = ["bot", "privacy", "token_stored", "standing"].map(|key| row[key].clone());
    let expected = [
        json!(BOT),
        json!("metadata"),
        json!(false),
        json!("connected"),
    ];
    assert_eq!(facts, expected);
    until_status(&place, &get_me, 200).await;
    let by_code = place.get(&format!("/c/{code}{get_me}")).await;
    assert_eq!(by_code.json()["result"]["id"], BOT);
    let again = place.run(&["bots", "add", "--id", &id]).await;
    assert_eq!((again.code, again.err.contains(&code)), (FAILED, true));
    assert_eq!(listed(&place).await, [row]);

    // Gone, at once.
    let removed = place.run(&["bots", "rm", &code, "--now"]).await;
    assert_eq!(removed.code, OK, "{}", removed.err);
    assert!(removed.out.contains(&code), "{}", removed.out);
    until_status(&place, &get_me, 404).await;
    assert_eq!(listed(&place).await, [] as [Value; 0]);

    // By its code alone, then removed with a day's grace.
    let added = place.run(&["bots", "add", "--code-only", "--json"]).await;
    let row: Value = serde_json::from_str(&added.out).unwrap();
    let code = row["code"].as_str().unwrap().to_owned();
    assert_eq!(row["bot"], Value::Null);
    let own = format!("/c/{code}{get_me}");
    until_status(&place, &own, 200).await;
    let until = Instant::now() + SEEN;
    while listed(&place).await[0]["bot"] != BOT {
        assert!(Instant::now() < until, "the code is bound to nobody");
        // paced: up writes it down by itself
        sleep(Duration::from_millis(50)).await;
    }
    let removed = place.run(&["bots", "rm", &code]).await;
    assert!(
        removed
            .out
            .contains(&format!("gramtap bots rm {code} --now"))
    );
    assert_eq!(listed(&place).await[0]["standing"], "leaving");
    assert_eq!(place.get(&own).await.status(), 200);

    up.signal(Signal::TERM);
    assert!(up.out.next_line().await.unwrap().is_none(), "{}", up.said);
    assert_eq!(up.ended().await.code(), OK);
}

#[tokio::test]
async fn what_add_prints_is_what_to_do() {
    let place = Place::new().await;
    let add = [
        "bots",
        "add",
        "--token",
        TOKEN,
        "--store-token",
        "--name",
        "shop",
    ];
    let public = [("GRAMTAP_PUBLIC_URL", "https://gramtap.example.org")];
    let added = place.run_with(&add, &public).await;
    assert_eq!(added.code, OK, "{}", added.err);
    let out = &added.out;
    let code = listed(&place).await[0]["code"].as_str().unwrap().to_owned();
    let lines: Vec<_> = out.lines().collect();
    let bot = format!("bot id       {BOT} (@");
    assert!(lines[1].starts_with(&bot), "{out}");
    assert_eq!(
        lines[2..7],
        [
            "token        stored, sealed".to_owned(),
            "privacy      metadata".to_owned(),
            format!("code         {code}"),
            "address      https://gramtap.example.org".to_owned(),
            format!("code path    https://gramtap.example.org/c/{code}"),
        ]
    );
    let host = format!("code host    https://{code}.gramtap.example.org ");
    assert!(lines[7].starts_with(&host), "{out}");
    // Each library that the README has, with the address and nothing of the token.
    let readme = include_str!("../../../README.md");
    let libraries = readme
        .lines()
        .filter_map(|line| Some(line.strip_prefix("**")?.split_once("**")?.0));
    let mut count = 0;
    for library in libraries {
        assert!(out.contains(&format!("\n  {library} (")), "{library}");
        count += 1;
    }
    assert!(count >= 13, "{count} libraries");
    assert!(!out.contains("AAcanary") && !added.err.contains("AAcanary"));
    assert!(
        out.ends_with(&format!("gramtap tail --bot {code}\n")),
        "{out}"
    );

    // A token that Telegram does not know, and one that was copied badly.
    for (token, words) in [
        (
            "7000000999:AAcanary-revoked",
            "--id 7000000999|copy it again",
        ),
        ("7000000999AAcanary", "copy it again from @BotFather"),
    ] {
        let refused = place.run(&["bots", "add", "--token", token]).await;
        assert_eq!(refused.code, FAILED, "{}", refused.err);
        let said = words.split('|').any(|words| refused.err.contains(words));
        assert!(said, "{}", refused.err);
        assert!(!refused.err.contains("AAcanary"), "{}", refused.err);
    }
    assert_eq!(listed(&place).await.len(), 1);
}
