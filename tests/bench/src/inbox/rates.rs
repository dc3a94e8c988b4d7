//! How soon updates are answered 200 at a rate, and which rate is held.
//!
//! In: Telegram's pushes, the rates. Out: numbers; a line on stderr for each rate that was tried. Invariant: what is told is of times when all updates were taken in.

use std::time::Duration;

use anyhow::Result;

use super::search::Search;
use super::telegram::Telegram;
use crate::load::open;
use crate::proxy::Proxy;
use crate::site::broker;
use crate::statistics::quantile;
use crate::usage;
use crate::values::Values;
use crate::work::{Plan, each};

/// A rate is held if 99 of 100 are answered so soon.
const SOON: Duration = Duration::from_millis(10);

/// What came of a rate.
struct Told {
    /// Whose CPU, in µs an update.
    cpu: Vec<(&'static str, f64)>,
    p50: Duration,
    p99: Duration,
    /// Whether all updates were taken in.
    all: bool,
}

impl Told {
    fn put(&self, name: &str, values: &mut Values) {
        for (whose, spent) in &self.cpu {
            values.insert(format!("{name}, CPU of {whose} in µs"), *spent);
        }
        for (took, word) in [(self.p50, "p50"), (self.p99, "p99")] {
            values.insert(format!("{name}, {word} in ms"), took.as_secs_f64() * 1e3);
        }
    }
}

/// The rates that were asked for, and the highest that is held.
pub(super) async fn measure(
    ingress: &Proxy,
    telegram: &mut Telegram,
    plan: &Plan,
    values: &mut Values,
) -> Result<()> {
    for rate in &plan.rates {
        let told = at(ingress, telegram, *rate, plan.time).await?;
        if told.all {
            told.put(&format!("inbox at {rate:.0} updates a second"), values);
        }
    }
    let (mut search, mut best) = (Search::new(), None);
    while let Some(rate) = search.next() {
        let told = at(ingress, telegram, rate, plan.time / 2).await?;
        let is_held = told.all && told.p99 < SOON;
        search.tell(is_held);
        if is_held {
            best = Some(told);
        }
    }
    let name = format!(
        "inbox, updates a second with p99 below {} ms",
        SOON.as_millis()
    );
    values.insert(name, search.held().unwrap_or_default());
    if let Some(told) = best {
        for (whose, spent) in &told.cpu {
            let name = format!("inbox at the highest rate, CPU of {whose} in µs");
            values.insert(name, *spent);
        }
    }
    Ok(())
}

/// A rate, for so long.
async fn at(ingress: &Proxy, telegram: &mut Telegram, rate: f64, time: Duration) -> Result<Told> {
    let mut whose = vec![
        ("ingress", ingress.pids()?),
        ("the load", vec![std::process::id()]),
    ];
    whose.extend(broker().map(|pid| ("Kafka", vec![pid])));
    let spent = || -> Result<Vec<Duration>> {
        // Kafka's threads come and go.
        let spent = whose.iter();
        spent.map(|(_, pids)| usage::cpu_with_ended(pids)).collect()
    };
    telegram.warm().await?;
    let before = spent()?;
    let (answers, all) = telegram.push(rate, time).await?;
    let spent = spent()?.into_iter().zip(before);
    let spent = spent.map(|(after, before)| (after - before).as_secs_f64() * 1e6);
    let count = answers.len() as u64;
    let cpu = whose.iter().zip(spent);
    let took = open::took(&answers);
    let told = Told {
        cpu: cpu
            .map(|((whose, _), spent)| (*whose, each(spent, count)))
            .collect(),
        p50: quantile(&took, 0.5),
        p99: quantile(&took, 0.99),
        all,
    };
    let cpu = told.cpu.iter();
    let cpu: Vec<_> = cpu
        .map(|(whose, spent)| format!("{whose} {spent:.0}"))
        .collect();
    eprintln!(
        "bench: inbox at {rate:5.0} updates a second: p50 {:6.2} ms, p99 {:6.2} ms; CPU in µs: {}{}",
        told.p50.as_secs_f64() * 1e3,
        told.p99.as_secs_f64() * 1e3,
        cpu.join(", "),
        if all { "" } else { "; not all taken in" }
    );
    Ok(told)
}
