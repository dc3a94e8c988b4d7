//! Transactions of Kafka.
//!
//! In: a `Transaction`'s calls, as commands. Out: a transactional producer on a thread of its own,
//! which librdkafka's blocking calls hold up. Invariant: a transaction that cannot be committed is
//! aborted before its caller is told, so that the next one can begin. Overloaded: `produce` waits
//! for room. Dropped: an open transaction is aborted.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::consumer::ConsumerGroupMetadata;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseRecord, Producer as _, ProducerContext, ThreadedProducer};
use rdkafka::{ClientContext, config::RDKafkaLogLevel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use super::context::Context;
use super::producer::headers;
use super::{Kafka, fault, offsets};
use crate::consume::{Commit, Engine, Membership};
use crate::error::TransactionError;
use crate::message::{LARGEST, Message};
use crate::thread;

/// After how long without a word from us the broker aborts a transaction.
const TIMEOUT: Duration = Duration::from_secs(10);

/// How long the brokers are waited for in one step.
const STEP: Duration = Duration::from_secs(30);

/// Records on their way to the thread at most.
const ROOM: usize = 5_000;

type Native = ThreadedProducer<Transacting>;
type Reply = oneshot::Sender<Result<(), TransactionError>>;

/// The port's side of a transactor.
pub(crate) struct Handle {
    commands: mpsc::UnboundedSender<Command>,
    room: Arc<Semaphore>,
    /// Why the open transaction cannot be committed.
    failed: Arc<Mutex<Option<TransactionError>>>,
}

enum Command {
    Begin(Reply),
    Produce(Message, OwnedSemaphorePermit),
    Offsets(Box<ConsumerGroupMetadata>, Vec<Commit>, Reply),
    Commit(Reply),
    Abort(Option<Reply>),
}

impl Handle {
    pub(crate) async fn new(kafka: &Kafka, id: &str) -> Result<Self, TransactionError> {
        let mut config = kafka.writing();
        let timeout = TIMEOUT.as_millis().to_string();
        config
            .set("transactional.id", id)
            .set("transaction.timeout.ms", &timeout)
            .set("message.timeout.ms", &timeout)
            .set("linger.ms", "5");
        let (commands, queue) = mpsc::unbounded_channel();
        let failed = Arc::<Mutex<Option<TransactionError>>>::default();
        let (ready, started) = oneshot::channel();
        let noted = Arc::clone(&failed);
        let run = move || {
            let made = config
                .create_with_context(Transacting(Context::new("transactor")))
                .and_then(|native: Native| native.init_transactions(STEP).map(|()| native));
            match made {
                Ok(native) => {
                    ready.send(Ok(())).ok();
                    let serving = Serving {
                        native,
                        failed: noted,
                        open: false,
                        over: None,
                    };
                    serving.run(queue);
                }
                Err(error) => drop(ready.send(Err(fault::start(&error)))),
            }
        };
        let spawned = thread::spawn("bus-transactor", run);
        spawned.map_err(|error| TransactionError::Fatal(error.to_string()))?;
        started.await.map_err(|_| ended())??;
        Ok(Self {
            commands,
            room: Arc::new(Semaphore::new(ROOM)),
            failed,
        })
    }

    pub(crate) async fn begin(&mut self) -> Result<(), TransactionError> {
        self.ask(Command::Begin).await
    }

    pub(crate) async fn produce(&mut self, message: Message) -> Result<(), TransactionError> {
        if message.size() > LARGEST {
            return Err(TransactionError::Aborted("too large".to_owned()));
        }
        if let Some(error) = self
            .failed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
        {
            return Err(error);
        }
        let room = Arc::clone(&self.room)
            .acquire_owned()
            .await
            .map_err(|_| ended())?;
        self.commands
            .send(Command::Produce(message, room))
            .map_err(|_| ended())
    }

    pub(crate) async fn send_offsets(
        &mut self,
        member: &Membership,
        offsets: Vec<Commit>,
    ) -> Result<(), TransactionError> {
        let Engine::Kafka(handle) = &member.engine else {
            return Err(TransactionError::Fatal(
                "the consumer is of another bus".to_owned(),
            ));
        };
        let group = handle.group();
        let group =
            group.ok_or_else(|| TransactionError::Aborted("the consumer has ended".to_owned()))?;
        self.ask(|reply| Command::Offsets(Box::new(group), offsets, reply))
            .await
    }

    pub(crate) async fn commit(&mut self) -> Result<(), TransactionError> {
        self.ask(Command::Commit).await
    }

    pub(crate) async fn abort(&mut self) -> Result<(), TransactionError> {
        self.ask(|reply| Command::Abort(Some(reply))).await
    }

    pub(crate) fn discard(&mut self) {
        // The thread has ended: nothing is open.
        self.commands.send(Command::Abort(None)).ok();
    }

    async fn ask(&self, command: impl FnOnce(Reply) -> Command) -> Result<(), TransactionError> {
        let (reply, answer) = oneshot::channel();
        self.commands.send(command(reply)).map_err(|_| ended())?;
        answer.await.unwrap_or_else(|_| Err(ended()))
    }
}

fn ended() -> TransactionError {
    TransactionError::Fatal("the transactor's thread has ended".to_owned())
}

/// Delivery reports are not looked at one by one: one that failed fails the commit.
struct Transacting(Context);

impl ClientContext for Transacting {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        self.0.log(level, facility, line);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.0.error(error, reason);
    }
}

