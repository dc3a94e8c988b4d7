//! `gramtap doctor`: every dependency, what is wrong with it, what to do.
//!
//! In: the configuration. Out: a line for each check (`doctor/checks.rs`, `doctor/network.rs`) on
//! standard output; exit code 1 if any of them found a problem. Invariant: each check runs whatever
//! the others found, ends by itself, and changes nothing but what a start would make anyway (the
//! data folder, the installation's key, the database's schema).

mod checks;
mod network;

use std::process::ExitCode;

use crate::effective::Effective;
use crate::out;

/// What a check found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Finding {
    /// All is well; what was looked at.
    Ok(String),
    /// What is wrong, and what to do.
    Problem(String),
}

pub(crate) async fn run(effective: Effective) -> anyhow::Result<ExitCode> {
    let config = &effective.config;
    let process = &config.process;
    let mut report = Report::default();
    report.add(
        "configuration",
        Finding::Ok("every key is understood".to_owned()),
    )?;
    report.add("data folder", checks::data_dir(&process.data_dir))?;
    report.add("key", checks::key(process))?;
    report.add("database", checks::database(&effective).await)?;
    report.add("redis", checks::redis(process).await)?;
    report.add("bus", checks::bus(process).await)?;
    report.add(
        "telegram",
        network::telegram(&effective.analytics.telegram).await,
    )?;
    report.add("webhooks", checks::webhooks(&effective).await)?;
    report.add("listener", network::listener(config).await)?;
    report.add("admin", network::admin(config).await)?;
    Ok(report.finish())
}

#[derive(Default)]
struct Report {
    problems: usize,
}

impl Report {
    fn add(&mut self, what: &str, finding: Finding) -> std::io::Result<()> {
        let (word, text) = match finding {
            Finding::Ok(text) => ("ok", text),
            Finding::Problem(text) => {
                self.problems += 1;
                ("problem", text)
            }
        };
        let text = gramtap_telegram::redact::redact(&text);
        out::line(&format!(
            "{word:8} {what:14} {}",
            crate::tail::printable(&text)
        ))
    }

    fn finish(self) -> ExitCode {
        if self.problems == 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }
}
