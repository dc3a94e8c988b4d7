//! Adds sums to their tables.
//!
//! In: what was folded, within bounds. Out: rows of `sum_*` and `error_*`. Invariant: adding is all that is done to
//! sums; what is bounded by number (examples, hashes) is cut to the same rows whatever the order they came in.

use gramtap_database::{Bulk, Statement, Transaction, Value};

use super::StoreError;
use crate::fold::Folded;
use crate::fold::error::{EXAMPLES, Group};
use crate::fold::sketch::KEPT;

static LABELS: Bulk = Bulk::new(
    "sum_labels",
    "INSERT INTO sum_labels (tenant, kind, hour, label, n) VALUES",
    "(?, ?, ?, ?, ?)",
    "ON CONFLICT (tenant, kind, hour, label) DO UPDATE SET n = sum_labels.n + excluded.n",
);
static CALLS: Bulk = Bulk::new(
    "sum_calls",
    "INSERT INTO sum_calls (tenant, hour, method, calls, failed, unexpected) VALUES",
    "(?, ?, ?, ?, ?, ?)",
    "ON CONFLICT (tenant, hour, method) DO UPDATE SET
        calls = sum_calls.calls + excluded.calls,
        failed = sum_calls.failed + excluded.failed,
        unexpected = sum_calls.unexpected + excluded.unexpected",
);
static POLLERS: Bulk = Bulk::new(
    "sum_pollers",
    "INSERT INTO sum_pollers (tenant, hour, addr, agent, polls, conflicts, first_at, last_at) VALUES",
    "(?, ?, ?, ?, ?, ?, ?, ?)",
    "ON CONFLICT (tenant, hour, addr, agent) DO UPDATE SET
        polls = sum_pollers.polls + excluded.polls,
        conflicts = sum_pollers.conflicts + excluded.conflicts,
        first_at = CASE WHEN excluded.first_at < sum_pollers.first_at
            THEN excluded.first_at ELSE sum_pollers.first_at END,
        last_at = CASE WHEN excluded.last_at > sum_pollers.last_at
            THEN excluded.last_at ELSE sum_pollers.last_at END",
);
static ERRORS: Bulk = Bulk::new(
    "sum_errors",
    "INSERT INTO sum_errors (tenant, hour, grp, n) VALUES",
    "(?, ?, ?, ?)",
    "ON CONFLICT (tenant, hour, grp) DO UPDATE SET n = sum_errors.n + excluded.n",
);
static GROUPS: Bulk = Bulk::new(
    "error_groups",
    "INSERT INTO error_groups
        (tenant, grp, template, method, code, origin, class, advice, first_at, last_at) VALUES",
    "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    "ON CONFLICT (tenant, grp) DO UPDATE SET
        template = CASE WHEN excluded.last_at >= error_groups.last_at
            THEN excluded.template ELSE error_groups.template END,
        method = CASE WHEN excluded.last_at >= error_groups.last_at
            THEN excluded.method ELSE error_groups.method END,
        code = CASE WHEN excluded.last_at >= error_groups.last_at
            THEN excluded.code ELSE error_groups.code END,
        origin = CASE WHEN excluded.last_at >= error_groups.last_at
            THEN excluded.origin ELSE error_groups.origin END,
        class = CASE WHEN excluded.last_at >= error_groups.last_at
            THEN excluded.class ELSE error_groups.class END,
        advice = CASE WHEN excluded.last_at >= error_groups.last_at
            THEN excluded.advice ELSE error_groups.advice END,
        first_at = CASE WHEN excluded.first_at < error_groups.first_at
            THEN excluded.first_at ELSE error_groups.first_at END,
        last_at = CASE WHEN excluded.last_at > error_groups.last_at
            THEN excluded.last_at ELSE error_groups.last_at END",
);
static HITS: Bulk = Bulk::new(
    "error_hits",
    "INSERT INTO error_hits (tenant, grp, who, day, hash) VALUES",
    "(?, ?, ?, ?, ?)",
    "ON CONFLICT (tenant, grp, who, day, hash) DO NOTHING",
);
static ADD_EXAMPLES: Bulk = Bulk::new(
    "error_examples",
    "INSERT INTO error_examples
        (tenant, grp, error_id, at, description, chat_id, user_id, update_id, addr, agent) VALUES",
    "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    "ON CONFLICT (tenant, grp, error_id) DO NOTHING",
);
static FIRSTS: Bulk = Bulk::new(
    "first_calls",
    "INSERT INTO first_calls (tenant, standing, at, method, code, addr, agent, took_us) VALUES",
    "(?, ?, ?, ?, ?, ?, ?, ?)",
    "ON CONFLICT (tenant, standing) DO UPDATE SET
        at = excluded.at, method = excluded.method, code = excluded.code,
        addr = excluded.addr, agent = excluded.agent, took_us = excluded.took_us
     WHERE (excluded.standing = 'good' AND excluded.at < first_calls.at)
        OR (excluded.standing <> 'good' AND excluded.at > first_calls.at)",
);
static REFUSED: Bulk = Bulk::new(
    "refused",
    "INSERT INTO refused (day, reason, bot, code, addr, agent, n, first_at, last_at) VALUES",
    "(?, ?, ?, ?, ?, ?, ?, ?, ?)",
    "ON CONFLICT (day, reason, bot, code, addr, agent) DO UPDATE SET
        n = refused.n + excluded.n,
        first_at = CASE WHEN excluded.first_at < refused.first_at
            THEN excluded.first_at ELSE refused.first_at END,
        last_at = CASE WHEN excluded.last_at > refused.last_at
            THEN excluded.last_at ELSE refused.last_at END",
);
/// Leaves the smallest hashes: as many as a sketch keeps.
const CUT_HITS: Statement = Statement::new(
    "error_hits_cut",
    "DELETE FROM error_hits WHERE tenant = $1 AND grp = $2 AND who = $3 AND day = $4 AND hash > (
        SELECT MAX(kept.hash) FROM (
            SELECT hash FROM error_hits WHERE tenant = $1 AND grp = $2 AND who = $3 AND day = $4
            ORDER BY hash LIMIT $5
        ) AS kept
    )",
);
/// Which sketches have more than that.
static FULL_HITS: Bulk = Bulk::new(
    "error_hits_full",
    "SELECT k.column1 AS tenant, k.column2 AS grp, k.column3 AS who, k.column4 AS day FROM (VALUES",
    "(CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS BIGINT), CAST(? AS BIGINT))",
    ") AS k WHERE (
        SELECT COUNT(*) FROM error_hits AS h
        WHERE h.tenant = k.column1 AND h.grp = k.column2 AND h.who = k.column3 AND h.day = k.column4
    ) > k.column5",
);
/// Leaves the newest examples: those with fewer newer ones than are kept.
static CUT_EXAMPLES: Bulk = Bulk::new(
    "error_examples_cut",
    "DELETE FROM error_examples WHERE (tenant, grp, error_id) IN (SELECT e.tenant, e.grp, e.error_id FROM (VALUES",
    "(CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS BIGINT))",
    ") AS k CROSS JOIN error_examples AS e WHERE e.tenant = k.column1 AND e.grp = k.column2 AND (
        SELECT COUNT(*) FROM error_examples AS newer WHERE newer.tenant = e.tenant AND newer.grp = e.grp
            AND (newer.at > e.at OR (newer.at = e.at AND newer.error_id > e.error_id))
    ) >= k.column3)",
);
pub(super) static BULKS: [&Bulk; 11] = [
    &LABELS,
    &CALLS,
    &POLLERS,
    &ERRORS,
    &GROUPS,
    &HITS,
    &FULL_HITS,
    &ADD_EXAMPLES,
    &CUT_EXAMPLES,
    &FIRSTS,
    &REFUSED,
];
pub(super) const STATEMENTS: [&Statement; 1] = [&CUT_HITS];

