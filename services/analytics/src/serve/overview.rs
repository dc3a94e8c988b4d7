//! A bot's first page: its headline numbers, their course, and what needs attention.
//!
//! In: `query/overview.rs`; for what needs attention, `query/polls.rs` and the errors of today. Out: `overview.html`. Invariant: what is compared
//! is over: of today only finished hours, of more days only finished days.

use actix_web::{HttpResponse, web};
use askama::Template;

use super::Site;
use super::asked::{Asked, Span};
use super::attention::{self, Notice, Signs};
use super::bot::Bot;
use super::chart::slots;
use super::chart::{Chart, Series, Unit};
use super::definition::{self, Definition};
use super::errors::door;
use super::fault::Fault;
use super::figure::Figure;
use super::heading::Heading;
use super::number::Sense;
use super::page::{Frame, html};
use super::viewer::Viewer;
use crate::query::overview::{Day, Figures, Hour, Overview, finished, total};
use crate::query::{Period, errors, overview, polls};

/// What is said of the dates if nothing is asked for.
const USUAL: i64 = 1;

#[derive(Template)]
#[template(path = "overview.html")]
struct Page {
    frame: Frame,
    heading: Heading,
    code: String,
    is_empty: bool,
    notices: Vec<Notice>,
    figures: Vec<Figure>,
    charts: Vec<String>,
    everything: Vec<Figure>,
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
    let told = overview::overview(database, bot.id(), &period).await?;
    let polls = polls::polls(database, bot.id(), now, 1).await?;
    let today = Period::last(bot.zone.clone(), now, 1);
    let errors = errors::errors(database, bot.id(), &today).await?;
    let refused = door::refused(&site, &bot, today.from(), now).await?;
    let (today, usual) = todays(&told);
    let notices = attention::notices(&Signs {
        now,
        polls: &polls,
        errors: &errors,
        today: today.traffic,
        usual: usual.traffic,
        refused: &refused,
    });
    let charts = charts_of(&told, &period, now);
    let nothing = Figures::default();
    html(&Page {
        frame: Frame::about(&bot, "overview", "Overview", viewer),
        heading: Heading::new("Overview", &bot, "overview", &period),
        code: bot.tenant.code.to_string(),
        is_empty: told.total == nothing && told.before == nothing,
        notices,
        figures: figures(&told, &period, now),
        charts: charts.iter().map(Chart::html).collect::<Result<_, _>>()?,
        everything: everything(&told),
    })
}

/// The figures of today, and of the other days that are told.
fn todays(told: &Overview) -> (Figures, Figures) {
    match told.days.split_last() {
        Some((today, [])) => (today.figures, told.before),
        Some((today, earlier)) => (today.figures, total(earlier)),
        None => Default::default(),
    }
}

/// What can be compared: of today the finished hours, of more days the finished days.
fn compared(told: &Overview, period: &Period, now: i64) -> (Figures, Figures) {
    if period.days > 1 {
        return (
            total(finished(&told.days)),
            total(finished(&told.days_before)),
        );
    }
    let passed = period.zone.hour(now) - period.from();
    let passed_by = |hours: &[Hour], from: i64| {
        let mut figures = Figures::default();
        for hour in hours.iter().filter(|hour| hour.start < from + passed) {
            figures.traffic.add(hour.traffic);
        }
        figures
    };
    let before = period.before().from();
    (
        passed_by(&told.hours, period.from()),
        passed_by(&told.hours_before, before),
    )
}

type Get = fn(&Figures) -> i64;

const HEADLINES: [(&Definition, Get, Sense); 6] = [
    (&definition::ACTIVE, |it| it.people.active, Sense::Good),
    (&definition::FRESH, |it| it.people.fresh, Sense::Good),
    (&definition::BLOCKED, |it| it.people.blocked, Sense::Bad),
    (
        &definition::UPDATES,
        |it| it.traffic.updates,
        Sense::Neither,
    ),
    (&definition::CALLS, |it| it.traffic.calls, Sense::Neither),
    (&definition::ERRORS, |it| it.traffic.errors, Sense::Bad),
];

