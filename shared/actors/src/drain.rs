//! The orderly end of a process: stages in the order of the data's way, each with a budget. Input:
//! whoever decides to end, and guards around what is in flight. Output: `app.rs`, which exits.
//! Invariant: draining begins once and is never taken back; every stage runs, also after one that
//! overran or panicked; no stage takes longer than its budget.

use std::{
    collections::BTreeMap,
    fmt,
    future::Future,
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::FutureExt;
use tokio::{sync::Notify, time::Instant};
use tokio_util::sync::CancellationToken;

/// The end of a process. Clones are the same one.
#[derive(Clone, Default)]
pub struct Drain {
    token: DrainToken,
    groups: Arc<Mutex<BTreeMap<&'static str, Group>>>,
}

/// Tells whether the process is ending. Cheap to clone and to ask.
#[derive(Clone, Debug, Default)]
pub struct DrainToken(CancellationToken);

impl DrainToken {
    /// Whether draining has begun.
    pub fn is_draining(&self) -> bool {
        self.0.is_cancelled()
    }

    /// Waits until draining begins.
    pub async fn draining(&self) {
        self.0.cancelled().await;
    }
}

/// What is in flight of one kind. Clones are the same one.
#[derive(Clone, Debug)]
pub struct Group {
    name: &'static str,
    state: Arc<GroupState>,
}

#[derive(Debug, Default)]
struct GroupState {
    count: AtomicUsize,
    idle: Notify,
}

/// One thing in flight; it is over when this is dropped.
#[derive(Debug)]
#[must_use = "what it guards is in flight until it is dropped"]
pub struct InFlight(Arc<GroupState>);

/// What was still in flight when the time to wait was over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{count} {name} still in flight")]
pub struct StillBusy {
    /// The group.
    pub name: &'static str,
    /// How many.
    pub count: usize,
}

impl Group {
    /// Counts one more until the guard is dropped.
    pub fn enter(&self) -> InFlight {
        self.state.count.fetch_add(1, Ordering::AcqRel);
        InFlight(Arc::clone(&self.state))
    }

    /// How many are in flight.
    pub fn count(&self) -> usize {
        self.state.count.load(Ordering::Acquire)
    }

    /// Waits until none is in flight, `budget` at most.
    ///
    /// # Errors
    /// What still is.
    pub async fn wait_idle(&self, budget: Duration) -> Result<(), StillBusy> {
        let idle = async {
            loop {
                let notified = self.state.idle.notified();
                if self.count() == 0 {
                    return;
                }
                notified.await;
            }
        };
        let busy = |_| StillBusy {
            name: self.name,
            count: self.count(),
        };
        tokio::time::timeout(budget, idle).await.map_err(busy)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        if self.0.count.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.idle.notify_waiters();
        }
    }
}

impl Drain {
    /// A process that is not ending.
    pub fn new() -> Self {
        Self::default()
    }

    /// To ask and wait whether draining has begun.
    pub fn token(&self) -> DrainToken {
        self.token.clone()
    }

    /// Begins to drain. Whether this call was the first.
    pub fn begin(&self) -> bool {
        let first = !self.token.is_draining();
        self.token.0.cancel();
        first
    }

    /// The group of this name, made if there is none; to be kept where guards are taken often.
    pub fn group(&self, name: &'static str) -> Group {
        let mut groups = self.groups.lock().unwrap_or_else(PoisonError::into_inner);
        groups
            .entry(name)
            .or_insert_with(|| Group {
                name,
                state: Arc::default(),
            })
            .clone()
    }

    /// Counts one thing of a group until the guard is dropped.
    pub fn guard(&self, group: &'static str) -> InFlight {
        self.group(group).enter()
    }

    /// Waits until nothing of a group is in flight, `budget` at most.
    ///
    /// # Errors
    /// What still is.
    pub async fn wait_idle(&self, group: &'static str, budget: Duration) -> Result<(), StillBusy> {
        self.group(group).wait_idle(budget).await
    }

    /// Begins to drain and runs the stages one after another.
    pub async fn run(&self, stages: Vec<Stage>) -> Drained {
        self.begin();
        let mut failed = Vec::new();
        for Stage { name, budget, work } in stages {
            let began = Instant::now();
            let result = tokio::time::timeout(budget, AssertUnwindSafe(work).catch_unwind()).await;
            let took = began.elapsed();
            match result {
                Ok(Ok(())) => tracing::info!(stage = name, ?took, "drained"),
                Ok(Err(_)) => tracing::error!(stage = name, ?took, "stage panicked"),
                Err(_) => tracing::warn!(stage = name, ?took, "stage was not done in its budget"),
            }
            if !matches!(result, Ok(Ok(()))) {
                failed.push(name);
            }
        }
        Drained { failed }
    }
}

impl fmt::Debug for Drain {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.token.fmt(formatter)
    }
}

/// One step of the end.
pub struct Stage {
    name: &'static str,
    budget: Duration,
    work: Pin<Box<dyn Future<Output = ()>>>,
}

impl Stage {
    /// A step that is dropped when its budget is over.
    pub fn new(
        name: &'static str,
        budget: Duration,
        work: impl Future<Output = ()> + 'static,
    ) -> Self {
        Self {
            name,
            budget,
            work: Box::pin(work),
        }
    }
}

impl fmt::Debug for Stage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Stage({}, {:?})", self.name, self.budget)
    }
}

/// How the end went.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a stage that was not done is to be told by the exit code"]
pub struct Drained {
    /// Stages that panicked or overran their budgets.
    pub failed: Vec<&'static str>,
}
