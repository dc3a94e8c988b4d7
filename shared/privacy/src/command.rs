//! Reads a command and a start payload off a message's text.
//!
//! In: the text of a message. Out: what `command` and `payload` of the filtered message say.
//! Invariant: nothing behind a command is let out but one word behind `/start` that has the shape
//! of a deep link's payload; a text that Telegram would not mark as a command gives none.

/// A command at the beginning of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Command {
    /// With its slash, without `@bot`.
    pub(super) name: String,
    /// Of `/start` alone.
    pub(super) payload: Option<String>,
}

/// The longest command and the longest payload.
const LONGEST: usize = 64;

/// Reads the command that a text begins with.
pub(super) fn read(text: &str) -> Option<Command> {
    let head = text.split(char::is_whitespace).next()?;
    let (name, bot) = match head.split_once('@') {
        Some((name, bot)) => (name, Some(bot)),
        None => (head, None),
    };
    let is_command = name.starts_with('/') && is_word(&name[1..], "_");
    if !is_command || !bot.is_none_or(|bot| is_word(bot, "_")) {
        return None;
    }
    let behind = text[head.len()..].trim();
    let payload = (name == "/start" && is_payload(behind)).then(|| behind.to_owned());
    Some(Command {
        name: name.to_owned(),
        payload,
    })
}

/// Whether `text` may be a start payload.
pub(super) fn is_payload(text: &str) -> bool {
    is_word(text, "_-")
}

/// Whether `text` reads as a command, with or without its slash.
pub(super) fn is_command(text: &str) -> bool {
    is_word(text.strip_prefix('/').unwrap_or(text), "_")
}

fn is_word(text: &str, signs: &str) -> bool {
    let fits = |sign: char| sign.is_ascii_alphanumeric() || signs.contains(sign);
    (1..=LONGEST).contains(&text.len()) && text.chars().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_and_payloads() {
        let long = "x".repeat(64);
        let longest = format!("/start {long}");
        let too_long = format!("/start {long}x");
        type Read<'a> = Option<(&'a str, Option<&'a str>)>;
        let table: [(&str, Read<'_>); 15] = [
            ("/start", Some(("/start", None))),
            ("/start promo", Some(("/start", Some("promo")))),
            ("/start@my_bot ref-1_A", Some(("/start", Some("ref-1_A")))),
            ("/start  promo ", Some(("/start", Some("promo")))),
            ("/start my name is John", Some(("/start", None))),
            (&longest, Some(("/start", Some(&long)))),
            (&too_long, Some(("/start", None))),
            ("/find John", Some(("/find", None))),
            ("/help\nmore", Some(("/help", None))),
            ("/Find_2", Some(("/Find_2", None))),
            ("/usr/bin", None),
            ("/", None),
            ("start", None),
            ("/старт", None),
            ("/a@b@c", None),
        ];
        for (text, command) in table {
            let read = read(text);
            let found = read
                .as_ref()
                .map(|read| (read.name.as_str(), read.payload.as_deref()));
            assert_eq!(found, command, "{text}");
        }
    }
}
