//! What failed, as JSON. See `query/errors.rs`. Pure.
//!
//! In: answers. Out: the same, for scripts. Invariant: names and definitions are those inside.

use gramtap_telegram::advice;
use serde::Serialize;
use utoipa::ToSchema;

use super::{micro, second};
use crate::query::errors as inside;

/// What failed in a period.
#[derive(Serialize, ToSchema)]
pub struct Errors {
    /// The groups that matter first: unexpected ones before expected ones, by number.
    pub groups: Vec<ErrorGroup>,
}

/// Errors that differ in nothing a reader could act on.
#[derive(Serialize, ToSchema)]
pub struct ErrorGroup {
    /// Its id, 16 hexadecimal digits; empty for all errors that came after a day's bound of different groups was reached.
    pub group: String,
    /// The description with numbers, ids and names replaced.
    pub template: String,
    /// The method.
    pub method: String,
    /// Telegram's `error_code`, or the HTTP status.
    pub code: Option<i64>,
    /// Who failed: telegram, edge, network, gramtap, client.
    pub origin: String,
    /// How much it matters: expected, bug, config, capacity, outage.
    pub class: String,
    /// What it means and what to do. None: the record is of a later version.
    pub advice: Option<Advice>,
    /// *Errors*: failed calls of this group in the period, polls among them.
    pub n: i64,
    /// When the first was ever seen here, UTC.
    #[schema(format = DateTime)]
    pub first_at: String,
    /// When the last was seen, UTC.
    #[schema(format = DateTime)]
    pub last_at: String,
}

/// What an error means and what to do.
#[derive(Serialize, ToSchema)]
pub struct Advice {
    /// Its key, as in the column `advice` of errors.v1.
    pub key: &'static str,
    /// What happened, in a few words.
    pub title: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// What to do.
    pub remedy: &'static str,
}

/// One group in full.
#[derive(Serialize, ToSchema)]
pub struct ErrorDetail {
    /// The group.
    pub group: ErrorGroup,
    /// Errors by hour, where there were any.
    pub hours: Vec<ErrorHour>,
    /// *Chats hit*: different chats that these calls were meant for.
    pub chats: Hit,
    /// *Users hit*: different users that these calls were meant for, where the chat was private.
    pub users: Hit,
    /// The newest ones, whenever they were, the newest first.
    pub examples: Vec<Example>,
}

/// Errors of an hour.
#[derive(Serialize, ToSchema)]
pub struct ErrorHour {
    /// When it begins, UTC.
    #[schema(format = DateTime)]
    pub start: String,
    /// How many errors.
    pub n: i64,
}

/// How many were hit.
#[derive(Serialize, ToSchema)]
pub struct Hit {
    /// The number; within about 6 % if it is an estimate.
    pub n: i64,
    /// Whether it is one.
    pub estimate: bool,
}

/// One error.
#[derive(Serialize, ToSchema)]
pub struct Example {
    /// Its `error_id`, which is the `event_id` of its call.
    pub error_id: String,
    /// When, UTC.
    #[schema(format = DateTime)]
    pub at: String,
    /// The description that the privacy mode lets through.
    pub description: Option<String>,
    /// The chat it was meant for.
    pub chat_id: Option<i64>,
    /// The user it was meant for.
    pub user_id: Option<i64>,
    /// The update that it answered, where that is known.
    pub update_id: Option<i64>,
    /// The address of who called.
    pub addr: Option<String>,
    /// The `User-Agent` of who called.
    pub agent: Option<String>,
}

impl From<Vec<inside::ErrorGroup>> for Errors {
    fn from(groups: Vec<inside::ErrorGroup>) -> Self {
        Self {
            groups: groups.into_iter().map(ErrorGroup::from).collect(),
        }
    }
}

impl From<inside::ErrorGroup> for ErrorGroup {
    fn from(group: inside::ErrorGroup) -> Self {
        Self {
            group: group.group,
            template: group.template,
            method: group.method,
            code: group.code,
            origin: group.origin,
            class: group.class,
            advice: group.advice.map(Advice::from),
            n: group.n,
            first_at: micro(group.first_at),
            last_at: micro(group.last_at),
        }
    }
}

impl From<&'static advice::Advice> for Advice {
    fn from(advice: &'static advice::Advice) -> Self {
        Self {
            key: advice.key,
            title: advice.title,
            meaning: advice.meaning,
            remedy: advice.remedy,
        }
    }
}

impl From<inside::ErrorDetail> for ErrorDetail {
    fn from(detail: inside::ErrorDetail) -> Self {
        let hours = detail.hours.into_iter();
        let hit = |inside::Hit { n, estimate }| Hit { n, estimate };
        Self {
            group: detail.group.into(),
            hours: hours
                .map(|(start, n)| ErrorHour {
                    start: second(start),
                    n,
                })
                .collect(),
            chats: hit(detail.chats),
            users: hit(detail.users),
            examples: detail.examples.into_iter().map(Example::from).collect(),
        }
    }
}

impl From<inside::Example> for Example {
    fn from(example: inside::Example) -> Self {
        Self {
            error_id: example.error_id,
            at: micro(example.at),
            description: example.description,
            chat_id: example.chat_id,
            user_id: example.user_id,
            update_id: example.update_id,
            addr: example.addr,
            agent: example.agent,
        }
    }
}
