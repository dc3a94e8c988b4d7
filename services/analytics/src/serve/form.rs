//! What a page's form sends.
//!
//! In: the body of a POST. Out: [`Form`], an argument of handlers for people who are signed in, and `Plain` for those who are not
//! yet. Invariant: a [`Form`] came from a page of the session that it acts for; what cannot be read is refused without being shown.

use actix_web::dev::Payload;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::{FromRequest, HttpRequest, web};
use futures_util::future::LocalBoxFuture;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use subtle::ConstantTimeEq;

use super::fault::Fault;
use super::viewer::Viewer;

/// Bytes of a form at most.
const LARGEST: usize = 64 * 1024;

/// A form of a page that somebody sees who is signed in, with its word of the session.
#[derive(Debug)]
pub struct Form<T>(pub T);

/// A form of a page that strangers see.
#[derive(Debug)]
pub(super) struct Plain<T>(pub(super) T);

#[derive(Deserialize)]
struct Word {
    csrf: String,
}

impl<T: DeserializeOwned> FromRequest for Form<T> {
    type Error = Fault;
    type Future = LocalBoxFuture<'static, Result<Self, Fault>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let viewer = Viewer::from_request(request, payload);
        let body = body(request, payload);
        Box::pin(async move {
            let viewer = viewer.await?;
            let body = body.await?;
            let word: Word = read(&body).map_err(|_| Fault::Forged)?;
            match word.csrf.as_bytes().ct_eq(viewer.csrf.as_bytes()).into() {
                true => Ok(Self(read(&body)?)),
                false => Err(Fault::Forged),
            }
        })
    }
}

impl<T: DeserializeOwned> FromRequest for Plain<T> {
    type Error = Fault;
    type Future = LocalBoxFuture<'static, Result<Self, Fault>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let body = body(request, payload);
        Box::pin(async move { Ok(Self(read(&body.await?)?)) })
    }
}

fn body(
    request: &HttpRequest,
    payload: &mut Payload,
) -> impl Future<Output = Result<String, Fault>> + use<> {
    let kind = request.headers().get(CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or("");
    let is_form = kind.starts_with("application/x-www-form-urlencoded");
    let bytes = web::Bytes::from_request(request, payload);
    async move {
        let bytes = bytes.await.map_err(|_| unread())?;
        match String::from_utf8(bytes.to_vec()) {
            Ok(text) if is_form && text.len() <= LARGEST => Ok(text),
            _ => Err(unread()),
        }
    }
}

fn read<T: DeserializeOwned>(body: &str) -> Result<T, Fault> {
    // The same escapes as those of a query.
    web::Query::from_query(body)
        .map(web::Query::into_inner)
        .map_err(|_| unread())
}

fn unread() -> Fault {
    Fault::Refused(
        "The form could not be read. Load the page again and send it once more.".to_owned(),
    )
}
