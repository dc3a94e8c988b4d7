//! One connection to a webhook.
//!
//! In: parcels, one at a time (`postman.rs`). Out: requests on the wire, verdicts for the plan
//! (`world/polling/pushed.rs`), attempts for `deliveries.rs`. Invariant: an answer ends its attempt
//! once: what it asks for is performed first, then the plan hears of it, then it is noted. The clock's
//! 60 s end an attempt that has no whole answer. A webhook that is deleted drops its couriers where
//! they are.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::deliveries::{Delivery, Underway};
use super::dial;
use super::exchange::{Heard, Link, Progress};
use super::plan::Parcel;
use super::request::Target;
use super::response::Reply;
use super::schedule::{DEADLINE, IDLE};
use super::verdict::{self, Broken, Ending, Verdict, judge};
use crate::http::intake::Taken;
use crate::methods;
use crate::route::Environment;
use crate::shared::Shared;

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
            drop(world);
            shared.changes.tell();
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
        let mut progress = Progress::default();
        let result = match head {
            Err(broken) => Some(Err(broken)),
            Ok(_) => tokio::select! {
                biased;
                result = self.ask(link, &request, &mut progress) => Some(result),
                () = clock.sleep_until(deadline) => None,
            },
        };
        let result = result.unwrap_or(Err(match progress.written {
            true => Broken::ReadTimeout,
            false => Broken::WriteTimeout,
        }));
        // An answer that overtook its request leaves the rest of the request unsent.
        let stays = progress.written && result.as_ref().is_ok_and(|(reply, _)| reply.keep_alive);
        self.settle(result, stays, progress.heard, noted);
        stays
    }

    /// Asks over the connection; opens it first if it is not open yet.
    async fn ask(
        &self,
        link: &mut Option<Link>,
        request: &[u8],
        progress: &mut Progress,
    ) -> Result<(Reply, Taken), Broken> {
        let shared = &self.shared;
        let link = match link {
            Some(link) => link,
            none => {
                let target = &self.target;
                let stream = dial::dial(shared, self.environment, self.bot, target).await?;
                none.insert(Link::over(stream))
            }
        };
        link.exchange(request, &shared.config, progress).await
    }

    /// Performs what the answer asks for, tells the plan, and notes it all.
    fn settle(
        &self,
        result: Result<(Reply, Taken), Broken>,
        stays: bool,
        heard: Heard,
        noted: Underway,
    ) {
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
        noted.end(heard, status, error, performed);
    }

    fn note(&self, parcel: &Parcel, request: Bytes) -> Underway {
        let clock = &self.shared.config.clock;
        let delivery = Delivery {
            id: 0,
            environment: self.environment,
            bot: self.bot,
            update_id: parcel.update,
            kind: parcel.kind.clone(),
            queue: parcel.queue,
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
        Underway::begin(&self.shared, delivery)
    }
}
