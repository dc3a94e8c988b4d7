//! Deliveries of a bot, its dead letters, and their replay.
//!
//! In: requests with a key; the answers of `query/`. Out: their JSON (`shape/deliveries.rs`); letters marked for `replay.rs`. Invariant: reading needs `read`, replaying
//! `manage`, and is noted under the key's id; nothing of a body is told here; another address is admitted before anything is marked, and told to nobody.

use actix_web::web::{Data, Json, Path};
use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Deserializer};
use utoipa::IntoParams;

use super::asked::{Asked, Body, Dates, Mark, Nothing, bounded, word};
use super::caller::Caller;
use super::events::from;
use super::export::to;
use super::problem::Problem;
use super::shape::deliveries::{self as shape, Again, Attempts, Deliveries, LetterDetail, Letters};
use super::shape::{Dated, Period};
use crate::query::audit::Action;
use crate::query::{deliveries, letters};
use crate::replay::{self, Elsewhere, Which};
use crate::serve::Site;
use crate::serve::audit::note;
use crate::serve::bot::Bot;
use crate::serve::keys::kept::Scope;

/// Attempts and letters that are told if nothing is said.
const LIMIT: i64 = 100;
/// Letters that can be named at a time.
const RECORDS: usize = 100;
/// Characters of a word or a record.
const LONGEST: usize = 256;

/// How many attempts, and of which update.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Newest {
    /// How many at most; 100 if nothing is said.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 1000)]
    #[serde(default, deserialize_with = "limit")]
    limit: Option<i64>,
    /// Those of one update alone: the record that it was taken in under.
    #[serde(default)]
    update: Option<String>,
}

/// Which letters.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Filtered {
    /// Those that were given up for this cause.
    #[serde(default)]
    cause: Option<String>,
    /// Those of this kind.
    #[serde(default)]
    kind: Option<String>,
    /// Those that were given up from then on: a time (RFC 3339) or a date of the bot's time zone.
    #[param(value_type = Option<String>, example = "2026-01-31T12:00:00Z")]
    #[serde(default, deserialize_with = "from")]
    from: Option<Mark>,
    /// Those that were given up until then, a date included.
    #[param(value_type = Option<String>, example = "2026-01-31")]
    #[serde(default, deserialize_with = "to")]
    to: Option<Mark>,
    /// Those that somebody has asked to have delivered, too.
    #[param(value_type = Option<bool>)]
    #[serde(default, deserialize_with = "replayed")]
    replayed: Option<bool>,
    /// How many at most; 100 if nothing is said.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 1000)]
    #[serde(default, deserialize_with = "limit")]
    limit: Option<i64>,
    /// `next` of the page before.
    #[param(value_type = Option<String>)]
    #[serde(default, deserialize_with = "cursor")]
    cursor: Option<(i64, String)>,
}

fn filter(
    bot: &Bot,
    (cause, kind): (Option<String>, Option<String>),
    (from, to): (Option<Mark>, Option<Mark>),
    replayed: bool,
) -> letters::Filter {
    letters::Filter {
        cause,
        kind,
        from: from.map(|mark| mark.begin(&bot.zone)),
        to: to.map(|mark| mark.end(&bot.zone)),
        replayed,
    }
}

/// How updates reach a bot's webhook, and what waits.
#[utoipa::path(get, path = "/v1/bots/{code}/deliveries", tag = "Deliveries", operation_id = "deliveries",
    params(("code" = String, Path, description = "The bot's code."), Dates),
    responses((status = 200, description = "Deliveries.", body = Dated<Deliveries>)))]
pub async fn numbers(
    caller: Caller,
    site: Data<Site>,
    code: Path<String>,
    dates: Asked<Dates>,
) -> Result<Json<Dated<Deliveries>>, Problem> {
    let bot = caller.bot(&site, &code, Scope::Read).await?;
    let now = (site.clock)();
    let period = dates.0.period(&bot, now)?;
    let database = site.store.database();
    let told = deliveries::deliveries(database, bot.id(), &period).await?;
    let standing = deliveries::standing(&site.registry, bot.id()).await?;
    let waiting = deliveries::waiting(database, bot.id(), now).await?;
    Ok(Json(Dated {
        period: Period::from(&period),
        numbers: Deliveries::new(told, standing, waiting),
    }))
}

/// The newest attempts to deliver.
#[utoipa::path(get, path = "/v1/bots/{code}/attempts", tag = "Deliveries", operation_id = "attempts",
    params(("code" = String, Path, description = "The bot's code."), Newest),
    responses((status = 200, description = "Attempts.", body = Attempts)))]
pub async fn attempts(
    caller: Caller,
    site: Data<Site>,
    code: Path<String>,
    newest: Asked<Newest>,
) -> Result<Json<Attempts>, Problem> {
    let bot = caller.bot(&site, &code, Scope::Read).await?;
    let (update, limit) = (newest.0.update, newest.0.limit.unwrap_or(LIMIT));
    let database = site.store.database();
    let found = deliveries::attempts(database, bot.id(), update.as_deref(), limit).await?;
    let attempts = found.into_iter().map(Into::into).collect();
    Ok(Json(Attempts { attempts }))
}

/// Updates that were given up.
#[utoipa::path(get, path = "/v1/bots/{code}/dead", tag = "Deliveries", operation_id = "dead",
    params(("code" = String, Path, description = "The bot's code."), Filtered),
    responses((status = 200, description = "A page of dead letters.", body = Letters)))]
