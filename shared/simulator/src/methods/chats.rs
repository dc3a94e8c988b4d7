//! Methods about chats and their members.
//!
//! In: arguments. Out: what is known of chats, and changed chats and standings. Invariant: rights
//! are not modelled but for being a member; methods that need an administrator's say so where the
//! bot's standing is known not to be one.

use super::{Call, Outcome};
use crate::fail::Failure;
use crate::json::{Object, Raw};
use crate::world::people::{ChatKind, Standing, User, private_chat};

impl Call<'_> {
    pub(super) fn get_chat(&mut self) -> Outcome {
        let id = self.known_chat()?;
        let object = match (self.world.chats.get(&id), self.world.users.get(&id)) {
            (Some(chat), _) => chat.fields().some("description", chat.description.as_ref()),
            (None, Some(user)) => private_chat(user),
            (None, None) => private_chat(&User::new(id, "")),
        };
        let gifts = Object::new()
            .put("unlimited_gifts", &true)
            .put("limited_gifts", &true)
            .put("unique_gifts", &true)
            .put("premium_subscription", &true)
            .put("gifts_from_channels", &true)
            .end();
        let object = object
            .number("accent_color_id", 0)
            .number("max_reaction_count", 11);
        Ok(object.raw("accepted_gift_types", &gifts).end())
    }

    pub(super) fn get_chat_member(&mut self) -> Outcome {
        let chat = self.known_chat()?;
        let user = self.user()?;
        let standing = match self.world.bots.get(&user) {
            Some(bot) => bot.standing(chat),
            None if chat == user => Standing::Member,
            None if self
                .world
                .chats
                .get(&chat)
                .is_some_and(|chat| chat.members.contains(&user)) =>
            {
                Standing::Member
            }
            None => Standing::Left,
        };
        Ok(self.member(user, standing))
    }

    pub(super) fn get_chat_administrators(&mut self) -> Outcome {
        let chat = self.known_chat()?;
        if self.world.kind(chat) == ChatKind::Private {
            return Err(Failure::bad(
                "there are no administrators in the private chat",
            ));
        }
        let owner = self
            .world
            .chats
            .get(&chat)
            .and_then(|chat| chat.members.first().copied());
        let creator = owner.map(|owner| {
            let object = Object::new()
                .raw("user", &self.world.user_json(owner))
                .put("status", "creator");
            object.put("is_anonymous", &false).end()
        });
        let me = self.bot;
        let own = (self.me()?.standing(chat) == Standing::Administrator)
            .then(|| self.member(me, Standing::Administrator));
        let all: Vec<Raw> = creator.into_iter().chain(own).collect();
        Ok(Raw::array(&all))
    }

    pub(super) fn get_chat_member_count(&mut self) -> Outcome {
        let chat = self.known_chat()?;
        let members = self
            .world
            .chats
            .get(&chat)
            .map_or(1, |chat| chat.members.len());
        Ok(Raw::of(&(members + 1)))
    }

    pub(super) fn leave_chat(&mut self) -> Outcome {
        let chat = self.known_chat()?;
        if self.world.kind(chat) == ChatKind::Private {
            return Err(Failure::bad("chat can't be left"));
        }
        self.me()?.standings.insert(chat, Standing::Left);
        Ok(Raw::truth())
    }

    /// banChatMember and unbanChatMember.
    pub(super) fn ban(&mut self, ban: bool) -> Outcome {
        let id = self.group()?;
        let user = self.user()?;
        if let Some(chat) = self.world.chats.get_mut(&id).filter(|_| ban) {
            chat.members.retain(|member| *member != user);
        }
        Ok(Raw::truth())
    }

    /// setChatTitle and setChatDescription.
    pub(super) fn rename_chat(&mut self, title: bool) -> Outcome {
        let id = self.group()?;
        let text = self
            .arguments
            .text(if title { "title" } else { "description" })
            .to_owned();
        if title && text.is_empty() {
            return Err(Failure::bad("title can't be empty"));
        }
        let Some(chat) = self.world.chats.get_mut(&id) else {
            return Err(Failure::bad("chat not found"));
        };
        if title {
            chat.title = text;
        } else {
            if chat.description.as_deref().unwrap_or_default() == text {
                return Err(Failure::bad("chat description is not modified"));
            }
            chat.description = Some(text).filter(|text| !text.is_empty());
        }
        Ok(Raw::truth())
    }

    pub(super) fn send_chat_action(&mut self) -> Outcome {
        self.world
            .writable_chat(self.bot, self.arguments.text("chat_id"))?;
        let action = self.arguments.text("action").to_ascii_lowercase();
        let known = [
            "typing",
            "upload_",
            "record_",
            "find_location",
            "choose_",
            "cancel",
        ];
        if known.iter().any(|start| action.starts_with(start)) {
            return Ok(Raw::truth());
        }
        Err(Failure::bad("wrong parameter action in request"))
    }

    pub(super) fn create_invite_link(&mut self) -> Outcome {
        self.group()?;
        let number = self.world.number();
        let bot = self.bot;
        let object = Object::new().put(
            "invite_link",
            &format!("https://t.me/+simulated{number:08}"),
        );
        let object = object
            .some("name", self.arguments.get("name"))
            .raw("creator", &self.world.user_json(bot));
        Ok(object
            .put("creates_join_request", &false)
            .put("is_primary", &false)
            .put("is_revoked", &false)
            .end())
    }

    pub(super) fn export_invite_link(&mut self) -> Outcome {
        self.group()?;
        let number = self.world.number();
        Ok(Raw::of(&format!("https://t.me/+simulated{number:08}")))
    }

    pub(super) fn create_forum_topic(&mut self) -> Outcome {
        self.group()?;
        let name = self
            .required("name", "topic name must be non-empty")?
            .to_owned();
        let number = self.world.number();
        let object = Object::new()
            .number("message_thread_id", number)
            .put("name", &name);
        Ok(object.number("icon_color", 0x6F_B9F0).end())
    }

    /// A method about a chat that is not modelled further: the chat must be there and writable.
    pub(super) fn about_chat(&mut self) -> Outcome {
        self.world
            .writable_chat(self.bot, self.arguments.text("chat_id"))?;
        Ok(Raw::truth())
    }

    fn known_chat(&mut self) -> Result<i64, Failure> {
        let id = self.world.find_chat(self.arguments.text("chat_id"))?;
        if self.world.chats.contains_key(&id) {
            return self.world.writable_chat(self.bot, &id.to_string());
        }
        Ok(id)
    }

    /// A chat that is not private.
    fn group(&mut self) -> Result<i64, Failure> {
        let id = self
            .world
            .writable_chat(self.bot, self.arguments.text("chat_id"))?;
        if self.world.kind(id) == ChatKind::Private {
            return Err(Failure::bad(
                "method is available only for supergroup and channel chats",
            ));
        }
        Ok(id)
    }

    fn user(&mut self) -> Result<i64, Failure> {
        let wrong = Failure::bad("invalid user_id specified");
        let id = self
            .arguments
            .integer("user_id")
            .filter(|id| *id > 0)
            .ok_or(wrong)?;
        let known = self.world.users.contains_key(&id) || self.world.bots.contains_key(&id);
        if known || self.world.any_chat {
            Ok(id)
        } else {
            Err(Failure::bad("user not found"))
        }
    }

    /// The `ChatMember` object.
    fn member(&self, user: i64, standing: Standing) -> Raw {
        let object = Object::new()
            .raw("user", &self.world.user_json(user))
            .put("status", standing.status());
        let rights = [
            "can_be_edited",
            "can_manage_chat",
            "can_change_info",
            "can_delete_messages",
            "can_invite_users",
            "can_restrict_members",
            "can_promote_members",
            "can_manage_video_chats",
            "can_post_stories",
            "can_edit_stories",
            "can_delete_stories",
            "is_anonymous",
        ];
        match standing {
            Standing::Administrator => {
                let yes = |key: &str| {
                    !matches!(
                        key,
                        "can_be_edited" | "can_promote_members" | "is_anonymous"
                    )
                };
                rights
                    .iter()
                    .fold(object, |object, key| object.put(key, &yes(key)))
                    .end()
            }
            Standing::Kicked => object.number("until_date", 0).end(),
            _ => object.end(),
        }
    }
}
