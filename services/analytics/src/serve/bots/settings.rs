//! What can be changed of a bot.
//!
//! In: forms of its page. Out: changes of the registry and of its time zone. Invariant: each change is a form of its own, confirmed by its
//! button, and by a box where it cannot be taken back; what was refused is said on the same page, which otherwise says what was done.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use gramtap_events::tenant::Privacy;
use gramtap_telegram::BotId;
use gramtap_tenants::{Alter, NewTenant, RegistryError, Standing, Tenant};
use serde::Deserialize;

use super::add::PRIVACY;
use super::draft::holds_token;
use super::trouble::Trouble;
use super::webhook;
use crate::query::audit::Action;
use crate::serve::audit::note;
use crate::serve::bot::Bot;
use crate::serve::fault::Fault;
use crate::serve::form::Form;
use crate::serve::page::{Frame, html};
use crate::serve::viewer::Viewer;
use crate::serve::{Site, sign_in};
use crate::store::StoreError;

#[derive(Template)]
#[template(path = "settings.html")]
struct Page {
    frame: Frame,
    code: String,
    name: String,
    bot: Option<i64>,
    privacy: Privacy,
    token_stored: bool,
    leaving: bool,
    webhook: webhook::Shown,
    zone: String,
    zones: Vec<String>,
    done: &'static str,
    trouble: Option<Trouble>,
}

impl Page {
    fn modes(&self) -> &'static [(Privacy, &'static str, &'static str); 4] {
        &PRIVACY
    }
}

/// `?done=`.
#[derive(Debug, Default, Deserialize)]
pub(in crate::serve) struct Done {
    #[serde(default)]
    done: String,
}

#[derive(Debug, Deserialize)]
pub(in crate::serve) struct Named {
    name: String,
}

#[derive(Debug, Deserialize)]
pub(in crate::serve) struct Kept {
    privacy: String,
}

#[derive(Debug, Deserialize)]
pub(in crate::serve) struct Zoned {
    zone: String,
}

