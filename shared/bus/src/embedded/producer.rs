//! Placeholder of the signatures.
use std::sync::Arc;

use super::Log;
use crate::error::BusError;
use crate::message::{Message, Ticket};
use crate::produce::{Health, Outcome, ProducerOptions, Refused, Reports};

pub(crate) struct Producer {
    reports: Reports,
}

impl Producer {
    pub(crate) fn new(
        _: &Log,
        _: ProducerOptions,
        _: Box<dyn Fn(Ticket, Outcome) + Send + Sync>,
    ) -> Result<Arc<Self>, BusError> {
        Err(BusError::ReadOnly)
    }
    pub(crate) fn offer(&self, message: Message, _: Ticket) -> Result<(), Refused> {
        Err(Refused {
            message,
            reason: crate::produce::Refusal::Closed,
        })
    }
    pub(crate) fn purge(&self) {}
    pub(crate) async fn warm(&self, _: std::time::Duration) -> Result<(), BusError> {
        Ok(())
    }
    pub(crate) fn health(&self) -> Health {
        unreachable!()
    }
    pub(crate) fn reports(&self) -> &Reports {
        &self.reports
    }
}
