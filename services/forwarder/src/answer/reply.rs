//! The method that an endpoint's answer asks for.
//!
//! In: the answer's type, encoding and body. Out: a [`Reply`]. The rules are those of tdlib/telegram-bot-api: JSON, a form, or multipart with files, told by
//! a part of the Content-Type's text; the first value of a name counts; what cannot be read so asks for nothing. Invariant: a method that Telegram does
//! not execute from an answer is not executed here. Pure.

use std::borrow::Cow;
use std::io::Read as _;

use bytes::Bytes;
use flate2::read::{GzDecoder, ZlibDecoder};
use gramtap_events::call::Shape;
use gramtap_telegram::Method;
use memchr::memmem;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::sync::OwnedSemaphorePermit;

/// What a packed answer may unpack to, in bytes: parameters have 1 MiB, files come besides.
const UNPACKED: u64 = 16 * 1024 * 1024;

/// What an answer asks for.
#[derive(Debug)]
pub(crate) enum Reply {
    /// Nothing.
    Nothing,
    /// A method that is to be executed.
    Execute(Asked),
    /// What is not. The method, where it is one, and a fixed word.
    Refuse(Option<String>, &'static str),
}

/// A method with its parameters, as they came.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) method: Method,
    /// Of the parameters, where it is a number.
    pub(crate) chat_id: Option<i64>,
    pub(crate) shape: Shape,
    /// The `Content-Type`.
    pub(crate) kind: Vec<u8>,
    /// The `Content-Encoding`.
    pub(crate) encoding: Option<Vec<u8>>,
    pub(crate) body: Bytes,
    /// Its share of the memory for answers.
    pub(crate) _room: Option<OwnedSemaphorePermit>,
}

impl Reply {
    /// Whether nothing is asked for.
    pub(crate) fn is_nothing(&self) -> bool {
        matches!(self, Self::Nothing)
    }

    /// The method, as deliveries.v1 tells it.
    pub(crate) fn method(&self) -> Option<String> {
        match self {
            Self::Nothing => None,
            Self::Execute(asked) => Some(asked.method.as_str().to_owned()),
            Self::Refuse(method, _) => method.clone(),
        }
    }

    /// Reads an answer.
    pub(crate) fn read(
        kind: &[u8],
        encoding: Option<&[u8]>,
        body: Bytes,
        room: Option<OwnedSemaphorePermit>,
    ) -> Self {
        let Some(shape) = shape(kind).filter(|_| !body.is_empty()) else {
            return Self::Nothing;
        };
        let Some(plain) = unpack(encoding, &body) else {
            return Self::Refuse(None, "reply_unreadable");
        };
        let field = |name: &str| match shape {
            Shape::Json => json(&plain, name),
            Shape::Form => form(&plain, name),
            _ => multipart(&plain, kind, name),
        };
        let Some(name) = field("method").filter(|name| !name.is_empty()) else {
            return Self::Nothing;
        };
        if !name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        {
            return Self::Refuse(None, "reply_unreadable");
        }
        let method = Method::named(&name);
        if !is_executed(&method) {
            return Self::Refuse(Some(method.as_str().to_owned()), "reply_forbidden");
        }
        let chat_id = field("chat_id").and_then(|id| id.parse().ok());
        Self::Execute(Asked {
            method,
            chat_id,
            shape,
            kind: kind.to_vec(),
            encoding: encoding.map(<[u8]>::to_vec),
            body,
            _room: room,
        })
    }
}

/// Whether Telegram executes a method that stands in an answer.
fn is_executed(method: &Method) -> bool {
    let name = method.as_str().to_ascii_lowercase();
    let never = ["setwebhook", "deletewebhook", "close", "logout"];
    !name.starts_with("get") && !never.contains(&name.as_str())
}

fn shape(kind: &[u8]) -> Option<Shape> {
    let kind = kind.to_ascii_lowercase();
    let has = |text: &str| memmem::find(&kind, text.as_bytes()).is_some();
    [
        ("application/json", Shape::Json),
        ("application/x-www-form-urlencoded", Shape::Form),
        ("multipart/form-data", Shape::Multipart),
    ]
    .into_iter()
    .find(|(text, _)| has(text))
    .map(|(_, shape)| shape)
}

/// None: it is packed in a way that is not known, or damaged, or too large.
fn unpack<'a>(encoding: Option<&[u8]>, body: &'a [u8]) -> Option<Cow<'a, [u8]>> {
    let encoding = encoding.map(|it| it.trim_ascii().to_ascii_lowercase());
    let mut unpacked = Vec::new();
    let most = UNPACKED + 1;
    match encoding.as_deref() {
        None | Some(b"" | b"identity") => return Some(body.into()),
        Some(b"gzip" | b"x-gzip") => GzDecoder::new(body).take(most).read_to_end(&mut unpacked),
        Some(b"deflate") => ZlibDecoder::new(body).take(most).read_to_end(&mut unpacked),
        Some(_) => return None,
    }
    .ok()?;
    (u64::try_from(unpacked.len()).ok()? < most).then_some(unpacked.into())
}

fn json(body: &[u8], name: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Fields<'a> {
        #[serde(borrow, default)]
        method: Option<Cow<'a, str>>,
        #[serde(borrow, default)]
        chat_id: Option<&'a RawValue>,
    }
    // A list is read as fields in order, too.
    let body = body.trim_ascii_start();
    let body = body.starts_with(b"{").then_some(body)?;
    let fields: Fields<'_> = serde_json::from_slice(body).ok()?;
    match name {
        "method" => fields.method.map(Cow::into_owned),
        _ => fields
            .chat_id
            .map(|id| id.get().trim_matches('"').to_owned()),
    }
}

fn form(body: &[u8], name: &str) -> Option<String> {
    let mut pairs = url::form_urlencoded::parse(body);
    pairs
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}

fn multipart(body: &[u8], kind: &[u8], name: &str) -> Option<String> {
    let kind = str::from_utf8(kind).ok()?;
    let mut parameters = kind.split(';').map(str::trim);
    let boundary = parameters.find_map(|it| parameter(it, "boundary"))?;
    let delimiter = format!("--{boundary}");
    let starts: Vec<usize> = memmem::find_iter(body, &delimiter)
        .filter(|at| *at == 0 || body[..*at].ends_with(b"\r\n"))
        .collect();
    starts.windows(2).find_map(|pair| {
        let part = body.get(pair[0] + delimiter.len() + 2..pair[1] - 2)?;
        let end = memmem::find(part, b"\r\n\r\n")?;
        let head = str::from_utf8(&part[..end]).ok()?;
        let named = head.lines().flat_map(|line| line.split(';')).map(str::trim);
        let is_it = named
            .filter_map(|it| parameter(it, "name"))
            .any(|it| it == name);
        let value = || str::from_utf8(&part[end + 4..]).ok().map(str::to_owned);
        is_it.then(value).flatten()
    })
}

/// The value of `name=value` or `name="value"`.
fn parameter<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (key, value) = text.split_once('=')?;
    let fits = key.trim().eq_ignore_ascii_case(name);
    fits.then(|| value.trim().trim_matches('"'))
}

#[cfg(test)]
mod tests;
