//! Which numbers a record counts in.
//!
//! In: `fact.rs`. Out: `sums.rs`. The definitions are those of the records' contract: an update counts in the hour of its own date
//! (`happened_at`), a call in that of its receipt (`at`); polls, calls of unverified tokens and losses
//! count apart; bots and Telegram's service accounts are no users. Invariant: one record changes the sums of one
//! bot alone. Pure.

use gramtap_events::TenantId;
use gramtap_events::event::Direction;
use gramtap_events::failure::Class;

use super::error::{Example, Group, Traits};
use super::fact::{Fact, Fault, micros, shown};
use super::first::{self, First, Standing};
use super::sums::{Calls, Kind, Poller, Side, Sums, at};
use super::text::{bounded, label};
use super::user::{Profile, When};
use super::{Folded, Zones, histogram, source};

/// Accounts of Telegram's own: its notices, anonymous administrators of groups, channels that write.
const SERVICE: [i64; 3] = [777_000, 1_087_968_824, 136_817_688];
/// The advice of errors that say that the user has blocked the bot.
const BLOCKED: &str = "blocked_by_user";
/// Characters of a description or template that are kept.
const DESCRIPTION: usize = 1_024;

/// What one event can stand for at most, so that no number a record may hold makes a sum overflow.
const MOST: i64 = 1_000_000_000;

/// Counts an event.
pub(super) fn event(folded: &mut Folded, fact: &Fact<'_>, zones: &Zones) {
    let seen = folded.records;
    let sums = folded.bots.entry(fact.tenant).or_default();
    let time = match fact.direction {
        Direction::In => micros(fact.happened_at),
        Direction::Out => micros(fact.at),
    };
    let hour = zones.of(fact.tenant).hour(time.div_euclid(1_000_000));
    sums.label(Kind::Event, hour, &label(&fact.event), 1, seen);
    match (&*fact.event, fact.direction) {
        ("gap", _) => {
            let reason = label(shown(fact.props.reason.as_ref()));
            sums.label(Kind::Gap, hour, &reason, standing_for(fact), seen);
        }
        ("call_unverified", _) => unverified(sums, fact, seen),
        ("polled", _) => {
            good(sums, fact, micros(fact.happened_at));
            polled(sums, fact, hour, seen);
            call(sums, fact, hour, seen);
        }
        (_, Direction::Out) => {
            good(sums, fact, micros(fact.at));
            call(sums, fact, hour, seen);
        }
        (_, Direction::In) => update(sums, fact, hour, seen),
    }
}

/// How many polls or lost records an event stands for.
fn standing_for(fact: &Fact<'_>) -> i64 {
    fact.props.count.unwrap_or(1).clamp(0, MOST)
}

/// A call whose token Telegram has accepted.
fn good(sums: &mut Sums, fact: &Fact<'_>, at: i64) {
    if fact.ok == Some(true) {
        sums.first(Standing::Good, First::of(fact, at));
    }
}

fn unverified(sums: &mut Sums, fact: &Fact<'_>, seen: u64) {
    if fact.tenant != TenantId::UNATTRIBUTED {
        sums.first(Standing::Refused, First::of(fact, micros(fact.at)));
    } else if let Some((who, refusals)) = first::refusal(fact, seen) {
        let known = sums.refused.entry(who);
        known
            .and_modify(|known| known.join(refusals))
            .or_insert(refusals);
    }
}

fn update(sums: &mut Sums, fact: &Fact<'_>, hour: i64, seen: u64) {
    let command = shown(fact.command.as_ref());
    let payload = match command {
        "/start" => shown(fact.payload.as_ref()),
        _ => "",
    };
    for (kind, text) in [
        (Kind::Media, shown(fact.media.as_ref())),
        (Kind::Command, command),
        (Kind::Callback, shown(fact.callback_data.as_ref())),
        (Kind::Button, shown(fact.button_text.as_ref())),
        (Kind::Source, payload),
    ] {
        if !text.is_empty() {
            sums.label(kind, hour, &label(text), 1, seen);
        }
    }
    if !payload.is_empty() {
        for pair in source::utm(payload) {
            sums.label(Kind::Utm, hour, &label(&pair), 1, seen);
        }
    }
    let Some(id) = person(fact.user_id, fact.user_is_bot) else {
        return;
    };
    let user = sums.users.entry(id).or_default();
    let happened = micros(fact.happened_at);
    let when = When {
        second: happened.div_euclid(1_000_000),
        at: micros(fact.at),
    };
    user.acted(happened);
    user.signalled(when, fact.event == "bot_blocked");
    if fact.user_is_bot.is_some() || fact.language.is_some() {
        let language = fact
            .language
            .as_ref()
            .map(|text| bounded(&text.0, 16).into());
        let premium = fact.is_premium.unwrap_or(false);
        user.told(when, Profile { language, premium });
    }
    if !payload.is_empty() {
        user.came(when, label(payload).into());
    }
}

