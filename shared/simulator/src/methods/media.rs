//! Messages with files: uploaded, named by id, or fetched from a URL.
//!
//! In: arguments and uploads. Out: files in the world and messages that carry them. A URL is not
//! fetched: a stand-in of 1,000 bytes takes its place, and a host under `.invalid` cannot be reached.
//! Invariant: a file sent by id keeps its id's content; sizes are those of what arrived.

use serde_json::Value;

use super::send::{Fields, caption};
use super::{Call, Outcome};
use crate::content::Content;
use crate::fail::Failure;
use crate::json::{Object, Raw};
use crate::world::Draft;
use crate::world::files::File;

/// The largest photo.
const LARGEST_PHOTO: u64 = 10 << 20;
/// The size of what stands in for a URL's content.
const STAND_IN: u64 = 1_000;

impl Call<'_> {
    /// sendPhoto, sendDocument and the like; `field` is the argument with the file.
    pub(super) fn send_media(&mut self, field: &'static str) -> Outcome {
        // Whom it is for is looked at before what it is.
        self.world
            .writable_chat(self.bot, self.arguments.text("chat_id"))?;
        let file = self.file(field, self.arguments.get(field).unwrap_or_default())?;
        let mut fields = content(field, &file, &mut self.world.files);
        if field != "sticker" && field != "video_note" {
            fields.extend(self.caption_fields()?);
        }
        self.send(fields)
    }

    pub(super) fn send_media_group(&mut self) -> Outcome {
        let chat = self
            .world
            .writable_chat(self.bot, self.arguments.text("chat_id"))?;
        let list: Vec<Value> = serde_json::from_str(self.arguments.text("media"))
            .map_err(|_| Failure::bad("can't parse media JSON object"))?;
        match list.len() {
            0 => return Err(Failure::bad("there are no messages to send")),
            11.. => return Err(Failure::bad("too many messages to send as an album")),
            _ => {}
        }
        let contents = list
            .iter()
            .map(|media| self.input_media(media))
            .collect::<Result<Vec<Fields>, Failure>>()?;
        let group = format!("1{:016}", self.world.number());
        let mut sent = Vec::new();
        for mut fields in contents {
            fields.insert(0, ("media_group_id", Raw::of(&group)));
            let draft = Draft {
                fields,
                ..Draft::default()
            };
            let message = self
                .world
                .add_message(self.bot, chat, self.bot, draft, self.unix);
            sent.push(self.world.message_json(self.bot, &message));
        }
        Ok(Raw::array(&sent))
    }

    pub(super) fn send_paid_media(&mut self) -> Outcome {
        let list: Vec<Value> = serde_json::from_str(self.arguments.text("media"))
            .map_err(|_| Failure::bad("can't parse media JSON object"))?;
        let mut shown = Vec::new();
        for media in &list {
            let fields = self.input_media(media)?;
            let object = fields.iter().fold(
                Object::new().put("type", text(media, "type")),
                |object, (key, value)| object.raw(key, value),
            );
            shown.push(object.end());
        }
        let stars = self.arguments.integer("star_count").unwrap_or(1);
        let media = Object::new()
            .number("star_count", stars)
            .raw("paid_media", &Raw::array(&shown))
            .end();
        let mut fields = vec![("paid_media", media)];
        fields.extend(self.caption_fields()?);
        self.send(fields)
    }

    /// The content of an `InputMedia` object.
    pub(super) fn input_media(&mut self, media: &Value) -> Result<Fields, Failure> {
        let kind = ["photo", "video", "animation", "audio", "document"]
            .into_iter()
            .find(|kind| *kind == text(media, "type"));
        let kind = kind.ok_or_else(|| Failure::bad("media type must be specified"))?;
        let file = self.file(kind, text(media, "media"))?;
        let mut fields = content(kind, &file, &mut self.world.files);
        let entities = media
            .get("caption_entities")
            .map(Value::to_string)
            .unwrap_or_default();
        fields.extend(caption(
            text(media, "caption"),
            text(media, "parse_mode"),
            &entities,
        )?);
        Ok(fields)
    }

    /// Finds the file that an argument means: the part of its own name, `attach://part`, an id or a URL.
    fn file(&mut self, field: &'static str, value: &str) -> Result<File, Failure> {
        let part = value.strip_prefix("attach://").unwrap_or(field);
        let attached = value.starts_with("attach://");
        // A parameter beside a file of the same name loses against it (some libraries send both).
        let upload = self.files.iter().find(|file| file.field == part);
        if let Some(upload) = upload {
            if upload.size == 0 {
                return Err(Failure::bad("file must be non-empty"));
            }
            if upload.size > self.config.upload_limit {
                return Err(Failure::new(413, "Request Entity Too Large"));
            }
            if field == "photo" && upload.size > LARGEST_PHOTO {
                return Err(Failure::bad(
                    "file of size bigger than 10485760 bytes is too big for a photo",
                ));
            }
            let kept = upload.content.len() as u64 == upload.size;
            let content = kept.then(|| Content::from(upload.content.clone()));
            let name = upload
                .file_name
                .rsplit(['/', '\\'])
                .next()
                .unwrap_or_default();
            return Ok(self.world.files.add(
                field,
                name,
                &upload.content_type,
                upload.size,
                content,
            ));
        }
        if attached {
            return Err(Failure::bad("wrong file identifier/HTTP URL specified"));
        }
        if value.is_empty() {
            return Err(Failure::bad(&format!(
                "there is no {} in the request",
                field.replace('_', " ")
            )));
        }
        if let Some(rest) = value
            .strip_prefix("http://")
            .or_else(|| value.strip_prefix("https://"))
        {
            let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
            if host.is_empty()
                || host
                    .split(':')
                    .next()
                    .is_some_and(|host| host.ends_with(".invalid"))
            {
                return Err(Failure::bad("failed to get HTTP URL content"));
            }
            let name = path
                .split(['?', '#'])
                .next()
                .and_then(|path| path.rsplit('/').next())
                .unwrap_or_default();
            let stand_in = Content::Pattern {
                length: STAND_IN,
                seed: value.len() as u64,
            };
            return Ok(self.world.files.add(
                field,
                name,
                "application/octet-stream",
                STAND_IN,
                Some(stand_in),
            ));
        }
        let file = self.world.files.by_id(value).cloned();
        file.ok_or_else(|| Failure::bad("wrong file identifier/HTTP URL specified"))
    }

    pub(super) fn get_file(&mut self) -> Outcome {
        let file = self
            .world
            .files
            .by_id(self.arguments.text("file_id").trim());
        let file = file
            .ok_or_else(|| Failure::bad("wrong file_id or the file is temporarily unavailable"))?;
        if file.size > self.config.download_limit {
            return Err(Failure::bad("file is too big"));
        }
        Ok(file.json())
    }

    pub(super) fn upload_sticker_file(&mut self) -> Outcome {
        let file = self.file("sticker", self.arguments.get("sticker").unwrap_or_default())?;
        Ok(file.json())
    }
}

