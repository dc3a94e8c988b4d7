//! What Telegram is asked to do, by a call or by a webhook's answer.
//!
//! In: a request or a delivery as the simulator kept it. Out: what two of them are compared by, in `scene.rs`. Invariant: one method with the same parameters and files,
//! done with the same success, is the same act however it was asked for; only words that a library draws anew for each body are made equal.

use anyhow::{Context as _, Result};
use gramtap_simulator::{Captured, CapturedFile, Performed};

/// A method that was asked for, what with, and whether that succeeded.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Act {
    /// In lower case.
    pub(super) method: String,
    arguments: Vec<(String, String)>,
    /// Field, name, type, bytes, CRC-32.
    files: Vec<(String, String, String, u64, u32)>,
    ok: bool,
}

impl Act {
    /// Of a call that was answered. It can only be done if it had the bot's own token.
    pub(super) fn of_call(call: &Captured) -> Result<Self> {
        let bytes = [&call.head[..], &call.body[..]].concat();
        let method = call.method.as_deref().context("no method")?;
        let ok = call.status == Some(200);
        Ok(Self::new(method, &call.arguments, &call.files, ok, &bytes))
    }

    /// Of an answer with these bytes.
    pub(super) fn of_answer(it: &Performed, bytes: &[u8]) -> Self {
        Self::new(&it.method, &it.arguments, &it.files, it.ok, bytes)
    }

    fn new(
        method: &str,
        arguments: &[(String, String)],
        files: &[CapturedFile],
        ok: bool,
        bytes: &[u8],
    ) -> Self {
        let drawn = Drawn::of(bytes);
        let argument = |(name, value): &(String, String)| (drawn.plain(name), drawn.plain(value));
        let file = |file: &CapturedFile| {
            let (field, name) = (drawn.plain(&file.field), file.file_name.clone());
            (
                field,
                name,
                file.content_type.clone(),
                file.size,
                file.crc32,
            )
        };
        let mut arguments: Vec<_> = arguments.iter().map(argument).collect();
        // Some libraries write them in an order drawn anew.
        arguments.sort();
        Self {
            method: method.to_owned(),
            arguments,
            files: files.iter().map(file).collect(),
            ok,
        }
    }
}

/// The words that a library draws for a body: the boundary of a multipart one, and the names of parts that are named elsewhere in it.
pub(super) struct Drawn(Vec<String>);

impl Drawn {
    pub(super) fn of(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let mut words = Vec::new();
        for mark in ["boundary=", "attach://"] {
            let found = text.split(mark).skip(1);
            let of_word = |it: &char| it.is_ascii_alphanumeric() || "-_".contains(*it);
            let word = |rest: &str| rest.chars().take_while(of_word).collect();
            words.extend(found.map(word).filter(|it: &String| !it.is_empty()));
        }
        Self(words)
    }

    /// The text with one word in place of all of them.
    pub(super) fn plain(&self, text: &str) -> String {
        let plain = |text: String, word: &String| text.replace(word, "DRAWN");
        self.0.iter().fold(text.to_owned(), plain)
    }
}
