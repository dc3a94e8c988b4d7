//! How updates reach a bot's webhook: the page of it, and below it dead letters (`letters.rs`, `letter.rs`).
//!
//! In: `query/deliveries.rs`, `query/letters.rs`, the registry. Out: `deliveries.html`. Invariant: of the bot's address scheme and host alone are shown;
//! what nothing is known of yet says what to do.

pub(super) mod letter;
pub(super) mod letters;

use actix_web::{HttpResponse, web};
use askama::Template;
use gramtap_events::tenant::Mode;
use gramtap_telegram::advice::{self, Advice, Symptom};

use super::asked::{Asked, Span};
use super::bot::Bot;
use super::chart::slots;
use super::chart::{Chart, Series, Unit};
use super::definition::{self, Definition};
use super::errors::words;
use super::fault::Fault;
use super::figure::Figure;
use super::heading::Heading;
use super::latency::{Whole, cells};
use super::page::{Frame, html};
use super::viewer::Viewer;
use super::{Site, clock, number};
use crate::query::deliveries::{self, Deliveries, Numbers};
use crate::query::overview::HOURLY;
use crate::query::{Period, letters as dead};
use crate::zone::Zone;

/// Days that are shown if nothing is asked for.
const USUAL: i64 = 1;
/// Attempts and queues that are shown.
const ATTEMPTS: i64 = 15;
const QUEUES: usize = 20;

#[derive(Template)]
#[template(path = "deliveries.html")]
struct Page {
    frame: Frame,
    heading: Heading,
    code: String,
    advice: Option<(&'static str, &'static str)>,
    endpoint: Option<String>,
    mode: &'static str,
    is_empty: bool,
    figures: Vec<Figure>,
    chart: String,
    times: [Whole; 2],
    failures_definition: &'static Definition,
    failures: Vec<Failing>,
    standing_definition: &'static Definition,
    standing: Stands,
    waiting_definition: &'static Definition,
    waiting: Vec<Waits>,
    waiting_n: usize,
    dead_definition: &'static Definition,
    dead: Vec<Given>,
    attempts: Vec<Attempt>,
}

/// A sort of failures.
struct Failing {
    label: String,
    status: Option<i64>,
    title: &'static str,
    tag: &'static str,
    word: &'static str,
    meaning: &'static str,
    remedy: &'static str,
    n: i64,
    text: String,
}

/// How the webhook stands.
struct Stands {
    n: i64,
    text: String,
    /// When the last attempt failed, for people and for machines, and what was told of it.
    failed: Option<(String, String, String)>,
}

/// A queue in which something waits to be tried again.
struct Waits {
    lane: String,
    n: i64,
    attempt: i64,
    title: String,
    next: String,
    expires: String,
}

/// Updates that were given up for one cause.
struct Given {
    cause: String,
    title: String,
    n: i64,
    replayed: i64,
}

/// An attempt.
struct Attempt {
    attempt: deliveries::Attempt,
    at: String,
    machine: String,
    verdict: &'static str,
    tag: &'static str,
    label: Option<String>,
    took: String,
    next: String,
}

