//! The requests of bots, as bytes.
//!
//! In: which bot. Out: what a bot's library sends for it. Pure.

/// The first bot's id; the others follow it.
pub(crate) const FIRST: i64 = 700_000_001;

/// A token that nobody has.
fn token(bot: usize) -> String {
    let id = FIRST + i64::try_from(bot).unwrap_or_default();
    format!("{id}:AAcanary-of-the-bench-0123456789abcdef")
}

fn post(bot: usize, method: &str, kind: &str, body: &[u8]) -> Vec<u8> {
    let mut request = format!(
        "POST /bot{}/{method} HTTP/1.1\r\nHost: gramtap.test\r\nAccept: */*\r\nUser-Agent: bench\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n",
        token(bot),
        body.len()
    )
    .into_bytes();
    request.extend_from_slice(body);
    request
}

/// sendMessage, whose text makes the body of about so many bytes; at least some 60.
pub(crate) fn send_message(bot: usize, size: usize) -> Vec<u8> {
    let empty = r#"{"chat_id":1000000001,"text":""}"#.len();
    let text = "Hello, this is a message. "
        .chars()
        .cycle()
        .take(size.saturating_sub(empty).max(24))
        .collect::<String>();
    let body = format!(r#"{{"chat_id":1000000001,"text":"{text}"}}"#);
    post(bot, "sendMessage", "application/json", body.as_bytes())
}

/// getUpdates, which waits.
pub(crate) fn get_updates(bot: usize) -> Vec<u8> {
    let body = br#"{"offset":123456789,"timeout":50}"#;
    post(bot, "getUpdates", "application/json", body)
}

/// sendDocument with a file of so many bytes.
pub(crate) fn send_document(bot: usize, size: usize) -> Vec<u8> {
    let boundary = "----gramtapbench0123456789";
    let mut body = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"chat_id\"\r\n\r\n1000000001\r\n--{boundary}\r\nContent-Disposition: form-data; name=\"document\"; filename=\"file.bin\"\r\nContent-Type: application/octet-stream\r\n\r\n"
    )
    .into_bytes();
    body.extend((0..size).map(|at| u8::try_from(at % 251).unwrap_or_default()));
    body.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    let kind = format!("multipart/form-data; boundary={boundary}");
    post(bot, "sendDocument", &kind, &body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_have_the_size_that_was_asked_for() {
        for (size, body) in [(230, 230), (8_192, 8_192), (0, 56)] {
            let request = send_message(3, size);
            let text = String::from_utf8(request).unwrap();
            assert!(text.starts_with("POST /bot700000004:AAcanary"), "{text}");
            assert!(
                text.contains(&format!("Content-Length: {body}\r\n")),
                "{text}"
            );
        }
        let upload = send_document(0, 10_000_000);
        assert!((10_000_000..10_001_000).contains(&upload.len()));
    }
}
