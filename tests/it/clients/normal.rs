//! Takes out of messages and lines what a library makes up anew in every run.
//!
//! In: the steps of a run. Out: the same with fixed words in those places, for `compare.rs`.
//! Invariant: each rule has its reason beside it and touches nothing else; what Gramtap might
//! change is never touched here, that is `allowed.rs`' business. The runs without Gramtap are held
//! against each other through the same rules, so a rule that is missing shows there.

use serde_json::Value;

use super::message::Message;
use super::program::Library;
use super::run::Seen;

/// What stands in the place of every boundary.
const BOUNDARY: &[u8] = b"BOUNDARY";

/// All of a step.
pub(crate) fn step(seen: &mut Seen, library: &Library, base: &str, host: &str) {
    let exchanges = seen
        .exchanges
        .iter_mut()
        .map(|exchange| &mut exchange.request);
    let requests = seen.requests.iter_mut().chain(exchanges);
    let boundaries: Vec<String> = requests
        .filter_map(|one| request(one, library.shuffles_parts))
        .map(|boundary| String::from_utf8_lossy(&boundary).into_owned())
        .collect();
    line(&mut seen.line, base, host, &boundaries);
    seen.requests = collapsed(std::mem::take(&mut seen.requests), |one| one);
    seen.exchanges = collapsed(std::mem::take(&mut seen.exchanges), |one| &one.request);
}

/// A request's own random words; gives its boundary, if it has one.
fn request(message: &mut Message, shuffles_parts: bool) -> Option<Vec<u8>> {
    // Parts that are named elsewhere in the body as `attach://name` have random names.
    for (number, name) in attached(&message.body).into_iter().enumerate() {
        message.body = replaced(&message.body, &name, format!("ATTACHED{number}").as_bytes());
    }
    // The boundary of a multipart body is random; its length is not.
    let boundary = boundary(message)?;
    message.body = replaced(&message.body, &boundary, BOUNDARY);
    for (_, value) in &mut message.headers {
        *value = replaced(value, &boundary, BOUNDARY);
    }
    if shuffles_parts {
        sort_parts(message);
    }
    Some(boundary)
}

/// Parts that come out of a Go map have no order, and the chunks they are sent in other sizes each time.
fn sort_parts(message: &mut Message) {
    let delimiter = [b"--", BOUNDARY].concat();
    let mut parts = Vec::new();
    let mut from = 0;
    for at in memchr::memmem::find_iter(&message.body, &delimiter).skip(1) {
        parts.push(&message.body[from..at]);
        from = at;
    }
    parts.sort_unstable();
    message.body = [parts.concat().as_slice(), &message.body[from..]].concat();
    message.chunks.clear();
}

