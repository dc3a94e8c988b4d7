//! The page of a one-time link: who owns this console.
//!
//! In: a link that the start or `gramtap console link` printed; a name and a password. Out: the owner's account, signed in.
//! Invariant: looking at the page does not use the link up, so that a preview of it in a chat costs nothing; sending the form does,
//! once, however often it is sent.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use gramtap_settings::SecretString;
use serde::Deserialize;

use super::door::links::Link;
use super::door::password::objection;
use super::door::{accounts, links};
use super::fault::Fault;
use super::form::Plain;
use super::{Site, page, sign_in};

/// The form.
#[derive(Debug, Deserialize)]
pub(super) struct Given {
    name: String,
    password: SecretString,
}

#[derive(Template)]
#[template(path = "welcome.html")]
struct Page<'a> {
    title: &'static str,
    recover: bool,
    secret: &'a str,
    name: &'a str,
    wrong: Option<&'static str>,
}

/// The page.
pub(super) async fn page(
    site: web::Data<Site>,
    request: HttpRequest,
    secret: web::Path<String>,
) -> Result<HttpResponse, Fault> {
    let link = find(&site, &secret).await?;
    if link == Link::Guest {
        let account = accounts::guest(site.store.database(), (site.clock)()).await?;
        return sign_in::begin(&site, &request, &account, "/bots").await;
    }
    let owner = accounts::owner(site.store.database()).await?;
    show(link, &secret, owner.as_deref().unwrap_or(""), None)
}

/// The form of it.
pub(super) async fn enter(
    site: web::Data<Site>,
    request: HttpRequest,
    secret: web::Path<String>,
    Plain(given): Plain<Given>,
) -> Result<HttpResponse, Fault> {
    let link = find(&site, &secret).await?;
    if link == Link::Guest {
        return Err(used());
    }
    let name = given.name.trim();
    let wrong = match name.chars().count() {
        0 => Some("Say what you are called."),
        length if length > accounts::LONGEST_NAME => Some("The name has 64 characters at most."),
        _ if name.chars().any(char::is_control) => Some("The name must be one line of text."),
        _ => objection(given.password.expose(), name),
    };
    if wrong.is_some() {
        return show(link, &secret, name, wrong);
    }
    let hash = site.door.passwords.hash(given.password).await;
    let hash = hash.map_err(sign_in::fault)?;
    let (database, now) = (site.store.database(), (site.clock)());
    match accounts::claim(database, &secret, (name, &hash), now).await? {
        Some(account) => sign_in::begin(&site, &request, &account, "/bots").await,
        None => Err(used()),
    }
}

async fn find(site: &Site, secret: &str) -> Result<Link, Fault> {
    let link = links::find(site.store.database(), secret, (site.clock)()).await?;
    link.ok_or_else(used)
}

fn used() -> Fault {
    Fault::Refused(
        "This link is used up, too old or mistyped. `gramtap console link` prints a new one."
            .to_owned(),
    )
}

fn show(
    link: Link,
    secret: &str,
    name: &str,
    wrong: Option<&'static str>,
) -> Result<HttpResponse, Fault> {
    let recover = link == Link::Recover;
    let page = Page {
        title: if recover { "A new password" } else { "Welcome" },
        recover,
        secret,
        name,
        wrong,
    };
    let mut response = page::html(&page)?;
    if wrong.is_some() {
        *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    }
    Ok(response)
}
