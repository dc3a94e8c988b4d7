//! Who calls, and what their key allows.
//!
//! In: the header `Authorization: Bearer gt_…` or `Api-Key: gt_…` of every request below `/v1`. Out: [`Caller`], an argument of every
//! handler there; else a [`Problem`]. Invariant: no handler is reached without a key that holds; a key is asked for in SQL each
//! time, so that a revoked one ends at once. Refusals are counted by address (`desk.rs`). SQL away: 503, never let in.

use std::future::{Ready, ready};

use actix_web::body::MessageBody;
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{FromRequest, HttpMessage, HttpRequest, ResponseError, web};

use super::problem::Problem;
use crate::serve::Site;
use crate::serve::bot::Bot;
use crate::serve::keys::kept::{self, Found, Key, Scope};
use crate::serve::keys::secret::Presented;

/// A script with a key that holds.
#[derive(Clone, Debug)]
pub struct Caller(pub Key);

impl Caller {
    /// What it is called where it is noted who did something.
    #[must_use]
    pub fn name(&self) -> String {
        format!("key {}", self.0.id)
    }

    /// Refuses what the key does not allow.
    pub fn may(&self, scope: Scope) -> Result<(), Problem> {
        match self.0.scopes.contains(&scope) {
            true => Ok(()),
            false => Err(Problem::Scope(scope)),
        }
    }

    /// Finds a bot that the key may see. One that it may not see is as unknown as one that is not there.
    pub async fn bot(&self, site: &Site, code: &str, scope: Scope) -> Result<Bot, Problem> {
        self.may(scope)?;
        let bot = Bot::find(site, code).await?;
        match self.0.sees(bot.id()) {
            true => Ok(bot),
            false => Err(Problem::Missing("bot")),
        }
    }
}

impl FromRequest for Caller {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let caller = request.extensions().get::<Self>().cloned();
        ready(caller.ok_or(Problem::NoKey))
    }
}

/// Lets in who has a key that holds.
pub async fn admit(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    match asked(&request).await {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            Ok(next.call(request).await?.map_into_left_body())
        }
        Err(problem) => {
            let response = problem.error_response();
            Ok(request.into_response(response).map_into_right_body())
        }
    }
}

async fn asked(request: &ServiceRequest) -> Result<Caller, Problem> {
    let Some(site) = request.app_data::<web::Data<Site>>() else {
        return Err(Problem::Broken("the site has no parts".to_owned()));
    };
    let desk = &site.desk;
    let now = (site.clock)();
    let address = site.client(request.head());
    let sent = sent(request.headers());
    let presented = sent.and_then(|text| Presented::read(text.trim()));
    if !desk.lets_in(address, presented.as_ref().map(|it| it.id.as_str()), now) {
        return Err(Problem::TooManyTries);
    }
    let Some(presented) = presented else {
        // Who sends none tries out nothing.
        return Err(match sent {
            None => Problem::NoKey,
            Some(_) => {
                desk.failed(address, now);
                Problem::BadKey("not one of this installation")
            }
        });
    };
    let database = site.store.database();
    let found = kept::find(database, &presented, &site.keys.access_key(), now).await?;
    let refused = match found {
        Found::Good(key) => {
            desk.knows(&key.id);
            if kept::is_due(&key, now) {
                note(site, &key, now);
            }
            return Ok(Caller(key));
        }
        Found::Unknown => "not one of this installation",
        Found::Revoked => "revoked",
        Found::Expired => "expired",
    };
    desk.failed(address, now);
    Err(Problem::BadKey(refused))
}

/// The key's text as it was sent.
fn sent(headers: &HeaderMap) -> Option<&str> {
    let text = |value: &'_ HeaderValue| value.to_str().ok().map(str::to_owned).is_some();
    if let Some(value) = headers.get("api-key").filter(|value| text(value)) {
        return value.to_str().ok();
    }
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, key) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(key)
}

/// Notes the use, which nobody waits for.
fn note(site: &web::Data<Site>, key: &Key, now: i64) {
    let (database, id) = (site.store.database().clone(), key.id.clone());
    let noted = async move {
        if let Err(error) = kept::note(&database, &id, now).await {
            tracing::warn!(%error, "the use of an api key is not noted");
        }
    };
    drop(gramtap_actors::spawn("key note", noted));
}
