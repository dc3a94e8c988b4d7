//! What each number is called and what it means: the one place that pages have it from.
//!
//! In: nothing. Out: [`Definition`]s, shown at each number. Invariant: the words are those of the doc comments in `query/`, which say
//! what is counted (tested), so that a definition cannot change without its number.

/// What a number is.
#[derive(Debug, PartialEq, Eq)]
pub struct Definition {
    /// Its name in `query/`.
    pub key: &'static str,
    /// What it is called.
    pub name: &'static str,
    /// What it means.
    pub text: &'static str,
}

macro_rules! definitions {
    ($($constant:ident $key:literal $name:literal $text:literal)*) => {
        $(#[doc = $name] pub const $constant: Definition = Definition { key: $key, name: $name, text: $text };)*
        /// All of them.
        pub const ALL: &[&Definition] = &[$(&$constant),*];
    };
}

definitions! {
    UPDATES "updates" "Updates"
        "What Telegram told the bot, each once, in the hour of its own date."
    CALLS "calls" "Calls"
        "What the bot asked Telegram with a token that Telegram accepts, in the hour of its receipt; polls apart."
    FAILED "failed" "Failed"
        "Calls that were answered with an error or not at all, expected ones (such as a user who has blocked the bot) among them."
    ERRORS "errors" "Errors"
        "Failed calls whose class is not expected."
    ERROR_RATE "error_rate" "Error rate"
        "Errors whose class is not expected, as a share of calls; polls apart."
    POLLS "polls" "Polls"
        "Calls of getUpdates."
    POLLS_FAILED "polls_failed" "Failed polls"
        "Polls that were answered with an error or not at all."
    UNVERIFIED "unverified" "Unverified calls"
        "With a token that Telegram has never accepted. Anybody can make them; they count nowhere else."
    LOST "lost" "Lost"
        "Records of calls and updates that Gramtap saw and could not keep."
    ACTIVE "active" "Active users"
        "Different users with at least one update whose own date falls on the day in the bot's time zone, a block of the bot being an update, too; bots and Telegram's service accounts excluded. Of several days: the sum of the days."
    FRESH "fresh" "New users"
        "Those whose first active day ever seen here it is."
    RETURNING "returning" "Returning users"
        "Active on the day and on an earlier one."
    BLOCKED "blocked" "Blocked"
        "Users who blocked the bot in that time, by an update or by a refused call, and have shown no sign since."
    ACTIVE_IN_PERIOD "active" "Active users"
        "Different users with at least one update whose own date falls into the period; bots and Telegram's service accounts excluded."
    EVER "ever" "Users"
        "All that were ever active, as long as the audience's numbers are kept."
    BLOCKED_NOW "blocked" "Blocked now"
        "Users whose last sign is that they blocked the bot: that update, or a refused call, is later than their last unblocking and any other update of theirs."
    LANGUAGES "languages" "Languages"
        "Users seen since the period began, by the language of their client as last told; the most first."
    PREMIUM "premium" "Premium"
        "Users seen since the period began who had Telegram Premium when last seen."
    REGULAR "regular" "Not Premium"
        "Users seen since the period began who had not Telegram Premium when last seen."
    NO_LANGUAGE "no_language" "No language"
        "Users seen since the period began of whom Telegram told no language."
    COMMANDS "commands" "Commands"
        "Messages that begin with a command, by command."
    CALLBACKS "callbacks" "Buttons by data"
        "Inline buttons pressed, by their `callback_data`."
    BUTTONS "buttons" "Buttons by text"
        "Inline buttons pressed, by the text on them, where Telegram told it."
    MEDIA "media" "Media"
        "Messages with media, by kind."
    UPDATES_BY_KIND "updates" "Updates by kind"
        "By the name of their event."
    STARTS "starts" "Starts"
        "`/start` commands with a payload, by payload, each time."
    UTM "utm" "UTM"
        "Pairs such as `utm_source=ads` in such payloads, plain or as base64url, each time."
    ARRIVED "arrived" "New users by source"
        "Users who are new in the period, by the payload of the first start with one that was ever seen of them; the most first."
    BY_SOURCE "by_source" "By a source"
        "Users who are new in the period and of whom a payload is known."
    DIRECT "direct" "Direct"
        "Users who are new in the period and of whom no payload is known."
    ERRORS_OF_GROUP "n" "Errors"
        "Failed calls of this group in the period, polls among them."
    CHATS_HIT "chats" "Chats hit"
        "Different chats that these calls were meant for."
    USERS_HIT "users" "Users hit"
        "Different users that these calls were meant for, where the chat was private."
    TELEGRAM "telegram" "Telegram's time"
        "From the first byte sent to Telegram to the last byte received, of calls that it answered."
    OWN "own" "Our time"
        "The whole call less Telegram's time and less the time spent waiting for the bot to send or read."
    SUCCESS_RATE "success_rate" "Success rate"
        "Attempts that delivered, as a share of all attempts."
    DELIVERED "delivered" "Delivered"
        "Updates that the webhook answered 2xx to."
    ATTEMPTS "attempts" "Attempts"
        "Requests that were made to the webhook, repeated ones among them."
    FAILED_ATTEMPTS "failed" "Failed attempts"
        "Attempts that did not deliver."
    RETRIES "retries" "Retries"
        "Attempts that failed and were followed, or are to be followed, by another."
    EXPIRED "expired" "Expired"
        "Updates that were given up because their time was over; with Telegram they would be lost at the same time."
    DEAD "dead" "Dead"
        "Updates that were given up because they cannot be delivered, or the address may not be called."
    FAILURES "failures" "Failures"
        "Attempts that did not deliver, and updates that were given up without one, by what went wrong and what the webhook answered; the most first."
    TIME_TO_DELIVERY "delivery" "Time to delivery"
        "From when an update was taken in to when the webhook had answered 2xx to it, of updates that were delivered."
    ENDPOINT_TIME "endpoint" "The webhook's time"
        "One attempt, from its begin to its end, whatever came of it."
    WAITING "standing" "Waiting"
        "Updates that were taken in and are neither delivered nor given up, as of some seconds ago, wherever they are in their queues. What the forwarder has not read from the inbox yet is not counted."
    TRIED_AGAIN "waiting" "To be tried again"
        "Updates that were tried, failed, and will be tried again. Those behind them in their queue are not counted: they have not been tried yet."
    DEAD_LETTERS "dead_letters" "Dead letters"
        "Updates that were given up and are kept, replayed ones among them."
    POLLS_OF_BOT "polls" "Polls"
        "Calls of getUpdates, empty ones and failed ones among them."
    CONFLICTS "conflicts" "Conflicts"
        "Polls that were answered 409: ended by another poller, or refused because a webhook is set."
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUESTIONS: [&str; 9] = [
        include_str!("../query/actions.rs"),
        include_str!("../query/audience.rs"),
        include_str!("../query/deliveries.rs"),
        include_str!("../query/errors.rs"),
        include_str!("../query/latency.rs"),
        include_str!("../query/letters.rs"),
        include_str!("../query/overview.rs"),
        include_str!("../query/polls.rs"),
        include_str!("../query/sources.rs"),
    ];

    /// The doc comments of a file, each on a line.
    fn comments(source: &str) -> Vec<String> {
        let mut comments = vec![String::new()];
        for line in source.lines() {
            match line.trim().strip_prefix("/// ") {
                Some(words) => {
                    let comment = comments.last_mut().map(|comment| comment.push_str(words));
                    comment.into_iter().for_each(drop);
                    if let Some(comment) = comments.last_mut() {
                        comment.push(' ');
                    }
                }
                None => comments.push(String::new()),
            }
        }
        comments
    }

    #[test]
    fn every_definition_is_the_doc_comment_of_its_number() {
        let comments: Vec<String> = QUESTIONS.into_iter().flat_map(comments).collect();
        for definition in ALL {
            let begins = format!("*{}*: ", definition.name);
            let is_meant = |comment: &&String| {
                let text = comment.strip_prefix(&begins).unwrap_or_default();
                text.to_lowercase()
                    .starts_with(&definition.text.to_lowercase())
            };
            assert!(
                comments.iter().any(|comment| is_meant(&comment)),
                "{definition:?}"
            );
        }
    }

    #[test]
    fn every_number_that_is_defined_there_is_defined_here() {
        for comment in QUESTIONS.into_iter().flat_map(comments) {
            let Some((name, _)) = comment
                .strip_prefix('*')
                .and_then(|rest| rest.split_once("*: "))
            else {
                continue;
            };
            assert!(
                ALL.iter().any(|definition| definition.name == name),
                "{name}"
            );
        }
    }
}
