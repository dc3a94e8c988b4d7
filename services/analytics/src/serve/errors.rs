//! What failed: the list of errors of a bot, those that matter first.
//!
//! In: `query/errors.rs` and `query/trend.rs`. Out: `errors.html`; one group in full is [`group`]. Invariant: every group of the period is on
//! the page or counted in its rest; expected ones are folded away, and never among the numbers of the others.

pub(super) mod door;
mod evidence;
pub(super) mod group;
pub(super) mod words;

use actix_web::{HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::Site;
use super::asked::{Asked, Span};
use super::bot::Bot;
use super::chart::slots::{self, Slot};
use super::chart::spark::Spark;
use super::chart::{Chart, Series, Unit};
use super::fault::Fault;
use super::heading::Heading;
use super::page::{Frame, html};
use super::viewer::Viewer;
use super::{clock, number};
use crate::query::errors::ErrorGroup;
use crate::query::trend::Classes;
use crate::query::{Period, errors, trend};

/// Days that are shown if nothing is asked for.
const USUAL: i64 = 7;
/// Groups that are shown, of the expected and of the others.
const SHOWN: usize = 60;

/// `?class=`.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Filter {
    class: Option<String>,
}

/// A group in the list.
struct Line {
    group: String,
    title: String,
    template: String,
    method: String,
    code: String,
    class: String,
    tag: &'static str,
    word: &'static str,
    n: i64,
    text: String,
    /// Of the calls of its method.
    rate: String,
    first: String,
    last: String,
    spark: String,
}

/// A class that can be chosen.
struct Choice {
    class: &'static str,
    name: &'static str,
    address: String,
    n: i64,
    text: String,
    is_chosen: bool,
}

#[derive(Template)]
#[template(path = "errors.html")]
struct Page {
    frame: Frame,
    heading: Heading,
    code: String,
    days: i64,
    choices: Vec<Choice>,
    chart: String,
    lines: Vec<Line>,
    rest: usize,
    expected: Vec<Line>,
    expected_rest: usize,
    expected_n: String,
    refused: Vec<door::Row>,
}

/// Shows it.
pub(super) async fn page(
    site: web::Data<Site>,
    viewer: Viewer,
    bot: Bot,
    Asked(span): Asked<Span>,
    Asked(filter): Asked<Filter>,
) -> Result<HttpResponse, Fault> {
    let class = filter.class.unwrap_or_default();
    let now = (site.clock)();
    let period = span.period(&site, &bot, USUAL);
    let database = site.store.database();
    let groups = errors::errors(database, bot.id(), &period).await?;
    let classes = trend::classes(database, bot.id(), &period).await?;
    let calls = trend::methods(database, bot.id(), &period).await?;
    let refused = door::refused(&site, &bot, period.from(), now).await?;
    let is_chosen = |group: &&ErrorGroup| class.is_empty() || group.class == class;
    let (expected, others): (Vec<&ErrorGroup>, Vec<&ErrorGroup>) = groups
        .iter()
        .filter(is_chosen)
        .partition(|group| group.class == "expected");
    let shown = |groups: &[&ErrorGroup]| groups.len().min(SHOWN);
    let (first, second) = (&others[..shown(&others)], &expected[..shown(&expected)]);
    let ids: Vec<&str> = first
        .iter()
        .chain(second)
        .map(|it| it.group.as_str())
        .collect();
    let courses = trend::groups(database, bot.id(), &period, &ids).await?;
    let slots = slots::of(&period, 2);
    let line = |group: &&ErrorGroup| -> Result<Line, askama::Error> {
        let course = courses.get(&group.group).cloned().unwrap_or_default();
        let course = slots::sums(&slots, course);
        let called = calls.get(&group.method).copied();
        line(group, &course, called, &period, now)
    };
    let lines = first.iter().map(line).collect::<Result<_, _>>()?;
    let folded = second.iter().map(line).collect::<Result<_, _>>()?;
    html(&Page {
        frame: Frame::about(&bot, "errors", "Errors", viewer),
        heading: Heading::alone("Errors", &bot, "errors", &period),
        code: bot.tenant.code.to_string(),
        days: period.days,
        choices: choices(&bot, &classes, &class, period.days),
        chart: course(&slots, &classes, &class, now).html()?,
        rest: others.len() - first.len(),
        lines,
        expected_rest: expected.len() - second.len(),
        expected_n: number::count(expected.iter().map(|group| group.n).sum()),
        expected: folded,
        refused,
    })
}

fn line(
    group: &ErrorGroup,
    course: &[i64],
    called: Option<i64>,
    period: &Period,
    now: i64,
) -> Result<Line, askama::Error> {
    let title = words::title(group);
    let spark = Spark::new(format!("The course of “{title}”"), course);
    Ok(Line {
        spark: spark.render()?,
        group: group.group.clone(),
        template: group.template.clone(),
        method: group.method.clone(),
        code: group.code.map(|code| code.to_string()).unwrap_or_default(),
        tag: words::tag(&group.class),
        word: words::word(&group.class),
        class: group.class.clone(),
        n: group.n,
        text: number::count(group.n),
        rate: words::rate(group.n, called),
        first: clock::weekday(&period.zone, group.first_at.div_euclid(1_000_000)),
        last: clock::ago(now, group.last_at),
        title,
    })
}

fn choices(bot: &Bot, classes: &Classes, chosen: &str, days: i64) -> Vec<Choice> {
    let base = format!("/bots/{}/errors?days={days}", bot.tenant.code);
    let sum = |class: &str| -> i64 {
        let hours = classes.get(class).into_iter().flatten();
        hours.map(|(_, n)| n).sum()
    };
    let choice = |(class, word): (&'static str, &'static str)| {
        let n = sum(class);
        Choice {
            class,
            name: word,
            address: format!("{base}&class={class}"),
            n,
            text: number::count(n),
            is_chosen: class == chosen,
        }
    };
    let all: i64 = words::CLASSES.iter().map(|(class, _)| sum(class)).sum();
    let whole = Choice {
        class: "all",
        name: "all",
        address: base.clone(),
        n: all,
        text: number::count(all),
        is_chosen: chosen.is_empty(),
    };
    [whole]
        .into_iter()
        .chain(words::CLASSES.map(choice))
        .collect()
}

/// The course by class. Expected ones are drawn only when they are asked for: they would hide the others.
fn course(slots: &[Slot], classes: &Classes, chosen: &str, now: i64) -> Chart {
    let is_drawn = |(class, _): &(&str, &str)| match chosen {
        "" => *class != "expected",
        chosen => *class == chosen,
    };
    let series = |(class, word): (&'static str, &'static str)| {
        let hours = classes.get(class).cloned().unwrap_or_default();
        let values = slots::begun(slots, hours, now);
        Series::new(
            format!("course.{class}"),
            word,
            words::colour(class),
            values,
        )
    };
    Chart {
        title: match chosen {
            "" => "Errors by class, without expected ones".to_owned(),
            _ => "Errors".to_owned(),
        },
        unit: Unit::Count,
        slots: slots.to_vec(),
        bars: words::CLASSES
            .into_iter()
            .filter(is_drawn)
            .map(series)
            .collect(),
        lines: Vec::new(),
    }
}