impl ProducerContext for Transacting {
    type DeliveryOpaque = ();

    fn delivery(&self, _: &DeliveryResult<'_>, (): ()) {}
}

/// The state of the thread.
struct Serving {
    native: Native,
    failed: Arc<Mutex<Option<TransactionError>>>,
    open: bool,
    /// Why this transactor is of no further use.
    over: Option<TransactionError>,
}

impl Serving {
    fn run(mut self, mut queue: mpsc::UnboundedReceiver<Command>) {
        while let Some(command) = queue.blocking_recv() {
            // Whoever has stopped waiting need not know.
            match command {
                Command::Begin(reply) => drop(reply.send(self.begin())),
                Command::Produce(message, _room) => self.produce(&message),
                Command::Offsets(group, offsets, reply) => {
                    drop(reply.send(self.offsets(&group, &offsets)))
                }
                Command::Commit(reply) => drop(reply.send(self.commit())),
                Command::Abort(reply) => {
                    let aborted = self.abort();
                    if let Some(reply) = reply {
                        drop(reply.send(aborted));
                    }
                }
            }
        }
        drop(self.abort());
    }

    fn begin(&mut self) -> Result<(), TransactionError> {
        self.over.clone().map_or(Ok(()), Err)?;
        self.abort()?;
        let begun = self.native.begin_transaction();
        begun.map_err(|error| self.means(&error))?;
        self.open = true;
        Ok(())
    }

    fn produce(&mut self, message: &Message) {
        if !self.open || self.failed().is_some() {
            return;
        }
        let until = Instant::now() + TIMEOUT;
        loop {
            let mut record: BaseRecord<'_, [u8], [u8]> = BaseRecord::to(message.topic.name);
            record.key = message.key.as_deref();
            record.payload = message.payload.as_deref();
            record.headers = headers(&message.headers);
            let Err((error, _)) = self.native.send(record) else {
                return;
            };
            let full = error.rdkafka_error_code() == Some(RDKafkaErrorCode::QueueFull);
            if full && Instant::now() < until {
                std::thread::sleep(Duration::from_millis(10));
                continue;
            }
            let error = self.means(&error);
            return self.fail(error);
        }
    }

    fn offsets(
        &mut self,
        group: &ConsumerGroupMetadata,
        offsets: &[Commit],
    ) -> Result<(), TransactionError> {
        self.failed().map_or(Ok(()), Err)?;
        let sent = offsets::list(offsets).and_then(|list| {
            self.retry(|native, left| native.send_offsets_to_transaction(&list, group, left))
        });
        sent.map_err(|error| {
            let error = self.means(&error);
            self.fail(error.clone());
            error
        })
    }

    fn commit(&mut self) -> Result<(), TransactionError> {
        if let Some(error) = self.failed() {
            self.abort()?;
            return Err(error);
        }
        let Err(error) = self.retry(|native, left| native.commit_transaction(left)) else {
            self.open = false;
            return Ok(());
        };
        if matches!(&error, KafkaError::Transaction(error) if error.is_retriable()) {
            // Asked to commit, and no answer within the time: it may have been done.
            let error = TransactionError::Unknown(error.to_string());
            self.over = Some(error.clone());
            return Err(error);
        }
        let error = self.means(&error);
        if error.retry() {
            self.abort()?;
        }
        Err(error)
    }

    /// An abort that does not succeed is made up for by the next `begin`.
    fn abort(&mut self) -> Result<(), TransactionError> {
        *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = None;
        if self.open && self.over.is_none() {
            let aborted = self.retry(|native, left| native.abort_transaction(left));
            aborted.map_err(|error| self.means(&error))?;
            self.open = false;
        }
        Ok(())
    }

    /// Repeats a step while librdkafka says that this may help.
    fn retry(
        &self,
        step: impl Fn(&Native, Duration) -> Result<(), KafkaError>,
    ) -> Result<(), KafkaError> {
        let until = Instant::now() + STEP;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match step(&self.native, left.max(Duration::from_millis(1))) {
                Err(KafkaError::Transaction(error)) if error.is_retriable() && !left.is_zero() => {
                    std::thread::sleep(Duration::from_millis(50));
                }
                outcome => return outcome,
            }
        }
    }

    /// What an error means; after one for good nothing is tried any more.
    fn means(&mut self, error: &KafkaError) -> TransactionError {
        let text = error.to_string();
        let means = match (self.native.client().fatal_error(), error) {
            (Some((code, _)), _) if fault::is_fenced(code) => TransactionError::Fenced,
            (Some((_, reason)), _) => TransactionError::Fatal(reason),
            (None, KafkaError::Transaction(error)) if fault::is_fenced(error.code()) => {
                TransactionError::Fenced
            }
            (None, KafkaError::Transaction(error)) if error.is_fatal() => {
                TransactionError::Fatal(text)
            }
            (None, _) => TransactionError::Aborted(text),
        };
        if !means.retry() {
            self.over = Some(means.clone());
        }
        means
    }

    fn failed(&self) -> Option<TransactionError> {
        self.failed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn fail(&self, error: TransactionError) {
        *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
    }
}