/// Adds what is counted by hour, but for errors and histograms.
pub(super) async fn sums(transaction: &mut Transaction, folded: &Folded) -> Result<(), StoreError> {
    let (mut labels, mut calls, mut pollers) = (Vec::new(), Vec::new(), Vec::new());
    for (tenant, sums) in &folded.bots {
        let tenant = || Value::from(tenant.as_str());
        for ((kind, hour), of) in &sums.labels {
            for (label, tally) in of {
                labels.extend([tenant(), kind.as_str().into(), (*hour).into()]);
                labels.extend([text(label), tally.n.into()]);
            }
        }
        for (hour, of) in &sums.calls {
            for (method, it) in of {
                calls.extend([tenant(), (*hour).into(), text(method)]);
                calls.extend([it.calls, it.failed, it.unexpected].map(Value::from));
            }
        }
        for (hour, of) in &sums.pollers {
            for ((addr, agent), it) in of {
                pollers.extend([tenant(), (*hour).into(), text(addr), text(agent)]);
                pollers.extend([it.polls, it.conflicts, it.active.0, it.active.1].map(Value::from));
            }
        }
    }
    for (bulk, values) in [(&LABELS, labels), (&CALLS, calls), (&POLLERS, pollers)] {
        transaction.execute_bulk(bulk, &values).await?;
    }
    Ok(())
}

