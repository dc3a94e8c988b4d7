//! How long calls take, Telegram's time against ours.
//!
//! In: `query/latency.rs`. Out: `latency.html`. Invariant: the two times are never added up or drawn on one scale; where nothing was measured there is
//! a gap.

use actix_web::{HttpResponse, web};
use askama::Template;

use super::Site;
use super::asked::{Asked, Span};
use super::bot::Bot;
use super::chart::bar::Bar;
use super::chart::slots;
use super::chart::{Chart, Series, Unit};
use super::definition::{self, Definition};
use super::fault::Fault;
use super::heading::Heading;
use super::number;
use super::page::{Frame, html};
use super::viewer::Viewer;
use crate::query::latency::{Latency, Quantiles, Times};
use crate::query::overview::HOURLY;
use crate::query::{Period, latency};

/// Days that are shown if nothing is asked for.
const USUAL: i64 = 1;

#[derive(Template)]
#[template(path = "latency.html")]
struct Page {
    frame: Frame,
    heading: Heading,
    code: String,
    is_empty: bool,
    sides: [Whole; 2],
    charts: Vec<String>,
    methods: Vec<Method>,
    polls: Cells,
    polls_own: Cells,
}

/// One side of all calls.
pub(super) struct Whole {
    pub(super) definition: &'static Definition,
    pub(super) cells: Cells,
}

/// Quantiles, written.
pub(super) struct Cells {
    /// Where they stand in the answer.
    pub(super) key: String,
    pub(super) n: i64,
    /// Name, words, exact value, text.
    pub(super) quantiles: [Cell; 3],
}

type Cell = (&'static str, &'static str, String, String);

/// The row of a method.
struct Method {
    name: String,
    telegram: Cells,
    own: Cells,
    /// From the median to 99 %, with a mark at 95 %.
    spread: Option<Bar>,
}

/// Shows it.
pub(super) async fn page(
    site: web::Data<Site>,
    viewer: Viewer,
    bot: Bot,
    Asked(span): Asked<Span>,
) -> Result<HttpResponse, Fault> {
    let period = span.period(&site, &bot, USUAL);
    let told = latency::latency(site.store.database(), bot.id(), &period).await?;
    let side = |definition: &'static Definition, of: &Quantiles| Whole {
        definition,
        cells: cells(format!("all.{}", definition.key), of),
    };
    let charts = [
        chart(
            &definition::TELEGRAM,
            |times| &times.telegram,
            &told,
            &period,
        ),
        chart(&definition::OWN, |times| &times.own, &told, &period),
    ];
    html(&Page {
        frame: Frame::about(&bot, "latency", "Latency", viewer),
        heading: Heading::alone("Latency", &bot, "latency", &period),
        code: bot.tenant.code.to_string(),
        is_empty: told == Latency::default(),
        sides: [
            side(&definition::TELEGRAM, &told.all.telegram),
            side(&definition::OWN, &told.all.own),
        ],
        charts: charts.iter().map(Chart::html).collect::<Result<_, _>>()?,
        methods: methods(&told),
        polls: cells("polls.telegram", &told.polls.telegram),
        polls_own: cells("polls.own", &told.polls.own),
    })
}

pub(super) fn cells(key: impl Into<String>, of: &Quantiles) -> Cells {
    let cell = |name, words, ms: Option<f64>| {
        let text = ms.map_or_else(|| number::NOTHING.to_owned(), number::duration);
        let raw = ms.map(|ms| ms.to_string()).unwrap_or_default();
        (name, words, raw, text)
    };
    Cells {
        key: key.into(),
        n: of.n,
        quantiles: [
            cell("p50", "half", of.p50),
            cell("p95", "95 %", of.p95),
            cell("p99", "99 %", of.p99),
        ],
    }
}

fn methods(told: &Latency) -> Vec<Method> {
    let slowest = told.methods.iter().filter_map(|(_, it)| it.telegram.p99);
    let slowest = slowest.fold(0.0, f64::max);
    let method = |(name, times): &(String, Times)| {
        let of = &times.telegram;
        let spread = of.p50.zip(of.p95).zip(of.p99);
        Method {
            name: name.clone(),
            telegram: cells("methods.telegram", of),
            own: cells("methods.own", &times.own),
            spread: spread.map(|((p50, p95), p99)| Bar::spread(p50, p95, p99, slowest)),
        }
    };
    told.methods.iter().map(method).collect()
}

fn chart(
    definition: &'static Definition,
    side: fn(&Times) -> &Quantiles,
    told: &Latency,
    period: &Period,
) -> Chart {
    let slots = slots::of(period, HOURLY);
    let line = |name: &'static str, words, class, get: fn(&Quantiles) -> Option<f64>| {
        let value = |start: i64| {
            let found = told.series.iter().find(|(begins, _)| *begins == start);
            found.and_then(|(_, times)| get(side(times)))
        };
        let values = slots.iter().map(|slot| value(slot.start)).collect();
        let key = format!("series.{}.{name}", definition.key);
        Series::new(key, words, class, values)
    };
    let lines = vec![
        line("p50", "half", "s1", |it| it.p50),
        line("p95", "95 %", "class-config", |it| it.p95),
        line("p99", "99 %", "s3", |it| it.p99),
    ];
    Chart {
        title: match period.days <= HOURLY {
            true => format!("{}, by hour", definition.name),
            false => format!("{}, by date", definition.name),
        },
        unit: Unit::Millis,
        slots,
        bars: Vec::new(),
        lines,
    }
}
