//! One dead letter: why, what was tried, what is in it, and its replay.
//!
//! In: `query/letters.rs`, `query/deliveries.rs`; its record in inbox.dead.v1; forms. Out: `letter.html`. Invariant: what is in it is opened for the console's owner alone,
//! after a click, filtered by the bot's privacy mode, and never without a note of who did; headers and the seal stay closed.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use gramtap_events::tenant::Privacy;
use gramtap_privacy::Mask;
use gramtap_telegram::advice::Advice;
use gramtap_tenants::{Part, Place};
use serde::Deserialize;

use super::letters::{ask, elsewhere, refusal, replayed};
use super::{Attempt, known, shown, title};
use crate::query::audit::Action;
use crate::query::deliveries;
use crate::query::letters::{self, Letter};
use crate::replay::{self, FindError, Which};
use crate::serve::audit::note;
use crate::serve::bot::Bot;
use crate::serve::bots::trouble::Trouble;
use crate::serve::fault::Fault;
use crate::serve::form::Form;
use crate::serve::page::{Frame, html};
use crate::serve::viewer::Viewer;
use crate::serve::{Site, clock, number, sign_in};

/// Attempts that are shown.
const ATTEMPTS: i64 = 50;

#[derive(Template)]
#[template(path = "letter.html")]
struct Page {
    frame: Frame,
    code: String,
    title: String,
    advice: Option<&'static Advice>,
    letter: Letter,
    received: String,
    dead: String,
    replay: String,
    attempts: Vec<Attempt>,
    filtered: &'static str,
    body: Option<String>,
    done: &'static str,
    trouble: Option<Trouble>,
}

/// Code and record.
type Path = web::Path<(String, String)>;

/// `?done=`.
#[derive(Debug, Default, Deserialize)]
pub(in crate::serve) struct Done {
    #[serde(default)]
    done: String,
}

#[derive(Deserialize)]
pub(in crate::serve) struct Nothing {}

#[derive(Deserialize)]
pub(in crate::serve) struct To {
    #[serde(default)]
    to: String,
}

/// Shows it.
pub(in crate::serve) async fn page(
    site: web::Data<Site>,
    viewer: Viewer,
    bot: Bot,
    path: Path,
    asked: web::Query<Done>,
) -> Result<HttpResponse, Fault> {
    let mut page = made(&site, viewer, &bot, &path.1).await?;
    if asked.done == "replay" {
        page.done = "It is being delivered again; see its attempts within seconds.";
    }
    html(&page)
}

async fn made(site: &Site, viewer: Viewer, bot: &Bot, record: &str) -> Result<Page, Fault> {
    let database = site.store.database();
    let letter = letters::one(database, bot.id(), record).await?;
    let letter = letter.ok_or(Fault::Missing("dead letter"))?;
    let attempts = deliveries::attempts(database, bot.id(), Some(record), ATTEMPTS).await?;
    let replay = replayed(&letter, &bot.zone);
    Ok(Page {
        frame: Frame::about(bot, "deliveries", &title(&letter.cause), viewer),
        code: bot.tenant.code.to_string(),
        title: title(&letter.cause),
        advice: known(&letter.cause),
        received: clock::moment(&bot.zone, letter.received_at),
        dead: clock::moment(&bot.zone, letter.dead_at),
        replay: match replay.is_empty() {
            true => number::NOTHING.to_owned(),
            false => replay,
        },
        letter,
        attempts: shown(attempts, &bot.zone),
        filtered: match bot.tenant.privacy {
            Privacy::Full => "All of it is shown, but tokens and secrets.",
            Privacy::Off => {
                "The bot's privacy mode keeps nothing of bodies: only number and kind are shown."
            }
            _ => "It is shown as far as the bot's privacy mode lets it.",
        },
        body: None,
        done: "",
        trouble: None,
    })
}

/// Opens it.
pub(in crate::serve) async fn open(
    site: web::Data<Site>,
    viewer: Viewer,
    bot: Bot,
    path: Path,
    _: Form<Nothing>,
) -> Result<HttpResponse, Fault> {
    let owner = viewer.owner.then(|| viewer.name.clone());
    let mut page = made(&site, viewer, &bot, &path.1).await?;
    let trouble = match owner {
        None => Some("Only the console's owner may open it."),
        Some(owner) => {
            let record = page.letter.record.as_str();
            // Noted first: what cannot be noted is not opened.
            note(&site, &owner, Action::Open, Some(bot.id()), record).await?;
            match opened(&site, &bot, &page.letter).await? {
                Ok(body) => {
                    page.body = Some(body);
                    None
                }
                Err(refused) => Some(refused),
            }
        }
    };
    let is_refused = trouble.is_some();
    page.trouble = trouble.map(Trouble::text);
    let mut response = html(&page)?;
    if is_refused {
        *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    }
    Ok(response)
}

/// What the bot's privacy mode lets through, or why nothing can be read.
async fn opened(
    site: &Site,
    bot: &Bot,
    letter: &Letter,
) -> Result<Result<String, &'static str>, Fault> {
    let found = replay::letters(&site.bus, [letter.place]).await;
    let mut found = found.map_err(|error| match error {
        FindError::Bus(error) => error.into(),
        FindError::Silent => Fault::Inside("the log tells nothing".to_owned()),
    })?;
    let found = found.remove(&letter.place);
    let Some(dead) = found.filter(|it| it.inbox.record.as_str() == letter.record) else {
        return Ok(Err("Its record is no longer kept."));
    };
    let place = Place::from(&dead.inbox);
    let Ok(body) = site.keys.open_update(place, Part::Body, &dead.inbox.body) else {
        return Ok(Err(
            "It was sealed with a key that is not configured. Put the older key back into the key file, below the first line.",
        ));
    };
    let mask = Mask::new(bot.tenant.privacy, site.keys.pseudonym_key(bot.id()));
    let Some(update) = mask.update_in(&body) else {
        return Ok(Err("It is no update that can be read."));
    };
    let raw = update
        .update
        .as_deref()
        .map(serde_json::value::RawValue::get);
    let value: serde_json::Value = match raw.map(serde_json::from_str) {
        Some(Ok(value)) => value,
        _ => serde_json::json!({"update_id": update.update_id, "type": update.kind}),
    };
    Ok(Ok(serde_json::to_string_pretty(&value).unwrap_or_default()))
}

/// Marks it to be replayed.
pub(in crate::serve) async fn replay(
    site: web::Data<Site>,
    viewer: Viewer,
    bot: Bot,
    path: Path,
    Form(given): Form<To>,
) -> Result<HttpResponse, Fault> {
    let record = &path.1;
    let to = match elsewhere(&site, &bot, &given.to) {
        Ok(to) => to,
        Err(error) => {
            let mut page = made(&site, viewer, &bot, record).await?;
            page.trouble = Some(refusal(&error));
            let mut response = html(&page)?;
            *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
            return Ok(response);
        }
    };
    let which = Which::Records(vec![record.clone()]);
    match ask(&site, &viewer, &bot, &which, to.as_ref()).await? {
        0 => Err(Fault::Missing("dead letter")),
        _ => {
            let record = askama::filters::urlencode_strict(record).map(|it| it.to_string());
            let path = format!(
                "/bots/{}/dead/{}?done=replay",
                bot.tenant.code,
                record.unwrap_or_default()
            );
            Ok(sign_in::to(&path))
        }
    }
}
