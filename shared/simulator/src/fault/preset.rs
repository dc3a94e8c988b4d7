//! The usual faults by name.
//!
//! In: a name and its numbers, over HTTP; or the functions of [`Fault`], in Rust. Out: a [`Fault`],
//! to be narrowed by bot, method and number. Texts are Telegram's and nginx's own.

use serde_json::{Map, Value};

use super::{Closing, Cut, Early, Fault, Part, Slow};
use crate::fail::Failure;
use crate::http::answer::{Answer, Delimited};

/// The names that [`Fault::named`] knows, with the numbers each takes.
pub(crate) const NAMES: &str = "\
unauthorized misdirected blocked deactivated kicked not_a_member never_started not_found conflict webhook_active
flood{seconds=3} migrated{chat=-1001} status{status=500} nginx{status=502} empty{status=504}
too_large too_large_early too_large_early_close slow_head{bytes=8,every_ms=50} slow_body{bytes=16,every_ms=50}
cut_before_head cut_in_head cut_in_body cut_in_chunks reset_before_head reset_in_body
chunked until_close both_framings interim gzip no_content_type silent_close";

impl Fault {
    /// A fault by its name; `numbers` as in the list above, defaults for those left out.
    pub(crate) fn named(name: &str, numbers: &mut Map<String, Value>) -> Option<Self> {
        let mut number = |key: &str, default: i64| {
            numbers
                .remove(key)
                .and_then(|value| value.as_i64())
                .unwrap_or(default)
        };
        Some(match name {
            "unauthorized" => Self::unauthorized(),
            "misdirected" => Self::failure(&Failure::new(
                421,
                "Misdirected Request: unallowed token specified",
            )),
            "blocked" => Self::forbidden("bot was blocked by the user"),
            "deactivated" => Self::forbidden("user is deactivated"),
            "kicked" => Self::forbidden("bot was kicked from the group chat"),
            "not_a_member" => Self::forbidden("bot is not a member of the channel chat"),
            "never_started" => Self::forbidden("bot can't initiate conversation with a user"),
            "not_found" => Self::failure(&Failure::new(404, "Not Found")),
            "conflict" => Self::failure(&Failure::conflict(
                "terminated by other getUpdates request; make sure that only one bot instance is running",
            )),
            "webhook_active" => Self::failure(&Failure::conflict(
                "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
            )),
            "flood" => Self::flood(u32::try_from(number("seconds", 3)).unwrap_or(3)),
            "migrated" => Self::failure(&Failure::migrated(number("chat", -1001))),
            "status" => Self::status(code(number("status", 500))),
            "nginx" => Self::nginx(code(number("status", 502))),
            "empty" => Self::empty(code(number("status", 504))),
            "too_large" => Self::nginx(413),
            "too_large_early" => Self::too_large_early(Early::Drain),
            "too_large_early_close" => Self::too_large_early(Early::Close),
            "slow_head" => Self::slow(
                Part::Head,
                size(number("bytes", 8)),
                number("every_ms", 50).unsigned_abs(),
            ),
            "slow_body" => Self::slow(
                Part::Body,
                size(number("bytes", 16)),
                number("every_ms", 50).unsigned_abs(),
            ),
            "cut_before_head" => Self::cut(Part::Head, 0, false),
            "cut_in_head" => Self::cut(Part::Head, 40, false),
            "cut_in_body" => Self::cut(Part::Body, 10, false),
            "cut_in_chunks" => Self {
                delimited: Some(Delimited::Chunked),
                chunk: Some(6),
                ..Self::cut(Part::Body, 20, false)
            },
            "reset_before_head" => Self::cut(Part::Head, 0, true),
            "reset_in_body" => Self::cut(Part::Body, 10, true),
            "chunked" => Self::delimited(Delimited::Chunked),
            "until_close" => Self::delimited(Delimited::Close),
            "both_framings" => Self::delimited(Delimited::LengthAndChunked),
            "interim" => Self {
                interim: vec![103],
                ..Self::default()
            },
            "gzip" => Self {
                gzip: true,
                ..Self::default()
            },
            "no_content_type" => Self {
                content_type: Some(String::new()),
                ..Self::default()
            },
            "silent_close" => Self {
                close: Some(Closing::Silent),
                ..Self::default()
            },
            _ => return None,
        })
    }

