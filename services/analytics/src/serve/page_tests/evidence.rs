//! The three errors that everybody meets: their pages say what is known.
//!
//! In: bots that meet them in each of their forms. Out: a failure where a page says something else. Invariant: what is said is said of bots
//! whose traffic can mean nothing else.

use super::*;
use crate::query::Period;
use crate::query::errors;
use crate::zone::Zone;

/// The page of the first group with an advice.
async fn page_of(rig: Rig, advice: &str) -> (Rig, Shown) {
    let period = Period::last(Zone::UTC, NOW, 7);
    let groups = errors::errors(rig.site.store.database(), rig.bot.id, &period)
        .await
        .unwrap();
    let found = groups
        .iter()
        .find(|group| group.advice.is_some_and(|it| it.key == advice));
    let path = format!("errors/{}?days=7", found.unwrap().group);
    rig.page(&path).await
}

#[actix_rt::test]
async fn of_two_pollers_both_are_shown_and_who_loses() {
    let rig = rig("UTC", |bot| seed::fight(bot, true)).await;
    let (rig, overview) = rig.page("overview").await;
    assert!(
        overview
            .html
            .contains("2 programs poll with this bot&#39;s token at once")
    );
    let (_, shown) = page_of(rig, "two_pollers").await;
    assert!(
        shown
            .html
            .contains("2 programs poll through Gramtap at once")
    );
    for text in [
        "10.0.0.1",
        "203.0.113.40",
        "python-telegram-bot v22.8",
        "aiohttp",
    ] {
        assert!(shown.html.contains(text), "{text}");
    }
    let rows: Vec<&str> = shown
        .html
        .split("<tr")
        .filter(|row| row.contains("pollers.polls"))
        .collect();
    assert_eq!(rows.len(), 2);
    // The first one asks every minute, and every poll of it is ended.
    let loser = rows.iter().find(|row| row.contains(">loses<")).unwrap();
    assert!(loser.contains("10.0.0.1"), "{loser}");
    assert_eq!(rows.iter().filter(|row| row.contains(">loses<")).count(), 1);
    assert!(!shown.html.contains("a developer's laptop"));
}

#[actix_rt::test]
async fn a_poller_beside_us_is_told_and_where_to_look() {
    let rig = rig("UTC", |bot| seed::fight(bot, false)).await;
    let (rig, overview) = rig.page("overview").await;
    assert!(
        overview
            .html
            .contains("Another program polls with this bot&#39;s token")
    );
    let (_, shown) = page_of(rig, "two_pollers").await;
    assert!(
        shown
            .html
            .contains("The other one does not come through Gramtap")
    );
    assert!(shown.html.contains("a developer's laptop"));
}

#[actix_rt::test]
async fn of_a_webhook_in_the_way_it_is_said_how_to_remove_it() {
    let rig = rig("UTC", |bot| {
        let advice = "webhook_in_the_way";
        seed::failing(bot, "getUpdates", 409, "telegram", "config", advice)
    });
    let (rig, overview) = rig.await.page("overview").await;
    assert!(
        overview
            .html
            .contains("A webhook is set, so polling is refused")
    );
    let (_, shown) = page_of(rig, "webhook_in_the_way").await;
    assert!(shown.html.contains("deleteWebhook") && shown.html.contains("getWebhookInfo"));
}

#[actix_rt::test]
async fn of_an_outage_it_is_told_whose_fault_it_was() {
    for (origin, method, other, others, expected) in [
        ("edge", "sendMessage", "", Some("edge"), "It was Telegram"),
        (
            "network",
            "sendMessage",
            "",
            Some("network"),
            "It was the way from here to Telegram",
        ),
        (
            "edge",
            "sendMessage",
            "getMe",
            Some(""),
            "It was the server that holds this bot",
        ),
        (
            "edge",
            "sendMessage",
            "",
            Some(""),
            "It was this call alone",
        ),
        ("gramtap", "sendMessage", "", Some(""), "It was Gramtap"),
        ("edge", "sendMessage", "getMe", None, "It cannot be told"),
    ] {
        let rig = rig("UTC", |bot| {
            let mut traffic = seed::failing(bot, method, 502, origin, "outage", "gateway");
            if other.is_empty() {
                seed::passing(&mut traffic, "getChat");
            } else {
                let more = seed::failing(bot, other, 502, origin, "outage", "gateway");
                seed::join(&mut traffic, more);
            }
            traffic
        });
        let rig = rig.await;
        if let Some(origin) = others {
            let mut other = rig.bot.clone();
            other.id = "zzzzzzzzzzzzzzzzzzzzzzzzzz".parse().unwrap();
            let traffic = match origin {
                "" => {
                    let mut traffic = seed::nothing(&other);
                    seed::passing(&mut traffic, "sendPhoto");
                    traffic
                }
                origin => seed::failing(&other, "sendPhoto", 504, origin, "outage", "gateway"),
            };
            add(&rig.site.store, &traffic, &[1_000]).await;
        }
        let (_, shown) = page_of(rig, "gateway").await;
        assert!(
            shown.html.contains(&format!("<h2>{expected}</h2>")),
            "{expected}"
        );
    }
}

#[actix_rt::test]
async fn of_telegrams_404_it_is_said_that_the_address_is_right_and_what_was_meant() {
    let rig = rig("UTC", |bot| {
        seed::failing(
            bot,
            "sendMesage",
            404,
            "telegram",
            "config",
            "method_unknown",
        )
    });
    let (_, shown) = page_of(rig.await, "method_unknown").await;
    assert!(shown.html.contains("Telegram did not find it"));
    assert!(
        shown
            .html
            .contains("<strong><code>sendMessage</code></strong>")
    );
    assert!(shown.html.contains("<code>7100200300</code>") && shown.html.contains("/connect\""));
}

#[actix_rt::test]
async fn of_a_refused_bot_both_ids_are_shown() {
    let rig = rig("UTC", seed::nothing).await;
    let refused = seed::refused(rig.code(), 5_000_600_700);
    add(&rig.site.store, &refused, &[1]).await;
    let (rig, list) = rig.page("errors?days=1").await;
    for text in [
        "<code>7100200300</code>",
        "<code>5000600700</code>",
        "192.0.2.7",
        "telebot",
    ] {
        assert!(list.html.contains(text), "{text}");
    }
    assert_eq!(list.number("refused.n"), "1");
    let (_, overview) = rig.page("overview").await;
    assert!(overview.html.contains("Calls were refused with 404 today"));
}
