//! A rich bot, from a seed: a month of users who come by day, press, buy, leave; calls that fail in every way; two pollers.
//!
//! In: a bot. Out: its [`Traffic`] up to [`NOW`]. Invariant: the same seed gives the same traffic.

use gramtap_events::TenantId;
use gramtap_events::call::{Client, Origin};
use gramtap_events::event::{Direction, Event, Name, Via};
use gramtap_events::failure::{Class, Failure};
use gramtap_telegram::BotId;
use gramtap_tenants::Tenant;
use serde_json::json;

use super::NOW;
use crate::conformance::stream::{Dice, Traffic, blank, failed, prop};

/// An error: how often of 1,000 calls, method, code, origin, class, advice, description, template.
type Failing = (
    i64,
    &'static str,
    i64,
    Origin,
    Class,
    &'static str,
    &'static str,
);

const FAILING: [Failing; 8] = [
    (
        30,
        "sendMessage",
        403,
        Origin::Telegram,
        Class::Expected,
        "blocked_by_user",
        "Forbidden: bot was blocked by the user",
    ),
    (
        9,
        "sendMessage",
        400,
        Origin::Telegram,
        Class::Bug,
        "chat_unknown",
        "Bad Request: chat not found",
    ),
    (
        4,
        "editMessageText",
        400,
        Origin::Telegram,
        Class::Bug,
        "entities_broken",
        "Bad Request: can't parse entities: Can't find end of the entity starting at byte offset N",
    ),
    (
        6,
        "sendMessage",
        429,
        Origin::Telegram,
        Class::Capacity,
        "flood",
        "Too Many Requests: retry after N",
    ),
    (
        5,
        "sendPhoto",
        502,
        Origin::Edge,
        Class::Outage,
        "gateway",
        "Bad Gateway",
    ),
    (
        3,
        "sendMesage",
        404,
        Origin::Telegram,
        Class::Config,
        "method_unknown",
        "Not Found: method not found",
    ),
    (
        2,
        "sendDocument",
        502,
        Origin::Network,
        Class::Outage,
        "answer_lost",
        "receive",
    ),
    (
        20,
        "editMessageText",
        400,
        Origin::Telegram,
        Class::Expected,
        "not_modified",
        "Bad Request: message is not modified",
    ),
];

/// The group of an error.
pub(super) fn group(method: &str, code: i64, advice: &str) -> String {
    let sum = advice
        .bytes()
        .chain(method.bytes())
        .fold(code, |sum, byte| {
            (sum * 31 + i64::from(byte)).rem_euclid(1 << 40)
        });
    format!("{sum:016x}")
}

/// Of a bot that has not called yet.
pub(super) fn nothing(bot: &Tenant) -> Traffic {
    Traffic {
        tenant: bot.id,
        events: Vec::new(),
        failures: Vec::new(),
    }
}

/// `days` of traffic, `rate` updates in a usual hour; `fights`: two programs poll.
pub(super) fn rich(bot: &Tenant, days: i64, rate: i64, fights: bool) -> Traffic {
    let mut seeded = Seed::of(bot);
    let begin = NOW - days * 86_400;
    for hour in 0..=days * 24 {
        let start = begin + hour * 3_600;
        let of_day = start.rem_euclid(86_400) / 3_600;
        let busy = [
            2, 1, 1, 1, 1, 2, 4, 6, 8, 9, 10, 10, 11, 10, 9, 9, 10, 12, 14, 15, 13, 9, 6, 3,
        ];
        let growth = 60 + hour * 60 / (days * 24);
        let n = rate * busy[of_day as usize] * growth / 1_000;
        for _ in 0..n + seeded.dice.below(2) {
            let at = start + seeded.dice.below(3_600);
            if at < NOW {
                seeded.visit(at, hour / 24);
            }
        }
        seeded.polls(start, fights && hour > (days - 1) * 24);
    }
    let mut traffic = seeded.traffic;
    traffic.events.sort_by_key(|event| event.at);
    traffic.failures.sort_by_key(|failure| failure.at);
    traffic
}

/// Ten minutes of polls up to now that another program ends: one through Gramtap, too, or one beside it.
pub(super) fn fight(bot: &Tenant, is_through: bool) -> Traffic {
    let mut seeded = Seed::of(bot);
    for minute in 0..10 {
        let at = NOW - 600 + minute * 60;
        seeded.poll(at, 0, true);
        if is_through {
            seeded.poll(at + 20, 1, minute % 3 == 0);
        }
    }
    seeded.traffic
}