    /// For this bot alone.
    #[must_use]
    pub fn bot(mut self, bot: i64) -> Self {
        self.bot = Some(bot);
        self
    }

    /// For this method alone; `file` for downloads.
    #[must_use]
    pub fn method(mut self, method: &str) -> Self {
        self.method = Some(method.to_owned());
        self
    }

    /// So often, then never again.
    #[must_use]
    pub fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }

    /// 401: the token was revoked.
    #[must_use]
    pub fn unauthorized() -> Self {
        Self::failure(&Failure::new(401, "Unauthorized"))
    }

    /// 403 with this text after `Forbidden: `.
    #[must_use]
    pub fn forbidden(text: &str) -> Self {
        Self::failure(&Failure::forbidden(text))
    }

    /// 429, with the seconds in text, parameters and header.
    #[must_use]
    pub fn flood(seconds: u32) -> Self {
        Self {
            headers: vec![("Retry-After".to_owned(), seconds.to_string())],
            ..Self::failure(&Failure::flood(seconds))
        }
    }

    /// A status as Telegram's JSON, the standard phrase as its description.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self {
            status: Some(status),
            ..Self::default()
        }
    }

    /// A status as the page of the front server.
    #[must_use]
    pub fn nginx(status: u16) -> Self {
        let page = Answer::nginx(status);
        let body = page.content.piece(&page.range, usize::MAX);
        Self {
            status: Some(status),
            content_type: page.content_type.map(std::borrow::Cow::into_owned),
            body: Some(String::from_utf8_lossy(&body).into_owned()),
            ..Self::default()
        }
    }

    /// A status without a body and without a Content-Type.
    #[must_use]
    pub fn empty(status: u16) -> Self {
        Self {
            status: Some(status),
            content_type: Some(String::new()),
            body: Some(String::new()),
            ..Self::default()
        }
    }

    /// 413 as soon as the head is there, while the upload still comes.
    #[must_use]
    pub fn too_large_early(then: Early) -> Self {
        Self {
            early: Some(then),
            ..Self::nginx(413)
        }
    }

    /// The true answer, written slowly.
    #[must_use]
    pub fn slow(part: Part, bytes: usize, every_ms: u64) -> Self {
        Self {
            slow: Some(Slow {
                part,
                bytes: bytes.max(1),
                every_ms,
            }),
            ..Self::default()
        }
    }

    /// The true answer, cut; the call has been carried out.
    #[must_use]
    pub fn cut(part: Part, after: u64, reset: bool) -> Self {
        Self {
            cut: Some(Cut { part, after, reset }),
            ..Self::default()
        }
    }

    /// The true answer, delimited otherwise.
    #[must_use]
    pub fn delimited(delimited: Delimited) -> Self {
        Self {
            delimited: Some(delimited),
            ..Self::default()
        }
    }

    /// The true answer, compressed and chunked.
    pub(crate) fn compressed() -> Self {
        Self {
            gzip: true,
            ..Self::delimited(Delimited::Chunked)
        }
    }

    fn failure(failure: &Failure) -> Self {
        Self {
            status: Some(failure.code),
            body: Some(failure.body()),
            ..Self::default()
        }
    }
}

fn code(number: i64) -> u16 {
    u16::try_from(number)
        .ok()
        .filter(|code| (200..=599).contains(code))
        .unwrap_or(500)
}

fn size(number: i64) -> usize {
    usize::try_from(number).unwrap_or(1).max(1)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_name_is_known_and_survives_json() {
        for word in NAMES.split_whitespace() {
            let name = word.split('{').next().unwrap();
            let fault = Fault::named(name, &mut Map::new()).unwrap_or_else(|| panic!("{name}"));
            let json = serde_json::to_string(&fault).unwrap();
            assert_eq!(
                serde_json::from_str::<Fault>(&json).unwrap(),
                fault,
                "{name}"
            );
        }
        assert!(Fault::named("nonsense", &mut Map::new()).is_none());
    }
}
