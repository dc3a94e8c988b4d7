//! The bots: a list of them with today's numbers, and the way to each.
//!
//! In: the registry, the sums of today. Out: the page that a person sees first. `bots/add.rs` connects one, `bots/connect.rs` says how
//! to point it here and whether that worked, `bots/settings.rs` changes it, `bots/refused.rs` shows who called without being
//! connected. Invariant: numbers are asked for the bots of one page alone, so that a thousand bots cost what fifty do.

pub(super) mod add;
pub(super) mod connect;
pub(super) mod draft;
pub(super) mod reach;
pub(super) mod refused;
pub(super) mod settings;
pub(in crate::serve) mod trouble;
pub(super) mod webhook;

use actix_web::{HttpResponse, web};
use askama::Template;
use gramtap_telegram::redact::redact;
use gramtap_tenants::{Standing, Tenant};
use serde::Deserialize;

use super::bot::Bot;
use super::clock::ago;
use super::fault::Fault;
use super::page::{Frame, html};
use super::viewer::Viewer;
use super::{Site, sign_in};
use crate::query::{bots, connection};
use crate::zone::HOUR;

/// Bots of one page.
const PAGE: usize = 50;

/// `?q=` and `?page=`.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    q: String,
    #[serde(default)]
    page: usize,
}

#[derive(Template)]
#[template(path = "bots.html")]
struct Page {
    frame: Frame,
    rows: Vec<Row>,
    /// Bots there are, and bots that were found.
    all: usize,
    found: usize,
    q: String,
    page: usize,
    pages: usize,
}

struct Row {
    code: String,
    name: String,
    bot: Option<i64>,
    leaving: bool,
    today: crate::query::overview::Figures,
    /// When it was last heard of; empty for never.
    last: String,
}

/// The list.
pub(super) async fn list(
    site: web::Data<Site>,
    viewer: Viewer,
    asked: web::Query<Asked>,
) -> Result<HttpResponse, Fault> {
    let tenants = site.registry.list().await?;
    let all = tenants.len();
    let wanted = asked.q.trim().to_lowercase();
    let found: Vec<Tenant> = tenants
        .into_iter()
        .filter(|tenant| fits(tenant, &wanted))
        .collect();
    let pages = found.len().div_ceil(PAGE).max(1);
    let page = asked.page.clamp(1, pages);
    let mut shown = Vec::new();
    for tenant in found.iter().skip((page - 1) * PAGE).take(PAGE) {
        let zone = site.store.zone(tenant.id).await?;
        shown.push(Bot {
            tenant: tenant.clone(),
            zone,
        });
    }
    let now = (site.clock)();
    let database = site.store.database();
    let ids: Vec<_> = shown
        .iter()
        .map(|bot| (bot.id(), bot.zone.clone()))
        .collect();
    let lines = bots::bots(database, &ids, now).await?;
    let mut rows = Vec::with_capacity(shown.len());
    for (bot, line) in shown.iter().zip(lines) {
        let last = match line.last_hour {
            Some(hour) => Some(hour),
            None => connection::last_hour(database, bot.id()).await?,
        };
        rows.push(Row {
            code: bot.tenant.code.to_string(),
            name: bot.label(),
            bot: bot.tenant.bot.map(|bot| bot.0),
            leaving: bot.tenant.standing_now() == Standing::Leaving,
            today: line.today,
            last: last.map_or_else(String::new, |hour| heard(hour, now)),
        });
    }
    html(&Page {
        frame: Frame::new("Bots", viewer),
        rows,
        all,
        found: found.len(),
        // Somebody may have looked for a token.
        q: redact(asked.q.trim()).into_owned(),
        page,
        pages,
    })
}

/// Sums know the hour alone.
fn heard(hour: i64, now: i64) -> String {
    match now - hour < HOUR {
        true => "this hour".to_owned(),
        false => ago(now, hour * 1_000_000),
    }
}

/// Whether a bot is looked for: by its name, bot id or code.
fn fits(tenant: &Tenant, wanted: &str) -> bool {
    let name = tenant.name.as_deref().unwrap_or("").to_lowercase();
    let bot = tenant.bot.map(|bot| bot.to_string()).unwrap_or_default();
    name.contains(wanted) || bot.starts_with(wanted) || tenant.code.as_str().starts_with(wanted)
}

/// A bot's address without a page: its numbers, or how to get some.
pub(super) async fn home(site: web::Data<Site>, bot: Bot) -> Result<HttpResponse, Fault> {
    let heard = connection::last_hour(site.store.database(), bot.id()).await?;
    let page = if heard.is_some() {
        "overview"
    } else {
        "connect"
    };
    Ok(sign_in::to(&format!("/bots/{}/{page}", bot.tenant.code)))
}
