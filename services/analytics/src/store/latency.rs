//! Adds to histograms.
//!
//! In: what was folded, within bounds. Out: rows of `sum_latency`, each a whole histogram. Invariant: what was there before is read in
//! the transaction that holds the partition's offset, so nobody else adds to the same bot's histograms meanwhile.

use std::collections::BTreeMap;

use gramtap_database::{Bulk, Transaction, Value};
use gramtap_events::TenantId;

use super::StoreError;
use crate::fold::Folded;
use crate::fold::histogram::{read, written};

static KNOWN: Bulk = Bulk::new(
    "latency_known",
    "SELECT l.tenant, l.hour, l.method, l.side, l.buckets FROM (VALUES",
    "(CAST(? AS TEXT), CAST(? AS BIGINT), CAST(? AS TEXT), CAST(? AS TEXT))",
    ") AS k CROSS JOIN sum_latency AS l
     WHERE l.tenant = k.column1 AND l.hour = k.column2 AND l.method = k.column3 AND l.side = k.column4",
);
static SET: Bulk = Bulk::new(
    "latency_set",
    "INSERT INTO sum_latency (tenant, hour, method, side, buckets) VALUES",
    "(?, ?, ?, ?, ?)",
    "ON CONFLICT (tenant, hour, method, side) DO UPDATE SET buckets = excluded.buckets",
);
pub(super) static BULKS: [&Bulk; 2] = [&KNOWN, &SET];

/// A bot's histogram: hour, method, whose time.
type Key = (TenantId, i64, String, String);

/// Adds what was measured.
pub(super) async fn write(
    transaction: &mut Transaction,
    folded: &Folded,
) -> Result<(), StoreError> {
    let mut histograms: BTreeMap<Key, BTreeMap<i64, i64>> = BTreeMap::new();
    for (tenant, sums) in &folded.bots {
        for ((hour, side), methods) in &sums.latency {
            for (method, buckets) in methods {
                let (method, side) = (method.to_string(), side.as_str().to_owned());
                histograms.insert((*tenant, *hour, method, side), buckets.clone());
            }
        }
    }
    let keys: Vec<Value> = histograms.keys().flat_map(values).collect();
    for row in transaction.fetch_bulk(&KNOWN, &keys).await? {
        let tenant: String = row.get("tenant")?;
        let Ok(tenant) = tenant.parse() else { continue };
        let key = (
            tenant,
            row.get("hour")?,
            row.get("method")?,
            row.get("side")?,
        );
        if let Some(buckets) = histograms.get_mut(&key) {
            for (bucket, n) in read(&row.get::<String>("buckets")?) {
                *buckets.entry(bucket).or_default() += n;
            }
        }
    }
    let mut rows = Vec::with_capacity(5 * histograms.len());
    for (key, buckets) in &histograms {
        rows.extend(values(key));
        rows.push(written(buckets).as_str().into());
    }
    transaction.execute_bulk(&SET, &rows).await?;
    Ok(())
}

fn values((tenant, hour, method, side): &Key) -> [Value; 4] {
    [
        tenant.as_str().into(),
        (*hour).into(),
        method.as_str().into(),
        side.as_str().into(),
    ]
}
