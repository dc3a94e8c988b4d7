//! A producer of Kafka.
//!
//! In: `Producer::offer`. Out: librdkafka's queue; its reports come back on the polling thread,
//! which is this producer's own. Invariant: idempotent, acks=all, so that an outage neither
//! doubles nor reorders; each envelope that librdkafka took is reported once. Kafka away: the
//! ledger's bound refuses, nothing expires unless the options say so. Dropped: the polling thread
//! purges what waits, reports it, and ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use gramtap_events::topics::ALL;
use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Header, Message as _, OwnedHeaders};
use rdkafka::producer::{
    BaseProducer, BaseRecord, NoCustomPartitioner, Producer as _, ProducerContext, PurgeConfig,
};

use super::context::{Context, Link};
use super::{Kafka, QUESTION, fault};
use crate::error::BusError;
use crate::message::{Message, Position, Ticket};
use crate::produce::reports::{Envelope, Reports};
use crate::produce::{Health, Outcome, ProducerOptions, Refusal, Refused};
use crate::thread;

/// How long the polling thread waits for something to report before it looks whether it is to end. Long, because rdkafka counts whole milliseconds and
/// spins through the last one.
const POLL: Duration = Duration::from_secs(1);

type Native = BaseProducer<Reporting, NoCustomPartitioner>;

/// See the file's header.
pub(crate) struct Producer {
    native: Arc<Native>,
    reports: Arc<Reports>,
    link: Arc<Link>,
    ending: Arc<AtomicBool>,
}

/// The context that turns delivery reports into ours.
struct Reporting {
    context: Context,
    reports: Arc<Reports>,
}

impl ClientContext for Reporting {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        self.context.log(level, facility, line);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.context.error(error, reason);
    }

    fn stats_raw(&self, statistics: &[u8]) {
        self.context.stats_raw(statistics);
    }
}

impl ProducerContext for Reporting {
    type DeliveryOpaque = Box<Envelope>;

    fn delivery(&self, result: &DeliveryResult<'_>, envelope: Box<Envelope>) {
        let outcome = match result {
            Ok(message) => {
                self.context.link.set_up(true);
                Ok(Position {
                    partition: message.partition(),
                    // Negative where the broker had it already from an earlier attempt.
                    offset: (message.offset() >= 0).then_some(message.offset()),
                })
            }
            Err((error, _)) => Err(fault::produce(error)),
        };
        self.reports.report(&envelope, outcome);
    }
}

impl Producer {
    pub(crate) fn new(
        kafka: &Kafka,
        options: ProducerOptions,
        on_report: Box<dyn Fn(Ticket, Outcome) + Send + Sync>,
    ) -> Result<Arc<Self>, BusError> {
        let mut config = kafka.writing();
        let expiry = options.expiry.map_or(0, |expiry| expiry.as_millis().max(1));
        config
            .set("linger.ms", options.linger.as_millis().to_string())
            .set("message.timeout.ms", expiry.to_string())
            // The ledger is the bound; librdkafka's own, which counts differently, is twice that.
            .set(
                "queue.buffering.max.messages",
                (options.max_records * 2).to_string(),
            )
            .set(
                "queue.buffering.max.kbytes",
                (options.max_bytes / 512 + 2_048).to_string(),
            )
            .set("statistics.interval.ms", "1000");
        let reports = Arc::new(Reports::new(&options, on_report));
        let context = Context::new(options.name);
        let link = Arc::clone(&context.link);
        let reporting = Reporting {
            context,
            reports: Arc::clone(&reports),
        };
        let native: Native = config
            .create_with_context(reporting)
            .map_err(|error| fault::setting(&error))?;
        let producer = Self {
            native: Arc::new(native),
            reports,
            link,
            ending: Arc::default(),
        };
        let (native, link) = (Arc::clone(&producer.native), Arc::clone(&producer.link));
        let ending = Arc::clone(&producer.ending);
        thread::spawn("bus-producer", move || poll(native, &link, &ending))?;
        Ok(Arc::new(producer))
    }

