//! The control API over HTTP, under `/simulator/`.
//!
//! In: requests whose path begins so (`connection.rs`). Out: [`Control`], whose methods do the
//! work; JSON back, `{"error":"…"}` with 400 or 404 when an order cannot be carried out.
//! The routes are listed in [`ROUTES`], which `GET /simulator/` shows. Invariant: what can be done
//! here can be done in Rust, and the other way round.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{Act, BotSpec, Control, ControlError, DeliveryFilter, FileSpec, Filter, push, view};
use crate::fault::{Fault, preset};
use crate::http::answer::Answer;
use crate::http::arguments::Arguments;
use crate::http::intake::Taken;
use crate::json::{Object, Raw};
use crate::route::Environment;
use crate::shared::Shared;
use crate::world::people::{Chat, Standing, User};

/// The largest body of an order.
pub(crate) const LARGEST: usize = 64 << 20;

/// The control API in one page.
pub const ROUTES: &str = include_str!("routes.txt");

/// Answers a request; `path` is what follows `/simulator/`.
pub(crate) async fn answer(shared: &Arc<Shared>, verb: &[u8], path: &str, taken: &Taken) -> Answer {
    let environment = match taken.arguments.text("environment") {
        "test" => Environment::Test,
        _ => Environment::Production,
    };
    let control = Control::new(Arc::clone(shared)).environment(environment);
    let segments: Vec<&str> = path
        .split('/')
        .filter(|segment| !segment.is_empty())
        .collect();
    match route(&control, verb, &segments, taken).await {
        Ok(answer) => answer,
        Err(Rejected::Unknown) => error(404, "there is no such route: see GET /simulator/"),
        Err(Rejected::Order(text)) => error(400, &text),
        Err(Rejected::Control(reason)) => {
            let status = if matches!(reason, ControlError::Invalid(_) | ControlError::Token(_)) {
                400
            } else {
                404
            };
            error(status, &reason.to_string())
        }
    }
}

enum Rejected {
    Unknown,
    Order(String),
    Control(ControlError),
}

