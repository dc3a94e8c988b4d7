//! What a bot sets about itself and reads back, and its session.
//!
//! In: arguments. Out: settings of the bot, by scope and language where Telegram has them.
//! Invariant: what is read is what was last set for the same scope and language, else the default.

use std::time::Duration;

use serde_json::Value;

use super::{Call, Outcome};
use crate::fail::Failure;
use crate::json::{Object, Raw};
use crate::world::webhook::Webhook;

/// `close` is refused for so long after a bot's start.
const CLOSE_AFTER: Duration = Duration::from_secs(600);
/// `ChatAdministratorRights` before any are set.
pub(super) const NO_RIGHTS: &str = r#"{"is_anonymous":false,"can_manage_chat":false,"can_delete_messages":false,"can_manage_video_chats":false,"can_restrict_members":false,"can_promote_members":false,"can_change_info":false,"can_invite_users":false,"can_post_stories":false,"can_edit_stories":false,"can_delete_stories":false}"#;
/// Commands of a bot at most.
const MOST_COMMANDS: usize = 100;

impl Call<'_> {
    pub(super) fn set_commands(&mut self) -> Outcome {
        let text = self.arguments.text("commands");
        let wrong = || Failure::bad("can't parse list of bot commands JSON object");
        let commands: Vec<Value> = serde_json::from_str(text).map_err(|_| wrong())?;
        if commands.len() > MOST_COMMANDS {
            return Err(Failure::bad("BOT_COMMANDS_TOO_MUCH"));
        }
        let mut shown = Vec::new();
        for command in &commands {
            let text = |key: &str| command.get(key).and_then(Value::as_str).ok_or_else(wrong);
            let (name, description) = (
                text("command")?.trim_start_matches('/'),
                text("description")?,
            );
            let fits =
                |sign: char| sign.is_ascii_lowercase() || sign.is_ascii_digit() || sign == '_';
            if name.is_empty() || name.len() > 32 || !name.chars().all(fits) {
                return Err(Failure::bad("BOT_COMMAND_INVALID"));
            }
            if description.is_empty() {
                return Err(Failure::bad("BOT_COMMAND_DESCRIPTION_INVALID"));
            }
            shown.push(
                Object::new()
                    .put("command", name)
                    .put("description", description)
                    .end(),
            );
        }
        self.keep("commands", Raw::array(&shown))
    }

    pub(super) fn get_commands(&mut self) -> Outcome {
        Ok(self.kept("commands")?.unwrap_or_else(|| Raw::array([])))
    }

    pub(super) fn delete_commands(&mut self) -> Outcome {
        let key = self.key("commands");
        self.me()?.settings.remove(&key);
        Ok(Raw::truth())
    }

    /// setMyName, setMyDescription, setMyShortDescription: `field` is the argument.
    pub(super) fn set_own_text(&mut self, field: &'static str) -> Outcome {
        let value = Object::new().put(field, self.arguments.text(field)).end();
        if field == "name"
            && !self.arguments.text(field).is_empty()
            && self.arguments.text("language_code").is_empty()
        {
            let name = self.arguments.text(field).to_owned();
            self.me()?.user.first_name = name;
        }
        self.keep(field, value)
    }

    pub(super) fn get_own_text(&mut self, field: &'static str) -> Outcome {
        let name = self.me()?.user.shown_name();
        let default = if field == "name" { name } else { String::new() };
        Ok(self
            .kept(field)?
            .unwrap_or_else(|| Object::new().put(field, &default).end()))
    }

    /// A JSON object set under `argument` and read back as it came.
    pub(super) fn set_object(&mut self, name: &'static str, argument: &str) -> Outcome {
        let value = match self.arguments.text(argument) {
            "" => return self.forget(name),
            text => Raw::parse(text).ok_or_else(|| {
                Failure::bad(&format!(
                    "can't parse {} JSON object",
                    name.replace('_', " ")
                ))
            })?,
        };
        self.keep(name, value)
    }

    pub(super) fn get_object(&mut self, name: &'static str, default: &str) -> Outcome {
        let default = Raw::parse(default).unwrap_or_else(Raw::truth);
        Ok(self.kept(name)?.unwrap_or(default))
    }

    pub(super) fn log_out(&mut self) -> Outcome {
        let ended = {
            let me = self.me()?;
            me.logged_out = true;
            me.polling.begin(Webhook::default());
            me.polling.end_all(&Failure::new(400, "Logged out"))
        };
        crate::world::answer(ended);
        Ok(Raw::truth())
    }

    pub(super) fn close(&mut self) -> Outcome {
        let now = self.now;
        let me = self.me()?;
        let wait = (me.live_since + CLOSE_AFTER).saturating_sub(now);
        if !wait.is_zero() {
            return Err(Failure::flood(
                u32::try_from(wait.as_secs()).unwrap_or(600).max(1),
            ));
        }
        me.live_since = now;
        let ended = me
            .polling
            .end_all(&Failure::new(500, "Internal Server Error: restart"));
        crate::world::answer(ended);
        Ok(Raw::truth())
    }

    /// getManagedBotToken and replaceManagedBotToken: a made-up token, so that it can be looked for elsewhere.
    pub(super) fn managed_token(&mut self) -> Outcome {
        let user = self.arguments.integer("user_id").filter(|id| *id > 0);
        let user = user.ok_or_else(|| Failure::bad("invalid user_id specified"))?;
        let number = self.world.number();
        Ok(Raw::of(&format!(
            "{user}:AAsimulatedManagedBotToken{number:09}"
        )))
    }

    fn keep(&mut self, name: &str, value: Raw) -> Outcome {
        let key = self.key(name);
        self.me()?.settings.insert(key, value);
        Ok(Raw::truth())
    }

    fn forget(&mut self, name: &str) -> Outcome {
        let key = self.key(name);
        self.me()?.settings.remove(&key);
        Ok(Raw::truth())
    }

    fn kept(&mut self, name: &str) -> Result<Option<Raw>, Failure> {
        let key = self.key(name);
        Ok(self.me()?.settings.get(&key).cloned())
    }

    /// A setting's name with its scope and language.
    fn key(&self, name: &str) -> String {
        let scope: Value = serde_json::from_str(self.arguments.text("scope")).unwrap_or_default();
        let kind = scope
            .get("type")
            .and_then(Value::as_str)
            .unwrap_or("default");
        let part = |value: Option<&Value>| value.map(Value::to_string).unwrap_or_default();
        let chat = self.arguments.text("chat_id");
        let language = self.arguments.text("language_code");
        format!(
            "{name}/{kind}/{}/{}/{chat}/{language}",
            part(scope.get("chat_id")),
            part(scope.get("user_id"))
        )
    }
}
