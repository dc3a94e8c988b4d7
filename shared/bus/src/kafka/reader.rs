//! Placeholder of the signatures.
use super::Kafka;
use crate::consume::{Offset, Reader, TopicPartition};
use crate::error::ConsumeError;

pub(crate) async fn read(
    _: &Kafka,
    _: Vec<(TopicPartition, Offset)>,
    _: crate::consume::Isolation,
) -> Result<Reader, ConsumeError> {
    Err(ConsumeError::Closed)
}
