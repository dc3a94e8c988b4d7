//! What else is known of a group of errors, for those three that everybody meets: 404, 409, and 502 with its kin.
//!
//! In: the group; who polls (`query/polls.rs`), what else failed in its last hour (`query/blame.rs`), the bot's own id. Out: [`Evidence`] for
//! `error.html`. Invariant: says only what the numbers say; of what cannot be told it says so.

use super::{door, words};
use crate::query::blame::{Blame, Verdict};
use crate::query::errors::{ErrorDetail, ErrorGroup};
use crate::query::polls::{Polls, Rivals};
use crate::query::{blame, polls};
use crate::serve::bot::Bot;
use crate::serve::fault::Fault;
use crate::serve::{Site, clock, number};
use crate::zone::Zone;

mod spelling;

/// Hours of polls that are looked at.
const HOURS: i64 = 24;
/// Seconds of refusals that are looked at.
const WEEK: i64 = 7 * 86_400;

/// What is known.
#[derive(Clone, Debug, Default)]
pub(super) struct Evidence {
    /// Who polls.
    pub(super) pollers: Option<Pollers>,
    /// Whose fault it was.
    pub(super) fault: Option<Whose>,
    /// What was not found.
    pub(super) missing: Option<Missing>,
}

/// Who polls, and who is in whose way.
#[derive(Clone, Debug)]
pub(super) struct Pollers {
    pub(super) title: String,
    pub(super) text: &'static str,
    pub(super) rows: Vec<Row>,
    /// The other one has to be looked for.
    pub(super) is_hidden: bool,
    /// A webhook is in the way.
    pub(super) is_webhook: bool,
}

/// A client that polls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) addr: String,
    pub(super) agent: String,
    pub(super) polls: i64,
    pub(super) conflicts: i64,
    /// Polls a minute.
    pub(super) rhythm: String,
    pub(super) since: String,
    pub(super) last: String,
    /// It has more conflicts than any other.
    pub(super) loses: bool,
}

/// Whose fault it was.
#[derive(Clone, Debug)]
pub(super) struct Whose {
    pub(super) title: String,
    pub(super) text: String,
    pub(super) hour: String,
    /// What was compared: a name, a finding.
    pub(super) facts: Vec<(&'static str, String)>,
}

/// What was not found.
#[derive(Clone, Debug)]
pub(super) struct Missing {
    /// Telegram answered, or Gramtap.
    pub(super) is_telegrams: bool,
    /// The bot id that the address is for.
    pub(super) expected: Option<String>,
    /// Who was refused at this bot's address, or with its id elsewhere.
    pub(super) refused: Vec<door::Row>,
    /// The method that may have been meant.
    pub(super) meant: Option<&'static str>,
}

/// Gathers what is known.
pub(super) async fn of(
    site: &Site,
    bot: &Bot,
    detail: &ErrorDetail,
    now: i64,
) -> Result<Evidence, Fault> {
    let group = &detail.group;
    let database = site.store.database();
    let mut evidence = Evidence::default();
    if group.code == Some(409) {
        let polls = polls::polls(database, bot.id(), now, HOURS).await?;
        evidence.pollers = Some(pollers(group, &polls, &bot.zone, now));
    }
    if group.class == "outage" {
        let last = detail.hours.last().map(|(hour, _)| *hour);
        let hour = last.unwrap_or_else(|| bot.zone.hour(group.last_at.div_euclid(1_000_000)));
        let blame = blame::blame(database, bot.id(), hour).await?;
        evidence.fault = Some(whose(group, &blame, &bot.zone));
    }
    if group.code == Some(404) && group.method != "file" {
        let known = spelling::nearest(&group.method);
        evidence.missing = Some(Missing {
            is_telegrams: group.origin == "telegram",
            expected: bot.tenant.bot.map(|bot| bot.to_string()),
            refused: door::refused(site, bot, now - WEEK, now).await?,
            meant: known,
        });
    }
    Ok(evidence)
}

fn pollers(group: &ErrorGroup, polls: &Polls, zone: &Zone, now: i64) -> Pollers {
    let most = polls.pollers.iter().map(|it| it.conflicts).max();
    let losers = polls.pollers.iter().filter(|it| Some(it.conflicts) == most);
    let one_loses = losers.count() == 1 && polls.pollers.len() > 1;
    let row = |poller: &crate::query::polls::Poller| Row {
        addr: poller.addr.clone(),
        agent: poller.agent.clone(),
        polls: poller.polls,
        conflicts: poller.conflicts,
        rhythm: rhythm(poller.polls, poller.last_at - poller.first_at),
        since: clock::moment(zone, poller.first_at),
        last: clock::ago(now, poller.last_at),
        loses: one_loses && Some(poller.conflicts) == most,
    };
    let is_webhook = group
        .advice
        .is_some_and(|it| it.key == "webhook_in_the_way");
    let (title, text) = match polls.rivals {
        _ if is_webhook => (
            "A webhook is set".to_owned(),
            "As long as it is, Telegram refuses every poll, of every program.",
        ),
        Rivals::Through { clients } => (
            format!("{clients} programs poll through Gramtap at once"),
            "They are below: stop those that should not run. The one with more conflicts loses more updates.",
        ),
        Rivals::Beside => (
            "The other one does not come through Gramtap".to_owned(),
            "Only one program polls through Gramtap, and its polls are ended by another one that talks to Telegram directly.",
        ),
        Rivals::None => (
            "It is over, as far as the newest polls tell".to_owned(),
            "These polled in the last 24 hours:",
        ),
    };
    Pollers {
        title,
        text,
        rows: polls.pollers.iter().map(row).collect(),
        is_hidden: polls.rivals == Rivals::Beside && !is_webhook,
        is_webhook,
    }
}

/// Polls a minute, from their number and how long it took, in microseconds.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts of a day are far below what floats hold"
)]
fn rhythm(polls: i64, micros: i64) -> String {
    match micros {
        ..60_000_000 => number::NOTHING.to_owned(),
        micros => number::compact(polls as f64 * 60_000_000.0 / micros as f64),
    }
}