/// A call that fails a few times within the hour.
pub(super) fn failing(
    bot: &Tenant,
    method: &str,
    code: i64,
    origin: &str,
    class: &str,
    advice: &str,
) -> Traffic {
    let mut seeded = Seed::of(bot);
    for place in 0..4 {
        let mut event = seeded.event(NOW - 300 + place * 60 + method.len() as i64);
        let poll = method == "getUpdates";
        event.event = if poll { Name::Polled } else { Name::CallMade };
        event.method = Some(method.to_owned());
        prop(&mut event, "addr", json!("10.0.0.1"));
        prop(&mut event, "agent", json!("grammY"));
        event.ok = Some(false);
        let class = serde_json::from_value(json!(class)).unwrap();
        failed(
            &mut event,
            code,
            class,
            advice,
            &mut seeded.traffic.failures,
        );
        let failure = seeded.traffic.failures.last_mut().unwrap();
        failure.origin = serde_json::from_value(json!(origin)).unwrap();
        seeded.traffic.events.push(event);
    }
    seeded.traffic
}

/// A call of another bot at this bot's address.
pub(super) fn refused(code: &str, sent: i64) -> Traffic {
    let tenant = TenantId::UNATTRIBUTED;
    let mut event = blank(tenant, 1, (NOW - 900) * 1_000_000);
    event.event = Name::CallUnverified;
    event.bot = Some(BotId(sent));
    event.ok = Some(false);
    prop(&mut event, "label", json!("bot_mismatch"));
    prop(&mut event, "code", json!(code));
    prop(&mut event, "addr", json!("192.0.2.7"));
    prop(&mut event, "agent", json!("telebot"));
    Traffic {
        tenant,
        events: vec![event],
        failures: Vec::new(),
    }
}

/// A method that passes within the hour.
pub(super) fn passing(traffic: &mut Traffic, method: &str) {
    let mut event = blank(traffic.tenant, 900, (NOW - 200) * 1_000_000);
    event.method = Some(method.to_owned());
    event.ok = Some(true);
    traffic.events.push(event);
}

/// Adds more traffic of the same bot.
pub(super) fn join(traffic: &mut Traffic, more: Traffic) {
    traffic.events.extend(more.events);
    traffic.failures.extend(more.failures);
}

struct Seed {
    dice: Dice,
    place: i64,
    traffic: Traffic,
}

impl Seed {
    fn of(bot: &Tenant) -> Self {
        Self {
            dice: Dice(11),
            place: 0,
            traffic: nothing(bot),
        }
    }

    fn event(&mut self, second: i64) -> Event {
        self.place += 1;
        // No two records in the same microsecond.
        blank(
            self.traffic.tenant,
            self.place,
            second * 1_000_000 + self.place % 1_000_000,
        )
    }

    /// A user does something, and the bot answers.
    fn visit(&mut self, at: i64, day: i64) {
        let user = 1_000 + self.dice.below(40 + day * 12) * self.dice.below(3).max(1);
        let mut event = self.event(at);
        event.direction = Direction::In;
        event.via = Via::Poll;
        event.event = self.dice.of(&[
            Name::MessageReceived,
            Name::MessageReceived,
            Name::MessageReceived,
            Name::CallbackPressed,
            Name::CallbackPressed,
            Name::InlineQueried,
        ]);
        if self.dice.below(120) == 0 {
            event.event = Name::BotBlocked;
        }
        event.user_id = Some(user);
        event.chat_id = Some(user);
        event.user_is_bot = Some(false);
        event.is_premium = Some(user % 7 == 0);
        let languages = [
            "en", "de", "fa", "ru", "es", "pt-br", "uk", "en", "en", "fa",
        ];
        event.language = languages.get(user as usize % 11).map(|it| (*it).to_owned());
        match event.event {
            Name::MessageReceived => self.message(&mut event, user),
            Name::CallbackPressed => {
                let item = self.dice.below(9);
                event.callback_data = Some(format!("buy:{item}"));
                event.button_text =
                    Some(["Buy now", "Back", "Next page"][item as usize % 3].to_owned());
            }
            _ => {}
        }
        self.traffic.events.push(event);
        for _ in 0..1 + self.dice.below(2) {
            self.call(at + 1, user);
        }
    }

    fn message(&mut self, event: &mut Event, user: i64) {
        let commands = [
            "/start",
            "/help",
            "/catalogue",
            "/cart",
            "/orders",
            "/settings",
            "/stop",
        ];
        if self.dice.below(2) == 0 {
            event.command =
                Some(commands[(self.dice.below(7) * self.dice.below(7) / 6) as usize].to_owned());
        }
        if event.command.as_deref() == Some("/start") && user % 3 != 0 {
            let payloads = [
                "spring",
                "utm_source=ads&utm_medium=cpc&utm_campaign=may",
                "ref_42",
                "utm_source=blog",
            ];
            event.payload = Some(payloads[user as usize % 4].to_owned());
        }
        event.media = self
            .dice
            .of(&[
                None,
                None,
                None,
                Some("photo"),
                Some("voice"),
                Some("sticker"),
            ])
            .map(Into::into);
    }

