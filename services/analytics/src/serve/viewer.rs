//! Who asks for a page.
//!
//! In: what `session.rs` found out about the request. Out: [`Viewer`], an argument of every handler that shows anything.
//! Invariant: a handler with a [`Viewer`] is never called for a stranger: they are sent to sign in.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest};

use super::fault::Fault;

/// Somebody who is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Viewer {
    /// The account's id.
    pub account: String,
    /// What they are called.
    pub name: String,
    /// What every form of theirs must send back.
    pub csrf: String,
}

impl FromRequest for Viewer {
    type Error = Fault;
    type Future = Ready<Result<Self, Fault>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let viewer = request.extensions().get::<Self>().cloned();
        ready(viewer.ok_or_else(|| Fault::Stranger(request.uri().to_string())))
    }
}
