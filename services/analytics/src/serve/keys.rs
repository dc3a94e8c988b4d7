//! API keys: the page where they are made and revoked.
//!
//! In: people who are signed in, and their forms. Out: keys of scripts, in SQL by `keys/kept.rs`; their text by `keys/secret.rs`, shown once.
//! Invariant: a key's text is in one answer and nowhere else: not in an address, a log, a cookie or SQL. Every form carries the word of
//! its session.

pub mod kept;
pub mod secret;

use std::collections::BTreeSet;

use actix_web::HttpResponse;
use actix_web::http::header::LOCATION;
use actix_web::web::{self, Data, Path};
use askama::Template;
use gramtap_tenants::Tenant;

use super::Site;
use super::audit::note;
use super::bot::label;
use super::fault::Fault;
use super::form::Form;
use super::page::{Frame, html};
use super::viewer::Viewer;
use crate::query::audit::Action;
use crate::zone::DAY;
use kept::{Key, Scope};
use secret::Presented;

/// Days that a key may hold, and what they are called; 0 is for ever.
const SPANS: [(i64, &str); 4] = [
    (30, "30 days"),
    (90, "90 days"),
    (365, "A year"),
    (0, "Until it is revoked"),
];
/// Characters of a name.
const NAME: usize = 64;

/// The paths.
pub(super) fn configure(config: &mut web::ServiceConfig) {
    config
        .service(
            web::resource("/keys")
                .route(web::get().to(page))
                .route(web::post().to(make)),
        )
        .route("/keys/{id}/revoke", web::post().to(revoke));
}

#[derive(Template)]
#[template(path = "keys.html")]
struct Keys<'a> {
    frame: Frame,
    lines: Vec<Line>,
    bots: Vec<Choice>,
    /// The key that was just made.
    made: Option<Made<'a>>,
    url: &'a str,
}

struct Line {
    id: String,
    name: String,
    scopes: String,
    bots: String,
    made: String,
    made_by: String,
    used: String,
    expires: String,
    state: &'static str,
}

struct Choice {
    tenant: String,
    label: String,
}

struct Made<'a> {
    name: &'a str,
    text: &'a str,
}

/// A form as it came: names may come more than once.
type Fields = Vec<(String, String)>;

async fn page(viewer: Viewer, site: Data<Site>) -> Result<HttpResponse, Fault> {
    shown(viewer, &site, None).await
}

async fn make(
    viewer: Viewer,
    site: Data<Site>,
    fields: Form<Fields>,
) -> Result<HttpResponse, Fault> {
    let Form(fields) = fields;
    let presented = Presented::generate();
    let presented = presented
        .map_err(|error| Fault::Refused(format!("The system gives no random bytes: {error}.")))?;
    let tenants = site.registry.list().await?;
    let now = (site.clock)();
    let key = asked(&fields, &presented.id, &viewer.name, &tenants, now)?;
    let database = site.store.database();
    kept::make(database, &presented, &site.keys.access_key(), &key).await?;
    tracing::info!(id = key.id, by = viewer.account, "api key made");
    note(&site, &viewer.name, Action::KeyMade, None, &key.id).await?;
    let text = presented.text();
    let made = Made {
        name: &key.name,
        text: &text,
    };
    shown(viewer, &site, Some(made)).await
}

async fn revoke(
    viewer: Viewer,
    site: Data<Site>,
    id: Path<String>,
    _: Form<Fields>,
) -> Result<HttpResponse, Fault> {
    let now = (site.clock)();
    if !kept::revoke(site.store.database(), &id, now).await? {
        return Err(Fault::Missing("key that still holds"));
    }
    tracing::info!(id = *id, by = viewer.account, "api key revoked");
    note(&site, &viewer.name, Action::KeyRevoked, None, &id).await?;
    Ok(HttpResponse::SeeOther()
        .insert_header((LOCATION, "/keys"))
        .finish())
}

/// The key that a form asks for.
fn asked(
    fields: &[(String, String)],
    id: &str,
    by: &str,
    tenants: &[Tenant],
    now: i64,
) -> Result<Key, Fault> {
    let refused = |text: &str| Err(Fault::Refused(text.to_owned()));
    let all = |wanted: &'static str| {
        let fits = move |field: &&(String, String)| field.0 == wanted;
        fields.iter().filter(fits).map(|(_, value)| value.as_str())
    };
    let one = |wanted| all(wanted).next().unwrap_or("").trim();
    let name = one("name");
    if name.is_empty() || name.chars().count() > NAME || name.contains(char::is_control) {
        return refused("A key needs a name of at most 64 characters: what will use it?");
    }
    let scopes: BTreeSet<Scope> = all("scope").filter_map(Scope::named).collect();
    if scopes.is_empty() {
        return refused("A key needs at least one thing that it allows. Go back and choose it.");
    }
    let bots = match one("bots") {
        "all" => None,
        _ => {
            let named: BTreeSet<&str> = all("bot").collect();
            let seen = tenants.iter().map(|tenant| tenant.id);
            let seen: BTreeSet<_> = seen.filter(|id| named.contains(id.as_str())).collect();
            if seen.is_empty() {
                return refused(
                    "A key needs at least one bot that it may see. Go back and choose it.",
                );
            }
            Some(seen)
        }
    };
    let days: Option<i64> = one("days").parse().ok();
    let days = days.filter(|days| SPANS.iter().any(|(span, _)| span == days));
    let Some(days) = days else {
        return refused("A key needs to know how long it holds. Go back and choose it.");
    };
    Ok(Key {
        id: id.to_owned(),
        name: name.to_owned(),
        scopes,
        bots,
        made_by: by.to_owned(),
        made: now,
        used: None,
        expires: (days > 0).then(|| now + days * DAY),
        revoked: None,
    })
}

async fn shown(viewer: Viewer, site: &Site, made: Option<Made<'_>>) -> Result<HttpResponse, Fault> {
    let tenants = site.registry.list().await?;
    let now = (site.clock)();
    let keys = kept::list(site.store.database()).await?;
    let lines = keys.into_iter().map(|key| {
        let bots = match &key.bots {
            None => "all".to_owned(),
            Some(bots) => {
                let seen = tenants.iter().filter(|tenant| bots.contains(&tenant.id));
                let names: Vec<String> = seen.map(label).collect();
                names.join(", ")
            }
        };
        let scopes: Vec<&str> = key.scopes.iter().map(|scope| scope.as_str()).collect();
        Line {
            state: key.state(now),
            scopes: scopes.join(", "),
            bots,
            made: time(Some(key.made), ""),
            used: time(key.used, "never"),
            expires: time(key.expires, "never"),
            id: key.id,
            name: key.name,
            made_by: key.made_by,
        }
    });
    let choices = tenants.iter().map(|tenant| Choice {
        tenant: tenant.id.to_string(),
        label: label(tenant),
    });
    html(&Keys {
        frame: Frame::new("API keys", viewer),
        lines: lines.collect(),
        bots: choices.collect(),
        made,
        url: &site.url,
    })
}

/// A second since 1970 as people read it.
fn time(second: Option<i64>, none: &str) -> String {
    let time = second.and_then(|second| jiff::Timestamp::from_second(second).ok());
    time.map_or_else(
        || none.to_owned(),
        |time| time.strftime("%Y-%m-%d %H:%M UTC").to_string(),
    )
}
