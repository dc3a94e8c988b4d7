//! What arrived: the head of a request, taken out of actix.
//!
//! In: a request's head from actix. Out: [`Arrival`], read by `identify/` and `relay/`. Taken, not
//! borrowed: headers and URI are slices of the connection's buffer, and a parked poll must not
//! keep that alive. Invariant: the target is the bot's own bytes; a request whose target or
//! host cannot be told for certain is refused, never guessed.

use std::net::IpAddr;
use std::time::Instant;

use actix_http::RequestHead;
use actix_web::http::header::{self, HeaderMap};
use actix_web::http::{Method, Uri};
use gramtap_events::Moment;
use gramtap_events::call::Client;
use gramtap_process::TrustedProxies;

use crate::relay::refusal::Refusal;

/// The longest `User-Agent` that is kept.
const AGENT: usize = 256;

/// The head of a request.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub(crate) at: Moment,
    pub(crate) began: Instant,
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    /// The address that the request comes from.
    pub(crate) from: Option<IpAddr>,
    /// Bytes at the target's beginning that are Gramtap's: `/c/{code}`.
    pub(crate) strip: usize,
}

/// How the request's body is framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// Neither Content-Length nor Transfer-Encoding.
    None,
    /// Content-Length.
    Length(u64),
    /// Transfer-Encoding: chunked.
    Chunked,
}

impl Arrival {
    /// Takes what `head` holds; what is left inside answers nothing any more.
    pub(crate) fn take(head: &mut RequestHead, proxies: &TrustedProxies) -> Self {
        let forwarded = head.headers.get_all(header::X_FORWARDED_FOR);
        let forwarded = forwarded.filter_map(|value| value.to_str().ok());
        let peer = head.peer_addr.map(|address| address.ip());
        let from = peer.map(|peer| proxies.client(peer, forwarded));
        Self {
            at: Moment::now(),
            began: Instant::now(),
            method: head.method.clone(),
            uri: std::mem::take(&mut head.uri),
            headers: std::mem::replace(&mut head.headers, HeaderMap::new()),
            from,
            strip: 0,
        }
    }

    /// The one Host header's value.
    pub(crate) fn host(&self) -> Result<Option<&str>, Refusal> {
        let mut all = self.headers.get_all(header::HOST);
        let host = all
            .next()
            .map(|value| value.to_str().map_err(|_| Refusal::host()));
        match all.next() {
            Some(_) => Err(Refusal::host()),
            None => host.transpose(),
        }
    }

    /// Path and query as sent. A whole URL as target is refused the way Telegram's server does.
    pub(crate) fn target(&self) -> Result<&str, Refusal> {
        if self.uri.authority().is_some() {
            return Err(Refusal::absolute_target());
        }
        self.uri
            .path_and_query()
            .map(|target| target.as_str())
            .ok_or_else(Refusal::path)
    }

    /// The part of the target that Telegram is to see.
    pub(crate) fn relayed_target(&self) -> &str {
        let whole = self
            .uri
            .path_and_query()
            .map_or("/", |target| target.as_str());
        whole.get(self.strip..).unwrap_or(whole)
    }

    /// How the body is framed; actix has refused what is ambiguous.
    pub(crate) fn framing(&self) -> Framing {
        if self.headers.contains_key(header::TRANSFER_ENCODING) {
            return Framing::Chunked;
        }
        let length = self
            .headers
            .get(header::CONTENT_LENGTH)
            .and_then(|value| value.to_str().ok());
        match length.and_then(|text| text.trim().parse().ok()) {
            Some(length) => Framing::Length(length),
            None => Framing::None,
        }
    }

    /// Who calls.
    pub(crate) fn client(&self) -> Client {
        let agent = self.headers.get(header::USER_AGENT).map(|value| {
            let text = String::from_utf8_lossy(value.as_bytes());
            gramtap_telegram::redact::redact(&text)
                .chars()
                .take(AGENT)
                .collect()
        });
        Client {
            addr: self.from.map(written),
            agent,
        }
    }
}

/// An address as text. Every recorded call has one, and `Display` takes its time over the four numbers.
fn written(address: IpAddr) -> String {
    let IpAddr::V4(address) = address else {
        return address.to_string();
    };
    let mut text = String::with_capacity("255.255.255.255".len());
    for (at, number) in address.octets().into_iter().enumerate() {
        if at > 0 {
            text.push('.');
        }
        text.push_str(itoa::Buffer::new().format(number));
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn addresses_are_written_as_everywhere() {
        for text in [
            "0.0.0.0",
            "127.0.0.1",
            "203.0.113.255",
            "::1",
            "2001:db8::7",
        ] {
            assert_eq!(written(text.parse().unwrap()), text);
        }
    }
}
