//! Files: what was uploaded, and what bots may download.
//!
//! In: uploads, stand-ins for URLs (`methods/media.rs`), files made by the control API. Out: file
//! ids, `File` objects, content (`download.rs`). Invariant: ids and paths follow from a counter, so
//! that the same calls give the same ids. Bounded: held bytes; when a new file does not fit, the
//! oldest contents are dropped (their ids stay, a download answers 404).

use std::collections::{BTreeMap, HashMap};

use crate::content::Content;
use crate::json::{Object, Raw};

/// A file.
#[derive(Clone, Debug)]
pub(crate) struct File {
    pub(crate) id: String,
    pub(crate) unique_id: String,
    pub(crate) path: String,
    pub(crate) size: u64,
    pub(crate) name: String,
    pub(crate) mime: String,
    /// Gone if it was too large to keep or had to make room.
    pub(crate) content: Option<Content>,
}

/// All files of an environment.
#[derive(Debug)]
pub(crate) struct Files {
    /// In the order they came.
    files: BTreeMap<u64, File>,
    by_id: HashMap<String, u64>,
    by_path: HashMap<String, u64>,
    next: u64,
    held: usize,
    room: usize,
}

impl Files {
    pub(crate) fn new(room: usize) -> Self {
        Self {
            files: BTreeMap::new(),
            by_id: HashMap::new(),
            by_path: HashMap::new(),
            next: 1,
            held: 0,
            room,
        }
    }

    /// Adds a file; `content` may be absent, the size is then told alone.
    pub(crate) fn add(
        &mut self,
        kind: &'static str,
        name: &str,
        mime: &str,
        size: u64,
        content: Option<Content>,
    ) -> File {
        let number = self.next;
        self.next += 1;
        let extension = name
            .rsplit_once('.')
            .map_or(default_extension(kind), |(_, extension)| extension);
        let extension: String = extension
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .take(8)
            .collect();
        let file = File {
            id: format!("AgACAgIAAxkDAAIB{kind}{number:08}"),
            unique_id: format!("AQAD{kind}{number:08}"),
            path: format!("{}/file_{number}.{extension}", folder(kind)),
            size,
            name: name.to_owned(),
            mime: mime.to_owned(),
            content,
        };
        self.hold(&file);
        self.by_id.insert(file.id.clone(), number);
        self.by_path.insert(file.path.clone(), number);
        self.files.insert(number, file.clone());
        file
    }

    /// Gives a file another path, so that tests may use any.
    pub(crate) fn rename(&mut self, id: &str, path: &str) {
        let Some(number) = self.by_id.get(id) else {
            return;
        };
        if let Some(file) = self.files.get_mut(number) {
            self.by_path.remove(&file.path);
            path.clone_into(&mut file.path);
            self.by_path.insert(path.to_owned(), *number);
        }
    }

    pub(crate) fn by_id(&self, id: &str) -> Option<&File> {
        self.files.get(self.by_id.get(id)?)
    }

    pub(crate) fn by_path(&self, path: &str) -> Option<&File> {
        self.files.get(self.by_path.get(path)?)
    }

    fn hold(&mut self, file: &File) {
        let Some(Content::Held(bytes)) = &file.content else {
            return;
        };
        self.held += bytes.len();
        let mut older = self.files.values_mut();
        while self.held > self.room {
            let Some(file) = older.next() else {
                break;
            };
            if let Some(Content::Held(bytes)) = file
                .content
                .take_if(|content| matches!(content, Content::Held(_)))
            {
                self.held -= bytes.len();
            }
        }
    }
}

impl File {
    /// The `File` object with its path, as getFile gives it.
    pub(crate) fn json(&self) -> Raw {
        self.fields().put("file_path", &self.path).end()
    }

    /// What every object with a file has.
    pub(crate) fn fields(&self) -> Object {
        Object::new()
            .put("file_id", &self.id)
            .put("file_unique_id", &self.unique_id)
            .put("file_size", &self.size)
    }
}

/// The folder of a kind's paths.
fn folder(kind: &str) -> &'static str {
    match kind {
        "photo" => "photos",
        "video" => "videos",
        "audio" => "music",
        "voice" => "voice",
        "animation" => "animations",
        "video_note" => "video_notes",
        "sticker" => "stickers",
        _ => "documents",
    }
}

fn default_extension(kind: &str) -> &'static str {
    match kind {
        "photo" => "jpg",
        "video" | "animation" | "video_note" => "mp4",
        "audio" => "mp3",
        "voice" => "oga",
        "sticker" => "webp",
        _ => "bin",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn content(size: usize) -> Option<Content> {
        Some(Content::from(Bytes::from(vec![1; size])))
    }

    #[test]
    fn the_oldest_contents_make_room() {
        let mut files = Files::new(100);
        let first = files.add("photo", "a.JPG", "", 60, content(60));
        let made = files.add(
            "document",
            "b",
            "",
            1 << 40,
            Some(Content::Pattern {
                length: 1 << 40,
                seed: 0,
            }),
        );
        let second = files.add("document", "b.tar.gz", "", 60, content(60));
        assert_eq!(first.path, "photos/file_1.JPG");
        assert_eq!(second.path, "documents/file_3.gz");
        let has = |file: &File| {
            files
                .by_id(&file.id)
                .is_some_and(|file| file.content.is_some())
        };
        assert_eq!([has(&first), has(&made), has(&second)], [false, true, true]);
        assert!(files.by_path("photos/file_1.JPG").is_some());
    }
}
