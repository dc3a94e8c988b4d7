//! How many different labels a bot may have on a day.
//!
//! In: what was folded. Out: the same, with labels beyond the bound counted under the empty one, and rows of `day_labels`
//! for those that are new. Invariant: the first labels of a day, in the order of the log, are kept; so counting the
//! same records again keeps the same ones. A bot that makes up labels without end costs rows for the first
//! thousand of a day.

use std::collections::{BTreeMap, BTreeSet};

use gramtap_database::{Bulk, Statement, Transaction, Value};
use gramtap_events::TenantId;

use super::StoreError;
use crate::fold::Folded;
use crate::fold::error::Group;
use crate::fold::first::Who;
use crate::fold::sums::{Client, Kind, Poller, Sums, Tally};
use crate::zone::DAY;

static KNOWN: Bulk = Bulk::new(
    "labels_known",
    "SELECT d.tenant, d.kind, d.day, d.label FROM (VALUES",
    "(CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS BIGINT), CAST(? AS TEXT))",
    ") AS k CROSS JOIN day_labels AS d
     WHERE d.tenant = k.column1 AND d.kind = k.column2 AND d.day = k.column3 AND d.label = k.column4",
);
static ADMIT: Bulk = Bulk::new(
    "labels_admit",
    "INSERT INTO day_labels (tenant, kind, day, label) VALUES",
    "(?, ?, ?, ?)",
    "ON CONFLICT (tenant, kind, day, label) DO NOTHING",
);
const COUNT: Statement = Statement::new(
    "labels_count",
    "SELECT COUNT(*) AS n FROM day_labels WHERE tenant = $1 AND kind = $2 AND day = $3",
);
pub(super) static BULKS: [&Bulk; 2] = [&KNOWN, &ADMIT];
pub(super) const STATEMENTS: [&Statement; 1] = [&COUNT];

/// A bot's labels of one kind and day.
type Key = (TenantId, Kind, i64);

/// Counts what is beyond the bound under the empty label.
pub(super) async fn bound(
    transaction: &mut Transaction,
    folded: &mut Folded,
    limit: usize,
) -> Result<(), StoreError> {
    let mut wanted = BTreeMap::new();
    for (tenant, sums) in &folded.bots {
        collect(*tenant, sums, &mut wanted);
    }
    let mut values = Vec::new();
    for (key, labels) in &wanted {
        labels
            .keys()
            .for_each(|label| values.extend(row(key, label)));
    }
    for row in transaction.fetch_bulk(&KNOWN, &values).await? {
        let kind = Kind::named(&row.get::<String>("kind")?);
        let Some((tenant, kind)) = row.get::<String>("tenant")?.parse().ok().zip(kind) else {
            continue;
        };
        if let Some(labels) = wanted.get_mut(&(tenant, kind, row.get("day")?)) {
            labels.remove(row.get::<String>("label")?.as_str());
        }
    }
    let mut admitted = Vec::new();
    for (key, labels) in wanted.iter().filter(|(_, labels)| !labels.is_empty()) {
        let mut new: Vec<(u64, &str)> = labels
            .iter()
            .map(|(label, seen)| (*seen, &**label))
            .collect();
        new.sort_unstable();
        let values = [key.0.as_str().into(), key.1.as_str().into(), key.2.into()];
        let taken = transaction.first(&COUNT, &values).await?;
        let taken: i64 = taken.map_or(Ok(0), |row| row.get("n"))?;
        let room = limit.saturating_sub(usize::try_from(taken).unwrap_or(usize::MAX));
        let refused: BTreeSet<Box<str>> = new
            .iter()
            .skip(room)
            .map(|(_, label)| (*label).into())
            .collect();
        for (_, label) in new.iter().take(room) {
            admitted.extend(row(key, label));
        }
        if let Some(sums) = folded.bots.get_mut(&key.0).filter(|_| !refused.is_empty()) {
            refuse(sums, key.1, key.2, &refused);
        }
    }
    transaction.execute_bulk(&ADMIT, &admitted).await?;
    Ok(())
}

fn row(key: &Key, label: &str) -> [Value; 4] {
    let (tenant, kind, day) = key;
    [
        tenant.as_str().into(),
        kind.as_str().into(),
        (*day).into(),
        label.into(),
    ]
}

/// What a poller is known by among labels.
fn client((addr, agent): &Client) -> Box<str> {
    format!("{addr} {agent}").into()
}

