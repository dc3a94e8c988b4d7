//! Answers to queries.
//!
//! In: arguments. Out: `true`, or Telegram's word for an answer that comes too late.
//! Invariant: what a user would see of it is only in the journal.

use serde_json::Value;

use super::{Call, Outcome};
use crate::fail::Failure;
use crate::json::{Object, Raw};
use crate::world::queries::Asker;

/// Results in one answer to an inline query at most.
const MOST_RESULTS: usize = 50;

impl Call<'_> {
    pub(super) fn answer_callback_query(&mut self) -> Outcome {
        if self.arguments.text("text").chars().count() > 200 {
            return Err(Failure::bad("MESSAGE_TOO_LONG"));
        }
        self.answer("callback_query_id", Asker::Callback)
    }

    pub(super) fn answer_inline_query(&mut self) -> Outcome {
        let results: Vec<Value> = serde_json::from_str(self.arguments.text("results"))
            .map_err(|_| Failure::bad("can't parse inline query results JSON object"))?;
        if results.len() > MOST_RESULTS {
            return Err(Failure::bad("RESULTS_TOO_MUCH"));
        }
        let ids: Vec<&str> = results
            .iter()
            .filter_map(|result| result.get("id")?.as_str())
            .collect();
        if ids
            .iter()
            .enumerate()
            .any(|(at, id)| ids[..at].contains(id))
        {
            return Err(Failure::bad("RESULT_ID_DUPLICATE"));
        }
        self.answer("inline_query_id", Asker::Inline)
    }

    pub(super) fn answer_shipping_query(&mut self) -> Outcome {
        self.answer("shipping_query_id", Asker::Shipping)
    }

    pub(super) fn answer_pre_checkout_query(&mut self) -> Outcome {
        if !self.arguments.flag("ok") && self.arguments.text("error_message").is_empty() {
            return Err(Failure::bad("error message must be non-empty"));
        }
        self.answer("pre_checkout_query_id", Asker::PreCheckout)
    }

    pub(super) fn answer_web_app_query(&mut self) -> Outcome {
        self.required("web_app_query_id", "web_app_query_id must be non-empty")?;
        let number = self.world.number();
        Ok(Object::new()
            .put("inline_message_id", &format!("AgAAA{number:08}"))
            .end())
    }

    fn answer(&mut self, argument: &str, asker: Asker) -> Outcome {
        let id = self.arguments.text(argument);
        if self.world.queries.answerable(id, self.bot, asker, self.now) {
            return Ok(Raw::truth());
        }
        Err(Failure::bad(
            "query is too old and response timeout expired or query ID is invalid",
        ))
    }
}
