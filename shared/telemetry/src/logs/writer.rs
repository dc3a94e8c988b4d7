//! The bounded way from a log line to standard error. Input: formatted lines of `logs.rs`, from
//! any thread. Output: the sink, written by a thread of its own. Invariant: a caller never waits
//! for the sink: a full pipe costs log lines, not calls. When more than 4 MiB wait, lines are
//! dropped, counted, and told of in the log as soon as there is room.

use std::{
    io::{self, Write},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, AtomicUsize, Ordering},
        mpsc,
    },
    time::Duration,
};

use tracing::{Level, Metadata};
use tracing_subscriber::fmt::MakeWriter;

use super::redacted;
use crate::{Counter, CounterHandle, Redact};

/// Bytes of lines that may wait.
const BOUND: usize = 4 << 20;

static PROCESS_QUEUE: OnceLock<Queue> = OnceLock::new();

/// The queue of lines. Clones share it; the thread ends with the last one.
#[derive(Clone, Debug)]
pub(crate) struct Queue {
    shared: Arc<Shared>,
    sender: mpsc::Sender<Entry>,
    redact: Redact,
    levels: [CounterHandle; 5],
}

#[derive(Debug, Default)]
struct Shared {
    waiting: AtomicUsize,
    dropped: AtomicU64,
}

enum Entry {
    Line(String),
    Flush(mpsc::SyncSender<()>),
}

impl Queue {
    /// Starts the thread that writes to `sink`.
    pub(crate) fn start(sink: impl Write + Send + 'static, redact: Redact) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let (sender, receiver) = mpsc::channel();
        let reader = Arc::clone(&shared);
        #[expect(
            clippy::disallowed_methods,
            reason = "actors stand beside this crate, not below"
        )]
        std::thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || write_all(sink, &receiver, &reader))?;
        let levels = ["error", "warn", "info", "debug", "trace"]
            .map(|level| Counter::LogLines { level }.handle());
        Ok(Self {
            shared,
            sender,
            redact,
            levels,
        })
    }

    /// Waits until what was queued before is written, `bound` at most.
    pub(crate) fn flush(&self, bound: Duration) {
        let (done, written) = mpsc::sync_channel(1);
        if self.sender.send(Entry::Flush(done)).is_ok() {
            // Either outcome ends the waiting; there is no log left to tell of the second.
            written.recv_timeout(bound).ok();
        }
    }

    fn push(&self, line: &[u8]) {
        let line = String::from_utf8_lossy(line);
        let line = redacted(&line, self.redact).into_owned();
        let size = line.len();
        let waiting = self.shared.waiting.fetch_add(size, Ordering::Relaxed);
        if waiting + size > BOUND || self.sender.send(Entry::Line(line)).is_err() {
            self.shared.waiting.fetch_sub(size, Ordering::Relaxed);
            self.shared.dropped.fetch_add(1, Ordering::Relaxed);
            Counter::LogLinesDropped.inc();
        }
    }
}

fn write_all(mut sink: impl Write, receiver: &mpsc::Receiver<Entry>, shared: &Shared) {
    while let Ok(entry) = receiver.recv() {
        match entry {
            Entry::Line(line) => {
                if sink.write_all(line.as_bytes()).is_err() {
                    Counter::LogLinesDropped.inc();
                }
                shared.waiting.fetch_sub(line.len(), Ordering::Relaxed);
                let dropped = shared.dropped.swap(0, Ordering::Relaxed);
                if dropped > 0 {
                    tracing::warn!(
                        dropped,
                        "log lines were dropped because they were not read in time"
                    );
                }
            }
            Entry::Flush(done) => {
                // The one who asked may have stopped waiting.
                sink.flush().ok();
                done.try_send(()).ok();
            }
        }
    }
}

/// Makes `queue` the one that [`process_queue`] gives.
pub(crate) fn set_process_queue(queue: &Queue) {
    PROCESS_QUEUE.get_or_init(|| queue.clone());
}

/// The queue of the process, once logs are set up.
pub(crate) fn process_queue() -> Option<&'static Queue> {
    PROCESS_QUEUE.get()
}

/// Takes one formatted event.
#[derive(Debug)]
pub(crate) struct Line<'a>(&'a Queue);

impl Write for Line<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.push(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Queue {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line(self)
    }

    fn make_writer_for(&'a self, metadata: &Metadata<'_>) -> Line<'a> {
        let level = match *metadata.level() {
            Level::ERROR => 0,
            Level::WARN => 1,
            Level::INFO => 2,
            Level::DEBUG => 3,
            _ => 4,
        };
        self.levels[level].inc();
        Line(self)
    }
}
