//! What was done in the console, by scripts and from the command line: the page of it, and the notes of what is done here.
//!
//! In: `query/audit.rs`; changes that people make. Out: `audit.html`. Invariant: only the console's owner sees it; what somebody has typed is shown as text.

use actix_web::{HttpResponse, web};
use askama::Template;
use gramtap_database::Error;
use gramtap_events::TenantId;
use gramtap_tenants::Tenant;
use serde::Deserialize;

use super::asked::Asked;
use super::bot::label;
use super::fault::Fault;
use super::page::{Frame, html};
use super::viewer::Viewer;
use super::{Site, clock};
use crate::query::audit::{self, Action, Entry};
use crate::zone::Zone;

/// Notes of a page.
const PAGE: usize = 50;

#[derive(Template)]
#[template(path = "audit.html")]
struct Page {
    frame: Frame,
    rows: Vec<Row>,
    older: Option<String>,
}

struct Row {
    at: String,
    machine: String,
    who: String,
    what: String,
    /// Code and name of the bot; a code of nothing for one that is gone.
    bot: Option<(String, String)>,
    subject: String,
}

/// Behind which.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    before: String,
}

/// Shows it.
pub(super) async fn page(
    site: web::Data<Site>,
    viewer: Viewer,
    Asked(wanted): Asked<Wanted>,
) -> Result<HttpResponse, Fault> {
    if !viewer.owner {
        let text = "Only the console's owner sees what was done. Ask them.";
        return Err(Fault::Refused(text.to_owned()));
    }
    let most = i64::try_from(PAGE + 1).unwrap_or(i64::MAX);
    let mut entries = audit::list(site.store.database(), &wanted.before, most).await?;
    let more = entries.len() > PAGE;
    entries.truncate(PAGE);
    let last = entries.last().filter(|_| more);
    let older = last.map(|last| format!("/audit?before={}", last.id));
    let tenants = site.registry.list().await?;
    html(&Page {
        frame: Frame::new("What was done", viewer),
        rows: entries.into_iter().map(|it| row(it, &tenants)).collect(),
        older,
    })
}

fn row(entry: Entry, tenants: &[Tenant]) -> Row {
    let found = |id: &String| tenants.iter().find(|tenant| tenant.id.as_str() == id);
    let bot = entry.tenant.map(|id| match found(&id) {
        Some(tenant) => (tenant.code.to_string(), label(tenant)),
        None => (String::new(), "one that is gone".to_owned()),
    });
    let known = Action::named(&entry.action).map(Action::words);
    Row {
        at: format!("{} UTC", clock::moment(&Zone::UTC, entry.at)),
        machine: clock::machine(entry.at),
        who: entry.who,
        what: known.map_or(entry.action, str::to_owned),
        bot,
        subject: entry.subject,
    }
}

/// Notes what somebody has done.
pub(super) async fn note(
    site: &Site,
    who: &str,
    action: Action,
    bot: Option<TenantId>,
    subject: &str,
) -> Result<(), Error> {
    let database = site.store.database();
    audit::note(database, (site.micros(), who), action, bot, subject).await
}
