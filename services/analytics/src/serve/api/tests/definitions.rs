//! What `/v1` says of itself.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

use super::super::document;

/// The files that hold the definitions of numbers.
const QUESTIONS: [&str; 9] = [
    include_str!("../../../query/overview.rs"),
    include_str!("../../../query/audience.rs"),
    include_str!("../../../query/actions.rs"),
    include_str!("../../../query/sources.rs"),
    include_str!("../../../query/errors.rs"),
    include_str!("../../../query/latency.rs"),
    include_str!("../../../query/polls.rs"),
    include_str!("../../../query/deliveries.rs"),
    include_str!("../../../query/letters.rs"),
];

/// Every definition of a number: the doc comments that begin with its name, by struct and field.
fn definitions() -> BTreeMap<(String, String), String> {
    let mut found = BTreeMap::new();
    for file in QUESTIONS {
        let (mut shape, mut text) = (String::new(), String::new());
        for line in file.lines().map(str::trim) {
            if let Some(more) = line.strip_prefix("/// ") {
                text = format!("{text} {more}").trim().to_owned();
                continue;
            }
            if let Some(rest) = line.strip_prefix("pub struct ") {
                shape = rest.split([' ', '<']).next().unwrap().to_owned();
            } else if let Some((field, _)) =
                line.strip_prefix("pub ").and_then(|it| it.split_once(':'))
                && text.starts_with('*')
            {
                found.insert((shape.clone(), field.to_owned()), text.clone());
            }
            if !line.starts_with('#') {
                text.clear();
            }
        }
    }
    found
}

#[test]
fn every_number_has_the_definition_of_its_question() {
    let document: Value = serde_json::from_str(&document::text().unwrap()).unwrap();
    let definitions = definitions();
    assert!(definitions.len() > 25, "{}", definitions.len());
    for ((shape, field), definition) in definitions {
        let property = &document["components"]["schemas"][&shape]["properties"][&field];
        let told = property["description"].as_str().unwrap_or_default();
        let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(told, definition, "{shape}.{field}");
    }
}

/// The types that a schema and the parts of its `allOf` name.
fn kinds<'a>(document: &'a Value, schema: &'a Value, found: &mut BTreeSet<&'a str>) {
    found.extend(schema["type"].as_str());
    if let Some(path) = schema["$ref"].as_str() {
        let path = path.strip_prefix('#').unwrap();
        kinds(document, document.pointer(path).unwrap(), found);
    }
    for part in schema["allOf"].as_array().into_iter().flatten() {
        kinds(document, part, found);
    }
}

/// Checks every schema below a value; how many of them are made of parts.
fn check(document: &Value, value: &Value) -> usize {
    let mut found = BTreeSet::new();
    if value["allOf"].is_array() {
        kinds(document, value, &mut found);
        assert_eq!(found.len(), 1, "nothing is all of these: {value}");
    }
    let below: Box<dyn Iterator<Item = &Value>> = match value {
        Value::Object(fields) => Box::new(fields.values()),
        Value::Array(values) => Box::new(values.iter()),
        _ => Box::new([].iter()),
    };
    found.len() + below.map(|value| check(document, value)).sum::<usize>()
}

#[test]
fn no_schema_asks_a_value_to_be_of_two_types() {
    let document: Value = serde_json::from_str(&document::text().unwrap()).unwrap();
    assert!(check(&document, &document) >= 7);
}

#[test]
fn the_committed_description_is_that_of_the_code() {
    let text = document::text().unwrap();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
    if std::env::var_os("GRAMTAP_BLESS").is_some() {
        std::fs::write(&file, &text).unwrap();
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        kept == text,
        "docs/openapi.json differs; if that is wanted: GRAMTAP_BLESS=1 cargo test -p gramtap-analytics --lib definitions"
    );
}

#[test]
fn everything_is_described_and_nothing_is_without_its_refusals() {
    let document: Value = serde_json::from_str(&document::text().unwrap()).unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    let mut operations = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            operations += 1;
            let place = format!("{method} {path}");
            assert!(operation["summary"].is_string(), "{place}");
            for status in ["401", "403", "422", "429", "503"] {
                let response = &operation["responses"][status];
                let content = &response["content"]["application/problem+json"];
                assert!(content.is_object(), "{place} {status}");
            }
            let bot = path.contains("{code}");
            assert_eq!(operation["responses"]["404"].is_object(), bot, "{place}");
        }
    }
    assert_eq!(operations, 21);
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        for (field, property) in schema["properties"].as_object().into_iter().flatten() {
            let told = property.to_string().contains("\"description\":");
            assert!(told, "{name}.{field}: {property}");
        }
    }
}
