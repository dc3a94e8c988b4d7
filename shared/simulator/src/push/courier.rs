//! One connection to a webhook.
//!
//! In: parcels, one at a time (`postman.rs`). Out: requests on the wire, verdicts for the plan
//! (`world/polling/pushed.rs`), attempts for `deliveries.rs`. Invariant: an answer ends its attempt once: what
//! it asks for is performed first, then the plan hears of it, then it is noted. The clock's 60 s end
//! an attempt that has no whole answer. A webhook that is deleted drops its couriers where they are.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::deliveries::{Delivery, Underway};
use super::dial::{self, Stream};
use super::lane;
use super::plan::Parcel;
use super::request::Target;
use super::response::Reply;
use super::schedule::{DEADLINE, IDLE};
use super::verdict::{self, Broken, Ending, Verdict, judge};
use crate::http::framing::{Body, Step};
use crate::http::head::Head;
use crate::http::intake::Taken;
use crate::methods;
use crate::route::Environment;
use crate::shared::Shared;

/// Read at once.
const PIECE: usize = 16 << 10;
/// What a server may send that was not asked.
const AHEAD: usize = 64 << 10;

/// Carries one webhook's parcels over one connection.
pub(crate) struct Courier {
    pub(crate) shared: Arc<Shared>,
    pub(crate) environment: Environment,
    pub(crate) bot: i64,
    pub(crate) connection: u64,
    pub(crate) target: Arc<Target>,
    pub(crate) parcels: mpsc::Receiver<Parcel>,
    /// Ends when the webhook does.
    pub(crate) stop: CancellationToken,
}

/// An open connection.
struct Link {
    stream: Box<dyn Stream>,
    /// Received and not yet read.
    arrived: BytesMut,
}

impl Courier {
    /// Carries parcels until the connection or the webhook ends.
    pub(crate) async fn run(mut self) {
        let stop = self.stop.clone();
        tokio::select! {
            biased;
            () = stop.cancelled() => {}
            () = self.carry() => {}
        }
    }

    async fn carry(&mut self) {
        let mut link = None;
        while let Some(parcel) = self.parcel(&mut link).await {
            if !self.deliver(parcel, &mut link).await {
                return;
            }
        }
    }

    /// The next parcel; none when the connection has ended or idled for too long before it came.
    async fn parcel(&mut self, link: &mut Option<Link>) -> Option<Parcel> {
        let Some(open) = link else {
            return self.parcels.recv().await;
        };
        let shared = Arc::clone(&self.shared);
        tokio::select! {
            biased;
            parcel = self.parcels.recv() => return parcel,
            () = open.gone() => {}
            () = shared.config.clock.sleep(IDLE) => {}
        }
        // Parcels are given out under the same lock: either one is here, or none will come.
        let mut world = shared.world(self.environment);
        let parcel = self.parcels.try_recv().ok();
        if parcel.is_none()
            && !self.stop.is_cancelled()
            && let Some(bot) = world.bots.get_mut(&self.bot)
        {
            bot.polling.hung_up(self.connection);
            world.due.touch(self.bot);
        }
        parcel
    }

    /// Delivers a parcel; gives whether the connection carries on.
    async fn deliver(&mut self, parcel: Parcel, link: &mut Option<Link>) -> bool {
        let shared = Arc::clone(&self.shared);
        let clock = &shared.config.clock;
        let head = self.target.head(parcel.body.len());
        let request = head
            .as_ref()
            .map(|head| Bytes::from([head.as_bytes(), parcel.body.as_bytes()].concat()))
            .unwrap_or_default();
        let noted = self.note(&parcel, request.clone());
        let deadline = clock.now() + DEADLINE;
        let written = AtomicBool::new(false);
        let result = match head {
            Err(broken) => Err(broken),
            Ok(_) => tokio::select! {
                biased;
                result = self.exchange(link, &request, &written, &noted) => result,
                () = clock.sleep_until(deadline) => Err(match written.load(Ordering::Relaxed) {
                    true => Broken::ReadTimeout,
                    false => Broken::WriteTimeout,
                }),
            },
        };
        // An answer that overtook its request leaves the rest of the request unsent.
        let stays = written.load(Ordering::Relaxed)
            && result.as_ref().is_ok_and(|(reply, _)| reply.keep_alive);
        self.settle(result, stays, noted);
        stays
    }

