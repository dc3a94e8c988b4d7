//! Who asks for a page.
//!
//! In: what `session.rs` found out about the request. Out: [`Viewer`], an argument of every handler that shows anything.
//! Invariant: a handler with a [`Viewer`] is never called for a stranger: they are sent to sign in.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::REFERER;
use actix_web::{FromRequest, HttpMessage, HttpRequest};

use super::fault::Fault;

/// Somebody who is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Viewer {
    /// The account's id.
    pub account: String,
    /// What they are called.
    pub name: String,
    /// Whether they own the console.
    pub owner: bool,
    /// What every form of theirs must send back.
    pub csrf: String,
}

impl FromRequest for Viewer {
    type Error = Fault;
    type Future = Ready<Result<Self, Fault>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let viewer = request.extensions().get::<Self>().cloned();
        ready(viewer.ok_or_else(|| Fault::Stranger(wanted(request))))
    }
}

/// Where somebody who has signed in goes: the page that was asked for, or whose form was sent too late.
fn wanted(request: &HttpRequest) -> String {
    if request.method().is_safe() {
        return request.uri().to_string();
    }
    let page = request.headers().get(REFERER);
    let page = page.and_then(|page| page.to_str().ok()?.split_once("://"));
    let path = page.and_then(|(_, rest)| Some(rest[rest.find('/')?..].to_owned()));
    path.unwrap_or_default()
}
