//! Scripted faults: what goes wrong, for whom, how often.
//!
//! In: the control API. Out: `connection.rs`, which asks once when a head has arrived (for answers
//! before the body) and once when the body has, and `connection/send.rs`, which writes accordingly.
//! A fault is a set of small deviations that combine; [`preset`] names the usual ones.
//! Invariant: the first armed fault that fits is played, and counted; with none armed it costs one load.

pub(crate) mod preset;

use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};

use crate::content::Content;
use crate::fail::Failure;
use crate::http::answer::{Answer, Delimited, phrase};
use crate::http::arguments::Arguments;
use crate::route::{Environment, Route};

/// What goes wrong, and for which requests. Everything left out stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Fault {
    /// Only this bot's requests.
    pub bot: Option<i64>,
    /// Only this method, in any case; `file` for downloads.
    pub method: Option<String>,
    /// Only this environment.
    pub environment: Option<Environment>,
    /// Only calls with this argument.
    pub argument: Option<(String, String)>,
    /// Not the first ones that fit.
    pub skip: u64,
    /// So often, then never again; always if not given.
    pub times: Option<u64>,

    /// Answer with this status. Without a body of its own it gets Telegram's JSON for it.
    pub status: Option<u16>,
    /// Answer with this reason phrase.
    pub reason: Option<String>,
    /// Answer with this Content-Type; empty: with none.
    pub content_type: Option<String>,
    /// More header fields, as written here.
    pub headers: Vec<(String, String)>,
    /// Answer with this body.
    pub body: Option<String>,
    /// The call is carried out although its answer is scripted.
    pub perform: bool,
    /// Answer as soon as the head has arrived, and then do this with the body that still comes.
    pub early: Option<Early>,
    /// Heads of 1xx answers before the answer's own.
    pub interim: Vec<u16>,
    /// How the body is delimited.
    pub delimited: Option<Delimited>,
    /// Bytes per chunk, where the body is chunked; 4,096 if not given.
    pub chunk: Option<usize>,
    /// Compress the body, asked for or not.
    pub gzip: bool,
    /// Wait so long before the answer's first byte.
    pub delay_ms: u64,
    /// Write slowly.
    pub slow: Option<Slow>,
    /// End the connection in the middle.
    pub cut: Option<Cut>,
    /// End the connection after the answer.
    pub close: Option<Closing>,
}

/// What is done with a request's body after an early answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Early {
    /// Read to its end, or for 30 s, before the connection is closed.
    Drain,
    /// Nothing: the connection is closed at once, which resets it if more has come.
    Close,
}

/// A slow writer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slow {
    /// Which part of the answer.
    pub part: Part,
    /// So many bytes at once,
    pub bytes: usize,
    /// with this pause after each.
    pub every_ms: u64,
}

/// A part of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Status line and header fields.
    Head,
    /// The rest, with its framing.
    Body,
}

/// Where a connection is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cut {
    /// In which part,
    pub part: Part,
    /// after so many of its bytes.
    pub after: u64,
    /// By a reset instead of a close.
    #[serde(default)]
    pub reset: bool,
}

/// How a connection ends after an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Closing {
    /// With `Connection: close`.
    Announced,
    /// Although `Connection: keep-alive` was said.
    Silent,
}

/// A fault that is armed, or was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ArmedFault {
    /// Counts up from 1.
    pub id: u64,
    /// What it is.
    pub fault: Fault,
    /// How often it fitted, skipped ones included.
    pub fitted: u64,
    /// How often it was played.
    pub played: u64,
}

/// All faults of a simulator, in the order they were set.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    list: Mutex<Vec<ArmedFault>>,
    count: AtomicUsize,
    last: AtomicUsize,
}

impl Fault {
    /// Whether the answer is not the call's own.
    pub(crate) fn scripted(&self) -> bool {
        self.status.is_some() || self.body.is_some()
    }

    /// The answer in place of the call's own.
    pub(crate) fn answer(&self) -> Answer {
        let status = self.status.unwrap_or(200);
        let body = match &self.body {
            Some(body) => body.clone(),
            None if status < 400 => r#"{"ok":true,"result":true}"#.to_owned(),
            None => Failure::new(status, phrase(status)).body(),
        };
        Answer::json(status, body)
    }

