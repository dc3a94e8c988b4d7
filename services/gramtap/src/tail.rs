//! `gramtap tail`: records as they come.
//!
//! In: the ends of the partitions, beside whoever writes them. Out: a line for each record on standard
//! output (`tail/line.rs`, `tail/decoded.rs`), or its payload. `tail/scope.rs` decides which records. Invariant: nothing
//! is written to the bus; what is skipped or cannot be read is said. It ends with its reader, with a
//! signal, or when the bus gives up.

mod decoded;
mod line;
mod scope;

use std::process::ExitCode;

use anyhow::{Context as _, bail};
use gramtap_bus::{Bus, Delivery, Event, Isolation, Kind};

use crate::cli::Tail;
use crate::effective::Effective;
use crate::out;
use line::Painter;
pub(crate) use line::printable;
use scope::Scope;
pub(crate) use scope::one;

pub(crate) async fn run(effective: Effective, arguments: Tail) -> anyhow::Result<ExitCode> {
    let config = &effective.config.process.bus;
    let scope = Scope::find(&effective, &arguments).await?;
    let bus = Bus::observe(config).with_context(|| match config.bus.kind {
        Kind::Embedded => format!(
            "the records of {} (data_dir) cannot be read; start `gramtap up` first, with the same configuration",
            config.data_dir.display()
        ),
        Kind::Kafka => format!("the brokers {} (kafka.brokers) cannot be asked", config.kafka.brokers),
    })?;
    let partitions = scope.partitions(&bus).await;
    let partitions =
        partitions.context("the topics cannot be read; `gramtap doctor` tells more")?;
    let reader = bus.assign(partitions, Isolation::Committed).await?;
    let mut painter = Painter::new(out::colour(), scope.names());
    while let Some(event) = reader.next().await {
        match event {
            Ok(Event::Record(delivery)) if scope.holds(&delivery) => {
                show(&delivery, arguments.json, &mut painter)?;
            }
            Ok(Event::Record(_) | Event::Assigned(_) | Event::Revoked(_)) => {}
            Ok(Event::Skipped(skipped)) => tracing::warn!(
                topic = skipped.partition.topic.name,
                partition = skipped.partition.partition,
                from = skipped.from,
                to = skipped.to,
                "records were deleted before they were shown"
            ),
            Err(error) if error.retry() => tracing::warn!(%error, "waiting for the bus"),
            Err(error) => return Err(error).context("the records cannot be followed further"),
        }
    }
    bail!("the bus was closed")
}

fn show(delivery: &Delivery, json: bool, painter: &mut Painter) -> anyhow::Result<()> {
    match (&delivery.payload, json) {
        (Some(payload), true) => {
            out::line(std::str::from_utf8(payload).context("a record is not UTF-8")?)?
        }
        // A tombstone is no object.
        (None, true) => {}
        (_, false) => out::line(&painter.line(delivery))?,
    }
    Ok(())
}
