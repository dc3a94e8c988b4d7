//! Updates, as Telegram pushes them.
//!
//! In: the secret part of a bot's address, a number. Out: a request; the number, back from a body. Pure.

/// The first update's id; the others follow it.
const FIRST: u64 = 100_000_000;
/// Chats of a bot.
const CHATS: u64 = 50;
/// The secret that each bot's webhook has.
pub(crate) const SECRET: &str = "AAcanary-of-the-bench-s-secret-header";

/// An update of 480 bytes: a message of one of a bot's chats. Bots take turns, and so do the chats of each.
pub(crate) fn push(hooks: &[String], number: u64) -> Vec<u8> {
    let bots = hooks.len().max(1) as u64;
    let place = usize::try_from(number % bots).unwrap_or_default();
    let hook = hooks.get(place).map_or("", String::as_str);
    let chat = 1_000_000_000 + number / bots % CHATS;
    let body = format!(
        r#"{{"update_id":{},"message":{{"message_id":{number},"from":{{"id":{chat},"is_bot":false,"first_name":"Anna","last_name":"Example","username":"anna_example","language_code":"en"}},"chat":{{"id":{chat},"first_name":"Anna","last_name":"Example","username":"anna_example","type":"private"}},"date":1760000000,"text":"/start some words that somebody writes to a bot, as long as such words are","entities":[{{"offset":0,"length":6,"type":"bot_command"}}]}}}}"#,
        FIRST + number
    );
    format!(
        "POST /webhook/{hook} HTTP/1.1\r\nHost: gramtap.test\r\nX-Telegram-Bot-Api-Secret-Token: {SECRET}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: keep-alive\r\nAccept-Encoding: gzip, deflate\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// The number of the update that is in a body.
pub(crate) fn number(body: &[u8]) -> Option<u64> {
    let body = str::from_utf8(body).ok()?;
    let rest = body.split_once(r#""update_id":"#)?.1;
    let end = rest.find(|it: char| !it.is_ascii_digit())?;
    rest[..end].parse::<u64>().ok()?.checked_sub(FIRST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_update_goes_to_its_bot_and_tells_its_number() {
        let hooks = ["one".to_owned(), "two".to_owned()];
        for (at, hook, chat) in [
            (0, "one", 1_000_000_000),
            (1, "two", 1_000_000_000),
            (7, "two", 1_000_000_003),
            (100, "one", 1_000_000_000),
        ] {
            let request = String::from_utf8(push(&hooks, at)).unwrap();
            let (head, body) = request.split_once("\r\n\r\n").unwrap();
            assert!(
                head.starts_with(&format!("POST /webhook/{hook} ")),
                "{head}"
            );
            assert!(
                head.contains(&format!("Content-Length: {}\r\n", body.len())),
                "{head}"
            );
            assert!(
                body.contains(&format!(r#""chat":{{"id":{chat},"#)),
                "{body}"
            );
            assert_eq!(number(body.as_bytes()), Some(at));
        }
        for body in ["", r#"{"update_id":1}"#, r#"{"update_id":"x"}"#] {
            assert_eq!(number(body.as_bytes()), None, "{body}");
        }
    }
}
