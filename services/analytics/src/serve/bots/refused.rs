//! Who called without being connected.
//!
//! In: the refusals that ingress told of and the fold has counted. Out: the page; a bot that is connected or rebound with one click.
//! Invariant: what strangers have sent is shown as text alone; nothing is connected without a form of this session.

use actix_web::{HttpResponse, web};
use askama::Template;
use gramtap_telegram::BotId;
use gramtap_tenants::{Code, NewTenant};
use serde::Deserialize;

use super::add;
use super::trouble::Trouble;
use crate::query::audit::Action;
use crate::query::refused::{Refusal, refused};
use crate::serve::audit::note;
use crate::serve::clock::ago;
use crate::serve::fault::Fault;
use crate::serve::form::Form;
use crate::serve::page::{Frame, html};
use crate::serve::viewer::Viewer;
use crate::serve::{Site, sign_in};
use crate::zone::DAY;

/// Days that are shown.
const DAYS: i64 = 7;
/// Rows that are shown.
const MOST: i64 = 200;

/// The form of a row.
#[derive(Debug, Deserialize)]
pub(in crate::serve) struct Chosen {
    bot: BotId,
    #[serde(default)]
    code: String,
}

#[derive(Template)]
#[template(path = "refused.html")]
struct Page {
    frame: Frame,
    rows: Vec<Row>,
    trouble: Option<Trouble>,
    full: bool,
}

struct Row {
    it: Refusal,
    /// The bot that has the code that was called, and what it is called.
    owner: Option<(Option<i64>, String)>,
    /// The bot is connected by now.
    connected: Option<String>,
    last: String,
    first: String,
}

/// The page.
pub(in crate::serve) async fn page(
    site: web::Data<Site>,
    viewer: Viewer,
) -> Result<HttpResponse, Fault> {
    show(&site, viewer, None).await
}

/// Connects the bot of a row by its id.
pub(in crate::serve) async fn add(
    site: web::Data<Site>,
    viewer: Viewer,
    Form(chosen): Form<Chosen>,
) -> Result<HttpResponse, Fault> {
    let new = NewTenant {
        bot: Some(chosen.bot),
        ..NewTenant::default()
    };
    match add::connect(&site, &viewer, &new).await? {
        Ok(code) => Ok(sign_in::to(&format!("/bots/{code}/connect"))),
        Err(trouble) => show(&site, viewer, Some(trouble)).await,
    }
}

/// Binds the code that was called to the bot that called it.
pub(in crate::serve) async fn rebind(
    site: web::Data<Site>,
    viewer: Viewer,
    Form(chosen): Form<Chosen>,
) -> Result<HttpResponse, Fault> {
    let code: Code = chosen.code.parse().map_err(|_| Fault::Missing("bot"))?;
    match site.registry.rebind(code, chosen.bot).await {
        Ok(tenant) => {
            let (bot, id) = (Some(tenant.id), chosen.bot.to_string());
            note(&site, &viewer.name, Action::Rebind, bot, &id).await?;
            Ok(sign_in::to(&format!("/bots/{code}/connect")))
        }
        Err(error) => show(&site, viewer, Some(Trouble::of(error)?)).await,
    }
}

async fn show(
    site: &Site,
    viewer: Viewer,
    trouble: Option<Trouble>,
) -> Result<HttpResponse, Fault> {
    let now = (site.clock)();
    let since = now.div_euclid(DAY) - DAYS + 1;
    let refusals = refused(site.store.database(), since, MOST).await?;
    let tenants = site.registry.list().await?;
    let full = refusals.len() >= usize::try_from(MOST).unwrap_or(usize::MAX);
    let rows = refusals.into_iter().map(|it| {
        let owner = tenants
            .iter()
            .find(|tenant| tenant.code.as_str() == it.code);
        let by_id = |bot: &BotId| bot.0 == it.bot;
        let connected = tenants
            .iter()
            .filter(|tenant| tenant.deleted_at.is_none())
            .find(|tenant| tenant.bot.as_ref().is_some_and(by_id));
        Row {
            owner: owner.map(|tenant| {
                let name = tenant
                    .name
                    .clone()
                    .unwrap_or_else(|| it.code[..6].to_owned() + "…");
                (tenant.bot.map(|bot| bot.0), name)
            }),
            connected: connected.map(|tenant| tenant.code.to_string()),
            last: ago(now, it.last_at),
            first: ago(now, it.first_at),
            it,
        }
    });
    html(&Page {
        frame: Frame::new("Refused requests", viewer),
        rows: rows.collect(),
        trouble,
        full,
    })
}
