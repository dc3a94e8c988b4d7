//! Pages of a bot's events or errors.
//!
//! In: requests with a key; the log, by `records.rs`. Out: records as they are in the topic, in its order, which is that of their coming to
//! the bus. Invariant: a page begins behind the last record that the one before looked at, so walking all pages gives each record once,
//! whatever is written meanwhile. A page looks at `LOOKED` records at most, so it may hold few or none and there is still more.

use actix_web::web::{Data, Json, Path};
use gramtap_events::Topic;
use gramtap_events::topics::{ERRORS, EVENTS};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use super::asked::{Asked, Mark, bounded, word};
use super::caller::Caller;
use super::problem::Problem;
use crate::serve::Site;
use crate::serve::keys::kept::Scope;
use crate::serve::records::{Begin, Records, Step};

/// Records of a page.
const LIMIT: i64 = 100;
/// Records that are looked at for a page; those of other bots are in the same partition.
const LOOKED: usize = 20_000;
/// Bytes of a page, after which it ends.
const BYTES: usize = 4 * 1024 * 1024;

/// Which page of records.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Paging {
    /// Whether events or errors; events if nothing is said.
    #[param(value_type = Option<TopicName>)]
    #[serde(default, deserialize_with = "topic")]
    topic: Option<TopicName>,
    /// How many records at most; 100 if nothing is said.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 1000)]
    #[serde(default, deserialize_with = "limit")]
    limit: Option<i64>,
    /// Where to begin: about the first record that was received at this time (RFC 3339) or date (of the bot's time zone). Some
    /// earlier records may come first. Without it, and without a cursor: the oldest record kept.
    #[param(value_type = Option<String>, example = "2026-01-31T12:00:00Z")]
    #[serde(default, deserialize_with = "from")]
    from: Option<Mark>,
    /// `next` of the page before.
    #[param(value_type = Option<String>)]
    #[serde(default, deserialize_with = "cursor")]
    cursor: Option<Cursor>,
}

/// Which records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ToSchema)]
#[schema(rename_all = "lowercase")]
pub enum TopicName {
    /// events.v1.
    Events,
    /// errors.v1.
    Errors,
}

impl TopicName {
    /// The topic.
    #[must_use]
    pub fn topic(self) -> &'static Topic {
        match self {
            Self::Events => &EVENTS,
            Self::Errors => &ERRORS,
        }
    }

    /// As it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Errors => "errors",
        }
    }
}

/// A place in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cursor {
    topic: TopicName,
    partition: i32,
    offset: i64,
}

/// A page of records.
#[derive(Serialize, ToSchema)]
#[schema(as = RecordPage)]
pub struct Page {
    /// The records, as they are in the topic: docs/events.md has every column. In the order in which they came to the bus, the
    /// oldest first, which is nearly that of `at`; after an outage it may differ by as long as that lasted.
    #[schema(value_type = Vec<Object>)]
    pub records: Vec<Box<RawValue>>,
    /// What to ask the next page with, as `cursor`. Always there, because a log goes on: asked later, it gives what came since.
    pub next: String,
    /// Whether there was more when this page was read. A page may hold fewer records than its limit, even none, while there is.
    pub more: bool,
    /// Places of the log, of all bots of its partition, whose records were wanted and are no longer kept.
    #[schema(minimum = 0)]
    pub gone: i64,
}

/// A bot's single events, or errors, as far as they are counted. From a place on, towards now: a log cannot be read backwards. To follow
/// what happens now, use `live`.
#[utoipa::path(get, path = "/v1/bots/{code}/events", tag = "Records", operation_id = "events",
    params(("code" = String, Path, description = "The bot's code."), Paging),
    responses((status = 200, description = "A page of records.", body = Page)))]
pub async fn events(
    caller: Caller,
    site: Data<Site>,
    code: Path<String>,
    paging: Asked<Paging>,
) -> Result<Json<Page>, Problem> {
    let bot = caller.bot(&site, &code, Scope::Export).await?;
    let Paging {
        topic,
        limit,
        from,
        cursor,
    } = paging.0;
    if cursor.is_some() && from.is_some() {
        return Err(Problem::Refused(
            "from: not together with cursor".to_owned(),
        ));
    }
    let topic = topic.unwrap_or(cursor.map_or(TopicName::Events, |cursor| cursor.topic));
    if cursor.is_some_and(|cursor| cursor.topic != topic) {
        return Err(Problem::Refused(
            "cursor is one of the other topic".to_owned(),
        ));
    }
    let begin = match (cursor, from) {
        (Some(cursor), _) => Begin::At(cursor.offset),
        (None, Some(mark)) => Begin::Second(mark.begin(&bot.zone).div_euclid(1_000_000)),
        (None, None) => Begin::Oldest,
    };
    let _place = site.desk.reader().ok_or(Problem::Busy)?;
    let mut records = Records::open(&site, bot.id(), topic.topic(), begin).await?;
    if cursor.is_some_and(|cursor| cursor.partition != records.partition()) {
        let text = "cursor is from before the topics were made anew: begin without one";
        return Err(Problem::Refused(text.to_owned()));
    }
    let limit = usize::try_from(limit.unwrap_or(LIMIT)).unwrap_or(1);
    let mut page = read(&mut records, limit).await?;
    page.next = format!(
        "{}.{}.{}",
        topic.as_str(),
        records.partition(),
        records.next()
    );
    page.more = records.more();
    Ok(Json(page))
}

async fn read(records: &mut Records, limit: usize) -> Result<Page, Problem> {
    let mut page = Page {
        records: Vec::new(),
        next: String::new(),
        more: false,
        gone: 0,
    };
    let mut bytes = 0;
    for _ in 0..LOOKED {
        match records.step().await? {
            Step::Record(record) => {
                let payload = record.payload.unwrap_or_default();
                bytes += payload.len();
                let text = String::from_utf8(payload.into()).unwrap_or_default();
                match RawValue::from_string(text) {
                    Ok(record) => page.records.push(record),
                    Err(_) => tracing::warn!("a record of the topic is no json, left out"),
                }
                if page.records.len() >= limit || bytes >= BYTES {
                    break;
                }
            }
            Step::Other => {}
            Step::Gone(count) => page.gone += count,
            Step::End => break,
        }
    }
    Ok(page)
}

fn limit<'de, D: Deserializer<'de>>(from: D) -> Result<Option<i64>, D::Error> {
    bounded(from, "limit", 1, 1_000)
}

/// Reads `topic`.
pub(super) fn topic<'de, D: Deserializer<'de>>(from: D) -> Result<Option<TopicName>, D::Error> {
    word(from, "topic", "events or errors", named)
}

/// Reads `from`.
pub(super) fn from<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Mark>, D::Error> {
    let wanted = "a date such as 2026-01-31 or a time such as 2026-01-31T12:00:00Z";
    word(from, "from", wanted, |text| text.parse().ok())
}

fn cursor<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Cursor>, D::Error> {
    word(from, "cursor", "`next` of the page before", |text| {
        let mut parts = text.split('.');
        let topic = named(parts.next()?)?;
        let partition = parts.next()?.parse().ok()?;
        let offset = parts.next()?.parse().ok().filter(|offset| *offset >= 0)?;
        parts.next().is_none().then_some(Cursor {
            topic,
            partition,
            offset,
        })
    })
}

fn named(text: &str) -> Option<TopicName> {
    match text {
        "events" => Some(TopicName::Events),
        "errors" => Some(TopicName::Errors),
        _ => None,
    }
}
