//! How many instructions a proxy executes for a request: the number that is the same whatever else the machine does.
//!
//! In: a proxy of its own. Out: a number. By perf where the kernel has counters, the kernel's work included; else by `callgrind.rs`, which sees
//! user space only, and shows the proxy a processor without SHA. Invariant: requests come at a rate that callgrind's slowest holds, so that they meet the same timers in each run and on
//! each machine; what the proxy executes in the same time while nobody asks is taken off.

use std::time::Duration;

use anyhow::Result;
use tokio::time::sleep;

use crate::client::Client;
use crate::load::closed;
use crate::proxy::{Proxy, Subject};
use crate::site::Site;
use crate::usage::Events;
use crate::values::Values;
use crate::work::{each, messages, paced};

/// Connections.
const CONNECTIONS: usize = 8;
/// Requests a second.
const RATE: f64 = 300.0;
/// How long they come.
const TIME: Duration = Duration::from_secs(8);
/// Requests on each connection before, as fast as they are answered: so many connections to the upstream are made then, and none later.
const BEFORE: u64 = 60;

pub(crate) async fn measure(
    subject: Subject,
    site: &Site,
    tls: bool,
    values: &mut Values,
) -> Result<()> {
    let (name, each) = match by_perf(subject, site, tls).await? {
        Some(each) => ("sendMessage, instructions, by perf", each),
        None => (
            "sendMessage, instructions in user space, by callgrind",
            by_callgrind(subject, site, tls).await?,
        ),
    };
    values.insert(name.to_owned(), each);
    Ok(())
}

/// None, where the kernel does not count them.
async fn by_perf(subject: Subject, site: &Site, tls: bool) -> Result<Option<f64>> {
    let proxy = Proxy::start(subject, site, tls).await?;
    let pids = proxy.pids()?;
    let counter = Events::count("instructions", &pids)?;
    let mut clients = warm(&proxy).await?;
    if counter.end().is_err() {
        return Ok(None);
    }
    let counter = Events::count("instructions", &pids)?;
    let answered = ask(&mut clients).await?;
    let count = counter.end()?;
    let counter = Events::count("instructions", &pids)?;
    // paced: what it does by the clock
    sleep(TIME).await;
    let count = count.saturating_sub(counter.end()?);
    Ok(Some(each(count as f64, answered)))
}

async fn by_callgrind(subject: Subject, site: &Site, tls: bool) -> Result<f64> {
    let proxy = Proxy::start_counted(subject, site, tls).await?;
    let mut clients = warm(&proxy).await?;
    proxy.instructions()?;
    let answered = ask(&mut clients).await?;
    let count = proxy.instructions()?;
    // paced: what it does by the clock
    sleep(TIME).await;
    let count = count.saturating_sub(proxy.instructions()?);
    Ok(each(count as f64, answered))
}

/// Connections that have been used: each alone first, since a proxy that has many new ones at once is so slow that it may give some of them up.
async fn warm(proxy: &Proxy) -> Result<Vec<Client>> {
    let requests = messages(230);
    let mut clients = Vec::new();
    for request in requests.iter().take(CONNECTIONS) {
        let mut client = Client::connect(&proxy.target).await?;
        client.ask(request).await?;
        clients.push(client);
    }
    closed::times(&mut clients, &requests, BEFORE).await?;
    Ok(clients)
}

async fn ask(clients: &mut [Client]) -> Result<u64> {
    let took = paced(clients, &messages(230), RATE, TIME).await?;
    Ok(u64::try_from(took.len())?)
}