/// Shows it.
pub(super) async fn page(
    site: web::Data<Site>,
    viewer: Viewer,
    bot: Bot,
    Asked(span): Asked<Span>,
) -> Result<HttpResponse, Fault> {
    let now = (site.clock)();
    let period = span.period(&site, &bot, USUAL);
    let database = site.store.database();
    let told = deliveries::deliveries(database, bot.id(), &period).await?;
    let standing = deliveries::standing(&site.registry, bot.id()).await?;
    let waiting = deliveries::waiting(database, bot.id(), now).await?;
    let attempts = deliveries::attempts(database, bot.id(), None, ATTEMPTS).await?;
    let sorts = dead::sorts(database, bot.id()).await?;
    let webhook = site.registry.webhook(&bot.tenant)?;
    let endpoint = webhook
        .filter(|_| bot.tenant.hook.is_some())
        .map(|webhook| webhook.endpoint());
    let mode = bot.tenant.webhook_mode();
    let is_empty = told.series.is_empty();
    let side = |definition: &'static Definition, of| Whole {
        definition,
        cells: cells(definition.key, of),
    };
    html(&Page {
        frame: Frame::about(&bot, "deliveries", "Deliveries", viewer),
        heading: Heading::alone("Deliveries", &bot, "deliveries", &period),
        code: bot.tenant.code.to_string(),
        advice: to_do(endpoint.is_some(), mode, is_empty),
        mode: match mode {
            Mode::Inbox => {
                "from here: each update is kept until the webhook has it, or its time is over."
            }
            Mode::Relay => {
                "at once: Telegram waits for the webhook's answer, and nothing of it is counted here."
            }
        },
        endpoint,
        is_empty,
        figures: figures(&told.total),
        chart: course(&told, &period, now).html()?,
        times: [
            side(&definition::TIME_TO_DELIVERY, &told.delivery),
            side(&definition::ENDPOINT_TIME, &told.endpoint),
        ],
        failures_definition: &definition::FAILURES,
        failures: told.failures.iter().map(failing).collect(),
        standing_definition: &definition::WAITING,
        standing: stands(standing, &bot.zone),
        waiting_definition: &definition::TRIED_AGAIN,
        waiting_n: waiting.len(),
        waiting: waiting
            .iter()
            .take(QUEUES)
            .map(|it| waits(it, now))
            .collect(),
        dead_definition: &definition::DEAD_LETTERS,
        dead: by_cause(&sorts),
        attempts: shown(attempts, &bot.zone),
    })
}

/// What is to be done where nothing is delivered from here.
fn to_do(is_set: bool, mode: Mode, is_empty: bool) -> Option<(&'static str, &'static str)> {
    match (is_set, mode) {
        (false, _) => Some((
            "This bot has no webhook here",
            "A bot that polls needs none. For one that takes updates by a webhook: say where it takes them, and tell Telegram the address that you are given for it.",
        )),
        (true, Mode::Relay) if is_empty => Some((
            "Updates are passed on at once",
            "Telegram itself waits for the bot's answer and repeats what fails, so there is nothing to show. In the mode inbox, Gramtap keeps each update, delivers it in order, and shows here how that goes.",
        )),
        (true, Mode::Inbox) if is_empty => Some((
            "Nothing was delivered in this time",
            "Once Telegram pushes an update, it is here within seconds. If none comes: Telegram may still have another address.",
        )),
        _ => None,
    }
}

fn figures(total: &Numbers) -> Vec<Figure> {
    let count = |definition, n| Figure::count(definition, "total.", n);
    vec![
        Figure::share(&definition::SUCCESS_RATE, "total.", total.success_rate()),
        count(&definition::DELIVERED, total.delivered),
        count(&definition::ATTEMPTS, total.attempts),
        count(&definition::FAILED_ATTEMPTS, total.failed),
        count(&definition::RETRIES, total.retries),
        count(&definition::EXPIRED, total.expired),
        count(&definition::DEAD, total.dead),
    ]
}

fn course(told: &Deliveries, period: &Period, now: i64) -> Chart {
    let slots = slots::of(period, HOURLY);
    let bars = |key: &str, name, class, get: fn(&Numbers) -> i64| {
        let rows = told.series.iter().map(|(begins, it)| (*begins, get(it)));
        let values = slots::begun(&slots, rows, now);
        Series::new(format!("series.{key}"), name, class, values)
    };
    let bars = vec![
        bars("delivered", "Delivered", "s1", |it| it.delivered),
        bars("failed", "Failed attempts", "class-outage", |it| it.failed),
    ];
    Chart {
        title: match period.days <= HOURLY {
            true => "Attempts, by hour".to_owned(),
            false => "Attempts, by date".to_owned(),
        },
        unit: Unit::Count,
        slots,
        bars,
        lines: Vec::new(),
    }
}

