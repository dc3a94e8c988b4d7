//! Who was active on which date.
//!
//! In: the quarters of an hour in which users were active. Out: numbers of `audience_dates`. Invariant: a user counts once
//! on a date of the bot's time zone; the numbers kept are those that counting `bot_user_days` and
//! `bot_users` anew would give, which is what is done when the zone is changed.

use std::collections::{BTreeMap, BTreeSet};

use gramtap_database::{Statement, Transaction};
use gramtap_events::TenantId;

use super::StoreError;
use crate::fold::user::{halves, quarters};
use crate::zone::{DAY, Date, QUARTER, Zone};

/// A date lies on two days of UTC, or on one.
const ACTIVE: Statement = Statement::new(
    "audience_active",
    "SELECT COUNT(DISTINCT user_id) AS n FROM bot_user_days WHERE tenant = $1 AND day IN ($2, $5) AND (
        (day = $2 AND ((early & $3) <> 0 OR (late & $4) <> 0))
        OR (day = $5 AND ((early & $6) <> 0 OR (late & $7) <> 0)))",
);
const FRESH: Statement = Statement::new(
    "audience_fresh",
    "SELECT COUNT(*) AS n FROM bot_users WHERE tenant = $1 AND first_at >= $2 AND first_at < $3",
);
const FORGET: Statement = Statement::new(
    "audience_forget",
    "DELETE FROM audience_dates WHERE tenant = $1 AND date >= $2 AND date < $3",
);
const SET: Statement = Statement::new(
    "audience_set",
    "INSERT INTO audience_dates (tenant, date, active, fresh) VALUES ($1, $2, $3, $4)",
);
pub(super) const STATEMENTS: [&Statement; 4] = [&ACTIVE, &FRESH, &FORGET, &SET];

/// The dates that quarters of UTC's days are on.
pub(super) fn dates(zone: &Zone, days: &BTreeMap<i64, u128>) -> BTreeSet<Date> {
    let mut dates = BTreeSet::new();
    for (day, bits) in days {
        let mut rest = *bits;
        while rest != 0 {
            let second = day * DAY + i64::from(rest.trailing_zeros()) * QUARTER;
            let date = zone.date(second);
            dates.insert(date);
            rest &= rest - 1;
            // On to the first quarter after that date.
            let end = (zone.start(date + 1) - day * DAY) / QUARTER;
            rest &= u32::try_from(end)
                .ok()
                .and_then(|end| u128::MAX.checked_shl(end))
                .unwrap_or(0);
        }
    }
    dates
}

/// The quarters of a date, by day of UTC.
pub(super) fn span(zone: &Zone, date: Date) -> impl Iterator<Item = (i64, u128)> {
    quarters(zone.start(date), zone.start(date + 1))
}

/// The dates on which a user is active with what is new and was not before.
pub(super) fn gained(
    zone: &Zone,
    new: &BTreeMap<i64, u128>,
    old: impl Fn(i64) -> u128,
) -> BTreeSet<Date> {
    let mut gained = dates(zone, new);
    gained.retain(|date| span(zone, *date).all(|(day, bits)| old(day) & bits == 0));
    gained
}

/// Counts a bot's dates `from..to` anew.
pub(super) async fn recount(
    transaction: &mut Transaction,
    tenant: TenantId,
    zone: &Zone,
    from: Date,
    to: Date,
) -> Result<(), StoreError> {
    let values = [tenant.as_str().into(), from.into(), to.into()];
    transaction.execute(&FORGET, &values).await?;
    for date in from..to {
        let spans: Vec<(i64, u128)> = span(zone, date).collect();
        let mut active = vec![tenant.as_str().into()];
        for place in 0..2 {
            // The same day twice changes nothing.
            let (day, bits) = spans
                .get(place)
                .or(spans.first())
                .copied()
                .unwrap_or_default();
            let (early, late) = halves(bits);
            active.extend([day, early, late].map(Into::into));
        }
        let active = count(transaction, &ACTIVE, &active).await?;
        let bounds = [zone.start(date), zone.start(date + 1)].map(|second| second * 1_000_000);
        let fresh = [tenant.as_str().into(), bounds[0].into(), bounds[1].into()];
        let fresh = count(transaction, &FRESH, &fresh).await?;
        if (active, fresh) != (0, 0) {
            let values = [
                tenant.as_str().into(),
                date.into(),
                active.into(),
                fresh.into(),
            ];
            transaction.execute(&SET, &values).await?;
        }
    }
    Ok(())
}

async fn count(
    transaction: &mut Transaction,
    statement: &Statement,
    values: &[gramtap_database::Value],
) -> Result<i64, StoreError> {
    let row = transaction.first(statement, values).await?;
    Ok(row.map_or(Ok(0), |row| row.get("n"))?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    const ZONES: [&str; 5] = [
        "UTC",
        "Asia/Tehran",
        "Asia/Kathmandu",
        "Europe/Berlin",
        "America/New_York",
    ];

    proptest! {
        #[test]
        fn dates_are_those_of_each_quarter(zone in 0..ZONES.len(), day in 20_000i64..21_000, high: u64, low: u64) {
            let zone = Zone::named(ZONES[zone]).unwrap();
            let bits = (u128::from(high) << 48 | u128::from(low)) & ((1 << 96) - 1);
            let each: BTreeSet<Date> = (0..96)
                .filter(|place| bits & (1 << place) != 0)
                .map(|place| zone.date(day * DAY + place * QUARTER))
                .collect();
            prop_assert_eq!(dates(&zone, &[(day, bits)].into()), each);
        }

        #[test]
        fn a_date_is_gained_once(zone in 0..ZONES.len(), day in 20_000i64..21_000, first in 0i64..192, second in 0i64..192) {
            let zone = Zone::named(ZONES[zone]).unwrap();
            let bits = |place: i64| BTreeMap::from([(day + place / 96, 1u128 << (place % 96))]);
            let (old, new) = (bits(first), bits(second));
            let date = |place: i64| zone.date(day * DAY + place * QUARTER);
            let gained = gained(&zone, &new, |day| old.get(&day).copied().unwrap_or(0));
            let expected: BTreeSet<Date> = [date(second)].into_iter().filter(|it| *it != date(first)).collect();
            prop_assert_eq!(gained, expected);
        }

        #[test]
        fn a_date_lies_on_two_days_at_most(zone in 0..ZONES.len(), date in 18_000i64..22_000) {
            let zone = Zone::named(ZONES[zone]).unwrap();
            prop_assert!(span(&zone, date).filter(|(_, bits)| *bits != 0).count() <= 2);
        }
    }
}
