//! `gramtap topics apply`: Kafka's topics as the table in `shared/events` wants them.
//!
//! In: the configuration. Out: Kafka, and a line for each topic. Invariant: nothing is deleted, no
//! number of partitions is changed; a topic that stays different fails the command. Running it
//! again changes nothing.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use gramtap_bus::topics::Outcome;
use gramtap_bus::{Bus, Kind, topics};
use gramtap_events::topics::ALL;

use crate::effective::Effective;
use crate::out;

/// How long the brokers may take.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) async fn apply(effective: Effective) -> anyhow::Result<ExitCode> {
    let config = &effective.config.process.bus;
    if config.bus.kind == Kind::Embedded {
        // A running `up` has the log to itself, and there is nothing to make in it.
        out::line("nothing to do: the embedded log (bus.kind) has its topics by itself")?;
        return Ok(ExitCode::SUCCESS);
    }
    let bus = Bus::open(config)?;
    let report = topics::apply(&bus, &ALL, PATIENCE).await;
    let report = report.with_context(|| {
        format!(
            "the topics were not applied at {} (kafka.brokers); `gramtap doctor` tells more",
            config.kafka.brokers
        )
    })?;
    let mut differs = false;
    for (topic, outcome) in &report.topics {
        differs |= matches!(outcome, Outcome::Partitions { .. });
        out::line(&format!("{topic}: {outcome}"))?;
    }
    Ok(if differs {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}
