//! The events of a big installation, from a seed: half a year of twenty bots, one of them with half of everything.
//!
//! In: the bots. Out: events and errors, in the order of their hours, as `fold/` reads them; to `fill.rs`. Users come once or
//! for months, in visits of a few updates; a bot answers most of them; some calls fail, in forty ways; data of buttons and referral
//! links come in thousands. Invariant: the same seed gives the same records.

use std::fmt::Write;

use gramtap_events::TenantId;
use gramtap_events::topics::{ERRORS, EVENTS};
use gramtap_events::{Moment, Topic};
use time::OffsetDateTime;

/// The second that it is: a Friday, 2026-04-03T14:20:00 in UTC.
pub(crate) const NOW: i64 = 1_775_226_000;
/// Days of traffic: the longest span that pages offer, and the one that it is compared with.
const DAYS: i64 = 180;
const HOUR: i64 = 3_600;
/// How busy the hours of a day are.
const BUSY: [i64; 24] = [
    20, 15, 10, 10, 15, 25, 40, 60, 80, 90, 100, 100, 110, 100, 95, 95, 100, 120, 140, 150, 130,
    90, 60, 35,
];
/// Folds of empty polls of a bot and hour.
const POLLS: i64 = 12;

/// A bot and its share of everything.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bot {
    /// Who it is.
    pub(crate) tenant: TenantId,
    /// Of 1,000.
    pub(crate) share: i64,
}

/// Of each bot, of 1,000.
pub(crate) const SHARES: [i64; 20] = [
    500, 150, 80, 50, 40, 30, 25, 20, 18, 15, 12, 11, 10, 9, 8, 7, 6, 5, 3, 1,
];

const COMMANDS: [&str; 12] = [
    "/start",
    "/help",
    "/catalogue",
    "/cart",
    "/orders",
    "/settings",
    "/stop",
    "/language",
    "/support",
    "/invite",
    "/balance",
    "/about",
];
const LANGUAGES: [&str; 14] = [
    "en", "ru", "fa", "de", "es", "pt-br", "uk", "it", "fr", "tr", "ar", "id", "uz", "en",
];
const METHODS: [(&str, &str); 10] = [
    ("message_sent", "sendMessage"),
    ("message_sent", "sendMessage"),
    ("message_sent", "sendMessage"),
    ("message_sent", "sendPhoto"),
    ("message_edit_sent", "editMessageText"),
    ("message_edit_sent", "editMessageReplyMarkup"),
    ("callback_answered", "answerCallbackQuery"),
    ("message_deleted", "deleteMessage"),
    ("call_made", "sendChatAction"),
    ("file_asked", "getFile"),
];
/// Code, origin, class, advice, description.
const FAILURES: [(i64, &str, &str, &str, &str); 8] = [
    (
        403,
        "telegram",
        "expected",
        "blocked_by_user",
        "Forbidden: bot was blocked by the user",
    ),
    (
        403,
        "telegram",
        "expected",
        "blocked_by_user",
        "Forbidden: bot was blocked by the user",
    ),
    (
        400,
        "telegram",
        "expected",
        "not_modified",
        "Bad Request: message is not modified",
    ),
    (
        400,
        "telegram",
        "bug",
        "chat_unknown",
        "Bad Request: chat not found",
    ),
    (
        400,
        "telegram",
        "bug",
        "entities_broken",
        "Bad Request: can't parse entities",
    ),
    (
        429,
        "telegram",
        "capacity",
        "flood",
        "Too Many Requests: retry after N",
    ),
    (502, "edge", "outage", "gateway", "Bad Gateway"),
    (0, "network", "outage", "answer_lost", "receive"),
];

/// One record.
pub(crate) struct Made<'a> {
    /// Of events or of errors.
    pub(crate) topic: &'static Topic,
    /// As JSON.
    pub(crate) payload: &'a [u8],
}

/// Numbers that look random (SplitMix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: i64) -> i64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((bits ^ (bits >> 31)) % bound.max(1) as u64) as i64
    }

    /// Small numbers more often than large ones.
    fn skewed(&mut self, bound: i64) -> i64 {
        let bound = self.below(bound) + 1;
        self.below(bound)
    }
}

