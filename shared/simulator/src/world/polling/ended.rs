//! What becomes of requests that may wait.
//!
//! In: the decisions of `world/polling.rs`. Out: `world.rs`, which answers whoever waits.
//! Invariant: an [`Ended`] carries its waiter along, so that nobody can be answered twice.

use std::fmt;
use std::time::Duration;

use crate::fail::Failure;

/// A request that is over.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ended<W> {
    pub(crate) waiter: W,
    pub(crate) reply: Result<Reply, Failure>,
    /// The answer is held back this long.
    pub(crate) pause: Duration,
}

/// A successful result.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    /// JSON.
    pub(crate) result: String,
    /// What the webhook methods say besides.
    pub(crate) description: Option<&'static str>,
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reply({} bytes)", self.result.len())
    }
}

/// What became of a request: who is answered now, and whether the new one waits.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outcome<W> {
    pub(crate) ended: Vec<Ended<W>>,
    /// Set if the new request waits: [`Polling::expire`] is to be called with it at its time.
    pub(crate) waits: Option<Wait>,
}

/// A waiting request: its number, and when its time is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wait {
    pub(crate) number: u64,
    pub(crate) until: Duration,
}

impl<W> Ended<W> {
    pub(super) fn done(waiter: W, result: String) -> Self {
        let reply = Reply {
            result,
            description: None,
        };
        Self {
            waiter,
            reply: Ok(reply),
            pause: Duration::ZERO,
        }
    }

    pub(super) fn said(waiter: W, description: &'static str) -> Self {
        let reply = Reply {
            result: "true".to_owned(),
            description: Some(description),
        };
        Self {
            waiter,
            reply: Ok(reply),
            pause: Duration::ZERO,
        }
    }

    pub(crate) fn failed(waiter: W, failure: Failure) -> Self {
        Self {
            waiter,
            reply: Err(failure),
            pause: Duration::ZERO,
        }
    }
}

impl<W> Outcome<W> {
    pub(crate) fn one(ended: Ended<W>) -> Self {
        Self {
            ended: vec![ended],
            waits: None,
        }
    }
}
