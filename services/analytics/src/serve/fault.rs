//! What a page answers when it cannot be shown.
//!
//! In: everything that fails on the way. Out: a page that says what happened and what to do, or the way to sign in.
//! Invariant: nothing of the inside is shown; what is a fault of ours or of SQL is logged here, once.

use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use actix_web::{HttpResponse, ResponseError};
use askama::Template;
use gramtap_bus::ConsumeError;
use gramtap_tenants::RegistryError;

use super::door::links::LinkError;
use crate::store::StoreError;

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// Nobody is signed in; the page that they wanted.
    #[error("nobody is signed in")]
    Stranger(String),
    /// There is no such thing.
    #[error("there is no such {0}")]
    Missing(&'static str),
    /// What was asked for cannot be; the text says what can.
    #[error("{0}")]
    Refused(String),
    /// A form came without the word that only our pages know.
    #[error("the form is not one of this session")]
    Forged,
    /// Too often.
    #[error("too many tries")]
    TooMany,
    /// SQL.
    #[error(transparent)]
    Database(#[from] gramtap_database::Error),
    /// The sums.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The registry.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The bus.
    #[error(transparent)]
    Bus(#[from] ConsumeError),
    /// The system: no thread, no randomness.
    #[error("{0}")]
    Inside(String),
    /// A template.
    #[error(transparent)]
    Template(#[from] askama::Error),
}

impl From<LinkError> for Fault {
    fn from(error: LinkError) -> Self {
        match error {
            LinkError::Database(error) => Self::Database(error),
            LinkError::Random(error) => Self::Inside(error.to_string()),
        }
    }
}

impl Fault {
    /// What people read: what happened, and what to do.
    #[must_use]
    pub fn texts(&self) -> (&'static str, String) {
        match self {
            Self::Stranger(_) => ("Sign in first", String::new()),
            Self::Missing(what) => (
                "Not found",
                format!("There is no such {what}. It may have been removed, or the address is mistyped."),
            ),
            Self::Refused(text) => ("That cannot be done", text.clone()),
            Self::Forged => (
                "The form is too old",
                "The page was open for too long, or in another session. Go back, load it again and send it once more."
                    .to_owned(),
            ),
            Self::TooMany => ("Too many tries", "Wait a minute, then try again.".to_owned()),
            Self::Database(_) | Self::Store(_) | Self::Registry(_) => (
                "The database does not answer",
                "Bots are served all the same, and nothing is lost: the numbers are here again when it is back. \
                 `gramtap doctor` tells what is wrong with it."
                    .to_owned(),
            ),
            Self::Bus(_) => (
                "The records cannot be read",
                "Bots are served all the same. `gramtap doctor` tells what is wrong.".to_owned(),
            ),
            Self::Inside(_) => (
                "Gramtap could not do it",
                "The system refused it; the log of gramtap-analytics says what. Try again in a moment."
                    .to_owned(),
            ),
            Self::Template(_) => (
                "This page is broken",
                "The log of gramtap-analytics says why.".to_owned(),
            ),
        }
    }
}

#[derive(Template)]
#[template(path = "fault.html")]
struct Shown<'a> {
    title: &'a str,
    text: &'a str,
    again: bool,
}

impl ResponseError for Fault {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Stranger(_) => StatusCode::SEE_OTHER,
            Self::Missing(_) => StatusCode::NOT_FOUND,
            Self::Refused(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Forged => StatusCode::FORBIDDEN,
            Self::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Self::Database(_) | Self::Store(_) | Self::Registry(_) | Self::Bus(_) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::Inside(_) | Self::Template(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let status = self.status_code();
        let mut response = HttpResponse::build(status);
        if let Self::Stranger(wanted) = self {
            let wanted = askama::filters::urlencode_strict(wanted).map(|it| it.to_string());
            let wanted = wanted.unwrap_or_default();
            return response
                .insert_header((LOCATION, format!("/sign-in?next={wanted}")))
                .finish();
        }
        if status.is_server_error() {
            tracing::error!(error = %self, "a page could not be shown");
        }
        let (title, text) = self.texts();
        let again = status == StatusCode::SERVICE_UNAVAILABLE;
        let shown = Shown {
            title,
            text: &text,
            again,
        };
        let body = shown.render().unwrap_or_else(|_| text.clone());
        response.content_type("text/html; charset=utf-8").body(body)
    }
}