/// All labels of a bot that somebody may have made up, with the place of the first record of each.
fn collect(tenant: TenantId, sums: &Sums, wanted: &mut BTreeMap<Key, BTreeMap<Box<str>, u64>>) {
    let mut want = |kind: Kind, hour: i64, label: &str, seen: u64| {
        let labels = wanted
            .entry((tenant, kind, hour.div_euclid(DAY)))
            .or_default();
        let first = labels.entry(label.into()).or_insert(seen);
        *first = seen.min(*first);
    };
    for ((kind, hour), labels) in sums
        .labels
        .iter()
        .filter(|((kind, _), _)| kind.is_bounded())
    {
        labels
            .iter()
            .for_each(|(label, tally)| want(*kind, *hour, label, tally.seen));
    }
    for (hour, methods) in &sums.calls {
        methods
            .iter()
            .for_each(|(method, calls)| want(Kind::Method, *hour, method, calls.seen));
    }
    for (hour, pollers) in &sums.pollers {
        pollers
            .iter()
            .for_each(|(it, poller)| want(Kind::Poller, *hour, &client(it), poller.seen));
    }
    for (group, errors) in &sums.errors {
        errors
            .hours
            .iter()
            .for_each(|(hour, tally)| want(Kind::Error, *hour, group, tally.seen));
    }
    for (who, refusals) in &sums.refused {
        want(Kind::Refused, who.day * DAY, &who.label(), refusals.seen);
    }
}

/// Moves the sums of refused labels to the empty one.
fn refuse(sums: &mut Sums, kind: Kind, day: i64, refused: &BTreeSet<Box<str>>) {
    let of_day = |hour: i64| hour.div_euclid(DAY) == day;
    match kind {
        Kind::Method => {
            for (_, methods) in sums.calls.iter_mut().filter(|(hour, _)| of_day(**hour)) {
                merge(methods, refused, |known, more| {
                    known.calls += more.calls;
                    known.failed += more.failed;
                    known.unexpected += more.unexpected;
                });
            }
            for (_, methods) in sums
                .latency
                .iter_mut()
                .filter(|((hour, _), _)| of_day(*hour))
            {
                merge(methods, refused, |known, more| {
                    more.into_iter()
                        .for_each(|(bucket, n)| *known.entry(bucket).or_default() += n);
                });
            }
        }
        Kind::Poller => {
            for (_, pollers) in sums.pollers.iter_mut().filter(|(hour, _)| of_day(**hour)) {
                let (out, kept) = std::mem::take(pollers)
                    .into_iter()
                    .partition(|(it, _)| refused.contains(&client(it)));
                *pollers = kept;
                let out: BTreeMap<Client, Poller> = out;
                for poller in out.into_values() {
                    let other = pollers.entry(Default::default());
                    other
                        .and_modify(|known| known.join(poller))
                        .or_insert(poller);
                }
            }
        }
        Kind::Refused => {
            let (out, kept): (BTreeMap<_, _>, BTreeMap<_, _>) = std::mem::take(&mut sums.refused)
                .into_iter()
                .partition(|(who, _)| who.day == day && refused.contains(&who.label()));
            sums.refused = kept;
            for refusals in out.into_values() {
                let others = sums.refused.entry(Who::others(day));
                others
                    .and_modify(|known| known.join(refusals))
                    .or_insert(refusals);
            }
        }
        Kind::Error => {
            let mut others: Option<Group> = None;
            for group in refused {
                let Some(errors) = sums.errors.get_mut(group) else {
                    continue;
                };
                let out = errors.take_day(day);
                match &mut others {
                    Some(others) => others.join(out),
                    None => others = Some(out),
                }
            }
            sums.errors.retain(|_, group| !group.hours.is_empty());
            if let Some(others) = others {
                match sums.errors.get_mut("") {
                    Some(known) => known.join(others),
                    None => drop(sums.errors.insert("".into(), others)),
                }
            }
        }
        _ => {
            let hours = sums.labels.iter_mut();
            for (_, labels) in hours.filter(|((of, hour), _)| *of == kind && of_day(*hour)) {
                merge(labels, refused, |known: &mut Tally, more| known.n += more.n);
            }
        }
    }
}

fn merge<T>(
    map: &mut BTreeMap<Box<str>, T>,
    refused: &BTreeSet<Box<str>>,
    add: impl Fn(&mut T, T),
) {
    let (out, kept): (BTreeMap<_, _>, BTreeMap<_, _>) = std::mem::take(map)
        .into_iter()
        .partition(|(label, _)| refused.contains(label));
    *map = kept;
    for value in out.into_values() {
        match map.get_mut("") {
            Some(known) => add(known, value),
            None => drop(map.insert("".into(), value)),
        }
    }
}
