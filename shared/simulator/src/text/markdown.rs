//! `parse_mode` Markdown and MarkdownV2.
//!
//! In: text with marks. Out: text with entities, or what Telegram says is wrong, with the byte
//! offset. Invariant: every mark that is opened is closed; in V2, in order.

use super::{Builder, Formatted};

/// Reads the old notation: `*`, `_`, `` ` ``, ```` ``` ````, `[text](url)`, nothing nested.
pub(super) fn read(text: &str) -> Result<Formatted, String> {
    let mut builder = Builder::default();
    let mut at = 0;
    while let Some(sign) = text[at..].chars().next() {
        let rest = &text[at + sign.len_utf8()..];
        match sign {
            '\\' if rest.starts_with(['_', '*', '`', '[']) => {
                builder.push(char::from(rest.as_bytes()[0]));
                at += 2;
            }
            '_' | '*' | '`' | '[' => {
                let (mark, kind) = match sign {
                    '_' => ("_", "italic"),
                    '*' => ("*", "bold"),
                    '[' => ("]", "text_link"),
                    _ if text[at..].starts_with("```") => ("```", "pre"),
                    _ => ("`", "code"),
                };
                let opened = if sign == '[' { 1 } else { mark.len() };
                let lost = || format!("Can't find end of the entity starting at byte offset {at}");
                let end = text[at + opened..].find(mark).ok_or_else(lost)? + at + opened;
                let mut inner = &text[at + opened..end];
                let mut detail = None;
                let mut after = end + mark.len();
                if kind == "pre" {
                    (inner, detail) = language(inner);
                } else if kind == "text_link" {
                    let mut url = inner;
                    if let Some(rest) = text[after..].strip_prefix('(') {
                        url = &rest[..rest.find(')').unwrap_or(rest.len())];
                        after = (after + url.len() + 2).min(text.len());
                    }
                    detail = Some(("url", url.to_owned()));
                }
                let offset = builder.length;
                inner.chars().for_each(|sign| builder.push(sign));
                builder.end(kind, offset, detail);
                at = after;
            }
            _ => {
                builder.push(sign);
                at += sign.len_utf8();
            }
        }
    }
    Ok(builder.formatted)
}

/// A mark of V2 that is open.
struct Open {
    mark: &'static str,
    kind: &'static str,
    /// As Telegram names the kind in errors.
    name: &'static str,
    offset: usize,
    at: usize,
}

/// The marks of V2, longest first.
const MARKS: [(&str, &str, &str); 6] = [
    ("||", "spoiler", "Spoiler"),
    ("__", "underline", "Underline"),
    ("*", "bold", "Bold"),
    ("_", "italic", "Italic"),
    ("~", "strikethrough", "Strikethrough"),
    ("[", "text_link", "TextUrl"),
];

/// Signs that stand for themselves only after a backslash.
const RESERVED: &str = "_*[]()~`>#+-=|{}.!";