/// The id of a user who counts as one.
fn person(id: Option<i64>, is_bot: Option<bool>) -> Option<i64> {
    id.filter(|id| is_bot != Some(true) && !SERVICE.contains(id))
}

fn call(sums: &mut Sums, fact: &Fact<'_>, hour: i64, seen: u64) {
    let method = label(shown(fact.method.as_ref()));
    let failed = fact.ok == Some(false) || fact.error_class.is_some();
    let unexpected = failed && fact.error_class != Some(Class::Expected);
    let n = standing_for_call(fact);
    let calls = sums.calls.entry(hour).or_default();
    let new = || Calls {
        seen,
        ..Calls::default()
    };
    at(calls, &method, new, |calls| {
        calls.calls += n;
        calls.failed += if failed { n } else { 0 };
        calls.unexpected += if unexpected { n } else { 0 };
    });
    let telegram = fact
        .props
        .upstream_ms
        .or_else(|| Some(fact.took_ms? - fact.own_ms?));
    // What Telegram did not answer says nothing of its time.
    let telegram = telegram.filter(|_| fact.ok.is_some() && fact.props.label.is_none());
    for (side, ms) in [(Side::Telegram, telegram), (Side::Own, fact.own_ms)] {
        if let Some(ms) = ms.filter(|_| fact.took_ms.is_some()) {
            let methods = sums.latency.entry((hour, side)).or_default();
            let bucket = histogram::bucket(ms * 1_000.0);
            at(methods, &method, Default::default, |buckets| {
                *buckets.entry(bucket).or_default() += 1;
            });
        }
    }
}

fn standing_for_call(fact: &Fact<'_>) -> i64 {
    match &*fact.event {
        "polled" => standing_for(fact),
        _ => 1,
    }
}

fn polled(sums: &mut Sums, fact: &Fact<'_>, hour: i64, seen: u64) {
    let client = [&fact.props.addr, &fact.props.agent];
    let [addr, agent] = client.map(|text| bounded(shown(text.as_ref()), 256).into());
    let poller = Poller {
        polls: standing_for(fact),
        conflicts: i64::from(fact.error_code == Some(409)),
        active: (micros(fact.happened_at), micros(fact.at)),
        seen,
    };
    let pollers = sums.pollers.entry(hour).or_default();
    let known = pollers.entry((addr, agent));
    known
        .and_modify(|known| known.join(poller))
        .or_insert(poller);
}

/// Counts an error.
pub(super) fn failure(folded: &mut Folded, fault: &Fault<'_>, zones: &Zones) {
    let seen = folded.records;
    let sums = folded.bots.entry(fault.tenant).or_default();
    let time = micros(fault.at);
    let second = time.div_euclid(1_000_000);
    let hour = zones.of(fault.tenant).hour(second);
    let traits = Traits {
        template: bounded(&fault.template, DESCRIPTION).into(),
        method: label(&fault.method).into(),
        code: fault.code,
        origin: label(&fault.origin).into(),
        class: label(&fault.class).into(),
        advice: label(&fault.advice).into(),
    };
    let client = fault.client.as_ref();
    let kept = |text: &super::fact::Text<'_>, longest| bounded(&text.0, longest).into();
    let example = Example {
        description: fault
            .description
            .as_ref()
            .map(|text| kept(text, DESCRIPTION)),
        chat_id: fault.chat_id,
        user_id: fault.user_id,
        update_id: fault.update_id,
        addr: client.and_then(|client| Some(kept(client.addr.as_ref()?, 256))),
        agent: client.and_then(|client| Some(kept(client.agent.as_ref()?, 256))),
    };
    let new = || Group::new(traits.clone(), time);
    at(&mut sums.errors, &label(&fault.group), new, |group| {
        if time >= group.seen.1 {
            group.traits = traits.clone();
        }
        group.add(time, hour, seen, label(&fault.error_id).into(), example);
    });
    // Users have positive ids; a refusal in a private chat is about its user.
    let blocker = fault.user_id.or(fault.chat_id.filter(|id| *id > 0));
    if let Some(id) = person(blocker, None).filter(|_| fault.advice == BLOCKED) {
        let when = When { second, at: time };
        sums.users.entry(id).or_default().signalled(when, true);
    }
}
