//! Each connection asks as soon as it is answered.
//!
//! In: connections, the request of each. Out: how many were answered. Invariant: what was sent is answered before the end.

use std::time::{Duration, Instant};

use anyhow::Result;
use futures_util::future::try_join_all;

use crate::client::{Client, Target};

/// A connection for each request.
pub(crate) async fn connect(target: &Target, count: usize) -> Result<Vec<Client>> {
    try_join_all((0..count).map(|_| Client::connect(target))).await
}

/// For so long.
pub(crate) async fn run(
    clients: &mut [Client],
    requests: &[Vec<u8>],
    time: Duration,
) -> Result<u64> {
    let until = Instant::now() + time;
    repeat(clients, requests, |_| Instant::now() < until).await
}

/// So many times each.
pub(crate) async fn times(clients: &mut [Client], requests: &[Vec<u8>], times: u64) -> Result<u64> {
    repeat(clients, requests, |done| done < times).await
}

async fn repeat(
    clients: &mut [Client],
    requests: &[Vec<u8>],
    more: impl Fn(u64) -> bool,
) -> Result<u64> {
    let more = &more;
    let each = clients.iter_mut().zip(requests.iter().cycle());
    let runs = each.map(async |(client, request)| -> Result<u64> {
        let mut done = 0;
        while more(done) {
            client.ask(request).await?;
            done += 1;
        }
        Ok(done)
    });
    Ok(try_join_all(runs).await?.into_iter().sum())
}