/// Makes `count` events, and the errors of those that failed.
pub(crate) fn make(bots: &[Bot], count: i64, mut tell: impl FnMut(Made<'_>)) {
    let mut maker = Maker {
        dice: Dice(11),
        place: 0,
        text: String::new(),
        hour: String::new(),
        start: 0,
        seconds: HOUR,
        tell: &mut tell,
    };
    let begin = NOW - DAYS * 86_400;
    let hours = || (begin.div_euclid(HOUR) * HOUR..NOW).step_by(HOUR as usize);
    let weight =
        |start: i64| BUSY[(start.rem_euclid(86_400) / HOUR) as usize] * HOUR.min(NOW - start);
    let whole: i64 = hours().map(weight).sum();
    let mut passed = 0;
    let mut made = vec![0; bots.len()];
    for start in hours() {
        passed += weight(start);
        maker.turn(start);
        let age = (start - begin) / HOUR;
        for (bot, made) in bots.iter().zip(&mut made) {
            // The first bot takes what is left over by the others, so that the whole is exact.
            let until = |share: i64| {
                (i128::from(count * share) * i128::from(passed) / i128::from(whole * 1_000)) as i64
            };
            let due = until(bot.share) - *made;
            *made += due;
            maker.bot(bot, count * bot.share / 1_000, age, due);
        }
    }
}

struct Maker<'a> {
    dice: Dice,
    place: i64,
    text: String,
    /// The hour's time as text, up to its minutes.
    hour: String,
    start: i64,
    /// How much of the hour there is.
    seconds: i64,
    tell: &'a mut dyn FnMut(Made<'_>),
}

