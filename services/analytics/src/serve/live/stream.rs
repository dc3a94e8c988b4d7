//! A watch as server-sent events.
//!
//! In: a [`Watch`] of `hub.rs`. Out: the body of an answer that lasts. Invariant: the id of an event is where to go on behind it, so a
//! client that comes back with `Last-Event-ID` misses nothing that is still kept; a reader that is too slow is told how many records it
//! missed and let go, and comes back the same way. Something is sent at least every `PULSE`.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, HeaderMap};
use actix_web::web::Bytes;
use futures_util::stream;
use gramtap_events::topics::EVENTS;
use gramtap_telemetry::Counter;
use tokio::time::timeout;

use super::hub::{Places, Told, Watch};

/// The longest silence.
const PULSE: Duration = Duration::from_secs(15);

/// Where a client that comes back had come to. None: it comes for the first time, or with an id that is none of ours.
pub fn resumed(headers: &HeaderMap) -> Option<Places> {
    let id = headers.get("last-event-id")?.to_str().ok()?;
    let (events, errors) = id.split_once('-')?;
    let offset = |text: &str| text.parse().ok().filter(|offset| *offset >= 0);
    Some(Places {
        events: offset(events)?,
        errors: offset(errors)?,
    })
}

/// The answer.
pub fn answer(watch: Watch) -> HttpResponse {
    let begin = format!(
        "retry: 3000\nid: {}\nevent: open\ndata: {{}}\n\n",
        id(&watch)
    );
    let first = stream::once(async move { Ok::<_, std::io::Error>(Bytes::from(begin)) });
    let rest = stream::unfold(Some(watch), |watch| async move {
        let mut watch = watch?;
        let Ok(told) = timeout(PULSE, watch.next()).await else {
            return Some((Ok(Bytes::from_static(b": still here\n\n")), Some(watch)));
        };
        let (text, on) = match told {
            Told::Record(seen) => {
                let name = if seen.topic == &EVENTS {
                    "event"
                } else {
                    "error"
                };
                let mut text = format!("id: {}\nevent: {name}\ndata: ", id(&watch)).into_bytes();
                text.extend_from_slice(&seen.payload);
                text.extend_from_slice(b"\n\n");
                (text, true)
            }
            Told::Behind(missed) => {
                Counter::LiveDropped.add(missed);
                let text = format!("event: behind\ndata: {{\"missed\":{missed}}}\n\n");
                (text.into_bytes(), false)
            }
            Told::Ended => (b"event: ended\ndata: {}\n\n".to_vec(), false),
        };
        Some((Ok(Bytes::from(text)), on.then_some(watch)))
    });
    HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header((CACHE_CONTROL, "no-store"))
        // Proxies that gather answers would hold events back.
        .insert_header(("x-accel-buffering", "no"))
        .streaming(stream::StreamExt::chain(first, rest))
}

fn id(watch: &Watch) -> String {
    let Places { events, errors } = watch.places();
    format!("{events}-{errors}")
}
