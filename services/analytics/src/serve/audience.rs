//! Who uses the bot: active, new, returning and blocked users, their languages, Premium.
//!
//! In: `query/audience.rs` for the period as a whole, `query/overview.rs` for its dates. Out: `audience.html`. Invariant: a user counts once in each
//! number of the period, and once a date in those of dates.

use actix_web::{HttpResponse, web};
use askama::Template;

use super::Site;
use super::asked::{Asked, Span};
use super::bot::Bot;
use super::chart::slots::{self, Slot};
use super::chart::{Chart, Series, Unit};
use super::definition::{self, Definition};
use super::fault::Fault;
use super::figure::Figure;
use super::heading::Heading;
use super::number::Sense;
use super::page::{Frame, html};
use super::ranking::List;
use super::viewer::Viewer;
use crate::query::overview::{People, finished};
use crate::query::{Period, audience, overview};

/// Days that are shown if nothing is asked for.
const USUAL: i64 = 30;

#[derive(Template)]
#[template(path = "audience.html")]
struct Page {
    frame: Frame,
    heading: Heading,
    code: String,
    is_empty: bool,
    figures: Vec<Figure>,
    charts: Vec<String>,
    languages: List,
    premium: Vec<Figure>,
}

/// The people of each date.
struct Course {
    people: Vec<People>,
    /// Of the period that it is compared with.
    before: Vec<People>,
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
    let told = audience::audience(database, bot.id(), &period).await?;
    let course = Course {
        people: overview::people(database, bot.id(), &period).await?,
        before: overview::people(database, bot.id(), &period.before()).await?,
    };
    let charts = charts_of(&course, &period, now);
    html(&Page {
        frame: Frame::about(&bot, "audience", "Audience", viewer),
        heading: Heading::new("Audience", &bot, "audience", &period),
        code: bot.tenant.code.to_string(),
        is_empty: told.ever == 0,
        figures: figures(&told, &course),
        charts: charts.iter().map(Chart::html).collect::<Result<_, _>>()?,
        languages: List::plain(&definition::LANGUAGES, &told.languages, 0, ""),
        premium: vec![
            Figure::count(&definition::PREMIUM, "", told.premium),
            Figure::count(&definition::REGULAR, "", told.regular),
            Figure::count(&definition::NO_LANGUAGE, "", told.no_language),
        ],
    })
}

fn figures(told: &audience::Audience, course: &Course) -> Vec<Figure> {
    let compared = |definition, get: Get, sense| {
        let sum = |days: &[People]| -> i64 { days.iter().map(get).sum() };
        let (people, before) = (&course.people, &course.before);
        let figure = Figure::count(definition, "total.", sum(people));
        let changed = (people.len() > 1).then(|| (sum(finished(people)), sum(finished(before))));
        figure.against(sum(before), changed, sense)
    };
    vec![
        Figure::count(&definition::ACTIVE_IN_PERIOD, "", told.active),
        compared(&definition::FRESH, |it| it.fresh, Sense::Good),
        compared(&definition::RETURNING, |it| it.returning, Sense::Good),
        compared(&definition::BLOCKED, |it| it.blocked, Sense::Bad),
        Figure::count(&definition::BLOCKED_NOW, "", told.blocked),
        Figure::count(&definition::EVER, "", told.ever),
    ]
}

/// One number of each date.
type Get = fn(&People) -> i64;

fn charts_of(course: &Course, period: &Period, now: i64) -> Vec<Chart> {
    if period.days == 1 {
        return Vec::new();
    }
    let (slots, slots_before) = (slots::dates(period), slots::dates(&period.before()));
    let values = |slots: &[Slot], people: &[People], get: Get| {
        let rows = slots.iter().map(|slot| slot.start);
        let rows = rows.zip(people.iter().map(get));
        slots::begun(slots, rows.collect::<Vec<_>>(), now)
    };
    let bars = |definition: &Definition, get: Get, class| {
        let key = format!("days.{}", definition.key);
        Series::new(
            key,
            definition.name,
            class,
            values(&slots, &course.people, get),
        )
    };
    let before = |definition: &Definition, get: Get| {
        let key = format!("days_before.{}", definition.key);
        let name = format!("{}, the time before", definition.name);
        let values = values(&slots_before, &course.before, get);
        Series::new(key, name, "before", values)
    };
    let chart = |title: &str, bars, lines| Chart {
        title: title.to_owned(),
        unit: Unit::Count,
        slots: slots.clone(),
        bars,
        lines,
    };
    vec![
        chart(
            "Active users by date",
            vec![
                bars(&definition::RETURNING, |it| it.returning, "s1"),
                bars(&definition::FRESH, |it| it.fresh, "s4"),
            ],
            vec![before(&definition::ACTIVE, |it| it.active)],
        ),
        chart(
            definition::FRESH.name,
            vec![bars(&definition::FRESH, |it| it.fresh, "s4")],
            vec![before(&definition::FRESH, |it| it.fresh)],
        ),
        chart(
            definition::BLOCKED.name,
            vec![bars(&definition::BLOCKED, |it| it.blocked, "s3")],
            vec![before(&definition::BLOCKED, |it| it.blocked)],
        ),
    ]
}
