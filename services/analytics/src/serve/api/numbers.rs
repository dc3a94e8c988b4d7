//! The numbers of a bot.
//!
//! In: requests with a key; the answers of `query/`. Out: their JSON (`shape/`). Invariant: the same numbers, by the same definitions, as the
//! console's pages show. Costs what a page costs; SQL away: 503.

use actix_web::web::{Data, Json, Path};
use serde::{Deserialize, Deserializer};
use utoipa::IntoParams;

use super::asked::{Asked, Dates, bounded};
use super::caller::Caller;
use super::problem::Problem;
use super::shape::actions::{Actions, Sources};
use super::shape::audience::Audience;
use super::shape::errors::{ErrorDetail, Errors};
use super::shape::latency::Latency;
use super::shape::overview::Overview;
use super::shape::polls::Polls;
use super::shape::{Dated, Period};
use crate::query;
use crate::serve::Site;
use crate::serve::bot::Bot;
use crate::serve::keys::kept::Scope;

/// Labels of a ranking.
const TOP: i64 = 100;
/// Hours of polls.
const HOURS: i64 = 24;

/// Which dates, and how long rankings are.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Ranked {
    /// The last so many dates up to today; 1 is today alone. Not together with `from` and `to`.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 366)]
    #[serde(default, deserialize_with = "super::asked::days")]
    days: Option<i64>,
    /// The first date.
    #[param(value_type = Option<String>, format = Date)]
    #[serde(default, deserialize_with = "super::asked::from")]
    from: Option<jiff::civil::Date>,
    /// The last date, itself included.
    #[param(value_type = Option<String>, format = Date)]
    #[serde(default, deserialize_with = "super::asked::to")]
    to: Option<jiff::civil::Date>,
    /// How many labels of each ranking; 100 if nothing is said.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 1000)]
    #[serde(default, deserialize_with = "top")]
    top: Option<i64>,
}

impl Ranked {
    fn dates(&self) -> Dates {
        Dates {
            days: self.days,
            from: self.from,
            to: self.to,
        }
    }

    fn top(&self) -> usize {
        usize::try_from(self.top.unwrap_or(TOP)).unwrap_or(1)
    }
}

/// Which hours.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Hours {
    /// The last so many hours; 24 if nothing is said.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 720)]
    #[serde(default, deserialize_with = "hours")]
    hours: Option<i64>,
}

/// What every question is about.
struct About {
    bot: Bot,
    period: query::Period,
}

async fn about(caller: &Caller, site: &Site, code: &str, dates: &Dates) -> Result<About, Problem> {
    let bot = caller.bot(site, code, Scope::Read).await?;
    let period = dates.period(&bot, (site.clock)())?;
    Ok(About { bot, period })
}

fn dated<T: utoipa::ToSchema>(period: &query::Period, numbers: T) -> Json<Dated<T>> {
    let period = Period::from(period);
    Json(Dated { period, numbers })
}

/// How a bot is doing, against the period before.
#[utoipa::path(get, path = "/v1/bots/{code}/overview", tag = "Numbers", operation_id = "overview",
    params(("code" = String, Path, description = "The bot's code."), Dates),
    responses((status = 200, description = "Traffic and people.", body = Dated<Overview>)))]
pub async fn overview(
    caller: Caller,
    site: Data<Site>,
    code: Path<String>,
    dates: Asked<Dates>,
) -> Result<Json<Dated<Overview>>, Problem> {
    let about = about(&caller, &site, &code, &dates.0).await?;
    let (database, bot) = (site.store.database(), about.bot.id());
    let numbers = query::overview::overview(database, bot, &about.period).await?;
    Ok(dated(&about.period, Overview::from(numbers)))
}

/// Who uses a bot.
#[utoipa::path(get, path = "/v1/bots/{code}/audience", tag = "Numbers", operation_id = "audience",
    params(("code" = String, Path, description = "The bot's code."), Dates),
    responses((status = 200, description = "People.", body = Dated<Audience>)))]
pub async fn audience(
    caller: Caller,
    site: Data<Site>,
    code: Path<String>,
    dates: Asked<Dates>,
) -> Result<Json<Dated<Audience>>, Problem> {
    let about = about(&caller, &site, &code, &dates.0).await?;
    let (database, bot) = (site.store.database(), about.bot.id());
    let numbers = query::audience::audience(database, bot, &about.period).await?;
    Ok(dated(&about.period, Audience::from(numbers)))
}

/// What users do.
#[utoipa::path(get, path = "/v1/bots/{code}/actions", tag = "Numbers", operation_id = "actions",
    params(("code" = String, Path, description = "The bot's code."), Ranked),
    responses((status = 200, description = "Rankings of commands, buttons, media and updates.", body = Dated<Actions>)))]
