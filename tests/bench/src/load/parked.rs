//! Polls that wait.
//!
//! In: how many, and short calls to be made on each connection before. Out: connections with a poll each, all of which the upstream holds. Invariant:
//! each has a connection of its own, as bots have.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use futures_util::future::try_join_all;

use crate::client::{Client, Target};
use crate::load::closed;
use crate::request;
use crate::upstream::Upstream;

/// Connections that are made at once: a listener's queue is not endless.
const AT_ONCE: usize = 100;
/// How long the upstream may take to hold all of them.
const PATIENCE: Duration = Duration::from_secs(60);

/// Parks a poll of each of so many bots.
pub(crate) async fn park(
    target: &Target,
    upstream: &Upstream,
    count: usize,
    calls_before: u64,
) -> Result<Vec<Client>> {
    let mut clients = Vec::with_capacity(count);
    while clients.len() < count {
        let more = AT_ONCE.min(count - clients.len());
        let from = clients.len();
        let mut new = closed::connect(target, more).await?;
        if calls_before > 0 {
            let requests: Vec<_> = (from..from + more)
                .map(|bot| request::send_message(bot, 230))
                .collect();
            closed::times(&mut new, &requests, calls_before).await?;
        }
        clients.append(&mut new);
    }
    let polls = clients.iter_mut().enumerate();
    try_join_all(polls.map(async |(bot, client)| {
        client.shrink();
        client.send(&request::get_updates(bot)).await
    }))
    .await?;
    until(upstream, count).await?;
    Ok(clients)
}

/// Waits until the upstream holds so many.
pub(crate) async fn until(upstream: &Upstream, count: usize) -> Result<()> {
    let until = Instant::now() + PATIENCE;
    while upstream.parked() != count {
        let parked = upstream.parked();
        ensure!(Instant::now() < until, "{parked} of {count} polls are held");
        // paced: the upstream counts without telling
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}
