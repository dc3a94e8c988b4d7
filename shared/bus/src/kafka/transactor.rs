//! Placeholder of the signatures.
use super::Kafka;
use crate::consume::{Commit, Membership};
use crate::error::TransactionError;
use crate::message::Message;

pub(crate) struct Handle;

impl Handle {
    pub(crate) async fn new(_: &Kafka, _: &str) -> Result<Self, TransactionError> {
        Err(TransactionError::Fenced)
    }
    pub(crate) async fn begin(&mut self) -> Result<(), TransactionError> {
        Ok(())
    }
    pub(crate) async fn produce(&mut self, _: Message) -> Result<(), TransactionError> {
        Ok(())
    }
    pub(crate) async fn send_offsets(
        &mut self,
        _: &Membership,
        _: Vec<Commit>,
    ) -> Result<(), TransactionError> {
        Ok(())
    }
    pub(crate) async fn commit(&mut self) -> Result<(), TransactionError> {
        Ok(())
    }
    pub(crate) async fn abort(&mut self) -> Result<(), TransactionError> {
        Ok(())
    }
    pub(crate) fn discard(&mut self) {}
}
