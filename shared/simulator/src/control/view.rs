//! What the control API shows, as JSON.
//!
//! In: [`Captured`] requests. Out: text for `control/http.rs`. Invariant: bytes are shown as base64
//! and never re-encoded; the parsed view beside them is for reading.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::journal::Captured;
use crate::json::{Object, Raw};

/// A request with everything that is known of it; `bytes`: also head and body as they arrived.
pub(crate) fn request(one: &Captured, bytes: bool) -> Raw {
    let millis = |time: std::time::Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let mut object = Object::new()
        .put("id", &one.id)
        .put("connection", &one.connection)
        .put("tls", &one.tls)
        .put("peer", &one.peer.to_string())
        .put("verb", &one.verb)
        .put("target", &one.target)
        .put("headers", &one.headers)
        .put("bot", &one.bot)
        .put("method", &one.method)
        .put("environment", &one.environment)
        .put("arguments", &one.arguments)
        .put("files", &one.files)
        .put("body_size", &one.body_size)
        .put("complete", &one.complete)
        .put("arrived_ms", &millis(one.arrived))
        .put("status", &one.status)
        .put("answered_ms", &one.answered.map(millis))
        .put("left_ms", &one.left.map(millis))
        .put("fault", &one.fault);
    if bytes {
        object = object
            .put("head_base64", &STANDARD.encode(&one.head))
            .put("body_base64", &STANDARD.encode(&one.body));
    }
    object.end()
}
