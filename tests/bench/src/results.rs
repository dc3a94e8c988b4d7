//! The file of results, newest first.
//!
//! In: a section of Markdown. Out: the file, with the section before the others. Invariant: what stands in it is kept.

use std::path::Path;

use anyhow::{Context as _, Result};
use time::OffsetDateTime;

/// When, on what, how often.
pub(crate) fn heading(note: &str, rounds: usize, half: f64) -> String {
    let now = OffsetDateTime::now_utc();
    let (date, hour, minute) = (now.date(), now.hour(), now.minute());
    let machine = machine().unwrap_or_else(|| "an unknown processor".to_owned());
    let note = match note {
        "" => String::new(),
        note => format!(": {note}"),
    };
    let half = match half > 0.0 {
        true => format!(" Half load is {half:.0} requests a second."),
        false => String::new(),
    };
    format!(
        "## {date} {hour:02}:{minute:02}{note}\n\n{machine}. {rounds} rounds: medians, **ratios to nginx**, ± half of what the rounds lie apart; with nginx in turns where CPU or a rate of sendMessage is told.{half}\n"
    )
}

fn machine() -> Option<String> {
    let cpus = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let models: Vec<_> = cpus
        .lines()
        .filter_map(|line| line.strip_prefix("model name")?.split_once(':'))
        .map(|(_, model)| model.trim())
        .collect();
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").ok()?;
    let model = models.first()?;
    Some(format!(
        "{} cores of {model}, Linux {}",
        models.len(),
        kernel.trim()
    ))
}

/// Puts a section before the others.
pub(crate) fn put(file: &Path, section: &str) -> Result<()> {
    let old = std::fs::read_to_string(file)
        .with_context(|| format!("{} cannot be read", file.display()))?;
    std::fs::write(file, with(&old, section))?;
    Ok(())
}

fn with(old: &str, section: &str) -> String {
    let (head, rest) = match old.find("\n## ") {
        Some(at) => old.split_at(at + 1),
        None => (old, ""),
    };
    let head = head.trim_end();
    let section = section.trim();
    let rest = rest.trim_start();
    match rest {
        "" => format!("{head}\n\n{section}\n"),
        rest => format!("{head}\n\n{section}\n\n{rest}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_comes_first_and_nothing_is_lost() {
        let first = with("# Results\n\nWhat they are.\n", "## one\n\n| a |\n");
        assert_eq!(first, "# Results\n\nWhat they are.\n\n## one\n\n| a |\n");
        let second = with(&first, "## two\n\n| b |");
        assert_eq!(
            second,
            "# Results\n\nWhat they are.\n\n## two\n\n| b |\n\n## one\n\n| a |\n"
        );
    }
}
