//! docs/events.md: the analysts' topics column by column, from the schemas and golden records.
//!
//! In: the types' schemas (descriptions, kinds), the golden records (examples). Out: the committed page, or a failure where it differs.
//! Invariant: a column or a name of an event that is not on the page does not exist.

use std::collections::BTreeMap;

use gramtap_events::event::Event;
use gramtap_events::{Topic, topics};
use serde_json::Value;

use super::{hold, schema_of};

const HEAD: &str = "# Events and errors, column by column

Two topics are for analysts. Each record is one JSON object with the same columns, in UTF-8; the key is the bot's `tenant`, so all of a bot
is in one partition, in order. `null` is what is not known or not kept. Columns are only ever added: ignore those you do not know. Times are
RFC 3339 in UTC with six digits of microseconds, so that the order of texts is that of times. No record holds a token. The same rows come as JSON
lines or CSV from `/v1/bots/{code}/export`.

Read with `isolation.level=read_committed`: records are written in transactions, exactly once for readers who do.

This page is made from the schemas (`shared/events/schema`): `GRAMTAP_BLESS=1 cargo test -p gramtap-events` writes it anew.

## A look with kcat

The broker is `localhost:9092` here. The last hundred records of each partition as they are:

    kcat -C -b localhost:9092 -t gramtap.events.v1 -X isolation.level=read_committed -o -100 -e -q

What comes from now on, with key and offset:

    kcat -C -b localhost:9092 -t gramtap.events.v1 -X isolation.level=read_committed -o end -q -u -f '%k %o %s\\n'
";

#[test]
fn the_page_for_analysts_follows_the_schemas() {
    let mut page = HEAD.to_owned();
    let goldens = ["event-received", "event-refused", "event-gap"];
    page += &columns(&topics::EVENTS, "event", &goldens);
    page += "\n### Names of events\n\nThe column `event` is one of these. Exactly one event stands for each update and for each record of a call, so counting rows counts facts.\n\n";
    page += "| event | what happened |\n|---|---|\n";
    let schema = schema_of(&topics::EVENTS);
    for name in schema["$defs"]["Name"]["oneOf"].as_array().unwrap() {
        let (name, about) = (&name["const"], &name["description"]);
        page += &format!("| `{}` | {} |\n", text(name), line(about));
    }
    page += &columns(&topics::ERRORS, "error", &["error"]);
    hold("../../docs/events.md", &page);
}

fn columns(topic: &Topic, what: &str, goldens: &[&str]) -> String {
    let schema = schema_of(topic);
    let read = |name: &&str| {
        let file = format!("{}/golden/{name}.json", env!("CARGO_MANIFEST_DIR"));
        serde_json::from_str::<Value>(&std::fs::read_to_string(file).unwrap()).unwrap()
    };
    let records: Vec<Value> = goldens.iter().map(read).collect();
    let mut page = format!(
        "\n## `{}`\n\n{}. Kept for {} days.\n\n| column | kind | meaning | example |\n|---|---|---|---|\n",
        topic.name,
        topic.about.replacen("one", "One", 1),
        topic.retention.unwrap_or_default().as_secs() / 86_400
    );
    let properties = schema["properties"].as_object().unwrap();
    let order = order(what, properties.keys().map(String::as_str).collect());
    for column in order {
        let property = &properties[column];
        let filled = records.iter().map(|record| &record[column]);
        let example = filled
            .clone()
            .find(|value| !value.is_null() && **value != serde_json::json!({}));
        let example = example.map_or_else(String::new, |value| format!("`{value}`"));
        page += &format!(
            "| `{column}` | {} | {} | {} |\n",
            kind(property),
            line(&property["description"]),
            example.replace('|', "\\|")
        );
    }
    page
}

/// Columns in the order in which records have them.
fn order<'a>(what: &str, mut columns: Vec<&'a str>) -> Vec<&'a str> {
    let written = match what {
        "event" => {
            let at = super::moment("2026-01-01T00:00:00.000000Z");
            let (name, via) = (
                gramtap_events::event::Name::Gap,
                gramtap_events::event::Via::Poll,
            );
            let event = Event::bare(name, String::new(), super::tenant(), at, via);
            serde_json::to_string(&event).unwrap()
        }
        _ => serde_json::to_string(&super::analysts::blocked()).unwrap(),
    };
    let place = |column: &&str| written.find(&format!("\"{column}\":")).unwrap();
    columns.sort_by_key(place);
    columns
}

/// The kind of a column: what JSON has, and whether it may be null.
fn kind(property: &Value) -> String {
    let named = BTreeMap::from([
        ("TenantId", "text"),
        ("Moment", "time"),
        ("Name", "text"),
        ("Class", "text"),
        ("Direction", "text"),
        ("Via", "text"),
        ("Origin", "text"),
        ("Client", "object"),
    ]);
    let word = |part: &Value| -> String {
        if let Some(name) = part["$ref"].as_str() {
            let name = name.rsplit('/').next().unwrap();
            return named[name].to_owned();
        }
        let one = |it: &Value| match text(it) {
            "string" => "text",
            "integer" => "whole number",
            "number" => "number",
            "boolean" => "true or false",
            "null" => "null",
            _ => "object",
        };
        match &part["type"] {
            Value::Array(kinds) => kinds.iter().map(one).collect::<Vec<_>>().join(" or "),
            kind => one(kind).to_owned(),
        }
    };
    match property["anyOf"].as_array() {
        Some(parts) => parts.iter().map(word).collect::<Vec<_>>().join(" or "),
        None => word(property),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// A description in one line of a table.
fn line(value: &Value) -> String {
    let words: Vec<&str> = text(value).split_whitespace().collect();
    words.join(" ").replace('|', "\\|")
}
