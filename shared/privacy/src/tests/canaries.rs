//! No text, name or token comes through, whatever Telegram or a bot writes and wherever it stands.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::schema::{Leaves, Schema};
use super::*;

/// A small generator of its own, so that one number gives one object.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, of: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % of.max(1)
    }
}

/// Fields whose strings are Telegram's words or the bot's data, which the contract keeps.
const KEPT: [&str; 34] = [
    "action",
    "allowed_updates",
    "callback_data",
    "chat_type",
    "command",
    "currency",
    "data",
    "emoji",
    "format",
    "language_code",
    "last_error_message",
    "last_resale_currency",
    "method",
    "mime_type",
    "origin",
    "parse_mode",
    "point",
    "rarity",
    "source",
    "start_parameter",
    "state",
    "status",
    "sticker_format",
    "sticker_type",
    "style",
    "text",
    "transaction_type",
    "type",
    "update_type",
    "url",
    "valign",
    "thumbnail_mime_type",
    "payload",
    "provider_token",
];

/// Puts a text into every string and a number of its own into every integer.
struct Planted {
    dice: Dice,
    text: String,
    /// Leave alone what the contract keeps.
    spare: bool,
    sparse: bool,
    next: i64,
}

impl Planted {
    fn new(seed: u64, text: &str, spare: bool) -> Self {
        Self {
            dice: Dice(seed),
            text: text.to_owned(),
            spare,
            sparse: true,
            next: 5_000_000_000,
        }
    }
}

impl Leaves for Planted {
    fn string(&mut self, _: &str, field: &str) -> Value {
        match self.spare && KEPT.contains(&field) {
            true => json!("word"),
            false => json!(self.text),
        }
    }

    fn integer(&mut self, _: &str, _: &str) -> Value {
        self.next += 1;
        json!(self.next)
    }

    fn choose(&mut self, of: usize) -> usize {
        self.dice.roll(of)
    }

    fn leaves_out(&mut self) -> bool {
        self.sparse && self.dice.roll(3) > 0
    }

    fn unknown(&mut self) -> Vec<(String, Value)> {
        if self.sparse && self.dice.roll(4) > 0 {
            return Vec::new();
        }
        let text = self.text.as_str();
        vec![
            (
                "hologram".to_owned(),
                json!({"name": text, "inner": [text, {"title": text, "text": text}], "count": 3}),
            ),
            ("new_text".to_owned(), json!(text)),
            ("nickname_number".to_owned(), json!(79_990_001_122_i64)),
            ("aliases".to_owned(), json!([text, [text]])),
            // The names of members are Telegram's: a word there is no text of anybody.
            (format!("{text} A"), json!(true)),
        ]
    }
}

fn filtered(privacy: Privacy, update: &Value) -> String {
    filtered_text(privacy, &update.to_string())
}

fn filtered_text(privacy: Privacy, update: &str) -> String {
    let masked = Mask::new(privacy, [7; 32])
        .update(Node::parse(update.as_bytes()).unwrap())
        .unwrap();
    masked.update.unwrap().get().to_owned()
}

/// Texts that must not be found; those that look like words go only where words do not belong.
const SENTENCE: &str = "Zoë Canary, +7 999 000-11-22 \u{1f600}";
const WORDS: [&str; 5] = [
    "canaryword",
    "CanaryName",
    "79990001122",
    "https://canary.example/x",
    "canary@example.org",
];

#[test]
fn every_field_of_the_bot_api_is_silent() {
    let schema = Schema::read();
    let texts = std::iter::once((SENTENCE, false, 3)).chain(WORDS.map(|word| (word, true, 2)));
    for (text, spare, depth) in texts {
        let mut built = std::collections::HashSet::new();
        for (seed, (kind, types)) in (0..).zip(schema.fields("Update")) {
            // Ten kinds are messages of one shape.
            if !built.insert(types[0]) {
                continue;
            }
            let mut planted = Planted {
                sparse: false,
                ..Planted::new(seed, text, spare)
            };
            let mut update = Map::from_iter([("update_id".to_owned(), json!(7))]);
            update.extend(
                schema
                    .value("Update", kind, types[0], depth, &mut planted)
                    .map(|value| ((*kind).to_owned(), value)),
            );
            let update = Value::Object(update);
            assert!(
                update.to_string().contains(text) || *kind == "update_id",
                "{kind}"
            );
            for privacy in [Privacy::Metadata, Privacy::Pseudonymous] {
                let shown = filtered(privacy, &without_buttons(&update, spare));
                // Strings of digits are ids where an id belongs.
                let shown = if text == WORDS[2] {
                    without_ids(&shown)
                } else {
                    shown
                };
                assert!(
                    !shown.contains(text) && !shown.contains("anary") && !shown.contains("48.8"),
                    "{kind} in {privacy:?}: {shown}"
                );
            }
        }
    }
}

/// Callback data is kept up to 64 bytes by contract: the sentence is shorter, so it is taken out.
fn without_buttons(update: &Value, spare: bool) -> Value {
    let mut update = update.clone();
    if !spare {
        walk(&mut update, &mut |name, value| {
            if matches!(name, "callback_data" | "data") && value.is_string() {
                *value = Value::Null;
            }
            if matches!(name, "inline_keyboard" | "keyboard") {
                *value = Value::Null;
            }
        });
    }
    update
}

