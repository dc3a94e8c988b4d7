//! From records to sums: how many events a second one core decodes and folds.
//!
//! In: the bench of analytics (`services/analytics/benches/decode`), which has its own million of records and rounds, and is run here for the stages that only
//! compute. Out: a row for each of them. Invariant: analytics' insides are measured where they are, so that this crate depends on no service.

use std::path::Path;
use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};

use crate::proxy::CORE;
use crate::usage::pinned;
use crate::values::Values;

/// As the bench names them.
const STAGES: [&str; 4] = ["decode", "encode", "fold", "decode, encode and fold"];

/// Builds that bench, if it is not built, and runs it.
pub(crate) fn measure(values: &mut Values) -> Result<()> {
    let bench = "bench --quiet --locked -p gramtap-analytics --bench decode -- --stages";
    let told = pinned(CORE, "cargo")
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."))
        .args(bench.split(' '))
        .stderr(Stdio::inherit())
        .output()
        .context("cargo")?;
    let table = String::from_utf8(told.stdout)?;
    ensure!(told.status.success(), "cargo {bench}: {}", told.status);
    for stage in STAGES {
        let rate = rate(&table, stage).with_context(|| format!("no {stage} in:\n{table}"))?;
        values.insert(format!("{stage}, events a second and core"), rate);
    }
    Ok(())
}

/// The last column of a stage's row.
fn rate(table: &str, stage: &str) -> Option<f64> {
    let mut rows = table.lines().filter_map(|row| row.strip_prefix(stage));
    rows.find_map(|row| match row.split_whitespace().collect::<Vec<_>>()[..] {
        [_events, _cpu, _wall, rate] => rate.parse().ok(),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_is_found_by_its_whole_name() {
        let table = "1000000 records of 45 bots, 525 bytes each\n\
                     \x20                           events    CPU s   wall s   events/s\n\
                     decode, encode and fold     974365     6.76     6.80     144137\n\
                     decode                      974365     3.10     3.11     314311\n";
        assert_eq!(rate(table, "decode"), Some(314_311.0));
        assert_eq!(rate(table, "decode, encode and fold"), Some(144_137.0));
        assert_eq!(rate(table, "fold"), None);
    }
}