    fn call(&mut self, at: i64, user: i64) {
        let (name, method) = self.dice.of(&[
            (Name::MessageSent, "sendMessage"),
            (Name::MessageSent, "sendMessage"),
            (Name::MessageSent, "sendPhoto"),
            (Name::MessageEditSent, "editMessageText"),
            (Name::CallbackAnswered, "answerCallbackQuery"),
        ]);
        let mut event = self.event(at);
        (event.event, event.method) = (name, Some(method.to_owned()));
        event.chat_id = Some(user);
        event.ok = Some(true);
        let slow = if self.dice.below(25) == 0 { 12 } else { 1 };
        let telegram = (30 + self.dice.below(60)) * slow;
        let own = 60 + self.dice.below(200);
        self.took(&mut event, telegram, own);
        let mut luck = self.dice.below(1_000);
        for failing in &FAILING {
            if (0..failing.0).contains(&luck) {
                self.fail(&mut event, failing, user);
            }
            luck -= failing.0;
        }
        self.traffic.events.push(event);
    }

    fn took(&mut self, event: &mut Event, telegram_ms: i64, own_us: i64) {
        event.took_ms = Some(telegram_ms as f64 + own_us as f64 / 1_000.0);
        event.own_ms = Some(own_us as f64 / 1_000.0);
        prop(event, "upstream_ms", json!(telegram_ms));
    }

    fn fail(&mut self, event: &mut Event, failing: &Failing, user: i64) {
        let (_, method, code, origin, class, advice, text) = *failing;
        let chat = if advice == "chat_unknown" {
            -1_001_000_000_000 - user
        } else {
            user
        };
        event.method = Some(method.to_owned());
        event.event = Name::MessageSent;
        event.ok = Some(false);
        event.chat_id = Some(chat);
        event.error_code = Some(code);
        event.error_class = Some(class);
        event.error_group = Some(group(method, code, advice));
        self.traffic.failures.push(Failure {
            v: 1,
            error_id: event.event_id.clone(),
            group: group(method, code, advice),
            template: text.to_owned(),
            at: event.at,
            tenant: event.tenant,
            bot: None,
            origin,
            class,
            code: Some(code),
            method: method.to_owned(),
            description: Some(text.replace('N', "17")),
            advice: advice.to_owned(),
            chat_id: Some(chat),
            user_id: (chat > 0).then_some(chat),
            update_id: None,
            client: Some(Client {
                addr: Some("10.0.0.1".to_owned()),
                agent: Some("Python/3.12 aiohttp/3.9.5".to_owned()),
            }),
        });
    }

    /// Polls of an hour; in a fight, of two programs that end each other's.
    fn polls(&mut self, start: i64, fights: bool) {
        for minute in 0..60 {
            for client in 0..1 + usize::from(fights) {
                let at = start + minute * 60 + client as i64 * 7;
                if at < NOW {
                    self.poll(at, client, fights && (minute + client as i64) % 3 != 0);
                }
            }
        }
    }

    /// A poll of one of two programs.
    fn poll(&mut self, at: i64, client: usize, is_ended: bool) {
        const CLIENTS: [(&str, &str); 2] = [
            ("10.0.0.1", "Python/3.12 aiohttp/3.9.5"),
            ("203.0.113.40", "python-telegram-bot v22.8"),
        ];
        let (addr, agent) = CLIENTS[client];
        let mut event = self.event(at);
        event.event = Name::Polled;
        event.method = Some("getUpdates".to_owned());
        event.ok = Some(true);
        prop(&mut event, "addr", json!(addr));
        prop(&mut event, "agent", json!(agent));
        prop(&mut event, "count", json!(if is_ended { 1 } else { 2 }));
        if is_ended {
            self.fail(&mut event, &ENDED, 0);
            event.event = Name::Polled;
            event.chat_id = None;
            let failure = self.traffic.failures.last_mut().unwrap();
            (failure.chat_id, failure.user_id) = (None, None);
            failure.client = Some(Client {
                addr: Some(addr.to_owned()),
                agent: Some(agent.to_owned()),
            });
        }
        self.traffic.events.push(event);
    }
}

/// A poll that another one ended.
const ENDED: Failing = (
    0,
    "getUpdates",
    409,
    Origin::Telegram,
    Class::Config,
    "two_pollers",
    "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
);