/// A line's own words: the base address, the host, ports and boundaries in error texts, addresses of objects in memory.
fn line(line: &mut Value, base: &str, host: &str, boundaries: &[String]) {
    match line {
        Value::String(text) => {
            *text = text.replace(base, "BASE").replace(host, "HOST");
            for boundary in boundaries {
                *text = text.replace(boundary, "BOUNDARY");
            }
            *text = after_each(text, "HOST:", |byte| byte.is_ascii_digit());
            *text = after_each(text, "127.0.0.1:", |byte| byte.is_ascii_digit());
            *text = after_each(text, "port=", |byte| byte.is_ascii_digit());
            *text = after_each(text, "0x", |byte| byte.is_ascii_hexdigit());
        }
        Value::Array(items) => items
            .iter_mut()
            .for_each(|item| self::line(item, base, host, boundaries)),
        Value::Object(fields) => fields
            .values_mut()
            .for_each(|item| self::line(item, base, host, boundaries)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// How often an idle loop polls before it is stopped is up to the scheduler, and on which of its
/// connections: of polls that are the same, the first one counts. The order of their headers is
/// held against that of direct calls where it is looked at; between two polls it says nothing.
fn collapsed<T>(calls: Vec<T>, request: impl Fn(&T) -> &Message) -> Vec<T> {
    let mut kept: Vec<T> = Vec::new();
    for call in calls {
        let poll = request(&call);
        let is_poll =
            memchr::memmem::find(&poll.start.to_ascii_lowercase(), b"/getupdates").is_some();
        let same = |last: &T| {
            let last = request(last);
            // One that a stop has cut short is no other poll.
            let bodies = last.body == poll.body || !poll.complete;
            last.start == poll.start && headers(last) == headers(poll) && bodies
        };
        if !(is_poll && kept.iter().any(same)) {
            kept.push(call);
        }
    }
    kept
}

/// In the order of their names.
fn headers(message: &Message) -> Vec<&(Vec<u8>, Vec<u8>)> {
    let mut headers: Vec<_> = message.headers.iter().collect();
    headers.sort_by(|(one, _), (other, _)| one.cmp(other));
    headers
}

fn boundary(message: &Message) -> Option<Vec<u8>> {
    let kind = message.values("content-type").next()?;
    let at = memchr::memmem::find(kind, b"boundary=")? + b"boundary=".len();
    let boundary = kind[at..].split(|byte| *byte == b';').next()?.trim_ascii();
    Some(
        boundary
            .strip_prefix(b"\"")
            .and_then(|rest| rest.strip_suffix(b"\""))
            .unwrap_or(boundary)
            .to_vec(),
    )
}

fn attached(body: &[u8]) -> Vec<Vec<u8>> {
    let in_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    let mut names: Vec<Vec<u8>> = Vec::new();
    for at in memchr::memmem::find_iter(body, b"attach://") {
        let name: Vec<u8> = body[at + 9..].iter().copied().take_while(in_name).collect();
        if !name.is_empty() && !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn replaced(bytes: &[u8], what: &[u8], with: &[u8]) -> Vec<u8> {
    let mut result = Vec::with_capacity(bytes.len());
    let mut from = 0;
    for at in memchr::memmem::find_iter(bytes, what) {
        result.extend_from_slice(&bytes[from..at]);
        result.extend_from_slice(with);
        from = at + what.len();
    }
    result.extend_from_slice(&bytes[from..]);
    result
}

/// `text` without the run of `goes` characters that follows each `mark`.
fn after_each(text: &str, mark: &str, goes: impl Fn(&u8) -> bool) -> String {
    let mut result = String::with_capacity(text.len());
    for (at, part) in text.split(mark).enumerate() {
        if at == 0 {
            result.push_str(part);
            continue;
        }
        let gone = part.bytes().take_while(&goes).count();
        result.push_str(mark);
        result.push('*');
        result.push_str(&part[gone..]);
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upload(boundary: &str, name: &str) -> Message {
        let body = format!(
            "--{boundary}\r\nattach://{name}\r\n--{boundary}\r\nname=\"{name}\"\r\n--{boundary}--"
        );
        let head = format!(
            "POST / HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=\"{boundary}\"\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let mut message = Message::request(head.as_bytes(), body.as_bytes()).unwrap();
        request(&mut message, true).unwrap();
        message
    }

    #[test]
    fn boundaries_and_attached_names_are_made_equal_and_nothing_else() {
        let (one, other) = (upload("abc", "x1"), upload("zyx", "y2"));
        assert_eq!((&one.body, &one.headers), (&other.body, &other.headers));
        assert_eq!(
            one.body,
            b"--BOUNDARY\r\nattach://ATTACHED0\r\n--BOUNDARY\r\nname=\"ATTACHED0\"\r\n--BOUNDARY--"
        );
        let mut turned = one.clone();
        turned.body =
            b"--BOUNDARY\r\nname=\"ATTACHED0\"\r\n--BOUNDARY\r\nattach://ATTACHED0\r\n--BOUNDARY--"
                .to_vec();
        sort_parts(&mut turned);
        assert_eq!(one.body, turned.body);
    }

    #[test]
    fn lines_lose_addresses_alone() {
        let mut value = serde_json::json!({"text": ["GET http://a.gramtap.test:81/c/x/bot1 at 0x7fA9, 127.0.0.1:99->127.0.0.1:8 for a.gramtap.test:9 (port=5)", "--4f", 5]});
        line(
            &mut value,
            "http://a.gramtap.test:81/c/x",
            "a.gramtap.test",
            &["4f".to_owned()],
        );
        assert_eq!(
            value["text"][0],
            "GET BASE/bot1 at 0x*, 127.0.0.1:*->127.0.0.1:* for HOST:* (port=*)"
        );
        assert_eq!(value["text"][1], "--BOUNDARY");
    }

    #[test]
    fn only_repeated_polls_are_collapsed() {
        let call = |target: &str| {
            Message::request(format!("GET {target} HTTP/1.1\r\n\r\n").as_bytes(), b"").unwrap()
        };
        let calls = [
            "/bot1:a/getUpdates",
            "/bot1:a/getUpdates",
            "/bot1:a/getMe",
            "/bot1:a/getMe",
            "/bot1:a/getUpdates",
        ];
        let kept = collapsed(calls.map(call).to_vec(), |call| call);
        assert_eq!(kept.len(), 3);
    }

    #[test]
    fn polls_are_the_same_in_any_order_of_headers_and_not_with_others() {
        let poll = |headers: &str| {
            let head = format!("GET /bot1:a/getUpdates HTTP/1.1\r\n{headers}\r\n\r\n");
            Message::request(head.as_bytes(), b"").unwrap()
        };
        let calls = ["A: 1\r\nB: 2", "B: 2\r\nA: 1", "A: 1\r\nB: 3"];
        let kept = collapsed(calls.map(poll).to_vec(), |call| call);
        assert_eq!(kept.len(), 2);
    }
}
