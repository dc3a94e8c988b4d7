//! Signing in and out.
//!
//! In: a name and a password. Out: a session and its cookie. Invariant: whether the name or the password was wrong, the answer and the
//! time it takes are the same; every sign-in has a new session, and the one that the browser had is over. Guessed at: `door/tries.rs`
//! makes it wait. Overloaded: 429.

use actix_web::http::StatusCode;
use actix_web::http::header::{LOCATION, USER_AGENT};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use gramtap_settings::SecretString;
use serde::Deserialize;

use super::door::password::{LONGEST, PasswordError};
use super::door::{accounts, cookie, sessions};
use super::fault::Fault;
use super::form::{Form, Plain};
use super::viewer::Viewer;
use super::{Site, next, session};

/// `?next=`.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    next: String,
}

/// The form.
#[derive(Debug, Deserialize)]
pub(super) struct Given {
    name: String,
    password: SecretString,
    #[serde(default)]
    next: String,
}

/// A form with nothing in it.
#[derive(Debug, Deserialize)]
pub(super) struct Nothing {}

#[derive(Template)]
#[template(path = "sign_in.html")]
struct Page<'a> {
    title: &'static str,
    /// Somebody can sign in at all.
    owned: bool,
    name: &'a str,
    next: &'a str,
    wrong: bool,
}

/// The page.
pub(super) async fn page(
    site: web::Data<Site>,
    viewer: Option<Viewer>,
    wanted: web::Query<Wanted>,
) -> Result<HttpResponse, Fault> {
    let wanted = next::own(&wanted.next);
    match viewer {
        Some(_) => Ok(to(wanted)),
        None => show(&site, "", wanted, false).await,
    }
}

/// The try.
pub(super) async fn enter(
    site: web::Data<Site>,
    request: HttpRequest,
    Plain(given): Plain<Given>,
) -> Result<HttpResponse, Fault> {
    let (now, login) = ((site.clock)(), accounts::login(&given.name));
    let wanted = next::own(&given.next);
    let readable = login.chars().count() <= accounts::LONGEST_NAME
        && given.password.expose().chars().count() <= LONGEST;
    if !readable {
        return show(&site, "", wanted, true).await;
    }
    let address = site.client(request.head());
    if !site.door.tries().admit(address, &login, now) {
        return Err(Fault::TooMany);
    }
    let account = accounts::find(site.store.database(), &login).await?;
    let (id, hash) = account.map(|it| (it.id, it.password)).unzip();
    let fits = site.door.passwords.verify(given.password, hash).await;
    match id.filter(|_| matches!(fits, Ok(true))) {
        Some(account) => {
            site.door.tries().forgive(address, &login);
            begin(&site, &request, &account, wanted).await
        }
        None => {
            fits.map_err(fault)?;
            show(&site, given.name.trim(), wanted, true).await
        }
    }
}

/// Signs an account in, and sends its person on.
pub(super) async fn begin(
    site: &Site,
    request: &HttpRequest,
    account: &str,
    wanted: &str,
) -> Result<HttpResponse, Fault> {
    let database = site.store.database();
    if let Some(old) = session::id(request, site) {
        sessions::end(database, &old).await?;
    }
    let agent = request.headers().get(USER_AGENT);
    let agent = agent.and_then(|agent| agent.to_str().ok()).unwrap_or("");
    let id = sessions::begin(database, account, agent, (site.clock)()).await?;
    let mut response = to(wanted);
    // A cookie of ours is always text that a header may hold.
    response
        .add_cookie(&cookie::set(&site.keys, &site.url, &id))
        .ok();
    Ok(response)
}

/// The way out.
pub(super) async fn leave(
    site: web::Data<Site>,
    request: HttpRequest,
    _: Form<Nothing>,
) -> Result<HttpResponse, Fault> {
    if let Some(id) = session::id(&request, &site) {
        sessions::end(site.store.database(), &id).await?;
    }
    let mut response = to("/sign-in");
    response.add_cookie(&cookie::clear(&site.url)).ok();
    Ok(response)
}

/// What becomes of a password that could not be looked at.
pub(super) fn fault(error: PasswordError) -> Fault {
    match error {
        PasswordError::Busy => Fault::TooMany,
        error @ PasswordError::Thread(_) => Fault::Inside(error.to_string()),
    }
}

/// Sends a browser on, with a GET.
pub(super) fn to(path: &str) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((LOCATION, path))
        .finish()
}

async fn show(site: &Site, name: &str, next: &str, wrong: bool) -> Result<HttpResponse, Fault> {
    let page = Page {
        title: "Sign in",
        owned: accounts::owner(site.store.database()).await?.is_some(),
        name,
        next,
        wrong,
    };
    let mut response = super::page::html(&page)?;
    if wrong {
        *response.status_mut() = StatusCode::FORBIDDEN;
    }
    Ok(response)
}
