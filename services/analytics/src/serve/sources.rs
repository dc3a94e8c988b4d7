//! Where users come from: links with a payload, UTM, new users by source.
//!
//! In: `query/sources.rs`. Out: `sources.html`. Invariant: new users by source, further sources and direct ones are all new users.

use actix_web::{HttpResponse, web};
use askama::Template;

use super::Site;
use super::asked::{Asked, Span};
use super::bot::Bot;
use super::definition;
use super::fault::Fault;
use super::figure::Figure;
use super::heading::Heading;
use super::page::{Frame, html};
use super::ranking::{List, ROWS};
use super::viewer::Viewer;
use crate::query::sources;

/// Days that are shown if nothing is asked for.
const USUAL: i64 = 7;
/// What to do to get some.
const HINT: &str = "Give people links such as https://t.me/YourBot?start=spring: what is behind start= is counted here.";

#[derive(Template)]
#[template(path = "sources.html")]
struct Page {
    frame: Frame,
    heading: Heading,
    code: String,
    is_empty: bool,
    figures: Vec<Figure>,
    lists: Vec<List>,
}

/// Shows it.
pub(super) async fn page(
    site: web::Data<Site>,
    viewer: Viewer,
    bot: Bot,
    Asked(span): Asked<Span>,
) -> Result<HttpResponse, Fault> {
    let period = span.period(&site, &bot, USUAL);
    let told = sources::sources(site.store.database(), bot.id(), &period, ROWS).await?;
    let lists = vec![
        List::plain(&definition::ARRIVED, &told.arrived, told.arrived_rest, HINT),
        List::of(&definition::STARTS, &told.starts, HINT),
        List::of(
            &definition::UTM,
            &told.utm,
            "A payload such as utm_source=ads is taken apart here; as Telegram allows no = in links, write it as base64url.",
        ),
    ];
    html(&Page {
        frame: Frame::about(&bot, "sources", "Sources", viewer),
        heading: Heading::new("Sources", &bot, "sources", &period),
        code: bot.tenant.code.to_string(),
        is_empty: told.by_source() + told.direct == 0,
        figures: vec![
            Figure::count(&definition::BY_SOURCE, "", told.by_source()),
            Figure::count(&definition::DIRECT, "", told.direct),
        ],
        lists,
    })
}
