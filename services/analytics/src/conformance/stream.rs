//! Random traffic of a bot, from a seed.
//!
//! In: a seed. Out: events and errors as decode would write them: backlog that comes late, users who block and come back,
//! bots and service accounts, polls by two clients, unverified calls, losses. Invariant: the same seed gives the same
//! traffic; no two records were received in the same microsecond.

use std::borrow::Cow;

use gramtap_events::call::{Client, Origin};
use gramtap_events::event::{Direction, Event, Name, Via};
use gramtap_events::failure::{Class, Failure};
use gramtap_events::{Moment, TenantId};
use serde_json::{Value, json};
use time::OffsetDateTime;

/// 2026-03-20: the clocks of New York and Berlin change within the days before and after.
pub const BEGIN: i64 = 1_773_964_800;
/// Days of traffic.
pub const DAYS: i64 = 14;

/// What a bot did and was told.
#[derive(Clone, Debug)]
pub struct Traffic {
    pub tenant: TenantId,
    /// In the order in which they were received.
    pub events: Vec<Event>,
    pub failures: Vec<Failure>,
}

/// Numbers that look random (SplitMix64).
#[derive(Clone, Debug)]
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, bound: i64) -> i64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((bits ^ (bits >> 31)) % bound as u64) as i64
    }

    pub fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as i64) as usize]
    }
}

/// A bot of this run.
pub fn tenant(dice: &mut Dice) -> TenantId {
    let mut sign = || char::from(b"bcdefghijklmnopqrstuvwxyz234567"[dice.below(31) as usize]);
    (0..TenantId::LENGTH)
        .map(|_| sign())
        .collect::<String>()
        .parse()
        .unwrap()
}

/// A seed that no other run has.
pub fn seed() -> u64 {
    let now = OffsetDateTime::now_utc().unix_timestamp_nanos() as u64;
    now ^ u64::from(std::process::id())
}

/// The traffic of a bot: `count` events and the errors of those that failed.
pub fn traffic(seed: u64, count: usize) -> Traffic {
    let mut dice = Dice(seed);
    let tenant = tenant(&mut dice);
    let mut traffic = Traffic {
        tenant,
        events: Vec::new(),
        failures: Vec::new(),
    };
    let step = DAYS * 86_400 * 1_000_000 / count as i64;
    for place in 0..count as i64 {
        let at = BEGIN * 1_000_000 + place * step + dice.below(step - 1);
        let event = blank(tenant, place, at);
        let event = match dice.below(20) {
            0..=10 => update(&mut dice, event),
            11..=16 => call(&mut dice, event, &mut traffic.failures),
            17 | 18 => polled(&mut dice, event, &mut traffic.failures),
            _ => odd(&mut dice, event),
        };
        traffic.events.push(event);
    }
    traffic
}

pub fn moment(micros: i64) -> Moment {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1_000)
        .unwrap()
        .into()
}

pub fn micros(moment: Moment) -> i64 {
    (moment.time().unix_timestamp_nanos() / 1_000) as i64
}

/// An event of which nothing is known.
pub fn blank(tenant: TenantId, place: i64, at: i64) -> Event {
    let event = json!({
        "v": 1, "event_id": format!("c:test-1-{place}"), "event": "call_made", "tenant": tenant, "at": moment(at),
        "happened_at": moment(at), "direction": "out", "via": "call", "props": {},
    });
    serde_json::from_value(event).unwrap()
}

fn update(dice: &mut Dice, mut event: Event) -> Event {
    event.direction = Direction::In;
    event.via = Via::Poll;
    event.event = dice.of(&[
        Name::MessageReceived,
        Name::MessageReceived,
        Name::CallbackPressed,
        Name::BotBlocked,
        Name::BotUnblocked,
        Name::MessageEdited,
        Name::PollAnswered,
    ]);
    // What waited at Telegram comes up to 20 hours late.
    let late = if dice.below(4) == 0 {
        dice.below(20 * 3_600)
    } else {
        dice.below(3)
    };
    event.happened_at = moment((micros(event.at) / 1_000_000 - late) * 1_000_000);
    event.user_id = Some(match dice.below(30) {
        0 => 777_000,
        1 => 1_087_968_824,
        2 => 5_000,
        3 => -1,
        _ => 100 + dice.below(60) * dice.below(4),
    });
    event.user_id = event.user_id.filter(|id| *id > 0);
    event.user_is_bot = event.user_id.map(|id| id == 5_000);
    event.is_premium = event.user_id.map(|_| dice.below(5) == 0);
    event.language = event
        .user_id
        .and_then(|_| dice.of(&[Some("en"), Some("fa"), Some("hi"), None]))
        .map(str::to_owned);
    event.chat_id = event.user_id;
    match event.event {
        Name::MessageReceived => {
            event.command = dice
                .of(&[None, Some("/start"), Some("/help"), Some("/\0odd\"\\")])
                .map(str::to_owned);
            if event.command.as_deref() == Some("/start") {
                event.payload = dice
                    .of(&[
                        None,
                        Some("promo"),
                        Some("utm_source=ads&utm_medium=cpc"),
                        Some("dXRtX3NvdXJjZT14"),
                    ])
                    .map(str::to_owned);
            }
            event.media = dice
                .of(&[None, None, Some("photo"), Some("sticker")])
                .map(Cow::Borrowed);
        }
        Name::CallbackPressed => {
            event.callback_data = Some(format!("buy:{}", dice.below(15)));
            event.button_text = dice
                .of(&[None, Some("Buy ✓"), Some("Back")])
                .map(str::to_owned);
        }
        _ => {}
    }
    event
}