impl From<ControlError> for Rejected {
    fn from(error: ControlError) -> Self {
        Self::Control(error)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StandingOrder {
    bot: i64,
    chat: i64,
    standing: Standing,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UpdateOrder<'a> {
    bot: i64,
    #[serde(borrow)]
    update: &'a serde_json::value::RawValue,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BacklogOrder {
    bot: i64,
    count: usize,
    size: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockOrder {
    advance_ms: u64,
}

async fn route(
    control: &Control,
    verb: &[u8],
    path: &[&str],
    taken: &Taken,
) -> Result<Answer, Rejected> {
    let body = &taken.body;
    let done = || json(&Object::new().put("ok", &true).end());
    match (verb, path) {
        (b"GET", []) => Ok(plain("text/plain; charset=utf-8", ROUTES)),
        (b"GET", ["ca.pem"]) => Ok(plain("application/x-pem-file", &control.shared.ca_pem)),
        (b"POST", ["bots"]) => {
            let id = control.add_bot(&order::<BotSpec>(body)?)?;
            Ok(json(&Object::new().put("id", &id).end()))
        }
        (b"GET", ["bots"]) => Ok(json(&Raw::of(&control.bots()))),
        (b"DELETE", ["bots", id]) => {
            control.remove_bot(number(id)?)?;
            Ok(done())
        }
        (b"POST", ["users"]) => {
            control.add_user(order::<User>(body)?);
            Ok(done())
        }
        (b"POST", ["chats"]) => {
            control.add_chat(order::<Chat>(body)?);
            Ok(done())
        }
        (b"POST", ["files"]) => {
            let spec: FileSpec = order(body)?;
            Ok(json(&Raw::of(&control.add_file(&spec))))
        }
        (b"POST", ["standing"]) => {
            let order: StandingOrder = order(body)?;
            control.set_standing(order.bot, order.chat, order.standing)?;
            Ok(done())
        }
        (b"POST", ["updates"]) => {
            let order: UpdateOrder<'_> =
                serde_json::from_slice(body).map_err(|error| Rejected::Order(error.to_string()))?;
            let told = control.inject(order.bot, order.update.get())?;
            Ok(json(&Object::new().put("told", &told).end()))
        }
        (b"POST", ["backlog"]) => {
            let order: BacklogOrder = order(body)?;
            control.backlog(order.bot, order.count, order.size)?;
            Ok(done())
        }
        (b"GET", ["messages"]) => {
            let (bot, chat) = (
                number(taken.arguments.text("bot"))?,
                number(taken.arguments.text("chat"))?,
            );
            Ok(plain(
                "application/json",
                &format!("[{}]", control.messages(bot, chat).join(",")),
            ))
        }
        (b"GET", ["requests"]) => requests(control, taken).await,
        (b"GET", ["deliveries"]) => deliveries(control, &taken.arguments).await,
        (b"GET", ["webhooks", bot]) => {
            let state = control.webhook(number(bot)?)?;
            Ok(json(&push::webhook(&state)))
        }
        (b"GET", ["requests", id, rest @ ..]) => {
            let one = control
                .request(number(id)?.unsigned_abs())
                .ok_or(Rejected::Unknown)?;
            match rest {
                [] => Ok(json(&view::request(&one, true))),
                ["raw"] => Ok(raw([&one.head[..], &one.body].concat())),
                _ => Err(Rejected::Unknown),
            }
        }
        (b"POST", ["faults"]) => {
            let id = control.fault(fault(body)?);
            Ok(json(&Object::new().put("id", &id).end()))
        }
        (b"GET", ["faults"]) => Ok(json(&Raw::of(&control.faults()))),
        (b"GET", ["presets"]) => Ok(plain("text/plain; charset=utf-8", preset::NAMES)),
        (b"DELETE", ["faults"]) => {
            control.clear_faults();
            Ok(done())
        }
        (b"DELETE", ["faults", id]) => match control.clear_fault(number(id)?.unsigned_abs()) {
            true => Ok(done()),
            false => Err(Rejected::Unknown),
        },
        (b"POST", ["connections"]) => {
            control.set_connection_rules(order(body)?);
            Ok(done())
        }
        (b"DELETE", ["connections", rest @ ..]) => {
            let one = rest
                .first()
                .map(|id| number(id))
                .transpose()?
                .map(i64::unsigned_abs);
            let closed = control.close_connections(one, taken.arguments.flag("reset"));
            Ok(json(&Object::new().put("closed", &closed).end()))
        }
        (b"GET", ["connections"]) => Ok(json(&Raw::of(&control.connections()))),
        (b"GET", ["polls"]) => {
            let (count, wait) = patience(&taken.arguments);
            Ok(json(&Raw::of(&control.wait_for_polls(count, wait).await)))
        }
        (b"POST", ["clock"]) => {
            let order: ClockOrder = order(body)?;
            control
                .clock()
                .advance(Duration::from_millis(order.advance_ms));
            Ok(done())
        }
        (b"POST", ["reset"]) => {
            control.reset();
            Ok(done())
        }
        (b"POST", [act]) => {
            let acted = control.act(&named_act(act, body)?)?;
            Ok(json(&Raw::of(&acted)))
        }
        _ => Err(Rejected::Unknown),
    }
}

async fn requests(control: &Control, taken: &Taken) -> Result<Answer, Rejected> {
    let arguments = &taken.arguments;
    let method = arguments.get("method").filter(|text| !text.is_empty());
    let filter = Filter {
        bot: given(arguments, "bot")?,
        method: method.map(str::to_owned),
        after: given(arguments, "after")?.map(i64::unsigned_abs),
        complete: arguments.flag("complete"),
        answered: arguments.flag("answered"),
        left: arguments.flag("left"),
    };
    let (count, wait) = patience(arguments);
    let found = control.wait_for_requests(&filter, count, wait).await;
    let shown: Vec<Raw> = found
        .iter()
        .map(|one| view::request(one, arguments.flag("bytes")))
        .collect();
    Ok(json(&Raw::array(&shown)))
}

async fn deliveries(control: &Control, arguments: &Arguments) -> Result<Answer, Rejected> {
    let filter = DeliveryFilter {
        bot: given(arguments, "bot")?,
        update_id: given(arguments, "update_id")?,
        after: given(arguments, "after")?.map(i64::unsigned_abs),
        ended: arguments.flag("ended"),
        taken: arguments.flag("taken"),
    };
    let (count, wait) = patience(arguments);
    let found = control.wait_for_deliveries(&filter, count, wait).await;
    let bytes = arguments.flag("bytes");
    let shown: Vec<Raw> = found.iter().map(|one| push::delivery(one, bytes)).collect();
    Ok(json(&Raw::array(&shown)))
}

/// A number in the query, if there is one.
fn given(arguments: &Arguments, name: &str) -> Result<Option<i64>, Rejected> {
    let text = arguments.get(name).filter(|text| !text.is_empty());
    text.map(number).transpose()
}

/// How many are waited for, and how long.
fn patience(arguments: &Arguments) -> (usize, Duration) {
    let number = |name: &str| arguments.integer(name).unwrap_or(0).unsigned_abs();
    let count = usize::try_from(number("count")).unwrap_or(0);
    (count, Duration::from_millis(number("wait_ms").min(600_000)))
}

/// A fault: a preset by name with its numbers, and over it the fields given.
fn fault(body: &[u8]) -> Result<Fault, Rejected> {
    let mut fields: serde_json::Map<String, serde_json::Value> = order(body)?;
    let base = match fields.remove("preset") {
        None => Fault::default(),
        Some(name) => {
            let name = name.as_str().unwrap_or_default();
            let unknown = || {
                Rejected::Order(format!(
                    "there is no preset {name:?}; there are: {}",
                    preset::NAMES
                ))
            };
            Fault::named(name, &mut fields).ok_or_else(unknown)?
        }
    };
    let mut whole = match serde_json::to_value(base) {
        Ok(serde_json::Value::Object(whole)) => whole,
        _ => serde_json::Map::new(),
    };
    whole.extend(fields);
    serde_json::from_value(whole.into()).map_err(|error| Rejected::Order(error.to_string()))
}

/// An act by the name in the path; its body has the rest.
fn named_act(name: &str, body: &[u8]) -> Result<Act, Rejected> {
    let mut fields: serde_json::Map<String, serde_json::Value> = order(body)?;
    fields.insert("act".to_owned(), name.into());
    serde_json::from_value(fields.into()).map_err(|error| Rejected::Order(error.to_string()))
}

fn order<T: DeserializeOwned>(body: &[u8]) -> Result<T, Rejected> {
    serde_json::from_slice(body).map_err(|error| Rejected::Order(error.to_string()))
}

fn number(text: &str) -> Result<i64, Rejected> {
    text.parse()
        .map_err(|_| Rejected::Order(format!("{text:?} is no number")))
}

fn json(body: &Raw) -> Answer {
    Answer::json(200, body.as_str().to_owned())
}

fn plain(kind: &'static str, text: &str) -> Answer {
    Answer {
        content_type: Some(kind.into()),
        ..Answer::json(200, text.to_owned())
    }
}

fn raw(bytes: Vec<u8>) -> Answer {
    Answer {
        content_type: Some("application/octet-stream".into()),
        ..Answer::json(200, bytes::Bytes::from(bytes))
    }
}

fn error(status: u16, text: &str) -> Answer {
    Answer::json(
        status,
        Object::new().put("error", text).end().as_str().to_owned(),
    )
}
