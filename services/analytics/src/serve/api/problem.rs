//! What a script is answered when it cannot have what it asked for: RFC 9457.
//!
//! In: everything that fails on the way. Out: `application/problem+json` with a type that never changes, what happened, and what to do.
//! Invariant: nothing of the inside and no secret is in it; what is a fault of ours or of SQL is logged here, once.

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use gramtap_botapi::verify::VerifyError;
use gramtap_bus::ConsumeError;
use gramtap_tenants::RegistryError;
use serde::Serialize;
use utoipa::ToSchema;

use crate::serve::fault::Fault;
use crate::serve::keys::kept::Scope;
use crate::store::StoreError;

/// The kind of the body.
pub const KIND: &str = "application/problem+json";

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// No key came, or none that can be read.
    #[error("the request has no API key")]
    NoKey,
    /// The key does not hold; the word says why.
    #[error("the API key is {0}")]
    BadKey(&'static str),
    /// The key lacks a scope.
    #[error("the API key lacks the scope {}", .0.as_str())]
    Scope(Scope),
    /// The key may see some bots only, and this is for those that may see all.
    #[error("the API key may see some bots only")]
    SomeBots,
    /// There is no such thing, or the key may not see it.
    #[error("there is no such {0}")]
    Missing(&'static str),
    /// Another method is needed.
    #[error("this path takes {0}")]
    Method(&'static str),
    /// The bot is connected already.
    #[error("the bot is connected already, with the code {0}")]
    Connected(String),
    /// Too long.
    #[error("the body is larger than {0} bytes")]
    TooLarge(usize),
    /// Not JSON.
    #[error("the body is not application/json")]
    NotJson,
    /// What was asked for cannot be; the text names the field and says what can.
    #[error("{0}")]
    Refused(String),
    /// Too many refused keys from this address.
    #[error("too many refused keys")]
    TooManyTries,
    /// No room for one more reader of records.
    #[error("too many readers at once")]
    Busy,
    /// Telegram does not say whose a token is.
    #[error(transparent)]
    Telegram(VerifyError),
    /// SQL.
    #[error(transparent)]
    Database(#[from] gramtap_database::Error),
    /// The sums.
    #[error(transparent)]
    Store(StoreError),
    /// The registry.
    #[error(transparent)]
    Registry(RegistryError),
    /// The bus.
    #[error(transparent)]
    Bus(#[from] ConsumeError),
    /// A fault of ours.
    #[error("{0}")]
    Broken(String),
}

/// What went wrong, as RFC 9457 has it.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct Told<'a> {
    /// Which problem it is: `urn:gramtap:problem:` and a word that never changes.
    #[serde(rename = "type")]
    kind: String,
    /// The same in a few words.
    title: &'a str,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What happened this time.
    detail: String,
    /// What to do.
    remedy: &'a str,
}

impl Problem {
    /// The word of its type, its title, and what to do.
    fn words(&self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::NoKey => (
                "no-key",
                "An API key is needed",
                "Send the header `Authorization: Bearer gt_…` (or `Api-Key: gt_…`). Keys are made in the console, under API keys.",
            ),
            Self::BadKey(_) => (
                "bad-key",
                "The API key does not hold",
                "Make a new key in the console, under API keys.",
            ),
            Self::Scope(_) | Self::SomeBots => (
                "not-allowed",
                "The API key does not allow this",
                "Make a key that does in the console, under API keys.",
            ),
            Self::Missing(_) => (
                "not-found",
                "Not found",
                "Look at /v1/openapi.json for the paths and at /v1/bots for the bots that this key may see.",
            ),
            Self::Method(_) => (
                "method",
                "Another method is needed",
                "Look at the header Allow.",
            ),
            Self::Connected(_) => (
                "connected",
                "The bot is connected already",
                "Use the code that the detail names, or remove that bot first.",
            ),
            Self::TooLarge(_) => ("too-large", "The body is too large", "Send less."),
            Self::NotJson => (
                "not-json",
                "The body has another type",
                "Send JSON, with the header `Content-Type: application/json`.",
            ),
            Self::Refused(_) => (
                "refused",
                "That cannot be done",
                "Change what the detail names.",
            ),
            Self::TooManyTries => (
                "too-many-tries",
                "Too many refused keys",
                "Wait for the seconds of Retry-After, and use a key that holds.",
            ),
            Self::Busy => (
                "busy",
                "Too many readers at once",
                "Ask again after the seconds of Retry-After, or end another download.",
            ),
            Self::Telegram(_) => (
                "telegram",
                "Telegram does not say whose the token is",
                "Ask again later; or send the bot's id as `bot` in the place of `token`: then Telegram is not asked.",
            ),
            Self::Database(_) | Self::Store(_) | Self::Registry(_) => (
                "database",
                "The database does not answer",
                "Ask again later. Bots are served all the same, and nothing is lost.",
            ),
            Self::Bus(_) => (
                "records",
                "The records cannot be read",
                "Ask again later. Bots are served all the same.",
            ),
            Self::Broken(_) => (
                "broken",
                "A fault of Gramtap",
                "The log of gramtap-analytics says more.",
            ),
        }
    }

    /// What a script reads; nothing of the inside.
    fn detail(&self) -> String {
        match self {
            Self::Database(_) | Self::Store(_) | Self::Registry(_) | Self::Bus(_) => {
                "It was asked and did not answer as it should.".to_owned()
            }
            Self::Broken(_) => "The answer could not be made.".to_owned(),
            Self::Telegram(VerifyError::Unclear { told, .. }) => {
                format!("It answered: {told}.")
            }
            Self::Telegram(_) => {
                "There was no answer, or one of something else: the log of gramtap-analytics says more.".to_owned()
            }
            // It begins with the field's name, as that is written.
            Self::Refused(text) => format!("{text}."),
            told => {
                let text = told.to_string();
                let mut letters = text.chars();
                let first = letters.next().map(|letter| letter.to_ascii_uppercase());
                first.into_iter().chain(letters).chain(['.']).collect()
            }
        }
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::NoKey | Self::BadKey(_) => StatusCode::UNAUTHORIZED,
            Self::Scope(_) | Self::SomeBots => StatusCode::FORBIDDEN,
            Self::Missing(_) => StatusCode::NOT_FOUND,
            Self::Method(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::Connected(_) => StatusCode::CONFLICT,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::NotJson => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Refused(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooManyTries => StatusCode::TOO_MANY_REQUESTS,
            Self::Telegram(_) => StatusCode::BAD_GATEWAY,
            Self::Busy | Self::Database(_) | Self::Store(_) | Self::Registry(_) | Self::Bus(_) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::Broken(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let status = self.status_code();
        if status.is_server_error() && !matches!(self, Self::Busy) {
            tracing::error!(error = %self, "a script was not answered");
        }
        let (word, title, remedy) = self.words();
        let told = Told {
            kind: format!("urn:gramtap:problem:{word}"),
            title,
            status: status.as_u16(),
            detail: self.detail(),
            remedy,
        };
        let mut response = HttpResponse::build(status);
        response.insert_header((CONTENT_TYPE, KIND));
        match self {
            Self::NoKey => drop(response.insert_header((WWW_AUTHENTICATE, "Bearer"))),
            Self::BadKey(_) => {
                let told = "Bearer error=\"invalid_token\"";
                response.insert_header((WWW_AUTHENTICATE, told));
            }
            Self::Method(allowed) => drop(response.insert_header((ALLOW, *allowed))),
            Self::TooManyTries => drop(response.insert_header((RETRY_AFTER, "60"))),
            _ if status == StatusCode::SERVICE_UNAVAILABLE => {
                response.insert_header((RETRY_AFTER, "5"));
            }
            _ => {}
        }
        response.body(serde_json::to_vec(&told).unwrap_or_default())
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Zone(unknown) => Self::Refused(format!("time_zone: {unknown}")),
            error => Self::Store(error),
        }
    }
}

impl From<RegistryError> for Problem {
    fn from(error: RegistryError) -> Self {
        match error {
            RegistryError::Connected { code, .. } => Self::Connected(code.to_string()),
            RegistryError::UnknownCode(_) => Self::Missing("bot"),
            error @ (RegistryError::Name
            | RegistryError::NoWebhook(_)
            | RegistryError::Released(_)
            | RegistryError::OtherBot { .. }) => Self::Refused(error.to_string()),
            error => Self::Registry(error),
        }
    }
}

impl From<VerifyError> for Problem {
    fn from(error: VerifyError) -> Self {
        match error {
            VerifyError::Refused { bot, told } => Self::Refused(format!(
                "token: Telegram refuses that of bot {bot}: {told}; copy it again from @BotFather, it may have been revoked"
            )),
            error => Self::Telegram(error),
        }
    }
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Missing(what) => Self::Missing(what),
            Fault::Database(error) => Self::Database(error),
            Fault::Store(error) => error.into(),
            Fault::Registry(error) => error.into(),
            Fault::Bus(error) => Self::Bus(error),
            Fault::Refused(text) => Self::Refused(text),
            fault => Self::Broken(fault.to_string()),
        }
    }
}
