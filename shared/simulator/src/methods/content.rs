//! Messages that are neither text nor file: places, contacts, dice, polls, invoices and the like.
//!
//! In: arguments. Out: messages in the world; polls also by id, for votes and stopPoll.
//! Invariant: what Telegram requires is required here, with its words; what it makes up (a die's
//! value) follows from a counter.

use serde_json::Value;

use super::{Call, Outcome};
use crate::fail::Failure;
use crate::http::arguments::Arguments;
use crate::json::{Object, Raw};
use crate::text::Formatted;
use crate::world::polls::Poll;

impl Call<'_> {
    pub(super) fn send_location(&mut self) -> Outcome {
        let location = self.location()?;
        self.send(vec![("location", location)])
    }

    pub(super) fn send_venue(&mut self) -> Outcome {
        let location = self.location()?;
        let title = self.required("title", "title must be non-empty")?;
        let address = self.required("address", "address must be non-empty")?;
        let venue = Object::new()
            .raw("location", &location)
            .put("title", title)
            .put("address", address)
            .end();
        self.send(vec![("venue", venue), ("location", location)])
    }

    pub(super) fn send_contact(&mut self) -> Outcome {
        let phone = self.required("phone_number", "phone number must be non-empty")?;
        let name = self.required("first_name", "first name must be non-empty")?;
        let contact = Object::new()
            .put("phone_number", phone)
            .put("first_name", name)
            .some("last_name", self.arguments.get("last_name"));
        let contact = contact.end();
        self.send(vec![("contact", contact)])
    }

    pub(super) fn send_dice(&mut self) -> Outcome {
        let emoji = self.arguments.get("emoji").unwrap_or("🎲");
        let most = match emoji {
            "🎲" | "🎯" | "🎳" => 6,
            "🏀" | "⚽" => 5,
            "🎰" => 64,
            _ => return Err(Failure::bad("emoji is invalid for a dice")),
        };
        let value = self.world.number() % most + 1;
        self.send(vec![(
            "dice",
            Object::new()
                .put("emoji", emoji)
                .number("value", value)
                .end(),
        )])
    }

    pub(super) fn send_game(&mut self) -> Outcome {
        let name = self.required("game_short_name", "wrong game short name specified")?;
        let photo = self
            .world
            .files
            .add("photo", "game.jpg", "image/jpeg", 100, None);
        let size = photo
            .fields()
            .number("width", 640)
            .number("height", 360)
            .end();
        let game = Object::new()
            .put("title", name)
            .put("description", name)
            .raw("photo", &Raw::array([&size]))
            .end();
        self.send(vec![("game", game)])
    }

    pub(super) fn send_invoice(&mut self) -> Outcome {
        let invoice = self.invoice()?;
        self.send(vec![("invoice", invoice)])
    }

    pub(super) fn create_invoice_link(&mut self) -> Outcome {
        self.invoice()?;
        let number = self.world.number();
        Ok(Raw::of(&format!("https://t.me/$simulated{number:08}")))
    }

    pub(super) fn edit_checklist(&mut self) -> Outcome {
        let checklist: Value = serde_json::from_str(self.arguments.text("checklist"))
            .map_err(|_| Failure::bad("can't parse checklist JSON object"))?;
        self.edit(|_| Ok(Some(vec![("checklist", Raw::of(&checklist))])))
    }

    /// editMessageLiveLocation and stopMessageLiveLocation.
    pub(super) fn edit_location(&mut self) -> Outcome {
        let location = match self.arguments.get("latitude") {
            Some(_) => Some(self.location()?),
            None => None,
        };
        self.edit(|message| {
            let kept = message
                .field("location")
                .cloned()
                .ok_or_else(|| Failure::bad("message can't be edited"))?;
            Ok(Some(vec![("location", location.unwrap_or(kept))]))
        })
    }

    pub(super) fn send_checklist(&mut self) -> Outcome {
        let checklist: Value = serde_json::from_str(self.arguments.text("checklist"))
            .map_err(|_| Failure::bad("can't parse checklist JSON object"))?;
        self.send(vec![("checklist", Raw::of(&checklist))])
    }

    /// sendRichMessage: its blocks are kept as they came.
    pub(super) fn send_rich_message(&mut self) -> Outcome {
        let rich: Value = serde_json::from_str(self.arguments.text("rich_message"))
            .map_err(|_| Failure::bad("can't parse rich message JSON object"))?;
        self.send(vec![("rich_message", Raw::of(&rich))])
    }

    pub(super) fn send_poll(&mut self) -> Outcome {
        let question = self.arguments.text("question");
        let question = Formatted::read(
            question,
            self.arguments.text("question_parse_mode"),
            self.arguments.text("question_entities"),
        )?;
        if question.text.is_empty() {
            return Err(Failure::bad("poll question must be non-empty"));
        }
        let options: Vec<Value> = serde_json::from_str(self.arguments.text("options"))
            .map_err(|_| Failure::bad("can't parse options JSON object"))?;
        let label = |option: &Value| {
            option
                .as_str()
                .or_else(|| option.get("text")?.as_str())
                .map(str::to_owned)
        };
        let options: Vec<String> = options.iter().filter_map(label).collect();
        match options.len() {
            0 => return Err(Failure::bad("poll must have at least 1 option")),
            13.. => return Err(Failure::bad("poll can't have more than 12 options")),
            _ if options.iter().any(String::is_empty) => {
                return Err(Failure::bad("poll options must be non-empty"));
            }
            _ => {}
        }
        let quiz = self.arguments.text("type").eq_ignore_ascii_case("quiz");
        let poll = Poll {
            id: format!("{}", 5_000_000_000_000_000_000 + self.world.number()),
            bot: self.bot,
            question,
            votes: vec![0; options.len()],
            options,
            anonymous: self
                .arguments
                .get("is_anonymous")
                .is_none_or(|_| self.arguments.flag("is_anonymous")),
            several: self.arguments.flag("allows_multiple_answers"),
            correct: quiz.then(|| self.arguments.integer("correct_option_id").unwrap_or(0)),
            closed: self.arguments.flag("is_closed"),
            voters: 0,
        };
        let json = poll.json();
        let message = self.write(vec![("poll", json)])?;
        self.world.polls.add(poll, message.chat, message.id);
        Ok(self.world.message_json(self.bot, &message))
    }

    pub(super) fn stop_poll(&mut self) -> Outcome {
        let chat = self
            .world
            .writable_chat(self.bot, self.arguments.text("chat_id"))?;
        let id = self.arguments.integer("message_id").unwrap_or(0);
        let missing = || Failure::bad("message with poll to stop not found");
        let poll = self
            .world
            .polls
            .of_message(self.bot, chat, id)
            .ok_or_else(missing)?;
        if poll.closed {
            return Err(Failure::bad("poll has already been closed"));
        }
        poll.closed = true;
        let json = poll.json();
        if let Some(message) = self.world.messages(self.bot, chat).get_mut(id) {
            message.replace_content(vec![("poll", json.clone())]);
        }
        Ok(json)
    }

    fn location(&self) -> Result<Raw, Failure> {
        let number = |name: &str| self.arguments.text(name).trim().parse::<f64>().ok();
        let (Some(latitude), Some(longitude)) = (number("latitude"), number("longitude")) else {
            return Err(Failure::bad("location must be specified"));
        };
        if !(-90.0..=90.0).contains(&latitude) || !(-180.0..=180.0).contains(&longitude) {
            return Err(Failure::bad("wrong location specified"));
        }
        let object = Object::new()
            .put("latitude", &latitude)
            .put("longitude", &longitude);
        Ok(object
            .some(
                "live_period",
                self.arguments
                    .integer("live_period")
                    .filter(|period| *period > 0),
            )
            .end())
    }

    fn invoice(&self) -> Result<Raw, Failure> {
        let title = self.required("title", "invoice title must be non-empty")?;
        let description = self.required("description", "invoice description must be non-empty")?;
        self.required("payload", "invoice payload must be non-empty")?;
        let currency = self.required("currency", "invoice currency must be non-empty")?;
        let prices: Vec<Value> = serde_json::from_str(self.arguments.text("prices"))
            .map_err(|_| Failure::bad("can't parse prices JSON object"))?;
        let total: i64 = prices
            .iter()
            .filter_map(|price| price.get("amount")?.as_i64())
            .sum();
        let start = self.arguments.text("start_parameter");
        let object = Object::new()
            .put("title", title)
            .put("description", description)
            .put("start_parameter", start);
        Ok(object
            .put("currency", currency)
            .number("total_amount", total)
            .end())
    }
}

impl<'a> Call<'a> {
    /// An argument that must not be empty.
    pub(super) fn required(&self, name: &str, missing: &str) -> Result<&'a str, Failure> {
        let arguments: &'a Arguments = self.arguments;
        let text = arguments.text(name);
        if text.is_empty() {
            Err(Failure::bad(missing))
        } else {
            Ok(text)
        }
    }
}
