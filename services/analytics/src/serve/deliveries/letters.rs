//! The list of dead letters of a bot, and replays of all that fit.
//!
//! In: `query/letters.rs`; forms. Out: `letters.html`; letters marked for `replay.rs`. Invariant: what is replayed is what the filter of the page shows and was not
//! asked for before; an address is admitted before anything is marked, and is in no page and no log; who asked is noted.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::title;
use crate::query::audit::Action;
use crate::query::letters::{self, Filter, Letter, Sort};
use crate::replay::{self, Elsewhere, ElsewhereError, Which};
use crate::serve::asked::Asked;
use crate::serve::audit::note;
use crate::serve::bot::Bot;
use crate::serve::bots::trouble::Trouble;
use crate::serve::definition::{self, Definition};
use crate::serve::fault::Fault;
use crate::serve::form::Form;
use crate::serve::page::{Frame, html};
use crate::serve::viewer::Viewer;
use crate::serve::{Site, clock, number, sign_in};
use crate::zone::{DAY, Zone};

/// Letters of a page.
const PAGE: i64 = 50;
/// Spans that are offered, in hours; none: all that are kept.
const SPANS: [(&str, &str); 4] = [
    ("", "at any time"),
    ("1", "in the last hour"),
    ("24", "in the last day"),
    ("168", "in the last 7 days"),
];

#[derive(Template)]
#[template(path = "letters.html")]
struct Page {
    frame: Frame,
    code: String,
    definition: &'static Definition,
    done: String,
    trouble: Option<Trouble>,
    causes: Vec<(String, String, bool)>,
    kinds: Vec<(String, String, bool)>,
    spans: Vec<(&'static str, &'static str, bool)>,
    cause: String,
    kind: String,
    hours: String,
    replayed: bool,
    n: i64,
    open: i64,
    days: i64,
    rows: Vec<Row>,
    older: Option<String>,
}

struct Row {
    letter: Letter,
    at: String,
    machine: String,
    title: String,
    replay: String,
}

/// Which letters, and behind which.
#[derive(Clone, Debug, Default, Deserialize)]
pub(in crate::serve) struct Wanted {
    #[serde(default)]
    cause: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    hours: String,
    #[serde(default)]
    replayed: String,
    #[serde(default)]
    before: String,
    #[serde(default)]
    asked: Option<i64>,
}

impl Wanted {
    fn filter(&self, now: i64) -> Filter {
        let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let hours = self.hours.parse::<i64>().ok();
        let hours = hours.filter(|hours| (1..=24 * 365).contains(hours));
        Filter {
            cause: some(&self.cause),
            kind: some(&self.kind),
            from: hours.map(|hours| (now - hours * 3_600) * 1_000_000),
            to: None,
            replayed: !self.replayed.is_empty(),
        }
    }

    /// `dead_at record` of the last letter of the page before.
    fn behind(&self) -> Option<(i64, &str)> {
        let (at, record) = self.before.split_once('~')?;
        Some((at.parse().ok()?, record))
    }

    fn address(&self, code: &str, more: &str) -> String {
        let escaped = |text: &str| {
            let escaped = askama::filters::urlencode_strict(text).map(|it| it.to_string());
            escaped.unwrap_or_default()
        };
        let mut address = format!(
            "/bots/{code}/dead?cause={}&kind={}&hours={}",
            escaped(&self.cause),
            escaped(&self.kind),
            escaped(&self.hours)
        );
        if !self.replayed.is_empty() {
            address.push_str("&replayed=yes");
        }
        address.push_str(more);
        address
    }
}

/// The form of a replay.
#[derive(Deserialize)]
pub(in crate::serve) struct Again {
    #[serde(flatten)]
    wanted: Wanted,
    #[serde(default)]
    to: String,
    #[serde(default)]
    sure: Option<String>,
}

/// Shows them.
pub(in crate::serve) async fn page(
    site: web::Data<Site>,
    viewer: Viewer,
    bot: Bot,
    Asked(wanted): Asked<Wanted>,
) -> Result<HttpResponse, Fault> {
    html(&made(&site, viewer, &bot, &wanted, None).await?)
}

