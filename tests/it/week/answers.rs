//! Asks for every number of the week.
//!
//! In: the sums, by `gramtap_analytics::query`. Out: `told.json`, in the shape of `tests/week/totals.py`. Invariant: answers are written down as
//! they are; nothing is added up here.

use gramtap_analytics::query::actions::{self, Ranking};
use gramtap_analytics::query::latency::{self, Quantiles, Times};
use gramtap_analytics::query::overview::{self, Figures, Traffic};
use gramtap_analytics::query::polls::{self, Rivals};
use gramtap_analytics::query::{Period, audience, bots, errors, sources};
use gramtap_analytics::store::Store;
use gramtap_analytics::zone::Zone;
use gramtap_database::Database;
use gramtap_events::TenantId;
use serde_json::{Map, Value, json};
use time::{Date, Duration, Month};

use super::scripted::{Bot, Week};

/// How many of each ranking.
const TOP: usize = 5;
/// Hours of polls.
const HOURS: i64 = 24;

/// Asks, and writes down what was told.
pub(super) async fn ask(store: &Store, week: &Week) {
    let mut told = Map::new();
    for bot in &week.bots {
        let zone = store.zone(bot.tenant).await.unwrap();
        told.insert(
            bot.name.clone(),
            all(store.database(), bot, &zone, week.now).await,
        );
    }
    std::fs::write(week.told(), Value::Object(told).to_string()).unwrap();
}

async fn all(database: &Database, bot: &Bot, zone: &Zone, now: i64) -> Value {
    let mut told = Map::new();
    for (name, (first, days)) in &bot.periods {
        let period = Period {
            zone: zone.clone(),
            first: *first,
            days: *days,
        };
        told.insert(name.clone(), pages(database, bot.tenant, &period).await);
    }
    let lines = bots::bots(database, &[(bot.tenant, zone.clone())], now)
        .await
        .unwrap();
    let line = &lines[0];
    told.insert(
        "now".to_owned(),
        json!({
            "polls": polls(database, bot.tenant, now).await,
            "bots": {"today": figures(&line.today), "last_hour": line.last_hour},
        }),
    );
    Value::Object(told)
}

async fn pages(database: &Database, bot: TenantId, period: &Period) -> Value {
    let overview = overview::overview(database, bot, period).await.unwrap();
    let hours = |hours: &[overview::Hour]| -> Map<String, Value> {
        hours
            .iter()
            .map(|it| (it.start.to_string(), traffic(&it.traffic)))
            .collect()
    };
    let audience = audience::audience(database, bot, period).await.unwrap();
    let did = actions::actions(database, bot, period, TOP).await.unwrap();
    let from = sources::sources(database, bot, period, TOP).await.unwrap();
    json!({
        "overview": {
            "total": figures(&overview.total), "before": figures(&overview.before),
            "days": days(&overview.days), "days_before": days(&overview.days_before),
            "hours": hours(&overview.hours), "hours_before": hours(&overview.hours_before),
        },
        "audience": {
            "active": audience.active, "ever": audience.ever, "blocked": audience.blocked, "languages": audience.languages,
            "no_language": audience.no_language, "premium": audience.premium, "regular": audience.regular,
        },
        "actions": {
            "commands": ranking(&did.commands), "callbacks": ranking(&did.callbacks), "buttons": ranking(&did.buttons),
            "media": ranking(&did.media), "updates": ranking(&did.updates),
        },
        "sources": {
            "starts": ranking(&from.starts), "utm": ranking(&from.utm), "by_source": from.by_source(), "arrived": from.arrived,
            "arrived_rest": from.arrived_rest, "direct": from.direct,
        },
        "errors": errors(database, bot, period).await,
        "latency": latency(database, bot, period).await,
    })
}

fn shown(date: i64) -> String {
    let begin = Date::from_calendar_date(1970, Month::January, 1).unwrap();
    (begin + Duration::days(date)).to_string()
}

fn traffic(it: &Traffic) -> Value {
    json!({
        "updates": it.updates, "calls": it.calls, "failed": it.failed, "errors": it.errors, "polls": it.polls,
        "polls_failed": it.polls_failed, "unverified": it.unverified, "lost": it.lost, "error_rate": it.error_rate(),
    })
}

