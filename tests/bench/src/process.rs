//! A process that was started to be measured.
//!
//! In: a child that was spawned. Out: whether it answers, which processes it consists of. Invariant: dropping one kills it, with its children.

use std::process::Child;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use rustix::process::{Pid, Signal, kill_process};

use crate::client::{Client, Target};
use crate::usage;

/// How long one may take to start.
const PATIENCE: Duration = Duration::from_secs(60);

/// See the file's header.
pub(crate) struct Process(Child);

impl Process {
    pub(crate) fn new(child: Child) -> Self {
        Self(child)
    }

    /// Waits until a request is answered 200.
    pub(crate) async fn until_ready(
        &mut self,
        name: &str,
        target: &Target,
        request: &[u8],
    ) -> Result<()> {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.0.try_wait()? {
                anyhow::bail!("{name} has ended with {status}");
            }
            let asked = async { Client::connect(target).await?.ask(request).await };
            match asked.await {
                Ok(()) => return Ok(()),
                Err(error) => ensure!(Instant::now() < until, "{name}: {error:#}"),
            }
            // paced: it has no other way to say that it is ready
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Its number.
    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }

    /// Itself and its children.
    pub(crate) fn pids(&self) -> Result<Vec<u32>> {
        usage::family(self.0.id())
    }

    /// Ends it in order.
    pub(crate) async fn end(mut self) -> Result<()> {
        signal(self.0.id(), Signal::TERM);
        let until = Instant::now() + PATIENCE;
        while self.0.try_wait()?.is_none() {
            ensure!(Instant::now() < until, "it does not end");
            // paced: no signal is waited for here
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }
}

/// Whether or not it still lives.
fn signal(pid: u32, signal: Signal) {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    pid.map(|pid| kill_process(pid, signal));
}

impl Drop for Process {
    fn drop(&mut self) {
        // A master that is killed would leave its worker.
        for pid in self.pids().unwrap_or_default() {
            signal(pid, Signal::KILL);
        }
        self.0.wait().ok();
    }
}