/// Adds whether bots have come, and who was refused.
pub(super) async fn doors(
    transaction: &mut Transaction,
    folded: &Folded,
) -> Result<(), StoreError> {
    let (mut firsts, mut refused) = (Vec::new(), Vec::new());
    for (tenant, sums) in &folded.bots {
        for (standing, it) in &sums.firsts {
            let (addr, agent) = &it.client;
            firsts.extend([tenant.as_str().into(), standing.as_str().into()]);
            firsts.extend([it.at.into(), text(&it.method), it.code.into()]);
            firsts.extend([text(addr), text(agent), it.took_us.into()]);
        }
        for (who, it) in &sums.refused {
            let (addr, agent) = &who.client;
            refused.extend([who.day.into(), text(&who.reason), who.bot.into()]);
            refused.extend([&who.code, addr, agent].map(|it| text(it)));
            refused.extend([it.n, it.active.0, it.active.1].map(Value::from));
        }
    }
    transaction.execute_bulk(&FIRSTS, &firsts).await?;
    transaction.execute_bulk(&REFUSED, &refused).await?;
    Ok(())
}

/// Adds errors.
pub(super) async fn errors(
    transaction: &mut Transaction,
    folded: &Folded,
) -> Result<(), StoreError> {
    let (mut groups, mut hours) = (Vec::new(), Vec::new());
    let (mut hits, mut examples) = (Vec::new(), Vec::new());
    let (mut sketches, mut kept) = (Vec::new(), Vec::new());
    for (tenant, sums) in &folded.bots {
        let tenant = || Value::from(tenant.as_str());
        for (id, group) in &sums.errors {
            groups.extend([tenant(), text(id)]);
            groups.extend(row(group));
            for (hour, tally) in &group.hours {
                hours.extend([tenant(), (*hour).into(), text(id), tally.n.into()]);
            }
            for ((who, day), sketch) in &group.hits {
                let key = [tenant(), text(id), who.as_str().into(), (*day).into()];
                for hash in sketch.hashes() {
                    hits.extend(key.iter().cloned().chain([hash.into()]));
                }
                sketches.extend(key.into_iter().chain([most(KEPT)]));
            }
            kept.extend([tenant(), text(id), most(EXAMPLES)]);
            for ((at, error), example) in &group.examples {
                examples.extend([tenant(), text(id), text(error), (*at).into()]);
                examples.push(maybe(&example.description));
                examples
                    .extend([example.chat_id, example.user_id, example.update_id].map(Value::from));
                examples.extend([maybe(&example.addr), maybe(&example.agent)]);
            }
        }
    }
    for (bulk, values) in [
        (&GROUPS, groups),
        (&ERRORS, hours),
        (&HITS, hits),
        (&ADD_EXAMPLES, examples),
    ] {
        transaction.execute_bulk(bulk, &values).await?;
    }
    for row in transaction.fetch_bulk(&FULL_HITS, &sketches).await? {
        let [tenant, id, who] = ["tenant", "grp", "who"].map(|column| row.get::<String>(column));
        let day: i64 = row.get("day")?;
        let values = [
            tenant?.into(),
            id?.into(),
            who?.into(),
            day.into(),
            most(KEPT),
        ];
        transaction.execute(&CUT_HITS, &values).await?;
    }
    transaction.execute_bulk(&CUT_EXAMPLES, &kept).await?;
    Ok(())
}

fn row(group: &Group) -> [Value; 8] {
    let it = &group.traits;
    [
        text(&it.template),
        text(&it.method),
        it.code.into(),
        text(&it.origin),
        text(&it.class),
        text(&it.advice),
        group.seen.0.into(),
        group.seen.1.into(),
    ]
}

fn most(most: usize) -> Value {
    i64::try_from(most).unwrap_or(i64::MAX).into()
}

fn text(text: &str) -> Value {
    text.into()
}

fn maybe(text: &Option<Box<str>>) -> Value {
    text.as_deref().into()
}