const OTHERS: [(&Definition, Get); 6] = [
    (&definition::RETURNING, |it| it.people.returning),
    (&definition::FAILED, |it| it.traffic.failed),
    (&definition::POLLS, |it| it.traffic.polls),
    (&definition::POLLS_FAILED, |it| it.traffic.polls_failed),
    (&definition::UNVERIFIED, |it| it.traffic.unverified),
    (&definition::LOST, |it| it.traffic.lost),
];

fn figures(told: &Overview, period: &Period, now: i64) -> Vec<Figure> {
    let (finished, before) = compared(told, period, now);
    let mut figures = Vec::new();
    for (definition, get, sense) in HEADLINES {
        // People are counted by day, so those of a day that is not over cannot be compared.
        let is_over = period.days > 1 || !PEOPLE.contains(&definition);
        let changed = is_over.then(|| (get(&finished), get(&before)));
        let figure = Figure::count(definition, "total.", get(&told.total));
        figures.push(figure.against(get(&told.before), changed, sense));
    }
    let rate = |figures: &Figures| figures.traffic.error_rate();
    let share = Figure::share(&definition::ERROR_RATE, "total.", rate(&told.total));
    let changed = (rate(&finished), rate(&before));
    figures.push(share.against_share(rate(&told.before), changed, Sense::Bad));
    figures
}

const PEOPLE: [&Definition; 3] = [
    &definition::ACTIVE,
    &definition::FRESH,
    &definition::BLOCKED,
];

/// All further numbers.
fn everything(told: &Overview) -> Vec<Figure> {
    let figure = |(definition, get): (&'static Definition, Get)| {
        let figure = Figure::count(definition, "total.", get(&told.total));
        figure.against(get(&told.before), None, Sense::Neither)
    };
    OTHERS.into_iter().map(figure).collect()
}

/// What is drawn: its definition, the number, its class.
type Drawn = (&'static Definition, Get, &'static str);

const CHARTS: [Drawn; 4] = [
    (&definition::ACTIVE, |it| it.people.active, "s1"),
    (&definition::UPDATES, |it| it.traffic.updates, "s1"),
    (&definition::CALLS, |it| it.traffic.calls, "s1"),
    (&definition::ERRORS, |it| it.traffic.errors, "s3"),
];

/// By hour today, else by date; people are counted by date alone.
fn charts_of(told: &Overview, period: &Period, now: i64) -> Vec<Chart> {
    let before = period.before();
    let slots = slots::of(period, 1);
    let slots_before = slots::of(&before, 1);
    let (rows, rows_before, charts, name, whole) = match period.days {
        1 => (
            by_hour(&told.hours),
            by_hour(&told.hours_before),
            &CHARTS[1..],
            "A week before",
            "hours",
        ),
        _ => (
            by_date(&told.days),
            by_date(&told.days_before),
            &CHARTS[..],
            "The time before",
            "days",
        ),
    };
    let chart = |(definition, get, class): &Drawn| {
        let numbers = |rows: &[(i64, Figures)]| -> Vec<(i64, i64)> {
            rows.iter().map(|(start, it)| (*start, get(it))).collect()
        };
        let now_values = slots::begun(&slots, numbers(&rows), now);
        let before_values = slots::begun(&slots_before, numbers(&rows_before), now);
        let (title, key) = (definition.name, definition.key);
        let keys = [format!("{whole}.{key}"), format!("{whole}_before.{key}")];
        let [key, key_before] = keys;
        Chart {
            title: title.to_owned(),
            unit: Unit::Count,
            bars: vec![Series::new(key, title, class, now_values)],
            lines: vec![Series::new(key_before, name, "before", before_values)],
            slots: slots.clone(),
        }
    };
    charts.iter().map(chart).collect()
}

fn by_hour(hours: &[Hour]) -> Vec<(i64, Figures)> {
    let figures = |traffic| Figures {
        traffic,
        ..Figures::default()
    };
    let row = |hour: &Hour| (hour.start, figures(hour.traffic));
    hours.iter().map(row).collect()
}

fn by_date(days: &[Day]) -> Vec<(i64, Figures)> {
    days.iter().map(|day| (day.start, day.figures)).collect()
}
