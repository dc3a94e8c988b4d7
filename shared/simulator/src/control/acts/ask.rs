//! People press buttons, use inline mode, pay and vote.
//!
//! In: acts. Out: queries that wait for an answer (`world/queries.rs`), votes, and their updates.
//! Invariant: a query's id is unique, and the same in every run.

use super::{Acted, Result, Scene};
use crate::control::ControlError;
use crate::json::{Object, Raw};
use crate::world::Draft;
use crate::world::queries::Asker;

impl Scene<'_> {
    pub(super) fn press(&mut self, message_id: i64, data: &str) -> Result {
        let message = self
            .world
            .messages(self.bot, self.chat)
            .get(message_id)
            .cloned();
        let message = message.ok_or(ControlError::Message(message_id))?;
        let id = self.query(Asker::Callback);
        let json = Object::new()
            .put("id", &id)
            .raw("from", &self.person())
            .raw("message", &self.world.message_json(self.bot, &message))
            .put(
                "chat_instance",
                &self.chat.wrapping_mul(1_000_003).to_string(),
            )
            .put("data", data)
            .end();
        Ok(self.asked("callback_query", id, &json))
    }

    pub(super) fn inline_query(&mut self, query: &str, offset: &str) -> Acted {
        let id = self.query(Asker::Inline);
        let json = Object::new()
            .put("id", &id)
            .raw("from", &self.person())
            .put("chat_type", "sender");
        let json = json.put("query", query).put("offset", offset).end();
        self.asked("inline_query", id, &json)
    }

    pub(super) fn choose_result(&mut self, result_id: &str, query: &str) -> Acted {
        let json = Object::new()
            .raw("from", &self.person())
            .put("query", query)
            .put("result_id", result_id)
            .end();
        self.tell("chosen_inline_result", &json)
    }

    pub(super) fn shipping(&mut self, payload: &str) -> Acted {
        let id = self.query(Asker::Shipping);
        let address = Object::new()
            .put("country_code", "DE")
            .put("state", "")
            .put("city", "Berlin")
            .put("street_line1", "Unter den Linden 1")
            .put("street_line2", "")
            .put("post_code", "10117")
            .end();
        let json = Object::new().put("id", &id).raw("from", &self.person());
        let json = json
            .put("invoice_payload", payload)
            .raw("shipping_address", &address)
            .end();
        self.asked("shipping_query", id, &json)
    }

    pub(super) fn pre_checkout(&mut self, payload: &str, currency: &str, total: i64) -> Acted {
        let id = self.query(Asker::PreCheckout);
        let json = Object::new()
            .put("id", &id)
            .raw("from", &self.person())
            .put("currency", currency);
        let json = json
            .number("total_amount", total)
            .put("invoice_payload", payload)
            .end();
        self.asked("pre_checkout_query", id, &json)
    }

    pub(super) fn pay(&mut self, payload: &str, currency: &str, total: i64) -> Acted {
        let number = self.world.number();
        let paid = Object::new()
            .put("currency", currency)
            .number("total_amount", total)
            .put("invoice_payload", payload);
        let paid = paid.put("telegram_payment_charge_id", &format!("stx{number:08}"));
        let paid = paid
            .put("provider_payment_charge_id", &format!("prv{number:08}"))
            .end();
        self.write(Draft {
            fields: vec![("successful_payment", paid)],
            ..Draft::default()
        })
    }

    /// A vote: the poll's counts change, the bot hears who voted unless the poll is anonymous.
    pub(super) fn vote(&mut self, message_id: i64, options: &[usize]) -> Result {
        let poll = self.world.polls.of_message(self.bot, self.chat, message_id);
        let poll = poll.ok_or(ControlError::Message(message_id))?;
        if options.iter().any(|option| *option >= poll.votes.len())
            || (options.len() > 1 && !poll.several)
        {
            return Err(ControlError::Invalid(
                "the poll has no such options".to_owned(),
            ));
        }
        options.iter().for_each(|option| poll.votes[*option] += 1);
        poll.voters += i64::from(!options.is_empty());
        let (json, id, anonymous) = (poll.json(), poll.id.clone(), poll.anonymous);
        if anonymous {
            return Ok(self.tell("poll", &json));
        }
        let ids: Vec<String> = options.iter().map(ToString::to_string).collect();
        let answer = Object::new()
            .put("poll_id", &id)
            .raw("user", &self.person())
            .put("option_ids", options);
        let answer = answer.put("option_persistent_ids", &ids).end();
        Ok(self.tell("poll_answer", &answer))
    }

    fn query(&mut self, asker: Asker) -> String {
        let id = ((self.user << 32) | self.world.number()).to_string();
        self.world.queries.add(&id, self.bot, asker, self.now);
        id
    }

    fn asked(&mut self, kind: &str, id: String, json: &Raw) -> Acted {
        Acted {
            query_id: Some(id),
            ..self.tell(kind, json)
        }
    }
}
