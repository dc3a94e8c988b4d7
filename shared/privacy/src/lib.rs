//! Lets through what a bot's privacy mode allows: of parameters, results, updates and texts.
//!
//! In: trees (`tree.rs`) of arguments, answers and updates, of whoever keeps any of them: ingress what it sees, analytics what was sealed
//! until then. Out: JSON for records.
//! Invariant: an allow-list by names and shapes (`rules.rs`, `shapes.rs`), so that a field this version does not
//! know never carries a text or a name out; in every mode, what is shaped like a token and the
//! values of secrets are `***`, found in decoded strings, so that no escape hides one.
//! Deterministic; the order of members stays. The same shape for parameters, results and updates:
//!
//! # The filtered JSON
//!
//! `metadata` keeps the tree as Telegram or the bot wrote it and leaves out members:
//! - Names that are not `[a-z][a-z0-9_]*` (63 at most) go, with their values; `null`s and fractions
//!   (coordinates) go.
//! - Objects, arrays and booleans stay, emptied if need be: `"sticker":{}` says that there was one.
//! - Integers stay under `id`, `…_id`, `…_ids` and the names of counts, sizes, dates, positions and
//!   amounts; others go.
//! - Strings of digits stay under `id` and `…_id` (`callback_query.id`, `media_group_id` …).
//! - Words of Telegram's own stay: `type`, `status`, `action`, `language_code`, `currency`,
//!   `parse_mode`, `allowed_updates` … if they have a word's shape; `emoji` if it holds no letter.
//! - `text`, `caption`, `query`, `question`, `explanation`, `description`, `bio` … become
//!   `text_length` … in UTF-16 units, as Telegram counts entities.
//! - What has a `text` that is a command gets `"command":"/start"` (without `@bot`), and for `/start` with
//!   one word of `[A-Za-z0-9_-]` behind it `"payload":"promo"`; not where the bot wrote it itself.
//! - `callback_data`, and `data` of `callback_query`, stay up to 64 bytes (longer: `…_length`). `text` of
//!   buttons stays up to 128 characters where the bot itself sent them: in parameters, in results
//!   of sending, in `callback_query.message`.
//! - `photo`, `document`, `media` … as a string become `"file_id"`, `"url"` or `"upload"`; `mime_type`
//!   stays if well known, else only its first half. `chat_id` as `@name` becomes `"chat_id_is_username":true`.
//! - `url` of setWebhook and getWebhookInfo keeps scheme and host; `last_error_message` and an
//!   error's description lose what they quote.
//! - All else goes: names, usernames, phones, e-mails, addresses, coordinates, links, file ids.
//!
//! Parameters read the same however they were sent: an argument that is JSON in a string is
//! parsed, `"true"` is `true`, `"42"` is `42` under the names of numbers and of ids that the Bot API
//! writes as numbers (`chat_id`, `message_id` …), and `42` is `"42"` under other ids.
//!
//! `pseudonymous` is the same with every integer, and string of digits, under `id`, `…_id`, `…_ids`
//! replaced by a keyed hash that keeps type and sign, 2^51 to 2^52 (`pseudonym.rs`); ids of
//! messages, threads, updates, stories, options and emoji stay, as do Telegram's service accounts.
//! `full` keeps everything but secrets, with the same reading of parameters and the same `command`
//! and `payload`. `off` keeps nothing but an update's number and kind.

mod command;
mod description;
mod filter;
mod full;
mod pseudonym;
mod rules;
mod secret;
mod shapes;
#[cfg(test)]
mod tests;
pub mod tree;

use std::borrow::Cow;

use gramtap_events::call::File;
use gramtap_events::tenant::Privacy;
use gramtap_events::update::{Update, Via};
use gramtap_events::{Moment, Record, RecordId, TenantId};
use gramtap_telegram::{BotId, Method, UpdateKind};
use serde_json::value::RawValue;

use filter::{Filter, Place};
use tree::{Head, Members, Node};

pub use pseudonym::PseudonymKey;

/// What a masked secret reads.
const MASKED: &str = "***";

/// What is kept of one bot's bodies.
#[derive(Clone)]
pub struct Mask {
    privacy: Privacy,
    key: PseudonymKey,
}

/// Whose update was pushed, and when.
#[derive(Clone, Debug)]
pub struct Push {
    /// Its record.
    pub record: RecordId,
    /// The bot, as this installation knows it.
    pub tenant: TenantId,
    /// Telegram's id of the bot.
    pub bot: Option<BotId>,
    /// When it was received.
    pub at: Moment,
}

/// An update as it is recorded.
#[derive(Debug)]
pub struct MaskedUpdate {
    /// Telegram's number, where there is one.
    pub update_id: Option<i64>,
    /// The name of the field beside it, or `other:<name>`.
    pub kind: Option<Cow<'static, str>>,
    /// What the mode lets through.
    pub update: Option<Box<RawValue>>,
}

impl MaskedUpdate {
    /// What is known of an update that is not all there, or cannot be read.
    #[must_use]
    pub fn beginning(bytes: &[u8]) -> Self {
        let head = Head::parse(bytes);
        Self {
            update_id: match head.get("update_id") {
                Some(Node::Int(id)) => Some(*id),
                _ => None,
            },
            kind: kind_of(head.members.iter().map(|(name, _)| &**name)),
            update: None,
        }
    }
}

impl Mask {
    /// The mask of a bot. `key` counts in `pseudonymous` mode only.
    #[must_use]
    pub fn new(privacy: Privacy, key: PseudonymKey) -> Self {
        Self { privacy, key }
    }

    /// The mode.
    #[must_use]
    pub fn privacy(&self) -> Privacy {
        self.privacy
    }