fn whose(group: &ErrorGroup, blame: &Blame, zone: &Zone) -> Whose {
    let (alike, others) = (blame.others_alike(&group.origin), blame.others);
    let verdict = blame.verdict(&group.method, &group.origin);
    let bots = match alike {
        1 => format!("one other bot of {others}"),
        alike => format!("{alike} other bots of {others}"),
    };
    let (title, text) = match verdict {
        Verdict::Gramtap => (
            "It was Gramtap",
            "Gramtap gave this answer by itself; Telegram is not to blame. The word for it is in the description below."
                .to_owned(),
        ),
        Verdict::Bot => (
            "It was the bot",
            "It closed the connection before the answer was there.".to_owned(),
        ),
        Verdict::Way => (
            "It was the way from here to Telegram",
            format!("In the same hour {bots} did not reach Telegram either: network, DNS or firewall of this machine."),
        ),
        Verdict::Telegram => (
            "It was Telegram",
            format!("In the same hour {bots} got such answers, too. Waiting mends it; nothing is wrong with the bot."),
        ),
        Verdict::ThisBot => (
            "It was the server that holds this bot",
            "In the same hour several methods of this bot failed while no other bot did. Telegram spreads bots over servers; \
             waiting mends it as a rule."
                .to_owned(),
        ),
        Verdict::ThisCall => {
            let others = match others {
                0 => "there was no other bot to compare with",
                _ => "no other bot failed like this",
            };
            let text = format!(
                "In the same hour other methods of this bot passed, and {others}. Try it without its file, with a shorter \
                 list or a shorter text."
            );
            ("It was this call alone", text)
        }
        Verdict::Unclear => (
            "It cannot be told",
            "In that hour there was no other bot and no other method to compare with.".to_owned(),
        ),
    };
    let (failing, passing) = blame.methods(&group.method, &group.origin);
    let list = |methods: &[&str]| match methods {
        [] => "none".to_owned(),
        methods => methods.join(", "),
    };
    let failures = blame.failures.values().sum();
    let facts = vec![
        ("Who answered", words::origin(&group.origin).1.to_owned()),
        (
            "Other bots",
            match others {
                0 => "none called in that hour".to_owned(),
                others => format!(
                    "{} called, {} of them failed like this; {} failures of class outage in all",
                    number::count(others),
                    number::count(alike),
                    number::count(failures)
                ),
            },
        ),
        (
            "Other methods of this bot that failed like this",
            list(&failing),
        ),
        ("Other methods of this bot that did not", list(&passing)),
    ];
    Whose {
        title: title.to_owned(),
        text,
        hour: format!(
            "{}, {}",
            clock::weekday(zone, blame.hour),
            clock::time(zone, blame.hour)
        ),
        facts,
    }
}