/// The fields of a message that carries a file as `field`.
pub(crate) fn content(
    field: &'static str,
    file: &File,
    files: &mut crate::world::files::Files,
) -> Fields {
    let known = |object: Object| {
        object
            .put("file_id", &file.id)
            .put("file_unique_id", &file.unique_id)
            .put("file_size", &file.size)
    };
    let named = |object: Object| {
        let object = if file.name.is_empty() {
            object
        } else {
            object.put("file_name", &file.name)
        };
        object.put("mime_type", &file.mime)
    };
    let object = Object::new;
    let moving = |object: Object| {
        object
            .number("duration", 1)
            .number("width", 640)
            .number("height", 360)
    };
    let value = match field {
        "photo" => {
            let small = files.add(
                "photo",
                "thumb.jpg",
                "image/jpeg",
                100,
                Some(Content::Pattern {
                    length: 100,
                    seed: 1,
                }),
            );
            let size = |file: &File, width: i64| {
                file.fields()
                    .number("width", width)
                    .number("height", width * 3 / 4)
                    .end()
            };
            Raw::array([&size(&small, 90), &size(file, 800)])
        }
        "audio" => known(named(object().number("duration", 1))).end(),
        "video" => known(named(moving(object()))).end(),
        "animation" => {
            let animation = known(named(moving(object()))).end();
            return vec![
                ("animation", animation),
                ("document", known(named(object())).end()),
            ];
        }
        "voice" => known(object().number("duration", 1).put("mime_type", "audio/ogg")).end(),
        "video_note" => known(object().number("duration", 1).number("length", 240)).end(),
        "sticker" => {
            let sticker = object()
                .number("width", 512)
                .number("height", 512)
                .put("emoji", "🙂");
            known(
                sticker
                    .put("is_animated", &false)
                    .put("is_video", &false)
                    .put("type", "regular"),
            )
            .end()
        }
        _ => known(named(object())).end(),
    };
    vec![(field, value)]
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}
