//! Adds deliveries, and keeps what waits and what was given up.
//!
//! In: what was folded. Out: rows of `sum_deliveries`, `delivery_attempts`, `delivery_waiting` and `dead_letters`. Invariant: of the attempts of
//! a bot the newest stay; of an update the later record counts; a dead letter that was replayed and died again counts as not replayed.

use gramtap_database::{Bulk, Transaction, Value};

use super::StoreError;
use crate::fold::Folded;
use crate::fold::delivery::ATTEMPTS;

static SUMS: Bulk = Bulk::new(
    "sum_deliveries",
    "INSERT INTO sum_deliveries (tenant, hour, verdict, label, status, made, n) VALUES",
    "(?, ?, ?, ?, ?, ?, ?)",
    "ON CONFLICT (tenant, hour, verdict, label, status, made) DO UPDATE SET n = sum_deliveries.n + excluded.n",
);
static ADD: Bulk = Bulk::new(
    "delivery_attempts",
    "INSERT INTO delivery_attempts (tenant, record, at, inbox_record, update_id, kind, lane, attempt, endpoint, status, label,
        verdict, next_at, took_us, waited_us) VALUES",
    "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    "ON CONFLICT (tenant, record) DO NOTHING",
);
/// Leaves the newest.
static CUT: Bulk = Bulk::new(
    "delivery_attempts_cut",
    "DELETE FROM delivery_attempts WHERE (tenant, record) IN (SELECT a.tenant, a.record FROM (VALUES",
    "(CAST(? AS TEXT), CAST(? AS BIGINT))",
    ") AS k CROSS JOIN delivery_attempts AS a WHERE a.tenant = k.column1 AND (
        SELECT COUNT(*) FROM delivery_attempts AS newer WHERE newer.tenant = a.tenant
            AND (newer.at > a.at OR (newer.at = a.at AND newer.record > a.record))
    ) >= k.column2)",
);
static WAIT: Bulk = Bulk::new(
    "delivery_waiting",
    "INSERT INTO delivery_waiting (tenant, inbox_record, update_id, kind, lane, attempt, label, last_at, next_at, expires_at) VALUES",
    "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    "ON CONFLICT (tenant, inbox_record) DO UPDATE SET attempt = excluded.attempt, label = excluded.label,
        last_at = excluded.last_at, next_at = excluded.next_at, expires_at = excluded.expires_at",
);
static DONE: Bulk = Bulk::new(
    "delivery_done",
    "DELETE FROM delivery_waiting WHERE (tenant, inbox_record) IN (VALUES",
    "(CAST(? AS TEXT), CAST(? AS TEXT))",
    ")",
);
static LETTERS: Bulk = Bulk::new(
    "dead_letters",
    "INSERT INTO dead_letters (tenant, record, update_id, kind, lane, cause, attempts, received_at, first_at, last_at, dead_at, part,
        log_offset) VALUES",
    "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    "ON CONFLICT (tenant, record) DO UPDATE SET cause = excluded.cause, attempts = excluded.attempts, first_at = excluded.first_at,
        last_at = excluded.last_at, dead_at = excluded.dead_at, part = excluded.part, log_offset = excluded.log_offset,
        asked_at = NULL, asked_by = NULL, asked_to = NULL, asked_address = NULL, claimed_until = NULL, replayed_at = NULL, failed = NULL",
);
pub(super) static BULKS: [&Bulk; 6] = [&SUMS, &ADD, &CUT, &WAIT, &DONE, &LETTERS];

/// Adds what was folded.
pub(super) async fn write(
    transaction: &mut Transaction,
    folded: &Folded,
) -> Result<(), StoreError> {
    let (mut sums, mut attempts, mut cut) = (Vec::new(), Vec::new(), Vec::new());
    let (mut wait, mut done, mut letters) = (Vec::new(), Vec::new(), Vec::new());
    for (tenant, of) in &folded.bots {
        let of = &of.deliveries;
        let tenant = || Value::from(tenant.as_str());
        for ((hour, kind), n) in &of.sums {
            sums.extend([
                tenant(),
                (*hour).into(),
                kind.verdict.into(),
                text(&kind.label),
            ]);
            sums.extend([kind.status.into(), i64::from(kind.made), *n].map(Value::from));
        }
        for ((at, record), it) in &of.attempts {
            attempts.extend([tenant(), text(record), (*at).into(), text(&it.inbox_record)]);
            attempts.extend([it.update_id.into(), text(&it.kind), text(&it.lane)]);
            attempts.extend([it.attempt.into(), it.endpoint.as_deref().into()]);
            attempts.extend([
                it.status.into(),
                it.label.as_deref().into(),
                it.verdict.into(),
            ]);
            attempts.extend([it.next_at.into(), it.took_us.into(), it.waited_us.into()]);
        }
        if !of.attempts.is_empty() {
            let most = i64::try_from(ATTEMPTS).unwrap_or(i64::MAX);
            cut.extend([tenant(), most.into()]);
        }
        for (record, waits) in &of.waiting {
            let Some(it) = waits else {
                done.extend([tenant(), text(record)]);
                continue;
            };
            wait.extend([tenant(), text(record), it.update_id.into(), text(&it.kind)]);
            wait.extend([text(&it.lane), it.attempt.into()]);
            wait.extend([text(it.label.as_deref().unwrap_or_default()), it.at.into()]);
            wait.extend([it.next_at.into(), it.expires_at.into()]);
        }
        for (record, it) in &of.letters {
            letters.extend([tenant(), text(record), it.update_id.into(), text(&it.kind)]);
            letters.extend([text(&it.lane), text(&it.cause), it.attempts.into()]);
            letters.extend([it.received_at.into(), it.tried_at[0].into()]);
            letters.extend([it.tried_at[1].into(), (it.place.timestamp * 1_000).into()]);
            letters.extend([i64::from(it.place.partition), it.place.offset].map(Value::from));
        }
    }
    for (bulk, values) in [
        (&SUMS, sums),
        (&ADD, attempts),
        (&CUT, cut),
        (&DONE, done),
        (&WAIT, wait),
        (&LETTERS, letters),
    ] {
        transaction.execute_bulk(bulk, &values).await?;
    }
    Ok(())
}

fn text(text: &str) -> Value {
    text.into()
}
