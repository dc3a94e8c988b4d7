//! What librdkafka's errors mean for the port's callers.
//!
//! In: errors of rdkafka. Out: `error.rs`. Invariant: the value of a setting is in none of them:
//! librdkafka's own text about a refused value holds it. Pure.

use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::consume::TopicPartition;
use crate::error::{BusError, CommitError, ConsumeError, ProduceError, TransactionError};

/// A client could not be set up.
pub(super) fn setting(error: &KafkaError) -> BusError {
    match error {
        KafkaError::ClientConfig(_, text, key, value) => BusError::Setting {
            key: key.clone(),
            reason: match value.is_empty() {
                true => text.clone(),
                false => text.replace(value.as_str(), "(value)"),
            },
        },
        KafkaError::ClientCreation(text) => BusError::Refused(text.clone()),
        error => BusError::Refused(error.to_string()),
    }
}

/// No broker can be reached, or not the right one yet: waiting may help.
pub(super) fn is_outage(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode as Code;
    matches!(
        code,
        Code::AllBrokersDown
            | Code::BrokerTransportFailure
            | Code::Resolve
            | Code::OperationTimedOut
            | Code::MessageTimedOut
            | Code::RequestTimedOut
            | Code::NetworkException
            | Code::BrokerNotAvailable
            | Code::LeaderNotAvailable
            | Code::CoordinatorNotAvailable
            | Code::CoordinatorLoadInProgress
            | Code::NotCoordinator
            | Code::NotLeaderForPartition
            | Code::WaitingForCoordinator
            | Code::Retry
    )
}

/// The question of a client that only asks.
pub(super) fn ask(error: &KafkaError) -> BusError {
    match error {
        KafkaError::ClientConfig(..) | KafkaError::ClientCreation(_) => setting(error),
        error if asked(error).is_some_and(is_outage) => BusError::Unreachable(error.to_string()),
        error => BusError::Refused(error.to_string()),
    }
}

/// The code of a question that failed. rdkafka tells none of the admin client's.
fn asked(error: &KafkaError) -> Option<RDKafkaErrorCode> {
    match error {
        KafkaError::AdminOp(code) => Some(*code),
        error => error.rdkafka_error_code(),
    }
}

/// Reading.
pub(super) fn read(error: &KafkaError) -> ConsumeError {
    use RDKafkaErrorCode as Code;
    match error.rdkafka_error_code() {
        Some(Code::UnknownTopic | Code::UnknownTopicOrPartition | Code::UnknownPartition) => {
            ConsumeError::Unknown(error.to_string())
        }
        Some(Code::FencedInstanceId) => ConsumeError::Fenced,
        Some(code) if is_outage(code) => ConsumeError::Unreachable(error.to_string()),
        _ => match error {
            KafkaError::ClientConfig(..) => ConsumeError::Failed(setting(error).to_string()),
            error => ConsumeError::Failed(error.to_string()),
        },
    }
}

/// A commit outside a transaction.
pub(super) fn commit(error: &KafkaError, partition: TopicPartition) -> CommitError {
    use RDKafkaErrorCode as Code;
    match error.rdkafka_error_code() {
        Some(
            Code::IllegalGeneration
            | Code::UnknownMemberId
            | Code::FencedInstanceId
            | Code::AssignmentLost,
        ) => CommitError::NotAssigned(partition),
        Some(Code::OffsetMetadataTooLarge) => CommitError::TooLarge,
        _ => CommitError::Failed(error.to_string()),
    }
}

/// The report of a record.
pub(super) fn produce(error: &KafkaError) -> ProduceError {
    use RDKafkaErrorCode as Code;
    match error.rdkafka_error_code() {
        // Whether it was sent is not told: it may have been.
        Some(Code::MessageTimedOut) => ProduceError::Expired { sent: true },
        Some(Code::PurgeQueue) => ProduceError::Purged { sent: false },
        Some(Code::PurgeInflight) => ProduceError::Purged { sent: true },
        Some(Code::MessageSizeTooLarge | Code::InvalidMessageSize) => ProduceError::TooLarge,
        Some(Code::Fatal) => ProduceError::Closed(error.to_string()),
        _ => ProduceError::Refused(error.to_string()),
    }
}

/// Another instance has the same transactional id.
pub(super) fn is_fenced(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode as Code;
    matches!(
        code,
        Code::Fenced | Code::ProducerFenced | Code::InvalidProducerEpoch
    )
}

/// The first step of a transactor.
pub(super) fn start(error: &KafkaError) -> TransactionError {
    match error.rdkafka_error_code() {
        Some(code) if is_fenced(code) => TransactionError::Fenced,
        Some(code) if is_outage(code) => TransactionError::Unreachable(error.to_string()),
        _ => match error {
            KafkaError::ClientConfig(..) => TransactionError::Fatal(setting(error).to_string()),
            error => TransactionError::Fatal(error.to_string()),
        },
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use rdkafka::ClientConfig;

    #[test]
    fn who_has_to_wait_is_told_apart_from_who_is_refused() {
        use RDKafkaErrorCode as Code;
        for (error, waits) in [
            (KafkaError::AdminOp(Code::OperationTimedOut), true),
            (KafkaError::AdminOp(Code::BrokerTransportFailure), true),
            (KafkaError::MetadataFetch(Code::AllBrokersDown), true),
            (KafkaError::AdminOp(Code::TopicAuthorizationFailed), false),
            (KafkaError::AdminOp(Code::InvalidConfig), false),
            (KafkaError::Canceled, false),
        ] {
            assert_eq!(ask(&error).retry(), waits, "{error}");
        }
    }

    #[test]
    fn a_refused_value_is_never_shown() {
        for (key, value) in [
            ("compression.type", "hunter2"),
            ("socket.timeout.ms", "hunter2"),
            ("no.such.setting", "hunter2"),
            ("sasl.mechanism.of.password", "hunter2"),
        ] {
            let error = ClientConfig::new()
                .set(key, value)
                .create_native_config()
                .err()
                .unwrap();
            let text = format!("{0} {0:?}", setting(&error));
            assert!(!text.contains("hunter2"), "{text}");
            assert!(text.contains(key), "{text}");
        }
    }
}