    /// The arguments of a call.
    #[must_use]
    pub fn params(&self, method: &Method, params: Members<'_>) -> Option<Box<RawValue>> {
        let place = Place {
            own: true,
            loose: true,
            top: true,
            webhook: is_about_webhook(method),
            ..Place::default()
        };
        self.masked(Node::Object(params), place)
    }

    /// The result of a call.
    #[must_use]
    pub fn result(&self, method: &Method, result: Node<'_>) -> Option<Box<RawValue>> {
        if method.answers_a_token() && self.privacy != Privacy::Off {
            return Node::Text(Cow::Borrowed(MASKED)).raw();
        }
        let place = Place {
            within: "result",
            own: !method.as_str().starts_with("get"),
            top: true,
            webhook: is_about_webhook(method),
            ..Place::default()
        };
        self.masked(result, place)
    }

    /// An update as its bytes came. `None`: it is no JSON object.
    #[must_use]
    pub fn update_in(&self, bytes: &[u8]) -> Option<MaskedUpdate> {
        Node::parse(bytes).and_then(|update| self.update(update))
    }

    /// The record of an update that was pushed, from its bytes as they came.
    #[must_use]
    pub fn pushed(&self, push: Push, body: &[u8]) -> Update {
        let whole = self.update_in(body);
        let cut = whole.is_none();
        let masked = whole.unwrap_or_else(|| MaskedUpdate::beginning(body));
        Update {
            v: Update::VERSION,
            record: push.record,
            tenant: push.tenant,
            bot: push.bot,
            at: push.at,
            via: Via::Webhook,
            client: None,
            update_id: masked.update_id,
            kind: masked.kind,
            update: masked.update,
            cut,
        }
    }

    /// An update. `None`: it is no JSON object.
    #[must_use]
    pub fn update(&self, update: Node<'_>) -> Option<MaskedUpdate> {
        let Node::Object(members) = update else {
            return None;
        };
        let update_id = members.iter().find(|(name, _)| name == "update_id");
        let update_id = match update_id {
            Some((_, Node::Int(id))) => Some(*id),
            _ => None,
        };
        let kind = kind_of(members.iter().map(|(name, _)| &**name));
        let update = self.masked(Node::Object(members), Place::default());
        Some(MaskedUpdate {
            update_id,
            kind,
            update,
        })
    }

    /// The text of an error.
    #[must_use]
    pub fn description(&self, text: &str) -> Option<String> {
        match self.privacy {
            Privacy::Off => None,
            Privacy::Full => Some(description::bounded(&secret::cleaned(text))),
            mode => {
                let hides_ids = mode == Privacy::Pseudonymous;
                Some(description::without_echoes(
                    &secret::cleaned(text),
                    hides_ids,
                ))
            }
        }
    }

    /// An id of a chat or user that stands outside a body.
    #[must_use]
    pub fn id(&self, id: i64) -> Option<i64> {
        match self.privacy {
            Privacy::Off => None,
            Privacy::Pseudonymous => Some(pseudonym::of(id, &self.key)),
            _ => Some(id),
        }
    }

    /// The files of a request.
    #[must_use]
    pub fn files(&self, files: &[File]) -> Vec<File> {
        let filtered = |file: &File| match self.privacy {
            Privacy::Full => File {
                field: secret::cleaned(&file.field).into_owned(),
                name: file
                    .name
                    .as_deref()
                    .map(|name| secret::cleaned(name).into_owned()),
                kind: file
                    .kind
                    .as_deref()
                    .map(|kind| secret::cleaned(kind).into_owned()),
                bytes: file.bytes,
            },
            _ => File {
                field: shapes::file_field(&file.field).to_owned(),
                name: None,
                kind: file.kind.as_deref().and_then(shapes::mime),
                bytes: file.bytes,
            },
        };
        match self.privacy {
            Privacy::Off => Vec::new(),
            _ => files.iter().map(filtered).collect(),
        }
    }

    fn masked(&self, mut node: Node<'_>, place: Place<'_>) -> Option<Box<RawValue>> {
        let kept = match self.privacy {
            Privacy::Off => false,
            Privacy::Full => {
                full::mask(&mut node, place);
                true
            }
            Privacy::Metadata => Filter { key: None }.root(&mut node, place),
            Privacy::Pseudonymous => Filter {
                key: Some(&self.key),
            }
            .root(&mut node, place),
        };
        if kept { node.raw() } else { None }
    }
}

impl std::fmt::Debug for Mask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Mask({})", self.privacy.as_str())
    }
}

/// A text that is no body, such as a `User-Agent`: secrets masked, cut to `most` bytes.
#[must_use]
pub fn plain(text: &str, most: usize) -> String {
    let text = secret::cleaned(text);
    let end = (0..=text.len().min(most))
        .rev()
        .find(|at| text.is_char_boundary(*at));
    text[..end.unwrap_or(0)].to_owned()
}

/// The kind of an update with members of these names: the first that is known, else the first
/// beside `update_id`.
fn kind_of<'n>(names: impl Iterator<Item = &'n str> + Clone) -> Option<Cow<'static, str>> {
    let mut beside = names.filter(|name| *name != "update_id");
    let first = beside.clone().next()?;
    let known = beside.find_map(|name| match UpdateKind::named(name) {
        UpdateKind::Known(known) => Some(Cow::Borrowed(known)),
        UpdateKind::Other(_) => None,
    });
    let other = || match rules::is_name(first) {
        true => UpdateKind::named(first).name(),
        false => UpdateKind::named("").name(),
    };
    Some(known.unwrap_or_else(other))
}

fn is_about_webhook(method: &Method) -> bool {
    matches!(method.as_str(), "setWebhook" | "getWebhookInfo")
}
