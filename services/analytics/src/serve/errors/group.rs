//! One group of errors in full: what it means, what to do, whose fault it was, whom it hit.
//!
//! In: `query/errors.rs`; what else is known of it, `evidence.rs`. Out: `error.html`. Invariant: texts of the catalogue are shown as they are; what
//! somebody else wrote (descriptions, libraries) is only ever text.

use actix_web::{HttpResponse, web};
use askama::Template;

use super::evidence::{self, Evidence};
use super::{USUAL, words};
use crate::query::errors::{ErrorDetail, ErrorGroup, Example};
use crate::query::{Period, errors, trend};
use crate::serve::asked::{Asked, Span};
use crate::serve::bot::Bot;
use crate::serve::chart::slots;
use crate::serve::chart::{Chart, Series, Unit};
use crate::serve::definition;
use crate::serve::fault::Fault;
use crate::serve::figure::Figure;
use crate::serve::heading::Heading;
use crate::serve::page::{Frame, html};
use crate::serve::viewer::Viewer;
use crate::serve::{Site, clock};

/// Days up to which hours are drawn.
const HOURLY: i64 = 7;

#[derive(Template)]
#[template(path = "error.html")]
struct Page<'a> {
    frame: Frame,
    heading: Heading,
    code: String,
    bot: &'a str,
    group: &'a ErrorGroup,
    title: String,
    tag: &'static str,
    word: &'static str,
    class: &'static str,
    origin: (&'static str, &'static str),
    again: Option<(&'static str, &'static str)>,
    evidence: Evidence,
    figures: Vec<Figure>,
    first: String,
    last: String,
    last_ago: String,
    rate: String,
    chart: String,
    examples: Vec<Shown<'a>>,
}

/// An example, with its time in the bot's zone.
struct Shown<'a> {
    at: String,
    machine: String,
    example: &'a Example,
}

/// Shows it.
pub(in crate::serve) async fn page(
    site: web::Data<Site>,
    viewer: Viewer,
    bot: Bot,
    path: web::Path<(String, String)>,
    Asked(span): Asked<Span>,
) -> Result<HttpResponse, Fault> {
    let (_, id) = path.into_inner();
    let now = (site.clock)();
    let period = span.period(&site, &bot, USUAL);
    let database = site.store.database();
    let detail = errors::error(database, bot.id(), &id, &period).await?;
    let detail = detail
        .filter(|detail| !detail.group.group.is_empty())
        .ok_or(Fault::Missing("kind of error"))?;
    let calls = trend::methods(database, bot.id(), &period).await?;
    let evidence = evidence::of(&site, &bot, &detail, now).await?;
    let group = &detail.group;
    let at = |micros: i64| clock::moment(&bot.zone, micros);
    let path = format!("errors/{id}");
    let shown = |example| -> Shown<'_> {
        let example: &Example = example;
        Shown {
            at: at(example.at),
            machine: clock::machine(example.at),
            example,
        }
    };
    html(&Page {
        frame: Frame::about(&bot, "errors", &words::title(group), viewer),
        heading: Heading::alone("Errors", &bot, &path, &period),
        code: bot.tenant.code.to_string(),
        bot: bot.tenant.id.as_str(),
        title: words::title(group),
        tag: words::tag(&group.class),
        word: words::word(&group.class),
        class: words::class(&group.class),
        origin: words::origin(&group.origin),
        again: group.advice.map(words::again),
        evidence,
        figures: figures(&detail),
        first: at(group.first_at),
        last: at(group.last_at),
        last_ago: clock::ago(now, group.last_at),
        rate: words::rate(group.n, calls.get(&group.method).copied()),
        chart: course(&detail, &period, now).html()?,
        examples: detail.examples.iter().map(shown).collect(),
        group,
    })
}

fn figures(detail: &ErrorDetail) -> Vec<Figure> {
    let mut figures = vec![Figure::count(
        &definition::ERRORS_OF_GROUP,
        "",
        detail.group.n,
    )];
    for (definition, hit) in [
        (&definition::CHATS_HIT, detail.chats),
        (&definition::USERS_HIT, detail.users),
    ] {
        let mut figure = Figure::count(definition, "", hit.n);
        if hit.estimate {
            figure.note = "about";
        }
        figures.push(figure);
    }
    figures
}

fn course(detail: &ErrorDetail, period: &Period, now: i64) -> Chart {
    let slots = slots::of(period, HOURLY);
    let values = slots::begun(&slots, detail.hours.iter().copied(), now);
    let colour = words::colour(&detail.group.class);
    Chart {
        title: match period.days <= HOURLY {
            true => "By hour".to_owned(),
            false => "By date".to_owned(),
        },
        unit: Unit::Count,
        slots,
        bars: vec![Series::new("hours.n", "Errors", colour, values)],
        lines: Vec::new(),
    }
}
