//! Connecting a bot.
//!
//! In: a token, a bot id or neither (`draft.rs`). Out: a bot of the registry, and the page that says how to point it here. Invariant: a token
//! is asked of Telegram and kept only where that was wished, sealed; it stands in no page, address or log. Telegram away: the form
//! comes back with the bot id filled in, by which the bot can be connected all the same.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use gramtap_botapi::verify::{self, VerifyError};
use gramtap_events::tenant::Privacy;
use gramtap_telegram::Token;
use gramtap_tenants::NewTenant;

use super::draft::{self, Draft, Given, Way};
use super::trouble::Trouble;
use crate::query::audit::Action;
use crate::serve::audit::note;
use crate::serve::fault::Fault;
use crate::serve::form::Form;
use crate::serve::page::{Frame, html};
use crate::serve::viewer::Viewer;
use crate::serve::{Site, sign_in};

/// The modes of privacy, and what each keeps.
pub(super) const PRIVACY: [(Privacy, &str, &str); 4] = [
    (
        Privacy::Metadata,
        "Metadata",
        "Ids of users and chats, commands, buttons and start parameters, kinds and sizes; no texts and no names.",
    ),
    (
        Privacy::Pseudonymous,
        "Pseudonymous",
        "The same, with keyed hashes in the place of ids. Users are still told apart.",
    ),
    (
        Privacy::Full,
        "Full",
        "Everything but tokens and secrets: texts and names, too.",
    ),
    (
        Privacy::Off,
        "Off",
        "Method, status, sizes and times alone. Nothing is told of users.",
    ),
];

#[derive(Template)]
#[template(path = "add.html")]
struct Page {
    frame: Frame,
    draft: Draft,
    trouble: Option<Trouble>,
}

impl Page {
    fn modes(&self) -> &'static [(Privacy, &'static str, &'static str); 4] {
        &PRIVACY
    }
}

/// The page.
pub(in crate::serve) async fn page(viewer: Viewer) -> Result<HttpResponse, Fault> {
    html(&Page {
        frame: Frame::new("Connect a bot", viewer),
        draft: Draft::default(),
        trouble: None,
    })
}

/// The form of it.
pub(in crate::serve) async fn add(
    site: web::Data<Site>,
    viewer: Viewer,
    Form(given): Form<Given>,
) -> Result<HttpResponse, Fault> {
    let (mut draft, read) = draft::read(given);
    let (mut new, token) = match read {
        Ok(read) => read,
        Err(trouble) => return again(viewer, draft, trouble),
    };
    if let Some(token) = token {
        let bot = token.bot();
        if let Err(error) = prove(&site, &mut new, token, draft.store).await {
            draft.bot = bot.to_string();
            if !matches!(error, VerifyError::Refused { .. }) {
                draft.way = Way::Id;
            }
            return again(viewer, draft, Trouble::token(&error));
        }
    }
    connect(&site, &viewer, &new).await?.map_or_else(
        |trouble| again(viewer, draft, trouble),
        |code| Ok(sign_in::to(&format!("/bots/{code}/connect"))),
    )
}

/// Asks Telegram whose a token is, and makes the new bot that one. `store`: whether to keep the token.
pub(in crate::serve) async fn prove(
    site: &Site,
    new: &mut NewTenant,
    token: Token,
    store: bool,
) -> Result<(), VerifyError> {
    let known = verify::ask(&site.telegram, &token).await?;
    new.bot = Some(token.bot());
    // People know their bots by these names.
    let username = known.username().map(|name| format!("@{name}"));
    new.name = new.name.take().or(username);
    new.token = store.then_some(token);
    Ok(())
}

/// Asks the registry. Returns the bot's code.
pub(super) async fn connect(
    site: &Site,
    viewer: &Viewer,
    new: &NewTenant,
) -> Result<Result<gramtap_tenants::Code, Trouble>, Fault> {
    match site.registry.add(new).await {
        Ok(tenant) => {
            tracing::info!(code = %tenant.code, bot = tenant.bot.map(|bot| bot.0), "bot connected");
            note(site, &viewer.name, Action::Connect, Some(tenant.id), "").await?;
            Ok(Ok(tenant.code))
        }
        Err(error) => Ok(Err(Trouble::of(error)?)),
    }
}

fn again(viewer: Viewer, draft: Draft, trouble: Trouble) -> Result<HttpResponse, Fault> {
    let mut response = html(&Page {
        frame: Frame::new("Connect a bot", viewer),
        draft,
        trouble: Some(trouble),
    })?;
    *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    Ok(response)
}
