//! What every library is asked to do, in order, and what Telegram answers to each step.
//!
//! In: nothing. Out: [`STEPS`] for `run.rs`. Invariant: a step's outcome depends on nothing but the
//! steps before it: people act, and faults are put up, before a step begins, never during it.

use anyhow::Result;
use gramtap_simulator::{Act, Control, Delimited, Early, Fault, Part};

/// The size of what is uploaded.
pub(crate) const UPLOAD_SIZE: usize = 2_000_000;
/// The user whom the bot writes to.
pub(crate) const USER: i64 = 7;

/// One thing that a program does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    /// As shown in the report.
    pub(crate) label: &'static str,
    /// What the programs know it as.
    pub(crate) action: &'static str,
    /// What happens before.
    pub(crate) before: Before,
    /// When it is over.
    pub(crate) over: Over,
    /// What comes of it without Gramtap, so that a step that does nothing is no success.
    pub(crate) outcome: Outcome,
    /// A library may have no public way to take it.
    pub(crate) optional: bool,
}

/// What happens before a step.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Before {
    /// Nothing.
    Nothing,
    /// A text, a command and a press of a button wait for the bot.
    ThreeUpdates,
    /// Telegram will answer the step's call like this.
    Fault(fn() -> Fault),
}

/// When a step is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Over {
    /// The program says so.
    Said,
    /// The program says so, and its next poll waits at Telegram.
    Polling,
}

/// What comes of a step: how its last call is answered, and what the library does then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// 200, and the library returns something.
    Returned,
    /// 200, and the library returns the upload's size and digest.
    Downloaded,
    /// This status, and the library raises an error.
    Raised(u16),
    /// No whole answer, and the library raises an error.
    Cut,
    /// 200, and the library does what it likes.
    Answered,
    /// Nothing is certain.
    Any,
}

const fn step(label: &'static str, action: &'static str) -> Step {
    Step {
        label,
        action,
        before: Before::Nothing,
        over: Over::Said,
        outcome: Outcome::Returned,
        optional: false,
    }
}

const fn error(status: u16, label: &'static str, action: &'static str) -> Step {
    Step {
        outcome: Outcome::Raised(status),
        ..step(label, action)
    }
}

const fn fault(
    outcome: Outcome,
    label: &'static str,
    action: &'static str,
    fault: fn() -> Fault,
) -> Step {
    Step {
        before: Before::Fault(fault),
        outcome,
        ..step(label, action)
    }
}

/// The last step's calls belong to the one before it: how often a loop polls before it is told to
/// stop is up to the scheduler.
pub(crate) const LOOP: usize = STEPS.len() - 2;

/// The script.
pub(crate) const STEPS: [Step; 31] = [
    step("getMe", "get_me"),
    step("send", "send"),
    step("send, 4,096 characters", "send_long"),
    step("edit", "edit"),
    Step {
        before: Before::ThreeUpdates,
        ..step("poll, three updates", "poll")
    },
    step("poll, empty", "poll_empty"),
    step("upload", "upload"),
    Step {
        outcome: Outcome::Downloaded,
        ..step("download", "download")
    },
    error(400, "400", "send_nowhere"),
    error(401, "401", "get_me_wrong_token"),
    Step {
        optional: true,
        ..error(404, "404", "unknown_method")
    },
    step("setWebhook", "set_webhook"),
    error(409, "409", "poll"),
    step("deleteWebhook", "delete_webhook"),
    fault(Outcome::Raised(403), "403", "send", || {
        Fault::forbidden("bot was blocked by the user")
    }),
    fault(Outcome::Raised(413), "413", "upload", || Fault::nginx(413)),
    fault(Outcome::Raised(413), "413, early", "upload", || {
        Fault::too_large_early(Early::Drain)
    }),
    fault(Outcome::Raised(429), "429", "send", || Fault::flood(1)),
    fault(Outcome::Raised(500), "500", "send", || Fault::status(500)),
    fault(Outcome::Raised(502), "502", "send", || Fault::status(502)),
    fault(Outcome::Raised(502), "502, a page", "send", || {
        Fault::nginx(502)
    }),
    fault(Outcome::Raised(504), "504, empty", "send", || {
        Fault::empty(504)
    }),
    fault(Outcome::Cut, "cut, no answer", "send", || Fault {
        // Not carried out: a library that asks twice would change the ids of all that follows.
        status: Some(200),
        ..Fault::cut(Part::Head, 0, false)
    }),
    fault(Outcome::Cut, "cut in the body", "send", || {
        Fault::cut(Part::Body, 10, false)
    }),
    fault(Outcome::Cut, "cut in chunks", "send", || Fault {
        delimited: Some(Delimited::Chunked),
        chunk: Some(6),
        // Behind the second chunk.
        ..Fault::cut(Part::Body, 22, false)
    }),
    fault(Outcome::Returned, "answer in chunks", "send", || Fault {
        chunk: Some(6),
        ..Fault::delimited(Delimited::Chunked)
    }),
    fault(Outcome::Returned, "answer until close", "send", || {
        Fault::delimited(Delimited::Close)
    }),
    fault(Outcome::Answered, "answer gzipped", "send", || Fault {
        gzip: true,
        ..Fault::default()
    }),
    step("send after faults", "send"),
    Step {
        before: Before::ThreeUpdates,
        over: Over::Polling,
        outcome: Outcome::Any,
        ..step("loop", "start_loop")
    },
    Step {
        outcome: Outcome::Any,
        ..step("stop", "stop_loop")
    },
];

/// The message that step `send` makes first, with a button under it.
const FIRST_MESSAGE: i64 = 1;

/// Lets a user write a text and a command and press the button.
pub(crate) fn three_updates(control: &Control, bot: i64) -> Result<()> {
    control.say(bot, USER, "Привет & до свидания 🦀")?;
    control.say(bot, USER, "/start promo")?;
    control.act(&Act::Press {
        bot,
        user: USER,
        chat: None,
        message_id: FIRST_MESSAGE,
        data: "yes".to_owned(),
    })?;
    Ok(())
}
