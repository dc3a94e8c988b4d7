//! What users do: commands, buttons, media, kinds of updates.
//!
//! In: `query/actions.rs`. Out: `rankings.html`. Invariant: each list is whole: its rows, its rest, and what was counted together.

use actix_web::{HttpResponse, web};
use askama::Template;

use super::Site;
use super::asked::{Asked, Span};
use super::bot::Bot;
use super::definition;
use super::fault::Fault;
use super::heading::Heading;
use super::page::{Frame, html};
use super::ranking::{List, ROWS};
use super::viewer::Viewer;
use crate::query::actions;

/// Days that are shown if nothing is asked for.
const USUAL: i64 = 7;

#[derive(Template)]
#[template(path = "rankings.html")]
struct Page {
    frame: Frame,
    heading: Heading,
    code: String,
    is_empty: bool,
    nothing: &'static str,
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
    let told = actions::actions(site.store.database(), bot.id(), &period, ROWS).await?;
    let lists = vec![
        List::of(
            &definition::COMMANDS,
            &told.commands,
            "They are counted as soon as users send messages that begin with a slash.",
        ),
        List::of(
            &definition::BUTTONS,
            &told.buttons,
            "They are counted as soon as users press inline buttons.",
        ),
        List::of(
            &definition::CALLBACKS,
            &told.callbacks,
            "They are counted as soon as users press inline buttons with callback_data.",
        ),
        List::of(
            &definition::MEDIA,
            &told.media,
            "They are counted as soon as users send photos, voice messages and the like.",
        ),
        List::of(&definition::UPDATES_BY_KIND, &told.updates, "")
            .words(|name| name.replace('_', " ")),
    ];
    html(&Page {
        frame: Frame::about(&bot, "actions", "Actions", viewer),
        heading: Heading::new("Actions", &bot, "actions", &period),
        code: bot.tenant.code.to_string(),
        is_empty: told.updates.top.is_empty(),
        nothing: "No update was seen of this bot in this time.",
        lists,
    })
}
