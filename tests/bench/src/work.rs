//! What is measured of a proxy, one number or a few each.
//!
//! In: a running proxy, how long. Out: [`Values`] by name. Invariant: a measurement is preceded by so much of the same that caches are filled and connections made;
//! what is counted lies wholly between two looks at the processes.

use std::borrow::Cow;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use crate::client::Client;
use crate::instructions;
use crate::load::{closed, open, parked};
use crate::proxy::{Proxy, Subject};
use crate::request;
use crate::send::{self, Send};
use crate::site::Site;
use crate::statistics::quantile;
use crate::usage;
use crate::values::Values;

/// Connections of the loads, each of a bot of its own.
pub(crate) const CONNECTIONS: usize = 32;
/// Bytes of the files that are uploaded.
const FILE: usize = 10_000_000;
/// Requests a second of the unloaded proxy.
const UNLOADED: f64 = 300.0;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub(crate) enum Measure {
    /// CPU of a proxied sendMessage of 230 bytes, and its system calls.
    Send,
    /// The same of 8 KB.
    Large,
    /// CPU of an upload of 10 MB.
    Upload,
    /// Latency at 300 requests a second on one connection.
    Unloaded,
    /// Latency at half of what nginx can.
    Loaded,
    /// Memory of a parked poll, and CPU of sendMessage beside them.
    Parked,
    /// Instructions of a sendMessage of 230 bytes. Once a run.
    Instructions,
    /// Updates pushed to bots in inbox mode: time to 200 and CPU at given rates, the highest rate whose p99 is below 10 ms, and the time from
    /// 200 to the bot's webhook. Of Gramtap alone.
    Inbox,
    /// Events a second and core from records to sums, on a million records, once. Of Gramtap alone.
    Decode,
    /// Look-ups of bots in a registry of a million, and what unknown ones cost it. Once a run.
    Registry,
}

impl Measure {
    /// Whether no proxy has it: `alone.rs`.
    pub(crate) fn is_alone(self) -> bool {
        matches!(self, Self::Inbox | Self::Decode | Self::Registry)
    }

    /// Whether one round is enough: it is exact, or takes long.
    pub(crate) fn is_once(self) -> bool {
        matches!(self, Self::Instructions | Self::Decode | Self::Registry)
    }
}

/// How much is done of each.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    pub(crate) measures: Vec<Measure>,
    pub(crate) time: Duration,
    /// Parked polls.
    pub(crate) polls: Vec<usize>,
    /// Pushed updates a second.
    pub(crate) rates: Vec<f64>,
    pub(crate) uploads: u64,
    /// Requests a second: half of what nginx can.
    pub(crate) half: f64,
}

/// All of it, of one proxy, that is started for it.
pub(crate) async fn measure(
    subject: Subject,
    site: &Site,
    tls: bool,
    plan: &Plan,
) -> Result<Values> {
    let mut values = Values::default();
    let proxy = Proxy::start(subject, site, tls).await?;
    for measure in &plan.measures {
        match measure {
            Measure::Send | Measure::Large => {
                let (size, name) = match measure {
                    Measure::Send => (230, "sendMessage"),
                    _ => (8_192, "sendMessage of 8 KB"),
                };
                let send = Send {
                    proxy: &proxy,
                    subject,
                    size,
                    name,
                    time: plan.time,
                };
                send::measure(send, site, tls, &mut values).await?;
            }
            Measure::Upload => upload(&proxy, plan.uploads, &mut values).await?,
            Measure::Unloaded => {
                latency(&proxy, 1, UNLOADED, "unloaded", plan.time, &mut values).await?;
            }
            Measure::Loaded => {
                latency(
                    &proxy,
                    CONNECTIONS,
                    plan.half,
                    "half load",
                    plan.time,
                    &mut values,
                )
                .await?;
            }
            // With processes of their own, below.
            Measure::Parked | Measure::Instructions => {}
            // Of no proxy: `alone.rs`.
            Measure::Inbox | Measure::Decode | Measure::Registry => {}
        }
    }
    drop(proxy);
    if plan.measures.contains(&Measure::Parked) && subject != Subject::Direct {
        for polls in &plan.polls {
            park(subject, site, tls, *polls, plan.time, &mut values).await?;
        }
    }
    if plan.measures.contains(&Measure::Instructions) && subject != Subject::Direct {
        instructions::measure(subject, site, tls, &mut values).await?;
    }
    Ok(values)
}

