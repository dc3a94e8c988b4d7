//! Finds out who asks, before any page is made.
//!
//! In: the cookie of a request. Out: a [`Viewer`] for the handlers, where the session is not over; a fault where another site
//! sends a form. Invariant: what is not a plain read comes from a page of ours, or from no browser at all; one indexed read of SQL for
//! each request with a cookie that this installation has signed, none for any other. SQL away: a page that says so.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HOST, HeaderMap, ORIGIN};
use actix_web::middleware::Next;
use actix_web::{HttpMessage, HttpRequest, web};

use super::Site;
use super::door::{cookie, sessions};
use super::fault::Fault;
use super::viewer::Viewer;

/// The middleware.
pub(super) async fn enter(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    match look(&request).await {
        Ok(()) => Ok(next.call(request).await?.map_into_boxed_body()),
        Err(fault) => Ok(request.error_response(fault).map_into_boxed_body()),
    }
}

async fn look(request: &ServiceRequest) -> Result<(), Fault> {
    let Some(site) = request.app_data::<web::Data<Site>>() else {
        return Ok(());
    };
    if !request.method().is_safe() && is_foreign(request.headers(), &site.url) {
        return Err(Fault::Forged);
    }
    if request.path().starts_with("/assets/") {
        return Ok(());
    }
    let Some(id) = id(request.request(), site) else {
        return Ok(());
    };
    let session = sessions::find(site.store.database(), &id, (site.clock)()).await?;
    if let Some(session) = session {
        request.extensions_mut().insert(Viewer {
            account: session.account,
            name: session.name,
            owner: session.owner,
            csrf: session.csrf,
        });
    }
    Ok(())
}

/// The id of the session that a request says it is in.
pub(super) fn id(request: &HttpRequest, site: &Site) -> Option<cookie::Id> {
    let sent = request.cookie(cookie::name(&site.url))?;
    cookie::open(&site.keys, sent.value())
}

/// Whether a browser says that a page of another site sent it. Scripts say nothing.
fn is_foreign(headers: &HeaderMap, url: &str) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or(""));
    if let Some(site) = text("sec-fetch-site") {
        return site != "same-origin";
    }
    let Some(origin) = text(ORIGIN.as_str()) else {
        return false;
    };
    let here = text(HOST.as_str()).unwrap_or("");
    let host = origin.split_once("://").map(|(_, host)| host);
    origin != url && (here.is_empty() || host != Some(here))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use actix_web::http::header::{HeaderName, HeaderValue};

    #[test]
    fn forms_of_other_sites_are_told_from_ours() {
        for (headers, foreign) in [
            (&[][..], false),
            (&[("sec-fetch-site", "same-origin")], false),
            (&[("sec-fetch-site", "same-site")], true),
            (&[("sec-fetch-site", "cross-site")], true),
            (&[("sec-fetch-site", "none")], true),
            (&[("sec-fetch-site", "é")], true),
            (&[("origin", "https://console.example")], false),
            (
                &[
                    ("origin", "http://10.0.0.7:8090"),
                    ("host", "10.0.0.7:8090"),
                ],
                false,
            ),
            (
                &[
                    ("origin", "https://evil.example"),
                    ("host", "console.example"),
                ],
                true,
            ),
            (&[("origin", "https://evil.example")], true),
            (&[("origin", "null"), ("host", "console.example")], true),
            (&[("origin", "null")], true),
            (&[("origin", ""), ("host", "")], true),
            (
                &[
                    ("origin", "https://console.example"),
                    ("sec-fetch-site", "cross-site"),
                ],
                true,
            ),
        ] {
            let mut map = HeaderMap::new();
            for (name, value) in headers {
                let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
                map.insert(HeaderName::from_static(name), value);
            }
            assert_eq!(
                is_foreign(&map, "https://console.example"),
                foreign,
                "{headers:?}"
            );
        }
    }
}