/// Reads MarkdownV2.
pub(super) fn read_v2(text: &str) -> Result<Formatted, String> {
    let mut builder = Builder::default();
    let mut open: Vec<Open> = Vec::new();
    let mut quote: Option<usize> = None;
    let mut at = 0;
    while let Some(sign) = text[at..].chars().next() {
        let rest = &text[at..];
        let line_start = at == 0 || text.as_bytes()[at - 1] == b'\n';
        let quote_ends = line_start && !rest.starts_with('>');
        if let Some(offset) = quote.take_if(|_| quote_ends) {
            builder.end("blockquote", offset, None);
        }
        if line_start && rest.starts_with('>') {
            quote.get_or_insert(builder.length);
            at += 1;
            continue;
        }
        let escaped = text
            .as_bytes()
            .get(at + 1)
            .filter(|next| (1..=126).contains(*next));
        if let ('\\', Some(next)) = (sign, escaped) {
            builder.push(char::from(*next));
            at += 2;
            continue;
        }
        if sign == '`' {
            at = code(text, at, &mut builder)?;
            continue;
        }
        if let Some(last) = open.last().filter(|last| rest.starts_with(last.mark)) {
            let mut after = at + last.mark.len();
            let mut detail = None;
            let (kind, offset) = (last.kind, last.offset);
            if last.mark == "]" {
                let url;
                (url, after) = target(text, after)?;
                detail = match url.strip_prefix("tg://emoji?id=") {
                    Some(id) if kind == "custom_emoji" => Some(("custom_emoji_id", id.to_owned())),
                    _ => Some(("url", url)),
                };
            }
            // A link to nowhere is just its text.
            if detail.as_ref().is_none_or(|(_, value)| !value.is_empty()) {
                builder.end(kind, offset, detail);
            }
            open.pop();
            at = after;
            continue;
        }
        let emoji = usize::from(rest.starts_with("!["));
        if let Some((mark, kind, name)) = MARKS
            .iter()
            .find(|(mark, ..)| rest[emoji..].starts_with(mark))
        {
            open.push(Open {
                mark: if *mark == "[" { "]" } else { mark },
                kind: if emoji == 1 { "custom_emoji" } else { kind },
                name,
                offset: builder.length,
                at,
            });
            at += emoji + mark.len();
            continue;
        }
        if RESERVED.contains(sign) {
            return Err(format!(
                "Character '{sign}' is reserved and must be escaped with the preceding '\\'"
            ));
        }
        builder.push(sign);
        at += sign.len_utf8();
    }
    if let Some(last) = open.last() {
        return Err(format!(
            "Can't find end of {} entity at byte offset {}",
            last.name, last.at
        ));
    }
    if let Some(offset) = quote {
        builder.end("blockquote", offset, None);
    }
    Ok(builder.formatted)
}

/// Code or pre from a backtick on; gives where it ends.
fn code(text: &str, at: usize, builder: &mut Builder) -> Result<usize, String> {
    let (mark, kind, name) = if text[at..].starts_with("```") {
        ("```", "pre", "Pre")
    } else {
        ("`", "code", "Code")
    };
    let offset = builder.length;
    let mut inner = String::new();
    let mut here = at + mark.len();
    loop {
        let rest = &text[here..];
        if rest.starts_with(mark) {
            break;
        }
        let mut signs = rest.chars();
        match signs.next() {
            None => {
                return Err(format!(
                    "Can't find end of {name} entity at byte offset {at}"
                ));
            }
            Some('\\') if rest.len() > 1 && rest.as_bytes()[1] < 127 => {
                inner.extend(signs.next());
                here += 2;
            }
            Some(sign) => {
                inner.push(sign);
                here += sign.len_utf8();
            }
        }
    }
    let (shown, detail) = if kind == "pre" {
        language(&inner)
    } else {
        (inner.as_str(), None)
    };
    shown.chars().for_each(|sign| builder.push(sign));
    builder.end(kind, offset, detail);
    Ok(here + mark.len())
}

/// Splits a language off the first line of a block.
fn language(block: &str) -> (&str, Option<(&'static str, String)>) {
    match block.split_once('\n') {
        Some(("", rest)) => (rest, None),
        Some((first, rest)) if !first.contains(char::is_whitespace) => {
            (rest, Some(("language", first.to_owned())))
        }
        _ => (block, None),
    }
}

/// The `(url)` behind a link's text; gives where it ends. Without one the link has none.
fn target(text: &str, at: usize) -> Result<(String, usize), String> {
    let Some(rest) = text[at..].strip_prefix('(') else {
        return Ok((String::new(), at));
    };
    let mut url = String::new();
    let mut signs = rest.char_indices();
    while let Some((here, sign)) = signs.next() {
        match sign {
            ')' => return Ok((url, at + here + 2)),
            '\\' => url.extend(signs.next().map(|(_, next)| next)),
            _ => url.push(sign),
        }
    }
    Err(format!("Can't find end of a URL at byte offset {at}"))
}
