//! A bot's events or errors as a file.
//!
//! In: requests with a key; the log, by `records.rs`. Out: JSON lines, byte for byte as they are in the topic, or CSV, as a stream. Invariant:
//! memory is bounded, whatever the file's size: nothing is read before what was read has been taken. A file that could not be
//! finished ends as a broken answer, never as a short one. Above a number of readers at once: 503.

use actix_web::HttpResponse;
use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use actix_web::web::{Bytes, Data, Path};
use futures_util::stream;
use serde::{Deserialize, Deserializer};
use tokio::sync::OwnedSemaphorePermit;
use utoipa::{IntoParams, ToSchema};

use super::asked::{Asked, Mark, word};
use super::caller::Caller;
use super::events::TopicName;
use super::problem::Problem;
use super::shape::micro;
use super::table::{Row, Table};
use crate::serve::Site;
use crate::serve::keys::kept::Scope;
use crate::serve::records::{Begin, Records, Step};

/// Bytes that are gathered before they are sent on.
const CHUNK: usize = 32 * 1024;
/// Records that are looked at before others get their turn.
const LOOKED: usize = 1_000;

/// What is to be in the file.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// Whether events or errors; events if nothing is said.
    #[param(value_type = Option<TopicName>)]
    #[serde(default, deserialize_with = "super::events::topic")]
    topic: Option<TopicName>,
    /// JSON lines or CSV; JSON lines if nothing is said.
    #[param(value_type = Option<Format>)]
    #[serde(default, deserialize_with = "format")]
    format: Option<Format>,
    /// The first `at` that is in the file: a time (RFC 3339), or a date (of the bot's time zone), which begins with its midnight. Without
    /// it: all that is kept.
    #[param(value_type = Option<String>, example = "2026-01-01")]
    #[serde(default, deserialize_with = "super::events::from")]
    from: Option<Mark>,
    /// Where it ends: a time, which is no longer in the file, or a date, which is.
    #[param(value_type = Option<String>, example = "2026-01-31")]
    #[serde(default, deserialize_with = "to")]
    to: Option<Mark>,
    /// Of CSV: put an apostrophe before texts that a spreadsheet would take for formulas (those that begin with `=`, `+`, `-`, `@`, a tab or a
    /// carriage return). Without it, cells are exactly what users wrote.
    #[param(value_type = Option<bool>)]
    #[serde(default, deserialize_with = "spreadsheet")]
    spreadsheet: Option<bool>,
}

/// Of which kind the file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ToSchema)]
#[schema(rename_all = "lowercase")]
pub enum Format {
    /// One JSON object a line.
    Jsonl,
    /// Comma-separated, with a line of columns first.
    Csv,
}

/// A bot's events, or errors, as a file: all that are counted at the time of asking, oldest first, as a stream. A broken connection means that
/// the file is not whole.
#[utoipa::path(get, path = "/v1/bots/{code}/export", tag = "Records", operation_id = "export",
    params(("code" = String, Path, description = "The bot's code."), Wanted),
    responses((status = 200, description = "The file. docs/events.md has every column; in CSV, what is no plain value is JSON.",
        content((String = "application/x-ndjson"), (String = "text/csv")))))]
