//! What Telegram saw of a webhook's answer, and did for it.
//!
//! In: a delivery as the simulator kept it. Out: what two of them are compared by, in `scene.rs`. Invariant: all bytes count but for dates, what belongs to a
//! connection, the sizes of chunks, and words that a library draws anew for each body (`act.rs`).

use anyhow::{Context as _, Result};
use gramtap_simulator::Delivery;

use super::act::{Act, Drawn};
use crate::clients::message::{Framing, Message, Stream};

/// Headers that say nothing of the answer.
const OF_THE_MOMENT: [&str; 3] = ["date", "connection", "keep-alive"];

/// An answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answer {
    status: String,
    headers: Vec<String>,
    framing: Framing,
    body: String,
    /// What it asked for.
    pub(super) performed: Option<Act>,
}

impl Answer {
    pub(super) fn of(delivery: &Delivery) -> Result<Self> {
        let request = Message::request(&delivery.request, b"")?;
        let bytes = [&delivery.head[..], &delivery.body[..]].concat();
        let answer = Stream::new(&bytes).answer(&request)?.context("no answer")?;
        let drawn = Drawn::of(&bytes);
        let plain = |bytes: &[u8]| drawn.plain(&String::from_utf8_lossy(bytes));
        let header = |(name, value): &(Vec<u8>, Vec<u8>)| {
            let name = plain(name).to_ascii_lowercase();
            let lasts = !OF_THE_MOMENT.contains(&name.as_str());
            lasts.then(|| format!("{name}:{}", plain(value)))
        };
        let mut headers: Vec<String> = answer.headers.iter().filter_map(header).collect();
        headers.sort();
        let performed = delivery.performed.as_ref();
        Ok(Self {
            status: plain(&answer.start),
            headers,
            framing: answer.framing,
            body: plain(&answer.body),
            performed: performed.map(|it| Act::of_answer(it, &bytes)),
        })
    }
}