fn figures(it: &Figures) -> Value {
    let people = it.people;
    json!({
        "traffic": traffic(&it.traffic),
        "people": {
            "active": people.active, "fresh": people.fresh, "returning": people.returning, "blocked": people.blocked,
        },
    })
}

fn days(days: &[overview::Day]) -> Map<String, Value> {
    let day = |day: &overview::Day| {
        let Value::Object(mut told) = figures(&day.figures) else {
            unreachable!("an object");
        };
        told.insert("start".to_owned(), day.start.into());
        (shown(day.date), told.into())
    };
    days.iter().map(day).collect()
}

fn ranking(it: &Ranking) -> Value {
    let top = it
        .top
        .iter()
        .map(|row| json!({"label": row.label, "n": row.n, "before": row.before}));
    json!({
        "top": top.collect::<Vec<_>>(), "rest": it.rest, "rest_labels": it.rest_labels, "other": it.other,
    })
}

async fn errors(database: &Database, bot: TenantId, period: &Period) -> Value {
    let mut told = Map::new();
    for group in errors::errors(database, bot, period).await.unwrap() {
        let detail = errors::error(database, bot, &group.group, period)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            detail.group.n, group.n,
            "the list and the page of {}",
            group.template
        );
        let code = group
            .code
            .map_or_else(|| "None".to_owned(), |code| code.to_string());
        let name = format!("{} {code} {}", group.method, group.template);
        let hours: Map<String, Value> = detail
            .hours
            .iter()
            .map(|(hour, n)| (hour.to_string(), (*n).into()))
            .collect();
        let examples = detail.examples.iter().map(|it| {
            json!({
                "error_id": it.error_id, "at": it.at, "description": it.description, "chat_id": it.chat_id,
                "user_id": it.user_id, "update_id": it.update_id, "addr": it.addr, "agent": it.agent,
            })
        });
        let one = json!({
            "method": group.method, "code": group.code, "template": group.template, "origin": group.origin,
            "class": group.class, "advice": group.advice.map(|it| it.key), "n": group.n, "first_at": group.first_at,
            "last_at": group.last_at, "hours": hours, "examples": examples.collect::<Vec<_>>(),
            "chats": {"n": detail.chats.n, "estimate": detail.chats.estimate},
            "users": {"n": detail.users.n, "estimate": detail.users.estimate},
        });
        assert!(
            told.insert(name.clone(), one).is_none(),
            "two groups of {name}"
        );
    }
    Value::Object(told)
}

async fn latency(database: &Database, bot: TenantId, period: &Period) -> Value {
    let it = latency::latency(database, bot, period).await.unwrap();
    let methods: Map<String, Value> = it
        .methods
        .iter()
        .map(|(method, it)| (method.clone(), times(it)))
        .collect();
    let series: Map<String, Value> = it
        .series
        .iter()
        .map(|(begins, it)| (begins.to_string(), times(it)))
        .collect();
    json!({"all": times(&it.all), "polls": times(&it.polls), "methods": methods, "series": series})
}

fn times(it: &Times) -> Value {
    let quantiles =
        |it: &Quantiles| json!({"n": it.n, "p50": it.p50, "p95": it.p95, "p99": it.p99});
    json!({"telegram": quantiles(&it.telegram), "own": quantiles(&it.own)})
}

async fn polls(database: &Database, bot: TenantId, now: i64) -> Value {
    let it = polls::polls(database, bot, now, HOURS).await.unwrap();
    let pollers = it.pollers.iter().map(|it| {
        let told = json!({
            "polls": it.polls, "conflicts": it.conflicts, "first_at": it.first_at, "last_at": it.last_at,
        });
        (format!("{} {}", it.addr, it.agent), told)
    });
    let reasons: Map<String, Value> = it
        .reasons
        .iter()
        .map(|(why, n)| (why.clone(), (*n).into()))
        .collect();
    let rivals = match it.rivals {
        Rivals::None => "none".to_owned(),
        Rivals::Through { clients } => format!("through {clients}"),
        Rivals::Beside => "beside".to_owned(),
    };
    json!({
        "polls": it.polls, "conflicts": it.conflicts, "reasons": reasons, "pollers": pollers.collect::<Map<_, _>>(),
        "rivals": rivals,
    })
}
