//! Bots: the list, one of them, connecting, changing and removing.
//!
//! In: requests with a key. Out: rows of the registry, by way of `gramtap_tenants::Registry`. Invariant: a key sees its own bots alone; a
//! token is asked of Telegram (`serve/bots/add.rs`) and told to nobody else; a page goes on behind the last bot
//! of the one before, whatever was added or removed meanwhile.

use actix_web::web::{Data, Json, Path};
use data_encoding::BASE64URL_NOPAD;
use gramtap_events::TenantId;
use gramtap_telegram::{BotId, Token};
use gramtap_tenants::{Alter, NewTenant, Tenant};
use serde::{Deserialize, Deserializer};
use utoipa::IntoParams;

use super::asked::{Asked, Body, Nothing, bounded, word};
use super::caller::Caller;
use super::problem::Problem;
use super::shape::bot::{Bots, Change, New, Shown};
use crate::query::audit::Action;
use crate::serve::Site;
use crate::serve::audit::note;
use crate::serve::bots::add;
use crate::serve::bots::draft::holds_token;
use crate::serve::keys::kept::Scope;
use crate::zone::Zone;

/// Bots of a page.
const LIMIT: i64 = 100;
/// The largest number that Telegram says an id has: 52 bits.
const LARGEST: i64 = (1 << 52) - 1;

/// Which page of bots.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Paging {
    /// How many bots at most; 100 if nothing is said.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 1000)]
    #[serde(default, deserialize_with = "limit")]
    limit: Option<i64>,
    /// `next` of the page before.
    #[param(value_type = Option<String>)]
    #[serde(default, deserialize_with = "cursor")]
    cursor: Option<(String, String)>,
}

/// The bots that the key may see, the newest first, and those that were removed less than a day ago.
#[utoipa::path(get, path = "/v1/bots", tag = "Bots", operation_id = "bots", params(Paging),
    responses((status = 200, description = "A page of bots.", body = Bots)))]
pub async fn list(
    caller: Caller,
    site: Data<Site>,
    paging: Asked<Paging>,
) -> Result<Json<Bots>, Problem> {
    caller.may(Scope::Read)?;
    let limit = usize::try_from(paging.0.limit.unwrap_or(LIMIT)).unwrap_or(1);
    let mut tenants = site.registry.list().await?;
    tenants.retain(|tenant| caller.0.sees(tenant.id));
    if let Some((created, id)) = &paging.0.cursor {
        // The order of the list: the newest first, those of one moment by their id.
        let behind =
            |(at, tenant): &(String, String)| at < created || (at == created && tenant > id);
        tenants.retain(|tenant| behind(&place(tenant)));
    }
    let more = tenants.len() > limit;
    tenants.truncate(limit);
    let next = tenants.last().filter(|_| more).map(|last| {
        let (created, id) = place(last);
        BASE64URL_NOPAD.encode(format!("{created} {id}").as_bytes())
    });
    let zones = site.store.zones().await?;
    let shown = |tenant: &Tenant| Shown::new(tenant, zones.of(tenant.id), &site.public_url);
    let bots = tenants.iter().map(shown).collect();
    Ok(Json(Bots { bots, next }))
}

/// Connects a bot. Needs a key that may see all bots.
#[utoipa::path(post, path = "/v1/bots", tag = "Bots", operation_id = "connect", request_body = New,
    responses((status = 201, description = "It is connected: use its address instead of Telegram's.", body = Shown)))]
pub async fn connect(
    caller: Caller,
    site: Data<Site>,
    _: Asked<Nothing>,
    new: Json<Body<New>>,
) -> Result<(Json<Shown>, actix_web::http::StatusCode), Problem> {
    caller.may(Scope::Manage)?;
    if caller.0.bots.is_some() {
        return Err(Problem::SomeBots);
    }
    let New {
        bot,
        token,
        store_token,
        name,
        privacy,
        time_zone,
    } = new.into_inner().0;
    if bot.is_some_and(|bot| !(1..=LARGEST).contains(&bot)) {
        return Err(Problem::Refused(format!(
            "bot must be a whole number from 1 to {LARGEST}"
        )));
    }
    let refused = |text: &str| Err(Problem::Refused(text.to_owned()));
    let zone = zone(time_zone.as_deref())?;
    let mut new = NewTenant {
        bot: bot.map(BotId),
        name: named(name)?,
        privacy: privacy.map(Into::into),
        token: None,
    };
    match token {
        Some(_) if new.bot.is_some() => return refused("bot: not together with token"),
        None if store_token => return refused("store_token: needs token"),
        Some(token) => {
            let Ok(token) = Token::parse(token.expose().trim()) else {
                return refused(
                    "token is none: it looks like 123456789:AA… with 35 characters behind the colon; copy all of it from @BotFather",
                );
            };
            add::prove(&site, &mut new, token, store_token).await?;
        }
        None => {}
    }
    let tenant = site.registry.add(&new).await?;
    tracing::info!(code = %tenant.code, bot = tenant.bot.map(|bot| bot.0), key = caller.0.id, "bot connected");
    note(&site, &caller.name(), Action::Connect, Some(tenant.id), "").await?;
    if let Some(zone) = &zone {
        site.store.set_zone(tenant.id, zone.name()).await?;
    }
    let zone = site.store.zone(tenant.id).await?;
    let shown = Shown::new(&tenant, &zone, &site.public_url);
    Ok((Json(shown), actix_web::http::StatusCode::CREATED))
}

