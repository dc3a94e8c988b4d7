//! A bot's records as they come.
//!
//! In: requests with a key; the hub of watchers (`live/hub.rs`). Out: server-sent events (`live/stream.rs`). Invariant: the same as the live page
//! shows, for who has a key.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};

use super::asked::{Asked, Nothing};
use super::caller::Caller;
use super::problem::Problem;
use crate::serve::Site;
use crate::serve::keys::kept::Scope;
use crate::serve::live::stream::{answer, resumed};

/// A bot's events and errors as they come, as server-sent events: `event` and `error` carry a record each, `open` is the first. The id of each
/// is where to go on behind it: send it as `Last-Event-ID`, as browsers do by themselves, and nothing is left out that is still kept.
/// `behind` says that this reader was too slow and how many records it has `missed`, `ended` that records cannot be read; the connection then
/// ends: come back with the last id. A comment comes at least every 15 seconds.
#[utoipa::path(get, path = "/v1/bots/{code}/live", tag = "Records", operation_id = "live",
    params(("code" = String, Path, description = "The bot's code."),
        ("Last-Event-ID" = Option<String>, Header, description = "Where to go on: the id of the last event that was received.")),
    responses((status = 200, description = "Events, until one side ends it.", content((String = "text/event-stream")))))]
pub async fn live(
    caller: Caller,
    site: Data<Site>,
    code: Path<String>,
    _: Asked<Nothing>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let bot = caller.bot(&site, &code, Scope::Export).await?;
    let from = resumed(request.headers());
    let watch = site.desk.hub.watch(&site.bus, bot.id(), from).await?;
    Ok(answer(watch.ok_or(Problem::Busy)?))
}
