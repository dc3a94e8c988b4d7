//! Adds what is known of users.
//!
//! In: what was folded. Out: rows of `bot_users`, `bot_user_days`, `audience_dates`. Invariant: what was there before is read
//! in the same transaction that holds the partition's offset, so nobody else counts the same bot's users at the same time.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use gramtap_database::{Bulk, Transaction, Value};
use gramtap_events::TenantId;

use super::{StoreError, audience};
use crate::fold::user::{User, halves, whole};
use crate::fold::{Folded, Zones};
use crate::zone::{DAY, Date};

static FIRST: Bulk = Bulk::new(
    "users_first",
    "SELECT u.tenant, u.user_id, u.first_at FROM (VALUES",
    "(CAST(? AS TEXT), CAST(? AS BIGINT))",
    ") AS k CROSS JOIN bot_users AS u WHERE u.tenant = k.column1 AND u.user_id = k.column2",
);
static DAYS: Bulk = Bulk::new(
    "users_days",
    "SELECT d.tenant, d.user_id, d.day, d.early, d.late FROM (VALUES",
    "(CAST(? AS TEXT), CAST(? AS BIGINT), CAST(? AS BIGINT))",
    ") AS k CROSS JOIN bot_user_days AS d
     WHERE d.tenant = k.column1 AND d.user_id = k.column2 AND d.day = k.column3",
);
static SET_USERS: Bulk = Bulk::new(
    "users_set",
    "INSERT INTO bot_users (tenant, user_id, first_at, last_at, active_day, last_day, language, premium, told_second,
        told_at, source, source_second, source_at, blocked, signal_second, signal_at) VALUES",
    "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    include_str!("users_set.sql"),
);
static SET_DAYS: Bulk = Bulk::new(
    "users_days_set",
    "INSERT INTO bot_user_days (tenant, user_id, day, early, late) VALUES",
    "(?, ?, ?, ?, ?)",
    "ON CONFLICT (tenant, day, user_id) DO UPDATE SET
        early = bot_user_days.early | excluded.early, late = bot_user_days.late | excluded.late",
);
static ADD_DATES: Bulk = Bulk::new(
    "audience_add",
    "INSERT INTO audience_dates (tenant, date, active, fresh) VALUES",
    "(?, ?, ?, ?)",
    "ON CONFLICT (tenant, date) DO UPDATE SET
        active = audience_dates.active + excluded.active, fresh = audience_dates.fresh + excluded.fresh",
);
pub(super) static BULKS: [&Bulk; 5] = [&FIRST, &DAYS, &SET_USERS, &SET_DAYS, &ADD_DATES];

/// Adds users, their days, and what both change of the audience.
pub(super) async fn write(
    transaction: &mut Transaction,
    folded: &Folded,
    zones: &Zones,
) -> Result<(), StoreError> {
    let changes = changes(transaction, folded, zones).await?;
    let (mut users, mut days) = (Vec::new(), Vec::new());
    for (tenant, id, user) in everybody(folded) {
        users.extend(row(tenant, id, user));
        for (day, bits) in &user.days {
            let (early, late) = halves(*bits);
            days.push(tenant.as_str().into());
            days.extend([id, *day, early, late].map(Value::from));
        }
    }
    transaction.execute_bulk(&SET_USERS, &users).await?;
    transaction.execute_bulk(&SET_DAYS, &days).await?;
    let mut dates = Vec::new();
    for ((tenant, date), (active, fresh)) in changes {
        dates.push(tenant.as_str().into());
        dates.extend([date, active, fresh].map(Value::from));
    }
    transaction.execute_bulk(&ADD_DATES, &dates).await?;
    Ok(())
}

fn everybody(folded: &Folded) -> impl Iterator<Item = (TenantId, i64, &User)> {
    let bots = folded.bots.iter();
    bots.flat_map(|(tenant, sums)| sums.users.iter().map(|(id, user)| (*tenant, *id, user)))
}

