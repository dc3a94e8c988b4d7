//! Placeholder of the signatures.
use gramtap_events::Topic;

use super::Log;
use crate::consume::{Commit, Consumer, ConsumerOptions, TopicPartition};
use crate::error::{CommitError, ConsumeError};

pub(crate) struct Handle;

impl Handle {
    pub(crate) async fn commit(&self, _: Commit) -> Result<(), CommitError> {
        Err(CommitError::Closed)
    }
    pub(crate) fn pause(&self, _: TopicPartition, _: bool) {}
}

pub(crate) fn join(
    _: &Log,
    _: &str,
    _: &[&'static Topic],
    _: ConsumerOptions,
) -> Result<Consumer, ConsumeError> {
    Err(ConsumeError::Closed)
}