    /// Changes an answer's head as the fault says, and its body if it is to be compressed.
    pub(crate) fn edit(&self, answer: &mut Answer) {
        if let Some(reason) = &self.reason {
            answer.reason = Some(reason.clone());
        }
        match self.content_type.as_deref() {
            Some("") => answer.content_type = None,
            Some(kind) => answer.content_type = Some(kind.to_owned().into()),
            None => {}
        }
        if let (true, Content::Held(bytes)) = (self.gzip, &answer.content) {
            let packed = gzip(bytes);
            answer.range = 0..packed.len() as u64;
            answer.content = Content::Held(packed.into());
            answer
                .headers
                .push(("Content-Encoding".into(), "gzip".into()));
        }
        let own = self
            .headers
            .iter()
            .map(|(name, value)| (name.clone().into(), value.clone().into()));
        answer.headers.extend(own);
    }

    fn fits(&self, route: &Route, arguments: Option<&Arguments>) -> bool {
        let (Route::Call { environment, .. } | Route::File { environment, .. }) = route else {
            // Targets without a bot are only met by faults that name nothing.
            return self.bot.is_none()
                && self.method.is_none()
                && self.environment.is_none()
                && self.argument.is_none();
        };
        let method = || match (route.method(), arguments) {
            (Some(method), Some(arguments)) if method.is_empty() => {
                Some(arguments.text("method").to_ascii_lowercase())
            }
            (method, _) => method,
        };
        self.bot.is_none_or(|bot| route.bot() == Some(bot))
            && self.environment.is_none_or(|own| own == *environment)
            && self
                .method
                .as_ref()
                .is_none_or(|own| method().is_some_and(|method| method.eq_ignore_ascii_case(own)))
            && self.argument.as_ref().is_none_or(|(name, value)| {
                arguments.is_some_and(|arguments| arguments.get(name) == Some(value.as_str()))
            })
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    // Writing to a Vec cannot fail.
    packed.write_all(bytes).ok();
    packed.finish().unwrap_or_default()
}

impl Faults {
    /// Arms a fault; gives its id.
    pub(crate) fn arm(&self, fault: Fault) -> u64 {
        let id = self.last.fetch_add(1, Ordering::Relaxed) as u64 + 1;
        let mut list = self.lock();
        list.push(ArmedFault {
            id,
            fault,
            fitted: 0,
            played: 0,
        });
        self.count.store(list.len(), Ordering::Release);
        id
    }

    /// Disarms one; gives whether there was one.
    pub(crate) fn disarm(&self, id: u64) -> bool {
        let mut list = self.lock();
        let before = list.len();
        list.retain(|armed| armed.id != id);
        self.count.store(list.len(), Ordering::Release);
        before != list.len()
    }

    /// Disarms all.
    pub(crate) fn clear(&self) {
        self.lock().clear();
        self.count.store(0, Ordering::Release);
    }

    /// All, with their counts.
    pub(crate) fn list(&self) -> Vec<ArmedFault> {
        self.lock().clone()
    }

    /// The fault to be played for a request: of those that answer early if `arguments` are not
    /// there yet, else of the others.
    pub(crate) fn pick(
        &self,
        route: &Route,
        arguments: Option<&Arguments>,
    ) -> Option<(u64, Fault)> {
        if self.count.load(Ordering::Acquire) == 0 {
            return None;
        }
        self.lock().iter_mut().find_map(|armed| {
            let spent = armed.fault.times.is_some_and(|times| armed.played >= times);
            let stage = armed.fault.early.is_some() == arguments.is_none();
            if spent || !stage || !armed.fault.fits(route, arguments) {
                return None;
            }
            armed.fitted += 1;
            if armed.fitted <= armed.fault.skip {
                return None;
            }
            armed.played += 1;
            Some((armed.id, armed.fault.clone()))
        })
    }

    fn lock(&self) -> MutexGuard<'_, Vec<ArmedFault>> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