    /// Writes a request and reads its answer, both at once.
    async fn exchange(
        &self,
        link: &mut Option<Link>,
        request: &[u8],
        written: &AtomicBool,
        noted: &Underway,
    ) -> Result<(Reply, Taken), Broken> {
        if link.is_none() {
            let stream = dial::dial(&self.shared, self.environment, self.bot, &self.target).await?;
            *link = Some(Link {
                stream,
                arrived: BytesMut::new(),
            });
        }
        let Some(Link { stream, arrived }) = link else {
            return Err(Broken::Closed);
        };
        let (mut source, mut sink) = tokio::io::split(stream);
        let writing = async {
            sink.write_all(request).await?;
            sink.flush().await
        };
        let keep = self.shared.config.file_keep;
        let reading = answer(&mut source, arrived, keep, noted);
        tokio::pin!(writing, reading);
        let mut failed = None;
        loop {
            tokio::select! {
                biased;
                result = &mut reading => {
                    // The end of a connection that could not be written to is not the news.
                    return match (result, failed) {
                        (Err(Broken::Closed), Some(failed)) => Err(failed),
                        (result, _) => result,
                    };
                }
                result = &mut writing, if failed.is_none() && !written.load(Ordering::Relaxed) => {
                    match result {
                        Ok(()) => written.store(true, Ordering::Relaxed),
                        Err(error) => failed = Some(dial::system(error)),
                    }
                }
            }
        }
    }

    /// Performs what the answer asks for, tells the plan, and notes it all.
    fn settle(&self, result: Result<(Reply, Taken), Broken>, stays: bool, noted: Underway) {
        let clock = &self.shared.config.clock;
        let (ending, taken) = match result {
            Ok((reply, taken)) => (reply.ending(), Some(taken)),
            Err(broken) => (Ending::Broken(broken), None),
        };
        let verdict = judge(&ending);
        let performed = taken
            .filter(|_| verdict == Verdict::Taken)
            .and_then(|taken| {
                let method = verdict::method(&taken.arguments)?;
                let (shared, environment) = (&self.shared, self.environment);
                Some(methods::perform_reply(
                    shared,
                    environment,
                    self.bot,
                    method,
                    &taken,
                ))
            });
        {
            let mut world = self.shared.world(self.environment);
            // Under the lock: what was cancelled before is not this webhook's any more.
            if self.stop.is_cancelled() {
                return;
            }
            if let Some(bot) = world.bots.get_mut(&self.bot) {
                let (now, unix) = (clock.now(), clock.unix());
                bot.polling
                    .pushed(self.connection, &verdict, stays, now, unix);
            }
            world.due.touch(self.bot);
        }
        let status = match &ending {
            Ending::Answered { status, .. } => Some(*status),
            Ending::Broken(_) => None,
        };
        let error = match verdict {
            Verdict::Taken => None,
            Verdict::Failed { message, .. } => Some(message),
        };
        noted.end(status, error, performed);
    }

    fn note(&self, parcel: &Parcel, request: Bytes) -> Underway {
        let clock = &self.shared.config.clock;
        let text = parcel.body.split_once(",\n").map_or("", |(_, text)| text);
        let delivery = Delivery {
            id: 0,
            environment: self.environment,
            bot: self.bot,
            update_id: parcel.update,
            kind: lane::split(text).0.to_owned(),
            queue: parcel.lane.name().to_owned(),
            attempt: parcel.attempt,
            connection: self.connection,
            request,
            sent: clock.now(),
            head: Bytes::new(),
            body: Bytes::new(),
            status: None,
            error: None,
            ended: None,
            performed: None,
        };
        self.shared.deliveries.begin(delivery, clock)
    }
}

impl Link {
    /// Ends when the server closes; what it sends without being asked is kept.
    async fn gone(&mut self) {
        while self.arrived.len() < AHEAD {
            if !matches!(self.stream.read_buf(&mut self.arrived).await, Ok(1..)) {
                return;
            }
        }
    }
}

/// Reads an answer whole.
async fn answer(
    source: &mut (impl AsyncRead + Unpin),
    arrived: &mut BytesMut,
    keep: usize,
    noted: &Underway,
) -> Result<(Reply, Taken), Broken> {
    let unreadable = |refusal: crate::http::Refusal| Broken::Unreadable(refusal.reason);
    let head = loop {
        if let Some(head) = Head::cut(arrived).map_err(unreadable)? {
            break head;
        }
        more(source, arrived).await?;
    };
    let mut wire = Vec::new();
    noted.answered(head.clone(), Vec::new());
    let reply = Reply::read(&head)?;
    let mut intake = reply.intake(keep)?;
    let mut body = Body::new(reply.framing, true);
    loop {
        let step = body.step(arrived).map_err(unreadable)?;
        body.wire()
            .iter()
            .for_each(|bytes| wire.extend_from_slice(bytes));
        match step {
            Step::Content(content) => intake.push(&content).map_err(unreadable)?,
            Step::Hungry => more(source, arrived).await?,
            Step::Done => break,
        }
    }
    noted.answered(head, wire);
    Ok((reply, intake.finish().map_err(unreadable)?))
}

async fn more(source: &mut (impl AsyncRead + Unpin), arrived: &mut BytesMut) -> Result<(), Broken> {
    arrived.reserve(PIECE);
    match source.read_buf(arrived).await {
        Ok(0) => Err(Broken::Closed),
        Ok(_) => Ok(()),
        Err(error) => Err(dial::system(error)),
    }
}
