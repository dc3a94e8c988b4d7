//! A method in a webhook's answer.
//!
//! In: the answer's arguments and files (`push/courier.rs`). Out: what a call would have been
//! answered, for the note of the delivery alone. Invariant: the rules are those of a call, save that
//! nobody presents a token: who answers for the webhook is the bot.

use super::{Call, envelope};
use crate::fail::Failure;
use crate::http::intake::Taken;
use crate::journal::CapturedFile;
use crate::push::deliveries::Performed;
use crate::route::Environment;
use crate::shared::Shared;
use crate::world::polling::Reply;

/// Performs a method for a bot; its name is in lower case and none of those that wait.
pub(crate) fn perform_reply(
    shared: &Shared,
    environment: Environment,
    bot: i64,
    method: String,
    taken: &Taken,
) -> Performed {
    let config = &shared.config;
    let result = {
        let mut world = shared.world(environment);
        if world.bots.get(&bot).is_some_and(|bot| !bot.logged_out) {
            let mut call = Call {
                world: &mut world,
                config,
                bot,
                arguments: &taken.arguments,
                files: &taken.files,
                now: config.clock.now(),
                unix: config.clock.unix(),
            };
            call.perform(&method).map(|raw| Reply {
                result: raw.as_str().to_owned(),
                description: None,
            })
        } else {
            Err(Failure::new(401, "Unauthorized"))
        }
    };
    Performed {
        method,
        arguments: taken.arguments.owned(),
        files: taken.files.iter().map(CapturedFile::of).collect(),
        ok: result.is_ok(),
        answer: match result {
            Ok(reply) => envelope(&reply),
            Err(failure) => failure.body(),
        },
    }
}
