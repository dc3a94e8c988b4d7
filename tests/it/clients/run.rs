//! One library through one door: takes the script's steps and keeps what both sides saw.
//!
//! In: a library, a door, the simulator behind it. Out: [`Run`]s for `judge.rs`. Invariant: every
//! run begins with the same Telegram, made anew, so that two runs may be held against each other;
//! what is kept of a step is what began in it.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use gramtap_simulator::{Control, Filter, User};
use serde_json::Value;

use super::door::Door;
use super::message::Message;
use super::normal;
use super::program::{Library, Program};
use super::script::{self, Before, Outcome, Over, STEPS, Step};
use super::tee::{Exchange, Tee};

/// The bot of every run.
pub(crate) const TOKEN: &str = "123456:AAcanary-clients_under_test_01234567";
/// Of the same bot, revoked.
const WRONG_TOKEN: &str = "123456:AAcanary-revoked_long_ago_0123456789";
/// A poll reaches Telegram within this.
const DEADLINE: Duration = Duration::from_secs(30);

/// What a run came to.
pub(crate) struct Run {
    /// Through which door.
    pub(crate) door: &'static str,
    /// By step, as in [`STEPS`], random words made equal.
    pub(crate) steps: Vec<Seen>,
}

/// What was seen of a step.
#[derive(Default)]
pub(crate) struct Seen {
    /// What Telegram received.
    pub(crate) requests: Vec<Message>,
    /// What the library sent and received.
    pub(crate) exchanges: Vec<Exchange>,
    /// What the library returned.
    pub(crate) line: Value,
}

/// Where the files of a run lie.
pub(crate) struct Places<'a> {
    /// The repository.
    pub(crate) root: &'a Path,
    /// The hosts file of the programs.
    pub(crate) hosts: &'a Path,
    /// What is uploaded.
    pub(crate) upload: &'a Path,
}

/// Takes all steps.
pub(crate) async fn run(
    library: &Library,
    door: &Door,
    tee: &Tee,
    control: &Control,
    places: &Places<'_>,
) -> Result<Run> {
    control.reset();
    let bot = control.add_bot_token(TOKEN)?;
    control.add_user(User::new(script::USER, "Ann"));
    tee.lead_to(door.target);
    let base = door.base(tee.port());
    let environment = [
        ("BASE", base.clone()),
        ("TOKEN", TOKEN.to_owned()),
        ("WRONG_TOKEN", WRONG_TOKEN.to_owned()),
        ("CHAT", script::USER.to_string()),
        ("UPLOAD", places.upload.display().to_string()),
    ];
    let mut program = Program::start(library, places.root, &environment, places.hosts)?;
    let mut steps = Vec::with_capacity(STEPS.len());
    let mut last = 0;
    for (number, step) in STEPS.iter().enumerate() {
        tee.enter(number);
        match step.before {
            Before::Nothing => {}
            Before::ThreeUpdates => script::three_updates(control, bot)?,
            Before::Fault(fault) => {
                control.fault(fault());
            }
        }
        let line = match library.hangs.contains(&step.label) {
            true => serde_json::json!({"left out": "the library does not return from it"}),
            false => program
                .step(step.action)
                .await
                .with_context(|| format!("step {}", step.label))?,
        };
        if step.over == Over::Polling {
            second_poll(control, bot, last).await?;
        }
        control.clear_faults();
        let filter = Filter {
            after: Some(last),
            ..Filter::default()
        };
        let mut seen = Seen {
            line,
            ..Seen::default()
        };
        for captured in control.requests(&filter) {
            last = captured.id;
            ensure!(
                captured.body.len() as u64 == captured.body_size,
                "a request larger than is kept"
            );
            seen.requests
                .push(Message::request(&captured.head, &captured.body)?);
        }
        steps.push(seen);
    }
    program.finish().await?;
    for exchange in tee.take()? {
        steps[exchange.step].exchanges.push(exchange);
    }
    let stop = std::mem::take(&mut steps[script::LOOP + 1]);
    steps[script::LOOP].requests.extend(stop.requests);
    steps[script::LOOP].exchanges.extend(stop.exchanges);
    steps[script::LOOP + 1].line = stop.line;
    for seen in &mut steps {
        normal::step(seen, library, &base, &door.host);
    }
    Ok(Run {
        door: door.name,
        steps,
    })
}

impl Seen {
    /// In a few words, for who has to find out what went wrong.
    pub(crate) fn shown(&self) -> String {
        let starts = |list: &[Message]| -> Vec<String> {
            list.iter()
                .map(|one| one.start.escape_ascii().to_string())
                .collect()
        };
        let mut text = format!("Telegram received {:?}", starts(&self.requests));
        for exchange in &self.exchanges {
            let bodies: Vec<_> = exchange
                .answers
                .iter()
                .map(|one| one.body.escape_ascii().to_string())
                .collect();
            text += &format!(
                "\n  sent {:?}, received {:?} {bodies:?}",
                exchange.request.start.escape_ascii().to_string(),
                starts(&exchange.answers)
            );
        }
        text + &format!("\n  {}", self.line)
    }
}

/// Whether a step without Gramtap came out as it should.
pub(crate) fn as_scripted(step: &Step, seen: &Seen) -> bool {
    let answer = seen
        .exchanges
        .last()
        .and_then(|exchange| exchange.answers.last());
    let status = answer
        .filter(|answer| answer.complete)
        .and_then(Message::status)
        .unwrap_or(0);
    let (returned, raised) = (
        seen.line.get("returned").is_some(),
        seen.line.get("raised").is_some(),
    );
    match step.outcome {
        _ if seen.line.get("left out").is_some() => true,
        _ if seen.line.get("unsupported").is_some() => step.optional,
        Outcome::Returned => status == 200 && returned,
        Outcome::Downloaded => {
            status == 200 && seen.line["returned"]["bytes"] == script::UPLOAD_SIZE
        }
        Outcome::Raised(expected) => status == expected && raised,
        Outcome::Cut => status == 0 && raised,
        Outcome::Answered => status == 200,
        Outcome::Any => returned,
    }
}

/// Waits until a loop polls again, its updates taken.
async fn second_poll(control: &Control, bot: i64, after: u64) -> Result<()> {
    let filter = Filter {
        bot: Some(bot),
        after: Some(after),
        complete: true,
        ..Filter::method("getUpdates")
    };
    let polls = control.wait_for_requests(&filter, 2, DEADLINE).await;
    ensure!(polls.len() >= 2, "the loop did not poll again");
    Ok(())
}