/// Connections that have been used.
pub(crate) async fn warm(proxy: &Proxy, count: usize, requests: &[Vec<u8>]) -> Result<Vec<Client>> {
    let mut clients = closed::connect(&proxy.target, count).await?;
    closed::run(&mut clients, requests, Duration::from_millis(300)).await?;
    Ok(clients)
}

pub(crate) fn messages(size: usize) -> Vec<Vec<u8>> {
    let bots = 0..CONNECTIONS;
    bots.map(|bot| request::send_message(bot, size)).collect()
}

#[allow(clippy::cast_precision_loss, reason = "a number of requests")]
pub(crate) fn each(amount: f64, requests: u64) -> f64 {
    amount / requests as f64
}

/// What the proxy's processes spend on each of some requests, in CPU seconds, and how many there were.
pub(crate) async fn cost(
    pids: &[u32],
    requests: impl Future<Output = Result<u64>>,
) -> Result<(f64, u64)> {
    let before = usage::cpu(pids)?;
    let answered = requests.await?;
    let spent = usage::cpu(pids)? - before;
    Ok((each(spent.as_secs_f64(), answered), answered))
}

/// Files, four at a time. CPU is told in ms an upload.
async fn upload(proxy: &Proxy, count: u64, values: &mut Values) -> Result<()> {
    let pids = proxy.pids()?;
    if pids.is_empty() {
        return Ok(());
    }
    let requests: Vec<_> = (0..4)
        .map(|bot| request::send_document(bot, FILE))
        .collect();
    let mut clients = closed::connect(&proxy.target, 4).await?;
    closed::times(&mut clients, &requests, 1).await?;
    let run = closed::times(&mut clients, &requests, count);
    let (spent, _) = cost(&pids, run).await?;
    values.insert("upload of 10 MB, CPU in ms".to_owned(), spent * 1e3);
    Ok(())
}

/// Requests a second, each at its time. Returns how long they took, sorted.
pub(crate) async fn paced(
    clients: &mut [Client],
    requests: &[Vec<u8>],
    rate: f64,
    time: Duration,
) -> Result<Vec<Duration>> {
    let request = |place: usize, _| Cow::from(&requests[place]);
    let answers = open::run(clients, request, rate, time).await?;
    let refused = answers.iter().find(|answer| answer.status != 200);
    ensure!(refused.is_none(), "{refused:?}");
    Ok(open::took(&answers))
}

/// Quantiles of answers' times, in µs.
async fn latency(
    proxy: &Proxy,
    connections: usize,
    rate: f64,
    name: &str,
    time: Duration,
    values: &mut Values,
) -> Result<()> {
    let requests = messages(230);
    let mut clients = warm(proxy, connections, &requests).await?;
    let took = paced(&mut clients, &requests, rate, time).await;
    let took = took.with_context(|| format!("at {name}"))?;
    for (part, word) in [(0.5, "p50"), (0.99, "p99"), (0.999, "p99.9")] {
        let micros = quantile(&took, part).as_secs_f64() * 1e6;
        values.insert(format!("latency {name}, {word} in µs"), micros);
    }
    Ok(())
}

/// Parked polls: memory each in KB, on fresh connections and on used ones; CPU of sendMessage beside them in µs. Each has
/// a process of its own: what another one's polls have left would be used again.
async fn park(
    subject: Subject,
    site: &Site,
    tls: bool,
    polls: usize,
    time: Duration,
    values: &mut Values,
) -> Result<()> {
    let requests = messages(230);
    for (calls, word) in [(0, "fresh"), (40, "after 40 calls")] {
        let proxy = Proxy::start(subject, site, tls).await?;
        let pids = proxy.pids()?;
        let mut clients = warm(&proxy, CONNECTIONS, &requests).await?;
        let before = usage::memory(&pids)?;
        let held = parked::park(&proxy.target, site.upstream(tls), polls, calls).await?;
        let more = usage::memory(&pids)?.saturating_sub(before);
        let name = format!("{polls} parked polls, {word}, KB each");
        values.insert(name, each(more as f64 / 1e3, polls as u64));
        if calls == 0 {
            let run = closed::run(&mut clients, &requests, time);
            let (spent, _) = cost(&pids, run).await?;
            let name = format!("sendMessage beside {polls} polls, CPU in µs");
            values.insert(name, spent * 1e6);
        }
        drop(held);
        drop(proxy);
        parked::until(site.upstream(tls), 0).await?;
    }
    Ok(())
}
