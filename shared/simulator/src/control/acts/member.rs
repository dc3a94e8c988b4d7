//! People block bots, join, leave and react.
//!
//! In: acts. Out: standings and members, and the updates that tell of them. Invariant: the old
//! state in an update is what was true before the act.

use super::{Acted, Result, Scene};
use crate::control::ControlError;
use crate::json::{Object, Raw};
use crate::world::Draft;
use crate::world::people::{ChatKind, Standing};

impl Scene<'_> {
    /// Changes how the bot stands to the chat, and tells it.
    pub(super) fn stand(&mut self, standing: Standing) -> Result {
        let bot = self
            .world
            .bots
            .get_mut(&self.bot)
            .ok_or(ControlError::Bot(self.bot))?;
        let before = bot.standing(self.chat);
        bot.standings.insert(self.chat, standing);
        let json = self.changed(self.bot, before, standing);
        Ok(self.tell("my_chat_member", &json))
    }

    pub(super) fn join(&mut self) -> Result {
        self.members(|members, user| members.push(user))?;
        let change = self.changed(self.user, Standing::Left, Standing::Member);
        let told = self.tell("chat_member", &change).told;
        let joined = Raw::array([&self.person()]);
        Ok(self.service("new_chat_members", joined, told))
    }

    pub(super) fn leave(&mut self) -> Result {
        self.members(|members, user| members.retain(|member| *member != user))?;
        let change = self.changed(self.user, Standing::Member, Standing::Left);
        let told = self.tell("chat_member", &change).told;
        let left = self.person();
        Ok(self.service("left_chat_member", left, told))
    }

    pub(super) fn join_request(&mut self) -> Acted {
        let json = Object::new()
            .raw("chat", &self.world.chat_json(self.chat))
            .raw("from", &self.person());
        let json = json
            .number("user_chat_id", self.user)
            .number("date", self.unix)
            .end();
        self.tell("chat_join_request", &json)
    }

    pub(super) fn react(&mut self, message_id: i64, emoji: Option<&str>) -> Result {
        let there = self
            .world
            .messages(self.bot, self.chat)
            .get(message_id)
            .is_some();
        if !there {
            return Err(ControlError::Message(message_id));
        }
        let reaction = |emoji: Option<&str>| {
            let one =
                emoji.map(|emoji| Object::new().put("type", "emoji").put("emoji", emoji).end());
            Raw::array(one.as_ref())
        };
        let json = Object::new()
            .raw("chat", &self.world.chat_json(self.chat))
            .number("message_id", message_id)
            .raw("user", &self.person())
            .number("date", self.unix)
            .raw("old_reaction", &reaction(emoji.is_none().then_some("👍")))
            .raw("new_reaction", &reaction(emoji))
            .end();
        Ok(self.tell("message_reaction", &json))
    }

    /// A `ChatMemberUpdated` about someone.
    pub(super) fn changed(&self, about: i64, before: Standing, after: Standing) -> Raw {
        let user = self.world.user_json(about);
        let member = |standing: Standing| {
            let object = Object::new()
                .raw("user", &user)
                .put("status", standing.status());
            if standing == Standing::Kicked {
                object.number("until_date", 0).end()
            } else {
                object.end()
            }
        };
        let json = Object::new()
            .raw("chat", &self.world.chat_json(self.chat))
            .raw("from", &self.person());
        let json = json
            .number("date", self.unix)
            .raw("old_chat_member", &member(before));
        json.raw("new_chat_member", &member(after)).end()
    }

    fn members(&mut self, change: impl FnOnce(&mut Vec<i64>, i64)) -> Result<()> {
        let chat = self
            .world
            .chats
            .get_mut(&self.chat)
            .ok_or(ControlError::Chat(self.chat))?;
        change(&mut chat.members, self.user);
        Ok(())
    }

    /// A service message; channels have none for coming and going.
    fn service(&mut self, field: &'static str, value: Raw, told: bool) -> Acted {
        if self.world.kind(self.chat) == ChatKind::Channel {
            return Acted {
                told,
                ..Acted::default()
            };
        }
        self.write(Draft {
            fields: vec![(field, value)],
            ..Draft::default()
        })
    }
}
