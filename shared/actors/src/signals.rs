//! The signals that a process listens to. Input: the system. Output: `app.rs`, which drains, ends
//! or reads files again. Invariant: from [`signals`] on, none of them ends the process by itself;
//! of several of one kind that arrive together, one is told.

use std::io;

use tokio::signal::unix::{Signal as Source, SignalKind, signal};

/// What the system asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// The first SIGTERM or SIGINT: drain.
    Term,
    /// Another one: end at once.
    Second,
    /// SIGHUP: read certificates again.
    Reload,
}

/// The signals of the process, in the order they arrive.
#[derive(Debug)]
pub struct Signals {
    term: Source,
    int: Source,
    hup: Source,
    terminating: bool,
}

/// Begins to listen.
///
/// # Errors
/// The system refuses.
///
/// # Panics
/// Outside a runtime.
pub fn signals() -> io::Result<Signals> {
    Ok(Signals {
        term: signal(SignalKind::terminate())?,
        int: signal(SignalKind::interrupt())?,
        hup: signal(SignalKind::hangup())?,
        terminating: false,
    })
}

impl Signals {
    /// Waits for the next one.
    pub async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.term.recv() => self.terminate(),
            _ = self.int.recv() => self.terminate(),
            _ = self.hup.recv() => Signal::Reload,
        }
    }

    fn terminate(&mut self) -> Signal {
        if std::mem::replace(&mut self.terminating, true) {
            Signal::Second
        } else {
            Signal::Term
        }
    }
}
