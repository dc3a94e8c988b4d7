//! Tells those who wait that something has changed.
//!
//! In: the journal, opened and closed connections, polls that begin to wait. Out: whoever waits in
//! `control/observe.rs`. Invariant: a change is told after it has happened, so that one who looks
//! when told sees it. Nobody waiting, it costs a counter.

use std::sync::Arc;

use tokio::sync::watch;

/// A count of changes. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Changes(Arc<watch::Sender<u64>>);

impl Changes {
    pub(crate) fn new() -> Self {
        Self(Arc::new(watch::channel(0).0))
    }

    pub(crate) fn tell(&self) {
        self.0.send_modify(|count| *count += 1);
    }

    /// Waits until `seen` gives something, looking again at every change.
    pub(crate) async fn wait<T>(&self, mut seen: impl FnMut() -> Option<T>) -> T {
        let mut changes = self.0.subscribe();
        loop {
            if let Some(seen) = seen() {
                return seen;
            }
            // The sender lives as long as self.
            changes.changed().await.ok();
        }
    }
}
