//! Requests at a fixed rate, whatever becomes of them.
//!
//! In: connections, a rate, what is asked. Out: when each request was due, when it was answered, and what. Invariant: a request that is due while all connections are busy
//! waits for one and counts from when it was due, so that a proxy that stands still is not let off. The clock is a thread that sleeps: a runtime's
//! timers are as coarse as a millisecond, longer than what is measured.

use std::borrow::Cow;
use std::cell::RefCell;
use std::num::NonZeroU64;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use futures_util::future::try_join_all;
use rustix::thread::set_current_timer_slack;
use tokio::sync::Mutex;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use crate::client::Client;

/// One request of a run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answer {
    /// From 0, in the order in which they were due.
    pub(crate) number: u64,
    pub(crate) due: Instant,
    /// When it was answered.
    pub(crate) at: Instant,
    pub(crate) status: u16,
}

/// How long answers took, sorted.
pub(crate) fn took(answers: &[Answer]) -> Vec<Duration> {
    let took = answers.iter().map(|answer| answer.at - answer.due);
    let mut took: Vec<_> = took.collect();
    took.sort_unstable();
    took
}

/// So many requests a second, for so long. `request` is told the connection's place and the request's number.
pub(crate) async fn run<'r>(
    clients: &mut [Client],
    request: impl Fn(usize, u64) -> Cow<'r, [u8]>,
    rate: f64,
    time: Duration,
) -> Result<Vec<Answer>> {
    ensure!(rate > 0.0, "a rate of nothing");
    let between = Duration::from_secs_f64(1.0 / rate);
    let (tell, due) = unbounded_channel();
    let clock = std::thread::Builder::new().name("clock".to_owned());
    let clock = clock.spawn(move || tick(between, time, &tell))?;
    let (due, answers) = (Mutex::new(due), RefCell::new(Vec::new()));
    let (due, answers, request) = (&due, &answers, &request);
    let runs = clients.iter_mut().enumerate();
    let runs = runs.map(async |(place, client)| -> Result<()> {
        loop {
            // Whoever is free waits for its turn to be told.
            let next = due.lock().await.recv().await;
            let Some((number, due)) = next else {
                return Ok(());
            };
            let status = client.status(&request(place, number)).await?;
            let at = Instant::now();
            answers.borrow_mut().push(Answer {
                number,
                due,
                at,
                status,
            });
        }
    });
    try_join_all(runs).await?;
    let ended = clock.join();
    ensure!(ended.is_ok(), "the clock stood still");
    Ok(answers.take())
}

/// Says when which request is due, from a thread of its own.
fn tick(between: Duration, time: Duration, due: &UnboundedSender<(u64, Instant)>) {
    // The kernel may be late by 50 µs otherwise, to save power.
    set_current_timer_slack(NonZeroU64::new(1)).ok();
    let (began, mut ticks) = (Instant::now(), 0);
    while between * ticks < time {
        let number = u64::from(ticks);
        ticks += 1;
        let at = began + between * ticks;
        // paced: the rate is what was asked for
        std::thread::sleep(at.saturating_duration_since(Instant::now()));
        if due.send((number, at)).is_err() {
            return;
        }
    }
}
