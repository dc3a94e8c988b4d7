//! What needs attention now.
//!
//! In: the newest numbers of a bot. Out: [`Notice`]s for the overview, each with the page that says more. Invariant: only what is going on, or was
//! today; nothing that is part of everyday life. Pure.

use super::errors::door::Row;
use super::number;
use crate::query::errors::ErrorGroup;
use crate::query::overview::Traffic;
use crate::query::polls::{Poller, Polls, Rivals};
use crate::zone::HOUR;

/// Something that needs attention.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Notice {
    /// `bad` or `warn`.
    pub(super) class: &'static str,
    /// What it is, in a few words.
    pub(super) title: String,
    /// What is known of it.
    pub(super) text: String,
    /// The path below the bot's that says more.
    pub(super) page: String,
}

/// The newest numbers of a bot.
pub(super) struct Signs<'a> {
    /// The second that it is.
    pub(super) now: i64,
    /// How it polled in the last hour.
    pub(super) polls: &'a Polls,
    /// Its errors of today.
    pub(super) errors: &'a [ErrorGroup],
    /// Its traffic of today.
    pub(super) today: Traffic,
    /// Its traffic of earlier days.
    pub(super) usual: Traffic,
    /// What was refused of it today.
    pub(super) refused: &'a [Row],
}

/// The advice that there is a page about pollers for.
const WEBHOOK: &str = "webhook_in_the_way";
const RIVALS: &str = "two_pollers";
/// Groups of one kind that are told of one by one.
const MOST: usize = 3;
/// Errors of a day from which on a jump is no accident.
const ENOUGH: i64 = 20;

/// What needs attention, the worst first.
pub(super) fn notices(signs: &Signs<'_>) -> Vec<Notice> {
    let mut notices = Vec::new();
    notices.extend(rivals(signs));
    notices.extend(webhook(signs));
    notices.extend(jump(signs));
    notices.extend(setup(signs));
    notices.extend(refused(signs));
    notices.extend(outage(signs));
    notices.extend(lost(signs));
    notices.extend(strangers(signs));
    notices
}

/// The page of the group with an advice.
fn page(signs: &Signs<'_>, advice: &str) -> String {
    let found = signs
        .errors
        .iter()
        .find(|group| group.advice.is_some_and(|it| it.key == advice));
    found.map_or_else(|| "errors".to_owned(), of)
}

fn of(group: &ErrorGroup) -> String {
    match group.group.as_str() {
        "" => "errors".to_owned(),
        group => format!("errors/{group}"),
    }
}

fn rivals(signs: &Signs<'_>) -> Option<Notice> {
    let (title, text) = match signs.polls.rivals {
        Rivals::None => return None,
        Rivals::Through { clients } => {
            let named: Vec<String> = signs.polls.pollers.iter().take(2).map(named).collect();
            (
                format!("{clients} programs poll with this bot's token at once"),
                format!("{}. Each gets only a part of the updates.", named.join(" and ")),
            )
        }
        Rivals::Beside => (
            "Another program polls with this bot's token".to_owned(),
            "It does not come through Gramtap, and ends the polls that do. Each of them gets only a part of the updates."
                .to_owned(),
        ),
    };
    Some(Notice {
        class: "bad",
        title,
        text,
        page: page(signs, RIVALS),
    })
}

/// A poller in words.
pub(super) fn named(poller: &Poller) -> String {
    match poller.agent.as_str() {
        "" => format!("{} (names no library)", poller.addr),
        agent => format!("{} ({agent})", poller.addr),
    }
}

fn webhook(signs: &Signs<'_>) -> Option<Notice> {
    let (_, n) = signs.polls.reasons.iter().find(|(key, _)| key == WEBHOOK)?;
    let n = number::count(*n);
    Some(Notice {
        class: "bad",
        title: "A webhook is set, so polling is refused".to_owned(),
        text: format!(
            "{n} polls of the last hour were refused: Telegram sends the updates to the webhook."
        ),
        page: page(signs, WEBHOOK),
    })
}

fn jump(signs: &Signs<'_>) -> Option<Notice> {
    let (today, usual) = (signs.today.error_rate()?, signs.usual.error_rate());
    let usual = usual.unwrap_or(0.0);
    let is_jump = signs.today.errors >= ENOUGH && today >= 0.01 && today >= 2.0 * usual;
    is_jump.then(|| Notice {
        class: "bad",
        title: format!("{} of today's calls failed", number::percent(today)),
        text: format!(
            "{} errors; the error rate was {} before.",
            number::count(signs.today.errors),
            number::percent(usual)
        ),
        page: "errors?days=1".to_owned(),
    })
}

fn setup(signs: &Signs<'_>) -> impl Iterator<Item = Notice> {
    let told = |key: &str| key == WEBHOOK || key == RIVALS;
    let groups = signs.errors.iter().filter(move |group| {
        group.class == "config" && !group.advice.is_some_and(|advice| told(advice.key))
    });
    groups.take(MOST).map(|group| failing("bad", group))
}

fn refused(signs: &Signs<'_>) -> Option<Notice> {
    signs.refused.first().map(|row| Notice {
        class: "warn",
        title: "Calls were refused with 404 today".to_owned(),
        text: row.text.clone(),
        page: "errors?days=1#refused".to_owned(),
    })
}

fn outage(signs: &Signs<'_>) -> impl Iterator<Item = Notice> {
    let since = (signs.now - HOUR) * 1_000_000;
    let groups = signs
        .errors
        .iter()
        .filter(move |group| group.class == "outage" && group.last_at >= since);
    groups.take(MOST).map(|group| failing("warn", group))
}

fn failing(class: &'static str, group: &ErrorGroup) -> Notice {
    let title = group.advice.map_or(group.template.as_str(), |it| it.title);
    let n = number::count(group.n);
    Notice {
        class,
        title: title.to_owned(),
        text: format!("{n} × {} today.", group.method),
        page: of(group),
    }
}

fn lost(signs: &Signs<'_>) -> Option<Notice> {
    let n = number::count(signs.today.lost);
    (signs.today.lost > 0).then(|| Notice {
        class: "warn",
        title: format!("{n} records were lost today"),
        text: "The bot was served, but Gramtap could not keep what it saw: today's other numbers are too small by as much. \
               `gramtap doctor` tells what is wrong."
            .to_owned(),
        page: "overview#everything".to_owned(),
    })
}

fn strangers(signs: &Signs<'_>) -> Option<Notice> {
    let n = signs.today.unverified;
    (n >= 100 && n > signs.today.calls).then(|| Notice {
        class: "warn",
        title: format!("{} calls with tokens that Telegram has not accepted", number::count(n)),
        text: "If they are yours, the token is wrong. If not, somebody tries this bot's id; it counts nowhere else.".to_owned(),
        page: "connect".to_owned(),
    })
}
