//! What strangers can write into labels, descriptions and libraries' names.
//!
//! In: a bot whose every text is an attack. Out: a failure where a page has an element, an attribute or a style that the templates do not
//! have. Invariant: as many tags on the page of an attacked bot as on that of a bot with kind texts.

use gramtap_events::event::{Direction, Name};
use serde_json::json;

use super::*;
use crate::conformance::stream::{blank, failed, prop};

/// Markup, quotes, signs that turn the direction of writing, what no screen shows, and length.
fn attack() -> String {
    let odd = "\u{202e}\u{2066}<script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{ 7*7 }}&amp;\u{0}\u{7}";
    format!("{odd}{}", "A".repeat(4_000))
}

fn traffic(bot: &Tenant, text: &str) -> Traffic {
    let mut traffic = seed::nothing(bot);
    let at = (NOW - 3_000) * 1_000_000;
    for place in 0..6 {
        let mut event = blank(bot.id, place, at + place);
        event.direction = Direction::In;
        event.user_id = Some(9_000);
        event.language = Some(text.to_owned());
        (event.event, event.user_is_bot) = (Name::MessageReceived, Some(false));
        event.command = Some(if place == 0 {
            "/start".to_owned()
        } else {
            text.to_owned()
        });
        event.payload = Some(text.to_owned());
        event.callback_data = Some(text.to_owned());
        event.button_text = Some(text.to_owned());
        event.media = Some(text.to_owned().into());
        traffic.events.push(event);
    }
    for (place, method, code) in [(10, text, 404), (11, "getUpdates", 409), (12, text, 502)] {
        let mut event = blank(bot.id, place, at + place);
        event.event = if method == "getUpdates" {
            Name::Polled
        } else {
            Name::CallMade
        };
        event.method = Some(method.to_owned());
        event.ok = Some(false);
        event.took_ms = Some(3.0);
        event.own_ms = Some(1.0);
        prop(&mut event, "addr", json!(text));
        prop(&mut event, "agent", json!(text));
        let class = if code == 502 {
            gramtap_events::failure::Class::Outage
        } else {
            gramtap_events::failure::Class::Config
        };
        failed(
            &mut event,
            code,
            class,
            if code == 409 { "two_pollers" } else { text },
            &mut traffic.failures,
        );
        let failure = traffic.failures.last_mut().unwrap();
        failure.group = format!("{place:016x}");
        failure.description = Some(text.to_owned());
        failure.template = text.to_owned();
        failure.client.as_mut().unwrap().agent = Some(text.to_owned());
        traffic.events.push(event);
    }
    traffic
}

const PATHS: [&str; 9] = [
    "overview?days=1",
    "audience?days=7",
    "actions?days=7",
    "sources?days=7",
    "errors?days=7",
    "latency?days=7",
    "errors/000000000000000a",
    "errors/000000000000000b",
    "errors/000000000000000c",
];

#[actix_rt::test]
async fn texts_of_strangers_are_only_ever_text() {
    let (_, kind) = rig("UTC", |bot| traffic(bot, "kind"))
        .await
        .pages(&PATHS)
        .await;
    let (_, attacked) = rig("UTC", |bot| traffic(bot, &attack()))
        .await
        .pages(&PATHS)
        .await;
    for ((path, attacked), kind) in PATHS.iter().zip(attacked).zip(kind) {
        assert_eq!(
            (attacked.status, kind.status),
            (StatusCode::OK, StatusCode::OK),
            "{path}"
        );
        assert_eq!(tags(&attacked.html), tags(&kind.html), "{path}");
        assert!(
            !attacked.html.contains("<script>") && !attacked.html.contains("<img"),
            "{path}"
        );
        assert!(!attacked.html.contains(" style="), "{path}");
        let longest = attacked.html.split(['<', '>']).map(str::len).max().unwrap();
        assert!(longest < 12_000, "{path}: {longest}");
    }
}

/// How often each element occurs.
fn tags(html: &str) -> BTreeMap<&str, usize> {
    let mut tags = BTreeMap::new();
    for rest in html.split('<').skip(1) {
        let name = rest.split([' ', '>', '/', '\n']).next().unwrap();
        *tags.entry(name).or_default() += 1;
    }
    tags
}
