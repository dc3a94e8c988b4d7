//! The webhook of all bots: answers 200 at once.
//!
//! In: requests of the forwarder, and of ingress where it passes an update on (`server.rs`). Out: when which update came first.
//! Invariant: the time is taken when the request is whole, before it is answered.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::updates;
use crate::server;
use crate::upstream::head;

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
/// How long what was pushed may take to come.
const PATIENCE: Duration = Duration::from_secs(60);

/// When an update came, by its number.
type Came = HashMap<u64, Instant>;

/// See the file's header. Ends with the process.
pub(crate) struct Endpoint {
    pub(crate) address: SocketAddr,
    came: Arc<Mutex<Came>>,
}

impl Endpoint {
    pub(crate) fn start() -> Result<Self> {
        let came = Arc::<Mutex<Came>>::default();
        let noted = Arc::clone(&came);
        let address = server::start("the bots' webhook", move |stream| {
            serve(stream, Arc::clone(&noted))
        })?;
        Ok(Self { address, came })
    }

    /// The updates that came since the last time.
    pub(crate) fn take(&self) -> Came {
        std::mem::take(&mut lock(&self.came))
    }

    /// Waits until all of these may be taken.
    pub(crate) async fn until(&self, numbers: Range<u64>) -> Result<()> {
        let until = Instant::now() + PATIENCE;
        loop {
            let missing = {
                let came = lock(&self.came);
                let mut numbers = numbers.clone();
                numbers.find(|number| !came.contains_key(number))
            };
            let Some(missing) = missing else {
                return Ok(());
            };
            ensure!(Instant::now() < until, "update {missing} does not come");
            // paced: it tells nobody
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

fn lock(came: &Mutex<Came>) -> MutexGuard<'_, Came> {
    came.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve(mut stream: TcpStream, came: Arc<Mutex<Came>>) -> Result<()> {
    let mut read = Vec::with_capacity(2 * 1024);
    loop {
        let found = match read.is_empty() {
            true => None,
            false => head(&read)?,
        };
        let whole = found.map(|(head, _, body)| (head, head + body));
        match whole {
            Some((head, end)) if read.len() >= end => {
                let number = updates::number(&read[head..end]).context("another's update")?;
                lock(&came).entry(number).or_insert_with(Instant::now);
                read.drain(..end);
                stream.write_all(ANSWER).await?;
            }
            _ => {
                if stream.read_buf(&mut read).await? == 0 {
                    return Ok(());
                }
            }
        }
    }
}
