//! Polls that bots have sent.
//!
//! In: sendPoll, stopPoll (`methods/content.rs`), votes (`control/acts.rs`). Out: `Poll` objects.
//! Invariant: votes are never negative, voters never more than votes. Bounded: the last 10,000 polls.

use std::collections::VecDeque;

use crate::json::{Object, Raw};
use crate::text::{Entity, Formatted};

/// Polls kept.
const KEPT: usize = 10_000;

/// A poll.
#[derive(Clone, Debug)]
pub(crate) struct Poll {
    pub(crate) id: String,
    pub(crate) bot: i64,
    pub(crate) question: Formatted,
    pub(crate) options: Vec<String>,
    pub(crate) votes: Vec<i64>,
    pub(crate) voters: i64,
    pub(crate) anonymous: bool,
    pub(crate) several: bool,
    /// A quiz, and its right option.
    pub(crate) correct: Option<i64>,
    pub(crate) closed: bool,
}

/// All polls of an environment.
#[derive(Debug, Default)]
pub(crate) struct Polls {
    polls: VecDeque<(i64, i64, Poll)>,
}

impl Polls {
    pub(crate) fn add(&mut self, poll: Poll, chat: i64, message: i64) {
        if self.polls.len() >= KEPT {
            self.polls.pop_front();
        }
        self.polls.push_back((chat, message, poll));
    }

    /// The poll in a message of a bot.
    pub(crate) fn of_message(&mut self, bot: i64, chat: i64, message: i64) -> Option<&mut Poll> {
        let fits =
            |one: &&mut (i64, i64, Poll)| one.0 == chat && one.1 == message && one.2.bot == bot;
        self.polls.iter_mut().find(fits).map(|(_, _, poll)| poll)
    }
}

impl Poll {
    /// The `Poll` object.
    pub(crate) fn json(&self) -> Raw {
        let options: Vec<Raw> = self
            .options
            .iter()
            .zip(&self.votes)
            .enumerate()
            .map(|(at, (text, votes))| {
                let object = Object::new().put("persistent_id", &at.to_string());
                object.put("text", text).number("voter_count", *votes).end()
            })
            .collect();
        let entities: Vec<Raw> = self.question.entities.iter().map(Entity::json).collect();
        let mut object = Object::new()
            .put("id", &self.id)
            .put("question", &self.question.text);
        if !entities.is_empty() {
            object = object.raw("question_entities", &Raw::array(&entities));
        }
        object
            .raw("options", &Raw::array(&options))
            .number("total_voter_count", self.voters)
            .put("is_closed", &self.closed)
            .put("is_anonymous", &self.anonymous)
            .put(
                "type",
                if self.correct.is_some() {
                    "quiz"
                } else {
                    "regular"
                },
            )
            .put("allows_multiple_answers", &self.several)
            .some("correct_option_id", self.correct)
            .end()
    }
}