pub async fn actions(
    caller: Caller,
    site: Data<Site>,
    code: Path<String>,
    dates: Asked<Ranked>,
) -> Result<Json<Dated<Actions>>, Problem> {
    let about = about(&caller, &site, &code, &dates.0.dates()).await?;
    let (database, bot) = (site.store.database(), about.bot.id());
    let numbers = query::actions::actions(database, bot, &about.period, dates.0.top()).await?;
    Ok(dated(&about.period, Actions::from(numbers)))
}

/// Where users come from.
#[utoipa::path(get, path = "/v1/bots/{code}/sources", tag = "Numbers", operation_id = "sources",
    params(("code" = String, Path, description = "The bot's code."), Ranked),
    responses((status = 200, description = "Starts with a payload, and new users.", body = Dated<Sources>)))]
pub async fn sources(
    caller: Caller,
    site: Data<Site>,
    code: Path<String>,
    dates: Asked<Ranked>,
) -> Result<Json<Dated<Sources>>, Problem> {
    let about = about(&caller, &site, &code, &dates.0.dates()).await?;
    let (database, bot) = (site.store.database(), about.bot.id());
    let numbers = query::sources::sources(database, bot, &about.period, dates.0.top()).await?;
    Ok(dated(&about.period, Sources::from(numbers)))
}

/// What failed, by group, each with advice.
#[utoipa::path(get, path = "/v1/bots/{code}/errors", tag = "Numbers", operation_id = "errors",
    params(("code" = String, Path, description = "The bot's code."), Dates),
    responses((status = 200, description = "Groups of errors.", body = Dated<Errors>)))]
pub async fn errors(
    caller: Caller,
    site: Data<Site>,
    code: Path<String>,
    dates: Asked<Dates>,
) -> Result<Json<Dated<Errors>>, Problem> {
    let about = about(&caller, &site, &code, &dates.0).await?;
    let (database, bot) = (site.store.database(), about.bot.id());
    let numbers = query::errors::errors(database, bot, &about.period).await?;
    Ok(dated(&about.period, Errors::from(numbers)))
}

/// One group of errors in full, with whom it hit and examples.
#[utoipa::path(get, path = "/v1/bots/{code}/errors/{group}", tag = "Numbers", operation_id = "error",
    params(("code" = String, Path, description = "The bot's code."),
        ("group" = String, Path, description = "The group's id: 16 hexadecimal digits."), Dates),
    responses((status = 200, description = "The group.", body = Dated<ErrorDetail>)))]
pub async fn error(
    caller: Caller,
    site: Data<Site>,
    path: Path<(String, String)>,
    dates: Asked<Dates>,
) -> Result<Json<Dated<ErrorDetail>>, Problem> {
    let (code, group) = path.into_inner();
    let about = about(&caller, &site, &code, &dates.0).await?;
    let (database, bot) = (site.store.database(), about.bot.id());
    // SQL takes no text with a zero in it; no group has one.
    let found = match group.contains('\0') {
        true => None,
        false => query::errors::error(database, bot, &group, &about.period).await?,
    };
    let found = found.ok_or(Problem::Missing("group of errors"))?;
    Ok(dated(&about.period, ErrorDetail::from(found)))
}

/// How long calls take: Telegram's time and ours, never added up.
#[utoipa::path(get, path = "/v1/bots/{code}/latency", tag = "Numbers", operation_id = "latency",
    params(("code" = String, Path, description = "The bot's code."), Dates),
    responses((status = 200, description = "Quantiles, in milliseconds.", body = Dated<Latency>)))]
pub async fn latency(
    caller: Caller,
    site: Data<Site>,
    code: Path<String>,
    dates: Asked<Dates>,
) -> Result<Json<Dated<Latency>>, Problem> {
    let about = about(&caller, &site, &code, &dates.0).await?;
    let (database, bot) = (site.store.database(), about.bot.id());
    let numbers = query::latency::latency(database, bot, &about.period).await?;
    Ok(dated(&about.period, Latency::from(numbers)))
}

/// Who polls, and whether pollers are in each other's way.
#[utoipa::path(get, path = "/v1/bots/{code}/polls", tag = "Numbers", operation_id = "polls",
    params(("code" = String, Path, description = "The bot's code."), Hours),
    responses((status = 200, description = "Pollers.", body = Polls)))]
pub async fn polls(
    caller: Caller,
    site: Data<Site>,
    code: Path<String>,
    hours: Asked<Hours>,
) -> Result<Json<Polls>, Problem> {
    let bot = caller.bot(&site, &code, Scope::Read).await?;
    let hours = hours.0.hours.unwrap_or(HOURS);
    let database = site.store.database();
    let polls = query::polls::polls(database, bot.id(), (site.clock)(), hours).await?;
    Ok(Json(Polls::new(hours, polls)))
}

fn top<'de, D: Deserializer<'de>>(from: D) -> Result<Option<i64>, D::Error> {
    bounded(from, "top", 1, 1_000)
}

fn hours<'de, D: Deserializer<'de>>(from: D) -> Result<Option<i64>, D::Error> {
    bounded(from, "hours", 1, 720)
}