impl Maker<'_> {
    fn turn(&mut self, start: i64) {
        self.start = start;
        self.seconds = HOUR.min(NOW - start);
        let moment = Moment::from(OffsetDateTime::from_unix_timestamp(start).unwrap());
        let text = serde_json::to_string(&moment).unwrap();
        self.hour = text[1..15].to_owned();
    }

    /// An hour of a bot: `due` events.
    fn bot(&mut self, bot: &Bot, all: i64, age: i64, due: i64) {
        let polls = POLLS.min(due / 10);
        for poll in 0..polls {
            let second = poll * self.seconds / polls;
            self.polled(bot, second);
        }
        let mut left = due - polls;
        let known = all / 20 * (500 + 9_500 * age / (DAYS * 24)) / 10_000;
        while left > 0 {
            // Most come a few times in their life, some every other day.
            let user = match self.dice.below(10) {
                0..=6 => self.dice.below(known + 1),
                _ => self.dice.skewed(known / 10 + 1),
            };
            let second = self.dice.below((self.seconds - 60).max(1));
            for step in 0..1 + self.dice.below(4) {
                for what in 0..1 + self.dice.below(3) {
                    if left == 0 {
                        return;
                    }
                    left -= 1;
                    match what {
                        0 => self.update(bot, user, second + step * 9, step == 0),
                        _ => self.call(bot, user, second + step * 9 + what),
                    }
                }
            }
        }
    }

    /// Begins an event: what all have.
    fn begin(&mut self, bot: &Bot, event: &str, second: i64, direction: &str) {
        self.place += 1;
        self.text.clear();
        let (minute, second) = (second / 60, second % 60);
        let at = format!(
            "{}{minute:02}:{second:02}.{:06}Z",
            self.hour,
            self.place % 1_000_000
        );
        write!(
            self.text,
            r#"{{"v":1,"event_id":"c:bench-1-{}","event":"{event}","tenant":"{}","bot":7100200300,"at":"{at}","happened_at":"{at}","direction":"{direction}","via":"poll""#,
            self.place, bot.tenant
        )
        .unwrap();
    }

    fn end(&mut self, topic: &'static Topic) {
        (self.tell)(Made {
            topic,
            payload: self.text.as_bytes(),
        });
    }

    fn update(&mut self, bot: &Bot, user: i64, second: i64, first: bool) {
        let kind = self.dice.below(100);
        let event = match kind {
            0 => "bot_blocked",
            1..=55 => "message_received",
            56..=92 => "callback_pressed",
            _ => "inline_queried",
        };
        self.begin(bot, event, second, "in");
        let language = LANGUAGES[(user % 14) as usize];
        let id = 100_000_000 + user;
        write!(
            self.text,
            r#","user_id":{id},"chat_id":{id},"chat_type":"private","user_is_bot":false,"is_premium":{},"language":"{language}""#,
            user % 9 == 0
        )
        .unwrap();
        match event {
            "message_received" => self.message(user, first),
            "callback_pressed" => {
                let item = self.dice.skewed(4_000);
                let button = self.dice.skewed(40);
                write!(
                    self.text,
                    r#","callback_data":"item:{item}","button_text":"Button {button}""#
                )
                .unwrap();
            }
            _ => {}
        }
        self.text.push_str(r#","props":{}}"#);
        self.end(&EVENTS);
    }

    fn message(&mut self, user: i64, first: bool) {
        if self.dice.below(2) == 0 {
            let command = COMMANDS[self.dice.skewed(12) as usize];
            write!(self.text, r#","command":"{command}""#).unwrap();
            if command == "/start" && first {
                match user % 5 {
                    0 | 1 => {}
                    2 => write!(
                        self.text,
                        r#","payload":"ref_{}""#,
                        self.dice.skewed(20_000)
                    )
                    .unwrap(),
                    3 => write!(
                        self.text,
                        r#","payload":"utm_source=ads{}&utm_medium=cpc&utm_campaign=c{}""#,
                        user % 7,
                        user % 31
                    )
                    .unwrap(),
                    _ => write!(self.text, r#","payload":"promo{}""#, user % 50).unwrap(),
                }
            }
        } else if self.dice.below(4) == 0 {
            let media = ["photo", "voice", "sticker", "document"][self.dice.skewed(4) as usize];
            write!(self.text, r#","media":"{media}""#).unwrap();
        }
    }

    fn call(&mut self, bot: &Bot, user: i64, second: i64) {
        let (event, method) = METHODS[self.dice.below(10) as usize];
        let slow = if self.dice.below(25) == 0 { 12 } else { 1 };
        let telegram = (30 + self.dice.below(60)) * slow;
        let own = 60 + self.dice.below(200);
        let failed = self.dice.below(1_000) < 35;
        let id = 100_000_000 + user;
        self.begin(bot, event, second, "out");
        write!(
            self.text,
            r#","method":"{method}","chat_id":{id},"user_id":{id},"ok":{},"took_ms":{telegram}.{own:03},"own_ms":0.{own:03}"#,
            !failed
        )
        .unwrap();
        let failure = FAILURES[self.dice.skewed(8) as usize];
        if failed {
            let (code, _, class, ..) = failure;
            write!(self.text, r#","error_code":{code},"error_class":"{class}""#).unwrap();
        }
        write!(self.text, r#","props":{{"upstream_ms":{telegram}}}}}"#).unwrap();
        self.end(&EVENTS);
        if failed {
            self.failure(bot, failure, method, id, second);
        }
    }

    fn failure(
        &mut self,
        bot: &Bot,
        failure: (i64, &str, &str, &str, &str),
        method: &str,
        user: i64,
        second: i64,
    ) {
        let (code, origin, class, advice, description) = failure;
        let group = advice
            .bytes()
            .chain(method.bytes())
            .fold(code, |sum, byte| {
                (sum * 31 + i64::from(byte)).rem_euclid(1 << 40)
            });
        let (minute, second) = (second / 60, second % 60);
        self.text.clear();
        write!(
            self.text,
            r#"{{"v":1,"error_id":"c:bench-1-{}","group":"{group:016x}","template":"{description}","at":"{}{minute:02}:{second:02}.{:06}Z","tenant":"{}","bot":7100200300,"origin":"{origin}","class":"{class}","code":{code},"method":"{method}","description":"{description}","advice":"{advice}","chat_id":{user},"user_id":{user},"client":{{"addr":"10.0.0.1","agent":"aiogram/3.22"}}}}"#,
            self.place, self.hour, self.place % 1_000_000, bot.tenant
        )
        .unwrap();
        self.end(&ERRORS);
    }

    fn polled(&mut self, bot: &Bot, second: i64) {
        self.begin(bot, "polled", second, "out");
        let count = 5 + self.dice.below(20);
        write!(
            self.text,
            r#","method":"getUpdates","ok":true,"props":{{"count":{count},"addr":"10.0.0.{}","agent":"aiogram/3.22"}}}}"#,
            1 + self.place % 2
        )
        .unwrap();
        self.end(&EVENTS);
    }
}