/// What the catalogue says of a word.
fn known(label: &str) -> Option<&'static Advice> {
    let found = advice::of(&Symptom {
        code: None,
        method: "webhook",
        description: None,
        label: Some(label),
    });
    Some(found).filter(|found| found.key != "unknown")
}

/// What a word is called; itself, where this version does not know it.
fn title(label: &str) -> String {
    known(label).map_or_else(|| label.to_owned(), |advice| advice.title.to_owned())
}

fn failing(of: &deliveries::Failures) -> Failing {
    let advice = known(&of.label);
    let class = advice.map_or("", |advice| advice.class.as_str());
    Failing {
        label: of.label.clone(),
        status: of.status,
        title: advice.map_or("Not delivered", |advice| advice.title),
        tag: words::tag(class),
        word: words::word(class),
        meaning: advice.map_or("", |advice| advice.meaning),
        remedy: advice.map_or("", |advice| advice.remedy),
        n: of.n,
        text: number::count(of.n),
    }
}

fn stands(of: deliveries::Standing, zone: &Zone) -> Stands {
    let failed = of.failed.map(|it| {
        let (at, machine) = (clock::moment(zone, it.at), clock::machine(it.at));
        (at, machine, it.message)
    });
    Stands {
        n: of.n,
        text: number::count(of.n),
        failed,
    }
}

fn waits(of: &deliveries::Waiting, now: i64) -> Waits {
    let next = of.next_at.map(|at| span(at.div_euclid(1_000_000) - now));
    Waits {
        lane: of.lane.clone(),
        n: of.n,
        attempt: of.attempt,
        title: title(&of.label),
        next: next.unwrap_or_else(|| "as soon as it is its turn".to_owned()),
        expires: span(of.expires_at.div_euclid(1_000_000) - now),
    }
}

/// A time that is to come: `in 5 s`, `in 12 min`, `in 3 h`; `due`.
fn span(seconds: i64) -> String {
    match seconds {
        ..=0 => "due".to_owned(),
        1..120 => format!("in {seconds} s"),
        120..7_200 => format!("in {} min", seconds / 60),
        _ => format!("in {} h", seconds / 3_600),
    }
}

fn by_cause(sorts: &[dead::Sort]) -> Vec<Given> {
    let mut causes: Vec<Given> = Vec::new();
    for sort in sorts {
        match causes.iter_mut().find(|it| it.cause == sort.cause) {
            Some(given) => {
                given.n += sort.n;
                given.replayed += sort.replayed;
            }
            None => causes.push(Given {
                cause: sort.cause.clone(),
                title: title(&sort.cause),
                n: sort.n,
                replayed: sort.replayed,
            }),
        }
    }
    causes
}

fn shown(attempts: Vec<deliveries::Attempt>, zone: &Zone) -> Vec<Attempt> {
    let shown = |attempt: deliveries::Attempt| {
        let (verdict, tag) = match attempt.verdict.as_str() {
            "delivered" => ("delivered", "good"),
            "retry" => ("tried again", "warn"),
            "expired" => ("expired", "bad"),
            "refused" => ("not called", "bad"),
            _ => ("given up", "bad"),
        };
        #[expect(clippy::cast_precision_loss, reason = "shown with three digits")]
        let took = number::duration(attempt.took_us as f64 / 1_000.0);
        Attempt {
            at: clock::moment(zone, attempt.at),
            machine: clock::machine(attempt.at),
            verdict,
            tag,
            label: attempt.label.clone().filter(|it| it != verdict),
            took: if attempt.attempt > 0 {
                took
            } else {
                number::NOTHING.to_owned()
            },
            next: attempt
                .next_at
                .map(|at| clock::moment(zone, at))
                .unwrap_or_default(),
            attempt,
        }
    };
    attempts.into_iter().map(shown).collect()
}