fn without_ids(shown: &str) -> String {
    let mut shown: Value = serde_json::from_str(shown).unwrap();
    walk(&mut shown, &mut |name, value| {
        if name == "id"
            || name.ends_with("_id")
            || name.ends_with("_ids")
            || name == "chat_instance"
        {
            *value = Value::Null;
        }
    });
    shown.to_string()
}

fn walk(value: &mut Value, each: &mut dyn FnMut(&str, &mut Value)) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| walk(item, each)),
        Value::Object(members) => {
            for (name, value) in members.iter_mut() {
                each(name, value);
                walk(value, each);
            }
        }
        _ => {}
    }
}

/// The numbers under names that tell persons, and under those that tell things.
fn ids(value: &Value) -> (Vec<i64>, Vec<i64>) {
    let (mut persons, mut things) = (Vec::new(), Vec::new());
    let mut value = value.clone();
    walk(&mut value, &mut |name, value| {
        let list = match name {
            "id" | "user_id" | "chat_id" | "user_chat_id" | "sender_chat_id"
            | "migrate_to_chat_id" | "bot_id" => &mut persons,
            "message_id" | "message_thread_id" | "update_id" | "date" | "file_size"
            | "total_amount" | "voter_count" => &mut things,
            _ => return,
        };
        list.extend(value.as_i64());
    });
    (persons, things)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn deep_objects_are_silent_keep_their_ids_and_filter_to_the_same_again(seed in any::<u64>(), of in any::<prop::sample::Index>()) {
        let schema = Schema::read();
        let kinds = schema.fields("Update");
        let (kind, types) = of.get(kinds);
        let mut planted = Planted::new(seed, SENTENCE, false);
        let value = schema.value("Update", kind, types[0], 3, &mut planted).unwrap();
        let update = without_buttons(&json!({"update_id": 7, *kind: value}), false);

        let shown = filtered(Privacy::Metadata, &update);
        prop_assert!(!shown.contains("anary") && !shown.contains("79990001122"), "{}", shown);
        let tree: Value = serde_json::from_str(&shown).unwrap();
        prop_assert_eq!(ids(&tree), ids(&update));
        prop_assert_eq!(filtered_text(Privacy::Metadata, &shown), shown);

        let hidden = filtered(Privacy::Pseudonymous, &update);
        prop_assert_eq!(&filtered(Privacy::Pseudonymous, &update), &hidden, "deterministic");
        let tree: Value = serde_json::from_str(&hidden).unwrap();
        let (persons, things) = ids(&tree);
        let (real, real_things) = ids(&update);
        prop_assert_eq!(things, real_things);
        prop_assert_eq!(persons.len(), real.len());
        for id in real {
            prop_assert!(!hidden.contains(&id.to_string()), "{} in {}", id, hidden);
        }

        let full = filtered(Privacy::Full, &update);
        let mut masked = update;
        walk(&mut masked, &mut |name, value| {
            if matches!(name, "credentials" | "secret") {
                *value = json!("***");
            }
        });
        prop_assert_eq!(serde_json::from_str::<Value>(&full).unwrap(), masked);
    }

    #[test]
    fn no_token_comes_through_in_any_mode(seed in any::<u64>(), of in any::<prop::sample::Index>(), style in 0usize..5) {
        let secret = "AAF-abcdefghijklmnopqrstuvwxyz_0123";
        let token = match style {
            0 => format!("123456789:{secret}"),
            1 => format!("https://api.telegram.org/file/bot123456789%3A{secret}/a.jpg"),
            2 => format!("{{\"a\":\"\\u0031\\u00323456789\\u003a{secret}\"}}"),
            3 => format!("https:\\/\\/api.telegram.org\\/bot123456789:{secret}\\/getMe"),
            _ => format!("/start 123456789:{secret}"),
        };
        let schema = Schema::read();
        let kinds = schema.fields("Update");
        let (kind, types) = of.get(kinds);
        let mut planted = Planted::new(seed, &token, false);
        let value = schema.value("Update", kind, types[0], 3, &mut planted).unwrap();
        let update = json!({"update_id": 7, *kind: value});
        for privacy in [Privacy::Metadata, Privacy::Pseudonymous, Privacy::Full] {
            let shown = filtered(privacy, &update);
            prop_assert!(!shown.contains(&secret[4..]), "{:?}: {}", privacy, shown);
        }
        // As a parameter of every shape, too.
        let methods = schema.methods();
        let method = Method::named(methods[of.index(methods.len())]);
        let params = schema.build(method.as_str(), 2, &mut planted).to_string();
        let Some(Node::Object(members)) = Node::parse(params.as_bytes()) else { unreachable!("an object") };
        for privacy in [Privacy::Metadata, Privacy::Pseudonymous, Privacy::Full] {
            let shown = Mask::new(privacy, [7; 32]).params(&method, members.clone()).unwrap();
            prop_assert!(!shown.get().contains(&secret[4..]), "{:?}: {}", privacy, shown);
        }
    }
}
