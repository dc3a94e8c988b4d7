//! `parse_mode` HTML.
//!
//! In: text with tags. Out: text with entities, or what Telegram says is wrong, with the byte
//! offset. Invariant: every tag that is opened is closed, in order.

use super::{Builder, Formatted};

/// A tag that is open.
struct Open {
    name: String,
    kind: &'static str,
    detail: Option<(&'static str, String)>,
    offset: usize,
}

/// Reads HTML.
pub(super) fn read(text: &str) -> Result<Formatted, String> {
    let mut builder = Builder::default();
    let mut open: Vec<Open> = Vec::new();
    let mut at = 0;
    while let Some(sign) = text[at..].chars().next() {
        match sign {
            '&' => match reference(&text[at..]) {
                Some((sign, length)) => {
                    builder.push(sign);
                    at += length;
                }
                None => {
                    builder.push('&');
                    at += 1;
                }
            },
            '<' if text[at..].starts_with("</") => {
                let end = text[at..]
                    .find('>')
                    .ok_or_else(|| format!("Unclosed end tag at byte offset {at}"))?;
                let name = text[at + 2..at + end].trim().to_ascii_lowercase();
                let last = open
                    .pop()
                    .ok_or_else(|| format!("Unexpected end tag at byte offset {at}"))?;
                if !name.is_empty() && name != last.name {
                    let expected = &last.name;
                    return Err(format!(
                        "Unmatched end tag at byte offset {at}, expected \"</{expected}>\", found \"</{name}>\""
                    ));
                }
                close(&mut builder, last, open.last());
                at += end + 1;
            }
            '<' => {
                let end = text[at..]
                    .find('>')
                    .ok_or_else(|| format!("Unclosed start tag at byte offset {at}"))?;
                open.push(start(&text[at + 1..at + end], at, builder.length)?);
                at += end + 1;
            }
            _ => {
                builder.push(sign);
                at += sign.len_utf8();
            }
        }
    }
    match open.pop() {
        Some(last) => Err(format!(
            "Can't find end tag corresponding to start tag \"{}\"",
            last.name
        )),
        None => Ok(builder.formatted),
    }
}

/// Ends a tag. `<pre><code class="language-x">` is one entity: the outer, with the inner's language.
fn close(builder: &mut Builder, tag: Open, outer: Option<&Open>) {
    let Open {
        name,
        kind,
        mut detail,
        offset,
    } = tag;
    let within_pre = outer.is_some_and(|outer| outer.kind == "pre");
    if name == "code" && within_pre {
        // Seen again when the pre ends.
        builder.formatted.entities.push(super::Entity {
            offset,
            length: builder.length - offset,
            kind: "code",
            detail,
        });
        return;
    }
    if kind == "pre" {
        let length = builder.length - offset;
        let inner = builder
            .formatted
            .entities
            .iter()
            .position(|one| one.kind == "code" && one.offset == offset && one.length == length);
        if let Some(inner) = inner {
            detail = builder.formatted.entities.remove(inner).detail;
        }
    }
    if kind == "text_link" && detail.as_ref().is_none_or(|(_, url)| url.is_empty()) {
        return;
    }
    if kind != "code" || within_pre {
        return builder.end(kind, offset, detail);
    }
    builder.end(kind, offset, None);
}

/// Reads what stands between `<` and `>`.
fn start(tag: &str, at: usize, offset: usize) -> Result<Open, String> {
    let (name, attributes) = tag.split_once(char::is_whitespace).unwrap_or((tag, ""));
    let name = name.trim_end_matches('/').to_ascii_lowercase();
    let value = |key: &str| attribute(attributes, key).unwrap_or_default();
    let (kind, detail) = match name.as_str() {
        "b" | "strong" => ("bold", None),
        "i" | "em" => ("italic", None),
        "u" | "ins" => ("underline", None),
        "s" | "strike" | "del" => ("strikethrough", None),
        "tg-spoiler" => ("spoiler", None),
        "span" if value("class") == "tg-spoiler" => ("spoiler", None),
        "span" => {
            return Err(format!(
                "Tag \"span\" must have class \"tg-spoiler\" at byte offset {at}"
            ));
        }
        "a" => ("text_link", Some(("url", value("href")))),
        "tg-emoji" => ("custom_emoji", Some(("custom_emoji_id", value("emoji-id")))),
        "code" => {
            let language = value("class").strip_prefix("language-").map(str::to_owned);
            ("code", language.map(|language| ("language", language)))
        }
        "pre" => ("pre", None),
        "blockquote"
            if attributes
                .split_whitespace()
                .any(|word| word == "expandable") =>
        {
            ("expandable_blockquote", None)
        }
        "blockquote" => ("blockquote", None),
        _ => {
            return Err(format!(
                "Unsupported start tag \"{name}\" at byte offset {at}"
            ));
        }
    };
    Ok(Open {
        name,
        kind,
        detail,
        offset,
    })
}

/// An attribute's value, with or without quotes.
fn attribute(attributes: &str, key: &str) -> Option<String> {
    let mut rest = attributes.trim_start();
    while let Some(at) = rest.find('=') {
        let name = rest[..at]
            .split_whitespace()
            .next_back()
            .unwrap_or_default();
        let value = rest[at + 1..].trim_start();
        let (value, after) = match value.chars().next() {
            Some(quote @ ('"' | '\'')) => value[1..].split_once(quote)?,
            _ => value.split_once(char::is_whitespace).unwrap_or((value, "")),
        };
        if name.eq_ignore_ascii_case(key) {
            return Some(decode(value));
        }
        rest = after;
    }
    None
}

fn decode(text: &str) -> String {
    let mut decoded = String::new();
    let mut at = 0;
    while let Some(sign) = text[at..].chars().next() {
        let (sign, length) = reference(&text[at..]).unwrap_or((sign, sign.len_utf8()));
        decoded.push(sign);
        at += length;
    }
    decoded
}

/// A character reference at the start of `text`: the character, and how long the reference is.
fn reference(text: &str) -> Option<(char, usize)> {
    let body = text.strip_prefix('&')?;
    if let Some(number) = body.strip_prefix('#') {
        let (digits, radix) = match number.strip_prefix(['x', 'X']) {
            Some(digits) => (digits, 16),
            None => (number, 10),
        };
        let length = digits
            .find(|sign: char| !sign.is_digit(radix))
            .unwrap_or(digits.len());
        let sign = char::from_u32(u32::from_str_radix(&digits[..length], radix).ok()?)
            .filter(|sign| *sign != '\0')?;
        let ended = usize::from(digits[length..].starts_with(';'));
        return Some((sign, text.len() - digits.len() + length + ended));
    }
    let names = [("lt", '<'), ("gt", '>'), ("amp", '&'), ("quot", '"')];
    names.into_iter().find_map(|(name, sign)| {
        let rest = body.strip_prefix(name)?;
        Some((sign, 1 + name.len() + usize::from(rest.starts_with(';'))))
    })
}
