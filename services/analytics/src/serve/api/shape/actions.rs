//! What users do and where they come from, as JSON. See `query/actions.rs`, `query/sources.rs`. Pure.
//!
//! In: answers. Out: the same, for scripts. Invariant: names and definitions are those inside.

use serde::Serialize;
use utoipa::ToSchema;

use crate::query::{actions as inside, sources};

/// What users did in a period.
#[derive(Serialize, ToSchema)]
pub struct Actions {
    /// *Commands*: messages that begin with a command, by command.
    pub commands: Ranking,
    /// *Buttons by data*: inline buttons pressed, by their `callback_data`.
    pub callbacks: Ranking,
    /// *Buttons by text*: inline buttons pressed, by the text on them, where Telegram told it.
    pub buttons: Ranking,
    /// *Media*: messages with media, by kind.
    pub media: Ranking,
    /// *Updates by kind*: by the name of their event.
    pub updates: Ranking,
}

/// Where users came from in a period.
#[derive(Serialize, ToSchema)]
pub struct Sources {
    /// *Starts*: `/start` commands with a payload, by payload, each time.
    pub starts: Ranking,
    /// *UTM*: pairs such as `utm_source=ads` in such payloads, plain or as base64url, each time.
    pub utm: Ranking,
    /// *New users by source*: users who are new in the period, by the payload of the first start with one that was ever seen of
    /// them; the most first.
    pub arrived: Vec<Arrived>,
    /// New users of all further payloads.
    pub arrived_rest: i64,
    /// *Direct*: users who are new in the period and of whom no payload is known.
    pub direct: i64,
}

/// Labels by how often they were counted, the most frequent first; those counted alike by name.
#[derive(Serialize, ToSchema)]
pub struct Ranking {
    /// The first ones.
    pub top: Vec<Ranked>,
    /// How often all further ones together were counted.
    pub rest: i64,
    /// How many different ones those are.
    #[schema(minimum = 0)]
    pub rest_labels: i64,
    /// What came on days that had reached their bound of different labels, and was counted together.
    pub other: i64,
}

/// A label.
#[derive(Serialize, ToSchema)]
pub struct Ranked {
    /// What it is.
    pub label: String,
    /// How often it was counted.
    pub n: i64,
    /// How often in the period that it is compared with.
    pub before: i64,
}

/// New users of a source.
#[derive(Serialize, ToSchema)]
pub struct Arrived {
    /// The payload.
    pub source: String,
    /// How many users.
    pub n: i64,
}

impl From<inside::Actions> for Actions {
    fn from(actions: inside::Actions) -> Self {
        Self {
            commands: actions.commands.into(),
            callbacks: actions.callbacks.into(),
            buttons: actions.buttons.into(),
            media: actions.media.into(),
            updates: actions.updates.into(),
        }
    }
}

impl From<sources::Sources> for Sources {
    fn from(sources: sources::Sources) -> Self {
        let arrived = sources.arrived.into_iter();
        Self {
            starts: sources.starts.into(),
            utm: sources.utm.into(),
            arrived: arrived.map(|(source, n)| Arrived { source, n }).collect(),
            arrived_rest: sources.arrived_rest,
            direct: sources.direct,
        }
    }
}

impl From<inside::Ranking> for Ranking {
    fn from(ranking: inside::Ranking) -> Self {
        let top = ranking.top.into_iter();
        Self {
            top: top
                .map(|inside::Ranked { label, n, before }| Ranked { label, n, before })
                .collect(),
            rest: ranking.rest,
            rest_labels: i64::try_from(ranking.rest_labels).unwrap_or(i64::MAX),
            other: ranking.other,
        }
    }
}