/// One bot.
#[utoipa::path(get, path = "/v1/bots/{code}", tag = "Bots", operation_id = "bot",
    params(("code" = String, Path, description = "The bot's code.")),
    responses((status = 200, description = "The bot.", body = Shown)))]
pub async fn one(
    caller: Caller,
    site: Data<Site>,
    code: Path<String>,
    _: Asked<Nothing>,
) -> Result<Json<Shown>, Problem> {
    let bot = caller.bot(&site, &code, Scope::Read).await?;
    let shown = Shown::new(&bot.tenant, &bot.zone, &site.public_url);
    Ok(Json(shown))
}

/// Changes what is said of a bot.
#[utoipa::path(patch, path = "/v1/bots/{code}", tag = "Bots", operation_id = "change", request_body = Change,
    params(("code" = String, Path, description = "The bot's code.")),
    responses((status = 200, description = "The bot as it is now.", body = Shown)))]
pub async fn change(
    caller: Caller,
    site: Data<Site>,
    code: Path<String>,
    _: Asked<Nothing>,
    change: Json<Body<Change>>,
) -> Result<Json<Shown>, Problem> {
    let bot = caller.bot(&site, &code, Scope::Manage).await?;
    let Change {
        name,
        privacy,
        time_zone,
    } = change.into_inner().0;
    let zone = zone(time_zone.as_deref())?;
    let edit = Alter {
        name: name.map(named).transpose()?,
        privacy: privacy.map(Into::into),
    };
    let tenant = site.registry.alter(bot.tenant.code, &edit).await?;
    if edit.name.is_some() {
        note(&site, &caller.name(), Action::Rename, Some(tenant.id), "").await?;
    }
    if let Some(privacy) = edit.privacy {
        let (who, mode) = (caller.name(), privacy.as_str());
        note(&site, &who, Action::Privacy, Some(tenant.id), mode).await?;
    }
    if let Some(zone) = &zone {
        site.store.set_zone(tenant.id, zone.name()).await?;
        note(
            &site,
            &caller.name(),
            Action::Zone,
            Some(tenant.id),
            zone.name(),
        )
        .await?;
    }
    let zone = zone.unwrap_or(bot.zone);
    Ok(Json(Shown::new(&tenant, &zone, &site.public_url)))
}

/// How a bot is removed.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Removal {
    /// End it at once. Else it is still relayed for a day, because some libraries stop for good when their bot is not known.
    #[param(value_type = Option<bool>)]
    #[serde(default, deserialize_with = "now")]
    now: Option<bool>,
}

/// Removes a bot. Its numbers and records stay as long as such are kept; added again within a day, it is the same bot with the
/// same code.
#[utoipa::path(delete, path = "/v1/bots/{code}", tag = "Bots", operation_id = "remove",
    params(("code" = String, Path, description = "The bot's code."), Removal),
    responses((status = 200, description = "The bot as it was left.", body = Shown)))]
pub async fn remove(
    caller: Caller,
    site: Data<Site>,
    code: Path<String>,
    removal: Asked<Removal>,
) -> Result<Json<Shown>, Problem> {
    let bot = caller.bot(&site, &code, Scope::Manage).await?;
    let now = removal.0.now.unwrap_or(false);
    let tenant = site.registry.remove(bot.tenant.code, now).await?;
    let how = if now { "at once" } else { "" };
    note(&site, &caller.name(), Action::Remove, Some(tenant.id), how).await?;
    Ok(Json(Shown::new(&tenant, &bot.zone, &site.public_url)))
}

/// Where a bot is in the list.
fn place(tenant: &Tenant) -> (String, String) {
    let created = tenant.created_at.map(|at| at.to_string());
    (created.unwrap_or_default(), tenant.id.to_string())
}

/// A name without blanks around it; one of nothing else is none.
fn named(name: Option<String>) -> Result<Option<String>, Problem> {
    let name = name.map(|name| name.trim().to_owned());
    if name
        .as_ref()
        .is_some_and(|name| name.contains(char::is_control))
    {
        return Err(Problem::Refused(
            "name must have no control characters".to_owned(),
        ));
    }
    if name.as_deref().is_some_and(holds_token) {
        return Err(Problem::Refused(
            "name holds a token, which belongs in the field `token` and nowhere else".to_owned(),
        ));
    }
    Ok(name.filter(|name| !name.is_empty()))
}

fn zone(name: Option<&str>) -> Result<Option<Zone>, Problem> {
    let unknown = |_| {
        let text = "time_zone must be an IANA name such as Asia/Tehran or UTC";
        Problem::Refused(text.to_owned())
    };
    name.map(|name| Zone::named(name).map_err(unknown))
        .transpose()
}

fn limit<'de, D: Deserializer<'de>>(from: D) -> Result<Option<i64>, D::Error> {
    bounded(from, "limit", 1, 1_000)
}

fn now<'de, D: Deserializer<'de>>(from: D) -> Result<Option<bool>, D::Error> {
    word(from, "now", "true or false", |text| text.parse().ok())
}

fn cursor<'de, D: Deserializer<'de>>(from: D) -> Result<Option<(String, String)>, D::Error> {
    word(from, "cursor", "`next` of the page before", |text| {
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
        let text = String::from_utf8(bytes).ok()?;
        let (created, id) = text.split_once(' ')?;
        id.parse::<TenantId>().ok()?;
        Some((created.to_owned(), id.to_owned()))
    })
}
