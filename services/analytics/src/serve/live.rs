//! The live page of a bot: its records as they come.
//!
//! In: people who are signed in; the newest records of the log; the hub of watchers (`live/hub.rs`). Out: a page with the latest records, which the
//! script continues from `live/events` (`live/stream.rs`). Invariant: without the script the page is whole, and says to load it again.

pub mod hub;
pub mod stream;

use std::collections::VecDeque;

use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use gramtap_bus::Delivery;
use gramtap_events::topics::{ERRORS, EVENTS};
use serde::Deserialize;

use super::Site;
use super::bot::Bot;
use super::fault::Fault;
use super::page::{Frame, html};
use super::records::{Begin, Records, Step};
use super::viewer::Viewer;

/// Records that the page shows.
const SHOWN: usize = 100;
/// Records of the bot's partition that are looked at for them.
const LOOKED: i64 = 2_000;

/// The paths.
pub(super) fn configure(config: &mut web::ServiceConfig) {
    config
        .route("/bots/{code}/live", web::get().to(page))
        .route("/bots/{code}/live/events", web::get().to(events));
}

#[derive(Template)]
#[template(path = "live.html")]
struct Live {
    frame: Frame,
    code: String,
    lines: Vec<Line>,
}

/// What is shown of a record, whichever topic it is of. `static/console.js` makes the same lines.
#[derive(Deserialize)]
struct Line {
    at: String,
    #[serde(default)]
    event: Option<String>,
    #[serde(default)]
    chat_id: Option<i64>,
    #[serde(default)]
    user_id: Option<i64>,
    #[serde(default)]
    command: Option<String>,
    #[serde(default)]
    method: Option<String>,
    #[serde(default, alias = "error_code")]
    code: Option<i64>,
    #[serde(default, alias = "error_group")]
    group: Option<String>,
}

impl Line {
    /// The time of the day, to the millisecond.
    fn clock(&self) -> &str {
        self.at.get(11..23).unwrap_or(&self.at)
    }
}

async fn page(viewer: Viewer, bot: Bot, site: Data<Site>) -> Result<HttpResponse, Fault> {
    let busy = || {
        Fault::Refused("Too many read records at once. Load the page again in a minute.".to_owned())
    };
    let _place = site.desk.reader().ok_or_else(busy)?;
    let mut lines = VecDeque::new();
    let mut records = Records::open(&site, bot.id(), &EVENTS, Begin::Last(LOOKED)).await?;
    loop {
        match records.step().await? {
            Step::Record(record) => {
                lines.extend(line(&record));
                if lines.len() > SHOWN {
                    lines.pop_front();
                }
            }
            Step::Other | Step::Gone(_) => {}
            Step::End => break,
        }
    }
    html(&Live {
        frame: Frame::about(&bot, "live", "Live", viewer),
        code: bot.tenant.code.to_string(),
        lines: lines.into_iter().rev().collect(),
    })
}

fn line(record: &Delivery) -> Option<Line> {
    let read = serde_json::from_slice(record.payload.as_deref()?);
    if read.is_err() {
        let topic = if record.topic == &ERRORS {
            "errors"
        } else {
            "events"
        };
        tracing::warn!(topic, "a record cannot be shown");
    }
    read.ok()
}

async fn events(
    _: Viewer,
    bot: Bot,
    site: Data<Site>,
    request: HttpRequest,
) -> Result<HttpResponse, Fault> {
    let from = stream::resumed(request.headers());
    let watch = site.desk.hub.watch(&site.bus, bot.id(), from).await?;
    match watch {
        Some(watch) => Ok(stream::answer(watch)),
        None => Ok(HttpResponse::ServiceUnavailable().finish()),
    }
}