fn call(dice: &mut Dice, mut event: Event, failures: &mut Vec<Failure>) -> Event {
    let (name, method) = dice.of(&[
        (Name::MessageSent, "sendMessage"),
        (Name::MessageSent, "sendPhoto"),
        (Name::CallbackAnswered, "answerCallbackQuery"),
        (Name::CallMade, "getMe"),
    ]);
    event.event = name;
    event.method = Some(method.to_owned());
    event.chat_id = Some(100 + dice.below(60));
    took(dice, &mut event);
    if dice.below(4) == 0 {
        let (code, class, advice) = dice.of(&[
            (403, Class::Expected, "blocked_by_user"),
            (400, Class::Bug, "chat_not_found"),
            (429, Class::Capacity, "too_many_requests"),
            (502, Class::Outage, "bad_gateway"),
        ]);
        event.ok = Some(false);
        failed(&mut event, code, class, advice, failures);
    }
    event
}

fn polled(dice: &mut Dice, mut event: Event, failures: &mut Vec<Failure>) -> Event {
    event.event = Name::Polled;
    event.method = Some("getUpdates".to_owned());
    let count = if dice.below(2) == 0 {
        1
    } else {
        1 + dice.below(20)
    };
    prop(&mut event, "count", json!(count));
    prop(
        &mut event,
        "addr",
        json!(dice.of(&["10.0.0.1", "10.0.0.2"])),
    );
    prop(&mut event, "agent", json!(dice.of(&["aiogram", "telebot"])));
    event.ok = Some(true);
    if count > 1 {
        event.happened_at = moment(micros(event.at) - 9_500_000);
    } else {
        took(dice, &mut event);
        if dice.below(3) == 0 {
            event.ok = Some(false);
            failed(&mut event, 409, Class::Config, "two_pollers", failures);
        }
    }
    event
}

fn odd(dice: &mut Dice, mut event: Event) -> Event {
    if dice.below(2) == 0 {
        event.event = Name::CallUnverified;
        event.method = Some("getMe".to_owned());
        event.ok = Some(false);
        event.error_class = Some(Class::Config);
        took(dice, &mut event);
    } else {
        event.event = Name::Gap;
        event.direction = Direction::In;
        prop(&mut event, "count", json!(1 + dice.below(500)));
        prop(&mut event, "reason", json!("spool_full"));
    }
    event
}

fn took(dice: &mut Dice, event: &mut Event) {
    let (telegram, own) = (1_000 + dice.below(900_000), 20 + dice.below(4_000));
    event.took_ms = Some((telegram + own + dice.below(90_000)) as f64 / 1_000.0);
    event.own_ms = Some(own as f64 / 1_000.0);
    prop(event, "upstream_ms", json!(telegram as f64 / 1_000.0));
    event.ok = event.ok.or(Some(true));
}

pub fn prop(event: &mut Event, name: &str, value: Value) {
    event.props.insert(name.to_owned(), value);
}

pub fn failed(
    event: &mut Event,
    code: i64,
    class: Class,
    advice: &str,
    failures: &mut Vec<Failure>,
) {
    let method = event.method.clone().unwrap();
    event.error_code = Some(code);
    event.error_class = Some(class);
    event.error_group = Some(format!("{code:08x}{:08x}", method.len()));
    failures.push(Failure {
        v: 1,
        error_id: event.event_id.clone(),
        group: event.error_group.clone().unwrap(),
        template: format!("{advice} of {method}"),
        at: event.at,
        tenant: event.tenant,
        bot: None,
        origin: Origin::Telegram,
        class,
        code: Some(code),
        method,
        description: Some(format!("no {code}\0")),
        advice: advice.to_owned(),
        chat_id: event.chat_id,
        user_id: event.chat_id,
        update_id: None,
        client: Some(Client {
            addr: Some("10.0.0.1".to_owned()),
            agent: None,
        }),
    });
}