pub async fn dead(
    caller: Caller,
    site: Data<Site>,
    code: Path<String>,
    filtered: Asked<Filtered>,
) -> Result<Json<Letters>, Problem> {
    let bot = caller.bot(&site, &code, Scope::Read).await?;
    let asked = filtered.0;
    let times = (asked.from, asked.to);
    let words = (asked.cause, asked.kind);
    let filter = filter(&bot, words, times, asked.replayed.unwrap_or(false));
    let limit = asked.limit.unwrap_or(LIMIT);
    let behind = asked
        .cursor
        .as_ref()
        .map(|(at, record)| (*at, record.as_str()));
    let database = site.store.database();
    let mut found = letters::list(database, bot.id(), &filter, behind, limit + 1).await?;
    let sorts = letters::sorts(database, bot.id()).await?;
    let limit = usize::try_from(limit).unwrap_or(1);
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|last| {
        let place = format!("{} {}", last.dead_at, last.record);
        BASE64URL_NOPAD.encode(place.as_bytes())
    });
    Ok(Json(Letters {
        n: letters::count(database, bot.id(), &filter).await?,
        sorts: sorts.into_iter().map(Into::into).collect(),
        letters: found.into_iter().map(Into::into).collect(),
        next,
    }))
}

/// One of them.
#[utoipa::path(get, path = "/v1/bots/{code}/dead/{record}", tag = "Deliveries", operation_id = "dead_letter",
    params(("code" = String, Path, description = "The bot's code."), ("record" = String, Path, description = "The letter's record.")),
    responses((status = 200, description = "The letter.", body = LetterDetail)))]
pub async fn letter(
    caller: Caller,
    site: Data<Site>,
    path: Path<(String, String)>,
    _: Asked<Nothing>,
) -> Result<Json<LetterDetail>, Problem> {
    let (code, record) = path.into_inner();
    let bot = caller.bot(&site, &code, Scope::Read).await?;
    let database = site.store.database();
    let letter = letters::one(database, bot.id(), &record).await?;
    let letter = letter.ok_or(Problem::Missing("dead letter"))?;
    let tried = deliveries::attempts(database, bot.id(), Some(&record), LIMIT).await?;
    Ok(Json(LetterDetail {
        letter: letter.into(),
        tried: tried.into_iter().map(Into::into).collect(),
    }))
}

/// Delivers dead letters again: they go into the inbox, the oldest first, each with a day of its own to be delivered in.
#[utoipa::path(post, path = "/v1/bots/{code}/dead/replay", tag = "Deliveries", operation_id = "replay", request_body = Again,
    params(("code" = String, Path, description = "The bot's code.")),
    responses((status = 202, description = "They are being delivered again.", body = shape::Asked)))]
pub async fn replay(
    caller: Caller,
    site: Data<Site>,
    code: Path<String>,
    _: Asked<Nothing>,
    again: Json<Body<Again>>,
) -> Result<(Json<shape::Asked>, actix_web::http::StatusCode), Problem> {
    let bot = caller.bot(&site, &code, Scope::Manage).await?;
    let again = again.into_inner().0;
    let refused = |text: String| Problem::Refused(text);
    let to = match &again.to {
        Some(to) => Some(
            Elsewhere::admit(to.expose(), bot.id(), &site.webhooks, &site.keys)
                .map_err(|error| refused(format!("to: {error}")))?,
        ),
        None => None,
    };
    let which = which(&bot, again)?;
    let (at, by) = (site.micros(), caller.name());
    let database = site.store.database();
    let subject = replay::subject(&which, to.as_ref());
    note(&site, &by, Action::Replay, Some(bot.id()), &subject).await?;
    let asked = replay::ask(database, bot.id(), &which, (at, &by), to.as_ref()).await?;
    let status = actix_web::http::StatusCode::ACCEPTED;
    Ok((Json(shape::Asked { asked }), status))
}

fn which(bot: &Bot, again: Again) -> Result<Which, Problem> {
    let refused = |text: &str| Err(Problem::Refused(text.to_owned()));
    let Again {
        records,
        cause,
        kind,
        from,
        until,
        all,
        to: _,
    } = again;
    let is_long = |text: &String| text.len() > LONGEST;
    if [&cause, &kind].into_iter().flatten().any(is_long) {
        return refused("cause: no cause and no kind is as long");
    }
    let is_filtered = cause.is_some() || kind.is_some() || from.is_some() || until.is_some();
    if let Some(records) = records {
        if is_filtered || all {
            return refused("records: not together with cause, kind, from, until or all");
        }
        if records.is_empty() || records.len() > RECORDS || records.iter().any(is_long) {
            return refused("records: 1 to 100 records of dead letters");
        }
        return Ok(Which::Records(records));
    }
    if !is_filtered && !all {
        return refused("all: say records, or what is meant, or all");
    }
    let mark = |text: Option<String>| match text.map(|text| text.parse::<Mark>()) {
        None => Ok(None),
        Some(Ok(mark)) => Ok(Some(mark)),
        Some(Err(())) => {
            let text = "from: a time (RFC 3339) or a date such as 2026-01-31";
            Err(Problem::Refused(text.to_owned()))
        }
    };
    let times = (mark(from)?, mark(until)?);
    Ok(Which::Fitting(filter(bot, (cause, kind), times, false)))
}

fn limit<'de, D: Deserializer<'de>>(from: D) -> Result<Option<i64>, D::Error> {
    bounded(from, "limit", 1, 1_000)
}

fn replayed<'de, D: Deserializer<'de>>(from: D) -> Result<Option<bool>, D::Error> {
    word(from, "replayed", "true or false", |text| text.parse().ok())
}

fn cursor<'de, D: Deserializer<'de>>(from: D) -> Result<Option<(i64, String)>, D::Error> {
    word(from, "cursor", "`next` of the page before", |text| {
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
        let text = String::from_utf8(bytes).ok()?;
        let (at, record) = text.split_once(' ')?;
        Some((at.parse().ok()?, record.to_owned()))
    })
}