#[derive(Debug, Deserialize)]
pub(in crate::serve) struct Rebound {
    bot: String,
    #[serde(default)]
    sure: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(in crate::serve) struct Removed {
    #[serde(default)]
    now: Option<String>,
    #[serde(default)]
    sure: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(in crate::serve) struct Nothing {}

/// The page.
pub(in crate::serve) async fn page(
    site: web::Data<Site>,
    viewer: Viewer,
    bot: Bot,
    asked: web::Query<Done>,
) -> Result<HttpResponse, Fault> {
    let done = match asked.done.as_str() {
        "name" => "The name is changed.",
        "privacy" => {
            "The privacy mode is changed. Calls from now on are kept by it, within seconds."
        }
        "zone" => "The time zone is changed, and the audience of all dates was counted anew.",
        "rebind" => "The bot is rebound.",
        "remove" => "The bot is removed. Its calls are relayed for a day more, without records.",
        "mode" => {
            "The way of updates is changed; it counts for those that come from now on, within seconds."
        }
        "release" => {
            "The webhook is given back: updates that Telegram still pushes here are passed on for a day. Tell Telegram the bot's own address."
        }
        "return" => "The bot is connected again.",
        _ => "",
    };
    html(&shown(&site, &bot, viewer, done, None)?)
}

/// Renames it.
pub(in crate::serve) async fn name(
    site: web::Data<Site>,
    viewer: Viewer,
    bot: Bot,
    Form(given): Form<Named>,
) -> Result<HttpResponse, Fault> {
    let name = given.name.trim();
    let wrong = if holds_token(name) {
        Some("The name holds a token. Take it out.")
    } else if name.chars().any(char::is_control) {
        Some("The name must be one line of text.")
    } else {
        None
    };
    if let Some(wrong) = wrong {
        return refuse(&site, &bot, viewer, Trouble::text(wrong));
    }
    let alter = Alter {
        name: Some((!name.is_empty()).then(|| name.to_owned())),
        privacy: None,
    };
    let altered = site.registry.alter(bot.tenant.code, &alter).await;
    told(&site, &bot, viewer, altered, ("name", Action::Rename), "").await
}

/// Sets what is kept.
pub(in crate::serve) async fn privacy(
    site: web::Data<Site>,
    viewer: Viewer,
    bot: Bot,
    Form(given): Form<Kept>,
) -> Result<HttpResponse, Fault> {
    let Ok(privacy) = given.privacy.parse() else {
        return refuse(
            &site,
            &bot,
            viewer,
            Trouble::text("Choose one of the four modes."),
        );
    };
    let alter = Alter {
        name: None,
        privacy: Some(privacy),
    };
    let altered = site.registry.alter(bot.tenant.code, &alter).await;
    let done = ("privacy", Action::Privacy);
    told(&site, &bot, viewer, altered, done, privacy.as_str()).await
}

/// Sets where its dates begin.
pub(in crate::serve) async fn zone(
    site: web::Data<Site>,
    viewer: Viewer,
    bot: Bot,
    Form(given): Form<Zoned>,
) -> Result<HttpResponse, Fault> {
    match site.store.set_zone(bot.id(), given.zone.trim()).await {
        Ok(()) => {
            note(
                &site,
                &viewer.name,
                Action::Zone,
                Some(bot.id()),
                given.zone.trim(),
            )
            .await?;
            Ok(back(&bot, "zone"))
        }
        Err(StoreError::Zone(_)) => {
            let text =
                "There is no such time zone. Choose one of the list, such as Europe/Berlin or UTC.";
            refuse(&site, &bot, viewer, Trouble::text(text))
        }
        Err(error) => Err(error.into()),
    }
}

/// Binds it to another bot id.
pub(in crate::serve) async fn rebind(
    site: web::Data<Site>,
    viewer: Viewer,
    bot: Bot,
    Form(given): Form<Rebound>,
) -> Result<HttpResponse, Fault> {
    let Ok(id) = given.bot.trim().parse::<BotId>() else {
        let text = "A bot id is a number, the one before the colon of the bot's token.";
        return refuse(&site, &bot, viewer, Trouble::text(text));
    };
    if given.sure.is_none() {
        return refuse(&site, &bot, viewer, unsure());
    }
    let rebound = site.registry.rebind(bot.tenant.code, id).await;
    let done = ("rebind", Action::Rebind);
    told(&site, &bot, viewer, rebound, done, &id.to_string()).await
}

/// Removes it.
pub(in crate::serve) async fn remove(
    site: web::Data<Site>,
    viewer: Viewer,
    bot: Bot,
    Form(given): Form<Removed>,
) -> Result<HttpResponse, Fault> {
    if given.sure.is_none() {
        return refuse(&site, &bot, viewer, unsure());
    }
    let now = given.now.is_some();
    let removed = site.registry.remove(bot.tenant.code, now).await;
    let gone = now && removed.is_ok();
    let how = if now { "at once" } else { "" };
    let told = told(
        &site,
        &bot,
        viewer,
        removed,
        ("remove", Action::Remove),
        how,
    )
    .await?;
    Ok(if gone { sign_in::to("/bots") } else { told })
}

/// Connects it again within the day of grace.
pub(in crate::serve) async fn again(
    site: web::Data<Site>,
    viewer: Viewer,
    bot: Bot,
    _: Form<Nothing>,
) -> Result<HttpResponse, Fault> {
    let Some(id) = bot.tenant.bot else {
        let text = "It was bound to no bot. Connect a new one.";
        return refuse(&site, &bot, viewer, Trouble::text(text));
    };
    let new = NewTenant {
        bot: Some(id),
        ..NewTenant::default()
    };
    let added = site.registry.add(&new).await;
    told(&site, &bot, viewer, added, ("return", Action::Connect), "").await
}

pub(super) fn unsure() -> Trouble {
    Trouble::text("Tick the box that says that you mean it.")
}

/// What came of a change. `done`: what the page says of it, and what is noted, of `subject`.
pub(super) async fn told(
    site: &Site,
    bot: &Bot,
    viewer: Viewer,
    result: Result<Tenant, RegistryError>,
    (done, action): (&str, Action),
    subject: &str,
) -> Result<HttpResponse, Fault> {
    match result {
        Ok(_) => {
            note(site, &viewer.name, action, Some(bot.id()), subject).await?;
            Ok(back(bot, done))
        }
        Err(error) => refuse(site, bot, viewer, Trouble::of(error)?),
    }
}

pub(super) fn back(bot: &Bot, done: &str) -> HttpResponse {
    sign_in::to(&format!("/bots/{}/settings?done={done}", bot.tenant.code))
}

pub(super) fn refuse(
    site: &Site,
    bot: &Bot,
    viewer: Viewer,
    trouble: Trouble,
) -> Result<HttpResponse, Fault> {
    let mut response = html(&shown(site, bot, viewer, "", Some(trouble))?)?;
    *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    Ok(response)
}

fn shown(
    site: &Site,
    bot: &Bot,
    viewer: Viewer,
    done: &'static str,
    trouble: Option<Trouble>,
) -> Result<Page, Fault> {
    let zones = jiff::tz::db().available().map(|name| name.to_string());
    Ok(Page {
        frame: Frame::about(bot, "settings", "Settings", viewer),
        code: bot.tenant.code.to_string(),
        name: bot.tenant.name.clone().unwrap_or_default(),
        bot: bot.tenant.bot.map(|bot| bot.0),
        privacy: bot.tenant.privacy,
        token_stored: bot.tenant.token_stored,
        webhook: webhook::Shown::of(site, &bot.tenant)?,
        leaving: bot.tenant.standing_now() == Standing::Leaving,
        zone: bot.zone.name().to_owned(),
        zones: zones.collect(),
        done,
        trouble,
    })
}