async fn made(
    site: &Site,
    viewer: Viewer,
    bot: &Bot,
    wanted: &Wanted,
    trouble: Option<Trouble>,
) -> Result<Page, Fault> {
    let now = (site.clock)();
    let database = site.store.database();
    let filter = wanted.filter(now);
    let mut rows = letters::list(database, bot.id(), &filter, wanted.behind(), PAGE + 1).await?;
    let n = letters::count(database, bot.id(), &filter).await?;
    let open = Filter {
        replayed: false,
        ..filter
    };
    let open = letters::count(database, bot.id(), &open).await?;
    let sorts = letters::sorts(database, bot.id()).await?;
    let code = bot.tenant.code.to_string();
    let more = i64::try_from(rows.len()).is_ok_and(|rows| rows > PAGE);
    rows.truncate(usize::try_from(PAGE).unwrap_or_default());
    let last = rows.last().filter(|_| more);
    let older = last
        .map(|last| wanted.address(&code, &format!("&before={}~{}", last.dead_at, last.record)));
    let done = match wanted.asked {
        Some(1) => {
            "One update is being delivered again; it is among the newest attempts within seconds."
                .to_owned()
        }
        Some(asked) => format!(
            "{} updates are being delivered again; see the newest attempts.",
            number::count(asked)
        ),
        None => String::new(),
    };
    Ok(Page {
        frame: Frame::about(bot, "deliveries", "Dead letters", viewer),
        definition: &definition::DEAD_LETTERS,
        done,
        trouble,
        causes: choices(&sorts, |sort| &sort.cause, &wanted.cause, title),
        kinds: choices(&sorts, |sort| &sort.kind, &wanted.kind, str::to_owned),
        spans: SPANS
            .into_iter()
            .map(|(value, text)| (value, text, value == wanted.hours))
            .collect(),
        cause: wanted.cause.clone(),
        kind: wanted.kind.clone(),
        hours: wanted.hours.clone(),
        replayed: !wanted.replayed.is_empty(),
        n,
        open,
        days: kept(),
        rows: rows
            .into_iter()
            .map(|letter| row(letter, &bot.zone))
            .collect(),
        older,
        code,
    })
}

/// Days that letters stay in their topic.
fn kept() -> i64 {
    let kept = gramtap_events::topics::INBOX_DEAD.retention;
    let seconds = kept.map_or(0, |kept| kept.as_secs());
    i64::try_from(seconds).unwrap_or_default() / DAY
}

fn choices(
    sorts: &[Sort],
    of: fn(&Sort) -> &String,
    chosen: &str,
    words: impl Fn(&str) -> String,
) -> Vec<(String, String, bool)> {
    let mut values: Vec<&String> = sorts.iter().map(of).collect();
    values.sort();
    values.dedup();
    let choice = |value: &String| (value.clone(), words(value), value == chosen);
    values.into_iter().map(choice).collect()
}

fn row(letter: Letter, zone: &Zone) -> Row {
    Row {
        at: clock::moment(zone, letter.dead_at),
        machine: clock::machine(letter.dead_at),
        title: title(&letter.cause),
        replay: replayed(&letter, zone),
        letter,
    }
}

/// What became of the wish to deliver it again.
pub(super) fn replayed(letter: &Letter, zone: &Zone) -> String {
    let Some(asked) = letter.asked_at else {
        return String::new();
    };
    let by = letter.asked_by.as_deref().unwrap_or("somebody");
    let to = letter.asked_to.as_deref().map(|to| format!(" to {to}"));
    let to = to.unwrap_or_default();
    match (&letter.failed, letter.replayed_at) {
        (Some(failed), _) => format!("could not be: {failed}"),
        (None, Some(at)) => format!("{} by {by}{to}", clock::moment(zone, at)),
        (None, None) => format!("asked for by {by}{to}, {}", clock::moment(zone, asked)),
    }
}

/// Marks all that fit to be replayed.
pub(in crate::serve) async fn replay(
    site: web::Data<Site>,
    viewer: Viewer,
    bot: Bot,
    Form(again): Form<Again>,
) -> Result<HttpResponse, Fault> {
    let now = (site.clock)();
    let filter = Filter {
        replayed: false,
        ..again.wanted.filter(now)
    };
    let to = elsewhere(&site, &bot, &again.to);
    let trouble = match (&again.sure, &to) {
        (None, _) => Some(Trouble::text("Tick the box that says that you mean it.")),
        (_, Err(error)) => Some(refusal(error)),
        _ => None,
    };
    if let Some(trouble) = trouble {
        let page = made(&site, viewer, &bot, &again.wanted, Some(trouble)).await?;
        let mut response = html(&page)?;
        *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
        return Ok(response);
    }
    let which = Which::Fitting(filter);
    let asked = ask(
        &site,
        &viewer,
        &bot,
        &which,
        to.unwrap_or_default().as_ref(),
    )
    .await?;
    let code = bot.tenant.code.as_str();
    Ok(sign_in::to(
        &again.wanted.address(code, &format!("&asked={asked}")),
    ))
}

/// Marks letters, and notes who asked.
pub(super) async fn ask(
    site: &Site,
    viewer: &Viewer,
    bot: &Bot,
    which: &Which,
    to: Option<&Elsewhere>,
) -> Result<u64, Fault> {
    let subject = replay::subject(which, to);
    note(site, &viewer.name, Action::Replay, Some(bot.id()), &subject).await?;
    let by = (site.micros(), viewer.name.as_str());
    Ok(replay::ask(site.store.database(), bot.id(), which, by, to).await?)
}

/// The address that a form names, if it names one.
pub(super) fn elsewhere(
    site: &Site,
    bot: &Bot,
    to: &str,
) -> Result<Option<Elsewhere>, ElsewhereError> {
    let to = Some(to.trim()).filter(|to| !to.is_empty());
    to.map(|to| Elsewhere::admit(to, bot.id(), &site.webhooks, &site.keys))
        .transpose()
}

pub(super) fn refusal(error: &ElsewhereError) -> Trouble {
    Trouble::text(&format!("The address is refused: {error}."))
}