    pub(crate) fn offer(&self, message: Message, ticket: Ticket) -> Result<(), Refused> {
        let refused = |message, reason| Err(Refused { message, reason });
        if self.link.is_broken() {
            return refused(message, Refusal::Closed);
        }
        let envelope = match self.reports.accept(&message, ticket) {
            Ok(envelope) => Box::new(envelope),
            Err(reason) => return refused(message, reason),
        };
        let sent = self.native.send(record(&message, envelope));
        let (code, envelope) = match sent {
            Ok(()) => return Ok(()),
            Err((error, record)) => (error.rdkafka_error_code(), record.delivery_opaque),
        };
        let reason = match code {
            Some(RDKafkaErrorCode::QueueFull) => Refusal::Full,
            Some(RDKafkaErrorCode::MessageSizeTooLarge) => Refusal::TooLarge,
            Some(RDKafkaErrorCode::Fatal) => Refusal::Closed,
            // The topic is gone, or similar: a report like any other, on the caller's thread.
            _ => {
                let text = code.map_or_else(|| "not taken".to_owned(), |code| code.to_string());
                self.reports
                    .report(&envelope, Err(crate::ProduceError::Refused(text)));
                return Ok(());
            }
        };
        self.reports.retract(&envelope);
        refused(message, reason)
    }

    pub(crate) fn purge(&self) {
        self.native.purge(PurgeConfig::default().queue().inflight());
    }

    /// Waits until a broker is connected and has given the producer its id. Where the table's
    /// topics are is asked on the way: the first record would wait for that as well.
    pub(crate) async fn warm(&self, deadline: Duration) -> Result<(), BusError> {
        let until = Instant::now() + deadline;
        let native = Arc::clone(&self.native);
        let asked = thread::ask("bus-warm", move || {
            ALL.iter().try_for_each(|topic| {
                let left = until
                    .saturating_duration_since(Instant::now())
                    .min(QUESTION);
                let asked = native.client().fetch_metadata(Some(topic.name), left);
                asked.map(drop)
            })
        });
        asked.await?.map_err(|error| fault::ask(&error))?;
        let left = until.saturating_duration_since(Instant::now());
        let identified = tokio::time::timeout(left, self.link.identified()).await;
        identified.map_err(|_| BusError::Unreachable("no producer id in time".to_owned()))
    }

    pub(crate) fn health(&self) -> Health {
        let broken = self.link.fatal();
        self.reports
            .health(self.link.up() && broken.is_none(), broken)
    }

    pub(crate) fn reports(&self) -> &Reports {
        &self.reports
    }
}

impl Drop for Producer {
    fn drop(&mut self) {
        self.ending.store(true, Ordering::Release);
    }
}

fn record(message: &Message, envelope: Box<Envelope>) -> BaseRecord<'_, [u8], [u8], Box<Envelope>> {
    let mut record = BaseRecord::with_opaque_to(message.topic.name, envelope);
    record.key = message.key.as_deref();
    record.payload = message.payload.as_deref();
    record.headers = headers(&message.headers);
    record
}

pub(super) fn headers(headers: &[crate::Header]) -> Option<OwnedHeaders> {
    let native = OwnedHeaders::new_with_capacity(headers.len());
    let native = headers.iter().fold(native, |native, header| {
        native.insert(Header {
            key: &header.name,
            value: Some(&header.value[..]),
        })
    });
    (!headers.is_empty()).then_some(native)
}

/// The polling thread: reports until the producer is dropped, then gives back what waits.
fn poll(mut native: Arc<Native>, link: &Link, ending: &AtomicBool) {
    let mut purged = false;
    while !ending.load(Ordering::Acquire) {
        native.poll(POLL);
        if link.is_broken() && !purged {
            // librdkafka will send nothing any more: the owner gets everything back.
            purged = true;
            native.purge(PurgeConfig::default().queue().inflight());
        }
    }
    // Whoever drops the last reference runs the final purge: that must be this thread.
    loop {
        match Arc::try_unwrap(native) {
            Ok(last) => return drop(last),
            Err(shared) => {
                shared.poll(Duration::from_millis(1));
                native = shared;
            }
        }
    }
}