pub async fn export(
    caller: Caller,
    site: Data<Site>,
    code: Path<String>,
    wanted: Asked<Wanted>,
) -> Result<HttpResponse, Problem> {
    let bot = caller.bot(&site, &code, Scope::Export).await?;
    let wanted = wanted.0;
    let topic = wanted.topic.unwrap_or(TopicName::Events);
    let format = wanted.format.unwrap_or(Format::Jsonl);
    let from = wanted.from.map(|mark| mark.begin(&bot.zone));
    let to = wanted.to.map(|mark| mark.end(&bot.zone));
    if let (Some(from), Some(to)) = (from, to)
        && to <= from
    {
        return Err(Problem::Refused("to: must be behind from".to_owned()));
    }
    let begin = from.map_or(Begin::Oldest, |from| {
        Begin::Second(from.div_euclid(1_000_000))
    });
    let place = site.desk.reader().ok_or(Problem::Busy)?;
    let records = Records::open(&site, bot.id(), topic.topic(), begin).await?;
    let table = match format {
        Format::Jsonl => None,
        Format::Csv => Some(Table::new(topic, wanted.spreadsheet.unwrap_or(false))),
    };
    let (kind, ending) = match format {
        Format::Jsonl => ("application/x-ndjson", "jsonl"),
        Format::Csv => ("text/csv; charset=utf-8; header=present", "csv"),
    };
    let name = format!("gramtap-{}-{}.{ending}", bot.tenant.code, topic.as_str());
    let file = File {
        records,
        table,
        from: from.map(micro),
        to: to.map(micro),
        ended: false,
        _place: place,
    };
    let body = stream::unfold(file, |mut file| async move {
        if file.ended {
            return None;
        }
        let chunk = file.chunk().await;
        file.ended |= chunk.is_err();
        Some((chunk, file))
    });
    let disposition = format!("attachment; filename=\"{name}\"");
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, kind))
        .insert_header((CONTENT_DISPOSITION, disposition))
        .streaming(body))
}

/// A file that is being read.
struct File {
    records: Records,
    table: Option<Table>,
    /// Times as records write them, whose order is that of their texts.
    from: Option<String>,
    to: Option<String>,
    ended: bool,
    _place: OwnedSemaphorePermit,
}

impl File {
    /// What comes next; empty where nothing of it belongs into the file.
    async fn chunk(&mut self) -> Result<Bytes, Problem> {
        let mut chunk = match &mut self.table {
            Some(table) => table.head()?,
            None => Vec::new(),
        };
        for _ in 0..LOOKED {
            match self.records.step().await? {
                Step::Record(record) => {
                    let payload = record.payload.unwrap_or_default();
                    self.add(&payload, &mut chunk)?;
                    if chunk.len() >= CHUNK {
                        break;
                    }
                }
                Step::Other | Step::Gone(_) => {}
                Step::End => {
                    self.ended = true;
                    break;
                }
            }
        }
        Ok(chunk.into())
    }

    fn add(&mut self, payload: &[u8], chunk: &mut Vec<u8>) -> Result<(), Problem> {
        if self.from.is_some() || self.to.is_some() {
            let at = serde_json::from_slice::<Received<'_>>(payload);
            let Ok(Received { at }) = at else {
                tracing::warn!("a record of the topic has no time, left out");
                return Ok(());
            };
            let early = self.from.as_deref().is_some_and(|from| at < from);
            if early || self.to.as_deref().is_some_and(|to| at >= to) {
                return Ok(());
            }
        }
        match &mut self.table {
            None => {
                chunk.extend_from_slice(payload);
                chunk.push(b'\n');
            }
            Some(table) => match serde_json::from_slice::<Row<'_>>(payload) {
                Ok(row) => table.add(&row, chunk)?,
                Err(_) => tracing::warn!("a record of the topic is no json, left out"),
            },
        }
        Ok(())
    }
}

/// The time of a record.
#[derive(Deserialize)]
struct Received<'a> {
    at: &'a str,
}

fn format<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Format>, D::Error> {
    word(from, "format", "jsonl or csv", |text| match text {
        "jsonl" => Some(Format::Jsonl),
        "csv" => Some(Format::Csv),
        _ => None,
    })
}

pub(super) fn to<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Mark>, D::Error> {
    let wanted = "a date such as 2026-01-31 or a time such as 2026-01-31T12:00:00Z";
    word(from, "to", wanted, |text| text.parse().ok())
}

fn spreadsheet<'de, D: Deserializer<'de>>(from: D) -> Result<Option<bool>, D::Error> {
    word(from, "spreadsheet", "true or false", |text| {
        text.parse().ok()
    })
}
