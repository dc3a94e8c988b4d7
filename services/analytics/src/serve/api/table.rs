//! Records as lines of CSV.
//!
//! In: records as JSON. Out: lines with the same columns in the same order, whatever a record has. Invariant: the columns are those of the
//! topic's schema (tested); null is an empty cell, a text is itself, all else is its JSON, digit for digit. Pure.

use std::borrow::Cow;
use std::collections::HashMap;

use serde_json::value::RawValue;

use super::events::TopicName;
use super::problem::Problem;

/// The columns of events.v1.
pub const EVENTS: [&str; 39] = [
    "v",
    "event_id",
    "event",
    "tenant",
    "bot",
    "at",
    "happened_at",
    "direction",
    "via",
    "update_id",
    "update_type",
    "method",
    "chat_id",
    "chat_type",
    "thread_id",
    "user_id",
    "user_is_bot",
    "username",
    "language",
    "is_premium",
    "message_id",
    "reply_to_message_id",
    "command",
    "payload",
    "text",
    "text_length",
    "media",
    "media_bytes",
    "callback_data",
    "button_text",
    "ok",
    "error_code",
    "error_group",
    "error_class",
    "took_ms",
    "own_ms",
    "amount",
    "currency",
    "props",
];
/// The columns of errors.v1.
pub const ERRORS: [&str; 17] = [
    "v",
    "error_id",
    "group",
    "template",
    "at",
    "tenant",
    "bot",
    "origin",
    "class",
    "code",
    "method",
    "description",
    "advice",
    "chat_id",
    "user_id",
    "update_id",
    "client",
];

/// A record, its values as they are written.
pub type Row<'a> = HashMap<Cow<'a, str>, &'a RawValue>;

/// Writes lines.
pub struct Table {
    columns: &'static [&'static str],
    /// Cells that a spreadsheet would take for formulas are marked as texts.
    spreadsheet: bool,
    headed: bool,
}

impl Table {
    /// For records of a topic.
    #[must_use]
    pub fn new(topic: TopicName, spreadsheet: bool) -> Self {
        Self {
            columns: match topic {
                TopicName::Events => &EVENTS,
                TopicName::Errors => &ERRORS,
            },
            spreadsheet,
            headed: false,
        }
    }

    /// The line of columns, the first time; nothing after that.
    pub fn head(&mut self) -> Result<Vec<u8>, Problem> {
        let mut head = Vec::new();
        if !self.headed {
            self.headed = true;
            line(self.columns.iter().copied(), &mut head)?;
        }
        Ok(head)
    }

    /// The line of a record.
    pub fn add(&self, row: &Row<'_>, into: &mut Vec<u8>) -> Result<(), Problem> {
        let cells = self.columns.iter().map(|column| {
            let value = row.get(*column).map_or("null", |value| value.get());
            self.cell(value)
        });
        let cells: Vec<Cow<'_, str>> = cells.collect();
        line(cells.iter().map(AsRef::as_ref), into)
    }

    fn cell<'a>(&self, value: &'a str) -> Cow<'a, str> {
        if value == "null" {
            return "".into();
        }
        if !value.starts_with('"') {
            return value.into();
        }
        let text: String = serde_json::from_str(value).unwrap_or_default();
        match self.spreadsheet && text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
            true => format!("'{text}").into(),
            false => text.into(),
        }
    }
}

fn line<'a>(cells: impl Iterator<Item = &'a str>, into: &mut Vec<u8>) -> Result<(), Problem> {
    let broken = |error: csv::Error| Problem::Broken(error.to_string());
    let mut writer = csv::Writer::from_writer(into);
    writer.write_record(cells).map_err(broken)?;
    writer.flush().map_err(|error| broken(error.into()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::collections::BTreeSet;

    const SCHEMAS: [(&str, &[&str]); 2] = [
        (
            include_str!("../../../../../shared/events/schema/events.v1.json"),
            &EVENTS,
        ),
        (
            include_str!("../../../../../shared/events/schema/errors.v1.json"),
            &ERRORS,
        ),
    ];

    #[test]
    fn the_columns_are_those_of_the_schemas() {
        for (schema, columns) in SCHEMAS {
            let schema: serde_json::Value = serde_json::from_str(schema).unwrap();
            let known = schema["properties"].as_object().unwrap().keys();
            let known: BTreeSet<&str> = known.map(String::as_str).collect();
            assert_eq!(known, columns.iter().copied().collect());
            assert_eq!(known.len(), columns.len());
        }
    }

    #[test]
    fn cells_are_texts_numbers_and_json() {
        let record = br#"{"v":1,"event_id":"u:1","text":"=1+1, \"so\"\nhe said","chat_id":-100,"ok":true,"took_ms":84.310,
            "bot":null,"props":{"a":[1,2]},"later":"column"}"#;
        let row: Row<'_> = serde_json::from_slice(record).unwrap();
        for (spreadsheet, text) in [(false, "=1+1"), (true, "'=1+1")] {
            let mut table = Table::new(TopicName::Events, spreadsheet);
            let mut file = table.head().unwrap();
            table.add(&row, &mut file).unwrap();
            assert!(table.head().unwrap().is_empty());
            let mut reader = csv::Reader::from_reader(&file[..]);
            assert_eq!(reader.headers().unwrap().iter().collect::<Vec<_>>(), EVENTS);
            let read: HashMap<String, String> = reader.deserialize().next().unwrap().unwrap();
            assert_eq!(read["text"], format!("{text}, \"so\"\nhe said"));
            let cells = ["chat_id", "ok", "took_ms", "bot", "props", "method"];
            let cells = cells.map(|column| read[column].as_str());
            assert_eq!(cells, ["-100", "true", "84.310", "", r#"{"a":[1,2]}"#, ""]);
        }
    }
}
