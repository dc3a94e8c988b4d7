//! An update of any kind.
//!
//! In: the name of a kind. Out: that update, filled in plausibly. Kinds that other acts make are
//! made by them; the rest is put together here. Invariant: every kind the Bot API documents has a
//! sample, which a test checks against the list.

use super::{Result, Scene};
use crate::control::ControlError;
use crate::json::{Object, Raw};
use crate::world::Draft;
use crate::world::people::{Chat, ChatKind, Standing};

/// The channel that samples of channel posts appear in.
const CHANNEL: i64 = -1_009_000_000_001;
/// The supergroup that samples about members appear in.
const GROUP: i64 = -1_009_000_000_002;

impl Scene<'_> {
    pub(super) fn sample(&mut self, kind: &str) -> Result {
        Ok(match kind {
            "message" => self.say("a message", None),
            "edited_message" => {
                let id = self.message("a message");
                self.edit(id, "an edited message")?
            }
            "channel_post" => {
                self.at(CHANNEL, ChatKind::Channel);
                self.say("a post", None)
            }
            "edited_channel_post" => {
                self.at(CHANNEL, ChatKind::Channel);
                let id = self.message("a post");
                self.edit(id, "an edited post")?
            }
            "inline_query" => self.inline_query("a query", ""),
            "chosen_inline_result" => self.choose_result("1", "a query"),
            "callback_query" => {
                let id = self.message("a message");
                self.press(id, "data")?
            }
            "shipping_query" => self.shipping("payload"),
            "pre_checkout_query" => self.pre_checkout("payload", "EUR", 100),
            "my_chat_member" => self.stand(Standing::Member)?,
            "chat_member" => {
                self.at(GROUP, ChatKind::Supergroup);
                let change = self.changed(self.user, Standing::Left, Standing::Member);
                self.tell(kind, &change)
            }
            "chat_join_request" => {
                self.at(GROUP, ChatKind::Supergroup);
                self.join_request()
            }
            "message_reaction" => {
                let id = self.message("a message");
                self.react(id, Some("👍"))?
            }
            _ => {
                let payload = self.payload(kind)?;
                self.tell(kind, &payload)
            }
        })
    }

    /// The payload of a kind that no act makes.
    fn payload(&mut self, kind: &str) -> Result<Raw> {
        let (user, unix, user_id) = (self.person(), self.unix, self.user);
        let number = self.world.number();
        let id = format!("simulated{number:08}");
        let from = || Object::new().raw("from", &user);
        let chat = self.world.chat_json(self.chat);
        let dated = || Object::new().raw("chat", &chat).number("date", unix);
        Ok(match kind {
            "business_connection" => Object::new()
                .put("id", &id)
                .raw("user", &user)
                .number("user_chat_id", user_id)
                .number("date", unix)
                .put("is_enabled", &true)
                .end(),
            "business_message" | "edited_business_message" | "guest_message" => {
                let fields = vec![
                    ("business_connection_id", Raw::of(&id)),
                    ("text", Raw::of("a business message")),
                ];
                let message = self.world.add_message(
                    self.bot,
                    self.chat,
                    self.user,
                    Draft {
                        fields,
                        ..Draft::default()
                    },
                    unix,
                );
                self.world.message_json(self.bot, &message)
            }
            "deleted_business_messages" => Object::new()
                .put("business_connection_id", &id)
                .raw("chat", &chat)
                .put("message_ids", &[1, 2])
                .end(),
            "message_reaction_count" => {
                let reaction = Object::new().put("type", "emoji").put("emoji", "👍").end();
                let count = Object::new()
                    .raw("type", &reaction)
                    .number("total_count", 3)
                    .end();
                let object = Object::new()
                    .raw("chat", &chat)
                    .number("message_id", 1)
                    .number("date", unix);
                object.raw("reactions", &Raw::array([&count])).end()
            }
            "purchased_paid_media" => from().put("paid_media_payload", "payload").end(),
            "poll" => {
                let option = |text: &str| {
                    Object::new()
                        .put("text", text)
                        .number("voter_count", 1)
                        .end()
                };
                let object = Object::new().put("id", &id).put("question", "A question?");
                let object = object
                    .raw("options", &Raw::array([&option("yes"), &option("no")]))
                    .number("total_voter_count", 2);
                let object = object
                    .put("is_closed", &false)
                    .put("is_anonymous", &true)
                    .put("type", "regular");
                object.put("allows_multiple_answers", &false).end()
            }
            "poll_answer" => Object::new()
                .put("poll_id", &id)
                .raw("user", &user)
                .put("option_ids", &[0])
                .end(),
            "chat_boost" | "removed_chat_boost" => {
                let source = Object::new()
                    .put("source", "premium")
                    .raw("user", &user)
                    .end();
                let object = Object::new().put("boost_id", &id);
                if kind == "chat_boost" {
                    let boost = object
                        .number("add_date", unix)
                        .number("expiration_date", unix + 86_400)
                        .raw("source", &source);
                    Object::new()
                        .raw("chat", &chat)
                        .raw("boost", &boost.end())
                        .end()
                } else {
                    let object = Object::new()
                        .raw("chat", &chat)
                        .put("boost_id", &id)
                        .number("remove_date", unix);
                    object.raw("source", &source).end()
                }
            }
            "managed_bot" => Object::new()
                .raw("user", &user)
                .raw("bot", &self.world.user_json(self.bot))
                .end(),
            "subscription" => from().put("id", &id).number("date", unix).end(),
            "stopped_message_generation" => {
                dated().raw("user", &user).number("message_id", 1).end()
            }
            _ => {
                return Err(ControlError::Invalid(format!(
                    "{kind:?} is no kind of update"
                )));
            }
        })
    }

    /// Moves the scene to a chat, making it if need be.
    fn at(&mut self, chat: i64, kind: ChatKind) {
        self.world
            .chats
            .entry(chat)
            .or_insert_with(|| Chat::new(chat, kind, "Samples"));
        self.chat = chat;
    }

    /// A message that nobody is told of.
    fn message(&mut self, text: &str) -> i64 {
        let draft = Draft {
            fields: vec![("text", Raw::of(text))],
            ..Draft::default()
        };
        self.world
            .add_message(self.bot, self.chat, self.user, draft, self.unix)
            .id
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::time::Duration;

    use super::super::{Act, perform};
    use crate::world::World;
    use crate::world::bot::Bot;
    use crate::world::due::Due;
    use crate::world::people::User;

    #[test]
    fn every_kind_has_a_sample() {
        let mut world = World::new(false, 1_000, Due::default());
        world
            .bots
            .insert(1, Bot::new(1, "1:a", "B", "b", Duration::ZERO));
        world.users.insert(7, User::new(7, "Ann"));
        let all: Vec<&'static str> = gramtap_telegram::update::KNOWN.to_vec();
        world.bots.get_mut(&1).unwrap().allowed = Some(all.clone());
        for (at, kind) in all.iter().enumerate() {
            let act = Act::Sample {
                bot: 1,
                user: 7,
                kind: (*kind).to_owned(),
            };
            assert!(
                perform(&mut world, &act, Duration::ZERO, 5).unwrap().told,
                "{kind}"
            );
            let queue = world.bots.get_mut(&1).unwrap().polling.queue();
            let last = queue.get(0, 100, Duration::ZERO)[at].text.clone();
            assert!(last.starts_with(&format!("\"{kind}\":{{")), "{last}");
            let whole = format!("{{{last}}}");
            serde_json::from_str::<serde_json::Value>(&whole).unwrap();
        }
    }
}