/// How many more users are active, and new, on which dates.
async fn changes(
    transaction: &mut Transaction,
    folded: &Folded,
    zones: &Zones,
) -> Result<BTreeMap<(TenantId, Date), (i64, i64)>, StoreError> {
    let (mut users, mut days) = (Vec::new(), Vec::new());
    for (tenant, id, user) in everybody(folded).filter(|(_, _, user)| user.active.is_some()) {
        users.extend([tenant.as_str().into(), id.into()]);
        let zone = zones.of(tenant);
        let dates = audience::dates(zone, &user.days);
        let touched: BTreeSet<i64> = dates
            .into_iter()
            .flat_map(|date| audience::span(zone, date))
            .map(|(day, _)| day)
            .collect();
        for day in touched {
            days.extend([tenant.as_str().into(), id.into(), day.into()]);
        }
    }
    let mut firsts: HashMap<(TenantId, i64), i64> = HashMap::new();
    for row in transaction.fetch_bulk(&FIRST, &users).await? {
        if let (Ok(tenant), Some(first)) =
            (row.get::<String>("tenant")?.parse(), row.get("first_at")?)
        {
            firsts.insert((tenant, row.get("user_id")?), first);
        }
    }
    let mut known: HashMap<(TenantId, i64, i64), u128> = HashMap::new();
    for row in transaction.fetch_bulk(&DAYS, &days).await? {
        if let Ok(tenant) = row.get::<String>("tenant")?.parse() {
            let bits = whole(row.get("early")?, row.get("late")?);
            known.insert((tenant, row.get("user_id")?, row.get("day")?), bits);
        }
    }
    let mut changes = BTreeMap::new();
    for (tenant, id, user) in everybody(folded) {
        let Some((first, _)) = user.active else {
            continue;
        };
        let zone = zones.of(tenant);
        let mut change = |date: Date, active: i64, fresh: i64| {
            let sums: &mut (i64, i64) = changes.entry((tenant, date)).or_default();
            *sums = (sums.0 + active, sums.1 + fresh);
        };
        let old = |day: i64| known.get(&(tenant, id, day)).copied().unwrap_or(0);
        for date in audience::gained(zone, &user.days, old) {
            change(date, 1, 0);
        }
        let date = |at: i64| zone.date(at.div_euclid(1_000_000));
        match firsts.get(&(tenant, id)).map(|at| date(*at)) {
            None => change(date(first), 0, 1),
            // Something older came late: the user was new earlier than was known.
            Some(known) if date(first) < known => {
                change(date(first), 0, 1);
                change(known, 0, -1);
            }
            Some(_) => {}
        }
    }
    Ok(changes)
}

fn row(tenant: TenantId, id: i64, user: &User) -> [Value; 16] {
    let (first, last) = user.active.unzip();
    let (told, profile) = user
        .profile
        .as_ref()
        .map(|(when, profile)| (*when, profile))
        .unzip();
    let (came, source) = user
        .source
        .as_ref()
        .map(|(when, source)| (*when, &**source))
        .unzip();
    let (signal, blocked) = user.blocked.unzip();
    let day = |second: i64| second.div_euclid(DAY);
    let active = last.map(|at| day(at.div_euclid(1_000_000)));
    [
        tenant.as_str().into(),
        id.into(),
        first.into(),
        last.into(),
        active.into(),
        active.max(signal.map(|when| day(when.second))).into(),
        profile
            .and_then(|profile| profile.language.as_deref())
            .into(),
        Value::Bool(profile.map(|profile| profile.premium)),
        told.map(|when| when.second).into(),
        told.map(|when| when.at).into(),
        source.into(),
        came.map(|when| when.second).into(),
        came.map(|when| when.at).into(),
        Value::Bool(blocked),
        signal.map(|when| when.second).into(),
        signal.map(|when| when.at).into(),
    ]
}
