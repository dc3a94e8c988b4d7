//! Giving up partitions, and the end.
//!
//! In: revocations, assignments, the stop. Out: last commits; the group, left. Invariant: what is under way is waited for, but not for long; then all that is
//! done is committed before a partition is another one's. What was still under way may be delivered once more by the next owner. Partitions that come back are
//! taken only when what was written of them is there.

use std::rc::Rc;
use std::time::Duration;

use futures_util::future::join_all;
use gramtap_bus::{Assigned, Consumer, Revoked};
use gramtap_telemetry::Counter;
use tokio::time::{Instant, sleep_until};

use super::super::ForwardError;
use super::super::ledger::Commit;
use super::{Failed, LEAVE, Poller, of};
use crate::arrange::Source;

/// How long deliveries of partitions that go are waited for: the whole group waits.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long acknowledgements of what was written are waited for, when partitions come back: the group has just answered, so the bus is there.
const ARREARS: Duration = Duration::from_secs(20);

impl Poller<'_> {
    /// Gives up partitions.
    pub(super) async fn give_up(&mut self, revoked: Revoked) -> Result<(), ForwardError> {
        let mut numbers: Vec<i32> = revoked.partitions.iter().map(|it| it.partition).collect();
        numbers.sort_unstable();
        numbers.dedup();
        self.settled(&numbers, PATIENCE).await?;
        if !revoked.lost {
            self.commit_all(&numbers).await;
        }
        for number in numbers {
            self.marks.remove(&number);
            self.doubts.forget(number);
            self.dispatch.revoked(number);
            self.standings.revoked(number);
        }
        revoked.release();
        Ok(())
    }

    /// Partitions come. Those that were lost while the bus was away may come back sooner than what was written of them meanwhile arrives there: it has to
    /// be in deliveries.v1 before that is read.
    pub(super) async fn settle(&mut self, given: &[Assigned]) -> Result<(), ForwardError> {
        let numbers: Vec<i32> = given.iter().map(|it| it.partition.partition).collect();
        if !self.settled(&numbers, ARREARS).await? {
            tracing::warn!(
                "what was delivered before partitions were lost is not on record yet, and may be delivered again"
            );
        }
        Ok(())
    }

    /// Waits until nothing of some partitions is under way. False: that takes too long.
    async fn settled(&mut self, numbers: &[i32], patience: Duration) -> Result<bool, ForwardError> {
        let until = Instant::now() + patience;
        while numbers.iter().any(|number| self.is_busy(Some(*number))) {
            if !self.wait(until).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Ends: nothing is started any more, what is under way is waited for, and all that is done is committed.
    pub(super) async fn leave(&mut self) -> Result<(), ForwardError> {
        self.dispatch.stop();
        let until = Instant::now() + self.options.patience;
        self.act()?;
        while (self.is_busy(None) || !self.couriers.0.is_empty()) && self.wait(until).await? {
            self.act()?;
        }
        let flying = self.dispatch.flying(None);
        if flying > 0 {
            tracing::warn!(flying, "deliveries are cut short and made again later");
        }
        let numbers: Vec<i32> = self.marks.keys().copied().collect();
        self.commit_all(&numbers).await;
        Ok(())
    }

    /// Leaves the group.
    pub(super) async fn close(mut self) {
        if let Some(task) = self.committing.take() {
            task.await.ok();
        }
        let left = match Rc::try_unwrap(self.consumer) {
            Ok(consumer) => consumer.close(LEAVE).await,
            Err(_) => false,
        };
        if !left {
            tracing::warn!("the group was not left in time");
        }
    }

    fn is_busy(&self, partition: Option<i32>) -> bool {
        self.dispatch.flying(partition) > 0 || self.writer.unacknowledged(partition) > 0
    }

    /// Waits for the next end of anything. False: it is too late.
    async fn wait(&mut self, until: Instant) -> Result<bool, ForwardError> {
        tokio::select! {
            biased;
            told = self.writer.told() => self.told(told?),
            Some(news) = self.ended.recv() => self.over(news)?,
            () = sleep_until(until) => return Ok(false),
        }
        Ok(true)
    }

    /// Commits what is done of some partitions, after the commits that are being made.
    async fn commit_all(&mut self, numbers: &[i32]) {
        if let Some(task) = self.committing.take() {
            let failed = task.await.unwrap_or_default();
            self.uncommitted(failed);
        }
        let (busy, calm): (Vec<i32>, Vec<i32>) = numbers
            .iter()
            .partition(|number| self.is_busy(Some(**number)));
        // Left in order: that is to be told even if nothing else is.
        let left = calm
            .iter()
            .flat_map(|number| [(Source::Inbox, *number), (Source::Retry, *number)]);
        self.uncommitted(left.collect());
        let mut due = self.due(&busy, true);
        due.extend(self.due(&calm, false));
        let failed = commit(&self.consumer, due).await;
        self.uncommitted(failed);
    }

    /// Commits failed.
    pub(super) fn uncommitted(&mut self, failed: Failed) {
        for (source, number) in failed {
            self.dispatch.uncommitted(source, number);
        }
    }
}

/// Makes commits, of many partitions at once. Returns those that failed.
pub(super) async fn commit(consumer: &Consumer, due: Vec<(Source, i32, Commit)>) -> Failed {
    let each = due.into_iter().map(async |(source, number, commit)| {
        let made = consumer.commit(of(source, number), commit.offset, &commit.metadata);
        match made.await {
            Ok(()) => None,
            Err(error) => {
                let result = error.label();
                Counter::ForwarderCommits { result }.inc();
                tracing::warn!(%error, partition = number, "what is done was not committed");
                Some((source, number))
            }
        }
    });
    join_all(each).await.into_iter().flatten().collect()
}
