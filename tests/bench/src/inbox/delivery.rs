//! How soon an update is at its bot.
//!
//! In: Telegram's pushes, a forwarder. Out: times from the 200 that Telegram was answered until the bot's webhook has the update. Invariant: all updates are
//! taken in, and all come; else nothing is told.

use std::time::Duration;

use anyhow::Result;

use super::telegram::Telegram;
use super::{DELIVERED, forwarder};
use crate::site::Site;
use crate::statistics::quantile;
use crate::usage;
use crate::values::Values;
use crate::work::each;

pub(super) async fn measure(
    site: &Site,
    telegram: &mut Telegram,
    time: Duration,
    values: &mut Values,
) -> Result<()> {
    let endpoint = site.endpoint();
    let forwarder = forwarder::start(site).await?;
    let warm = telegram.warm().await?;
    endpoint.until(warm).await?;
    let pids = forwarder.pids()?;
    let before = usage::cpu(&pids)?;
    let first = telegram.next();
    let (answers, all) = telegram.push(DELIVERED, time).await?;
    if !all {
        eprintln!("bench: not all updates that were to be delivered were taken in");
        return forwarder.end().await;
    }
    endpoint.until(first..telegram.next()).await?;
    let spent = usage::cpu(&pids)? - before;
    let came = endpoint.take();
    let took = answers.iter().filter_map(|answer| {
        // It may be there before its 200 is read.
        Some(
            came.get(&answer.number)?
                .saturating_duration_since(answer.at),
        )
    });
    let mut took: Vec<_> = took.collect();
    took.sort_unstable();
    let name = format!("delivery at {DELIVERED:.0} updates a second");
    for (part, word) in [(0.5, "p50"), (0.99, "p99")] {
        let took = quantile(&took, part).as_secs_f64() * 1e3;
        values.insert(format!("{name}, {word} in ms after the 200"), took);
    }
    let spent = each(spent.as_secs_f64() * 1e6, answers.len() as u64);
    values.insert(format!("{name}, CPU of the forwarder in µs"), spent);
    forwarder.end().await
}
