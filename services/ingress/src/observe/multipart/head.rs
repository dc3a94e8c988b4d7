//! Reads the head of one part.
//!
//! In: the bytes between a delimiter and the empty line (`multipart.rs`). Out: [`PartHead`].
//! Follows Telegram's reader: names in any case, spaces or none, values quoted or bare, raw UTF-8; a
//! part with a `filename`, even an empty one, is a file, all others are parameters.

/// What a part's head says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PartHead {
    pub(super) name: String,
    pub(super) filename: Option<String>,
    pub(super) kind: Option<String>,
}

impl PartHead {
    /// `None`: there is no name, and Telegram refuses the whole request.
    pub(super) fn parse(head: &[u8]) -> Option<Self> {
        let mut name = None;
        let mut filename = None;
        let mut kind = None;
        let text = String::from_utf8_lossy(head);
        for (key, value) in text.split("\r\n").filter_map(|line| line.split_once(':')) {
            let key = key.trim();
            if key.eq_ignore_ascii_case("content-type") {
                kind = Some(value.trim().to_owned());
            }
            if key.eq_ignore_ascii_case("content-disposition") {
                for (key, value) in attributes(value) {
                    match key {
                        "name" => name = Some(value.to_owned()),
                        "filename" => filename = Some(value.to_owned()),
                        _ => {}
                    }
                }
            }
        }
        let name = name.filter(|name| !name.is_empty())?;
        Some(Self {
            name,
            filename,
            kind,
        })
    }

    /// Whether the value is not one parameter but a form of several.
    pub(super) fn is_form(&self) -> bool {
        const FORM: &str = "application/x-www-form-urlencoded";
        let head = self.kind.as_deref().and_then(|kind| kind.get(..FORM.len()));
        self.filename.is_none() && head.is_some_and(|head| head.eq_ignore_ascii_case(FORM))
    }
}

/// The `key=value` pairs behind `form-data;`.
fn attributes(value: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = value.split_once(';').map_or("", |(_, rest)| rest);
    std::iter::from_fn(move || {
        let (key, after) = rest.split_once('=')?;
        let after = after.trim_start();
        let (value, next) = match after.strip_prefix('"') {
            Some(quoted) => {
                let end = closing_quote(quoted);
                let next = quoted.get(end + 1..).unwrap_or_default();
                (
                    &quoted[..end],
                    next.split_once(';').map_or("", |(_, next)| next),
                )
            }
            None => {
                let (bare, next) = after.split_once(';').unwrap_or((after, ""));
                (bare.trim_end(), next)
            }
        };
        rest = next;
        Some((key.trim(), value))
    })
}

/// Where the quote is that ends a value: the first one that no backslash stands before.
fn closing_quote(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'"' if !escaped => return at,
            _ => escaped = byte == b'\\' && !escaped,
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn heads_as_clients_write_them() {
        let table = [
            (
                "Content-Disposition: form-data; name=\"chat_id\"",
                "chat_id",
                None,
                None,
            ),
            (
                "content-disposition:form-data;name=\"photo\";filename=\"a.jpg\"\r\ncontent-type:image/jpeg",
                "photo",
                Some("a.jpg"),
                Some("image/jpeg"),
            ),
            (
                "Content-Type: text/plain; charset=utf-8\r\nContent-Disposition: form-data; name=text",
                "text",
                None,
                Some("text/plain; charset=utf-8"),
            ),
            (
                "Content-Disposition: form-data; name=\"document\"; filename=\"/var/lib/бот/фото 1;2.pdf\"\r\nContent-Length: 17",
                "document",
                Some("/var/lib/бот/фото 1;2.pdf"),
                None,
            ),
            (
                "Content-Disposition: form-data; filename=\"\"; name=\"a\"",
                "a",
                Some(""),
                None,
            ),
            (
                "Content-Disposition: form-data; name=\"a\\\"b\"; filename=x.bin ; filename*=utf-8''x",
                "a\\\"b",
                Some("x.bin"),
                None,
            ),
            (
                "Content-Disposition: form-data; name=\"open",
                "open",
                None,
                None,
            ),
            (
                "X: y\r\nCONTENT-DISPOSITION : form-data ; name = \"spaced\"",
                "spaced",
                None,
                None,
            ),
        ];
        for (head, name, filename, kind) in table {
            let part = PartHead::parse(head.as_bytes()).unwrap();
            assert_eq!(part.name, name);
            assert_eq!(part.filename.as_deref(), filename, "{head}");
            assert_eq!(part.kind.as_deref(), kind, "{head}");
        }
        for head in [
            "",
            "Content-Type: a/b",
            "Content-Disposition: form-data",
            "Content-Disposition: form-data; name=\"\"",
        ] {
            assert_eq!(PartHead::parse(head.as_bytes()), None, "{head}");
        }
    }

    #[test]
    fn only_a_parameter_may_be_a_form() {
        let head = "Content-Disposition: form-data; name=a\r\nContent-Type: application/X-www-form-urlencoded; charset=utf-8";
        assert!(PartHead::parse(head.as_bytes()).unwrap().is_form());
        let head = format!("{head}\r\nContent-Disposition: form-data; name=a; filename=b");
        assert!(!PartHead::parse(head.as_bytes()).unwrap().is_form());
    }
}
