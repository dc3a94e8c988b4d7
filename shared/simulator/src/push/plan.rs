//! What a webhook's connections do next: one bot's deliveries as a state machine.
//!
//! In: the clock's time, the bot's waiting updates, verdicts on what was sent. Out: [`Parcel`]s, and
//! when to ask again. `postman.rs` asks, `courier.rs` carries and reports. Invariant: pure; a
//! connection carries one update at a time, there are never more connections than max_connections;
//! dropping the plan stops its couriers.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use gramtap_telegram::Queue;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::lanes::{Lanes, Seen};
use super::pace::Pace;
use super::request::Target;
use super::schedule::{self, IDLE};
use super::verdict::Verdict;
use crate::world::queue::UpdateQueue;

/// 410 for longer than this without anything else between: the webhook is deleted.
const GONE: Duration = Duration::from_secs(23 * 3_600);

/// One webhook being served.
pub(crate) struct Plan {
    pub(crate) target: Arc<Target>,
    most: usize,
    lanes: Lanes,
    pace: Pace,
    /// By number.
    connections: BTreeMap<u64, Line>,
    gone_since: Option<Duration>,
    /// The address that the host's name stands for, and how long.
    resolved: Option<(IpAddr, Duration)>,
    stop: CancellationToken,
    _stops: DropGuard,
}

/// An open connection.
enum Line {
    /// This update is out on it.
    Busy(Queue, i64),
    /// Since then.
    Idle(Duration),
}

/// An update that goes out now.
pub(crate) struct Parcel {
    /// The number of its connection.
    pub(crate) connection: u64,
    /// The connection is to be opened first.
    pub(crate) fresh: bool,
    pub(crate) update: i64,
    /// As in the update: `message`.
    pub(crate) kind: String,
    pub(crate) queue: Queue,
    pub(crate) attempt: u32,
    pub(crate) body: String,
}

/// How a webhook stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Overview {
    pub(crate) connections: usize,
    pub(crate) in_flight: usize,
    pub(crate) lanes: Vec<Seen>,
}

impl Plan {
    pub(crate) fn new(target: Target, max_connections: i64) -> Self {
        let stop = CancellationToken::new();
        Self {
            target: Arc::new(target),
            most: usize::try_from(max_connections).unwrap_or(1).max(1),
            lanes: Lanes::default(),
            pace: Pace::default(),
            connections: BTreeMap::new(),
            gone_since: None,
            resolved: None,
            _stops: stop.clone().drop_guard(),
            stop,
        }
    }

    /// Ends when the plan does.
    pub(crate) fn stop(&self) -> &CancellationToken {
        &self.stop
    }

    /// What goes out now, and when to ask again if nothing happens before. New connections are
    /// numbered on from `numbers`.
    pub(crate) fn next(
        &mut self,
        waiting: &mut UpdateQueue,
        numbers: &mut u64,
        now: Duration,
    ) -> (Vec<Parcel>, Option<Duration>) {
        // Its courier closes it at the same time.
        let stays = |line: &Line| !matches!(line, Line::Idle(since) if now >= *since + IDLE);
        self.connections.retain(|_, line| stays(line));
        let mut parcels = Vec::new();
        loop {
            // As many are looked at as Telegram's server looks at.
            self.lanes.sort(waiting, 2 * self.most, now);
            match self.lanes.next_at() {
                None => return (parcels, None),
                Some(at) if at > now => return (parcels, Some(at)),
                Some(_) => {}
            }
            let mut lines = self.connections.iter();
            let idle = lines.find(|(_, line)| matches!(line, Line::Idle(_)));
            let idle = idle.map(|(number, _)| *number);
            if idle.is_none() {
                let wanted = self.lanes.count().min(self.most);
                if self.connections.len() >= self.pace.most(wanted, now) {
                    // An answer, or a connection's end, will ask again.
                    return (parcels, None);
                }
                let at = self.pace.next_at(now);
                if at > now {
                    return (parcels, Some(at));
                }
            }
            let Some(ready) = self.lanes.take(waiting, now) else {
                continue;
            };
            let Some(update) = waiting.get_one(ready.update) else {
                self.lanes.advance(ready.queue, now);
                continue;
            };
            let mut body = String::new();
            update.write(&mut body);
            let connection = idle.unwrap_or_else(|| {
                self.pace.opened(now);
                *numbers += 1;
                *numbers
            });
            self.connections
                .insert(connection, Line::Busy(ready.queue, ready.update));
            parcels.push(Parcel {
                connection,
                fresh: idle.is_none(),
                update: ready.update,
                kind: update.kind().to_owned(),
                queue: ready.queue,
                attempt: ready.attempt,
                body,
            });
        }
    }

    /// What was out on a connection has ended; `stays` if the connection carries on. Gives whether
    /// the webhook is to be deleted.
    pub(crate) fn ended(
        &mut self,
        connection: u64,
        verdict: &Verdict,
        stays: bool,
        waiting: &mut UpdateQueue,
        now: Duration,
    ) -> bool {
        let line = self.connections.remove(&connection);
        if stays && line.is_some() {
            self.connections.insert(connection, Line::Idle(now));
        }
        let carried = match line {
            Some(Line::Busy(queue, update)) => Some((queue, update)),
            Some(Line::Idle(_)) | None => None,
        };
        match verdict {
            Verdict::Taken => {
                self.pace.success(now);
                self.gone_since = None;
                if let Some((queue, update)) = carried {
                    waiting.delivered(update);
                    self.lanes.advance(queue, now);
                }
                false
            }
            Verdict::Failed {
                retry_after,
                status,
                ..
            } => {
                if let Some((queue, _)) = carried {
                    self.lanes.fail(queue, waiting, *retry_after, now);
                }
                self.gone(*status, now)
            }
        }
    }

    /// A connection that carried nothing has ended.
    pub(crate) fn closed(&mut self, connection: u64) {
        self.connections.remove(&connection);
    }

    /// The address found for the host's name, while it is good.
    pub(crate) fn resolved(&self, now: Duration) -> Option<IpAddr> {
        self.resolved
            .filter(|(_, until)| now < *until)
            .map(|(address, _)| address)
    }

    /// An address was found for the host's name.
    pub(crate) fn resolve(&mut self, address: IpAddr, seed: u64, now: Duration) {
        self.resolved = Some((address, now + schedule::address_life(seed)));
    }

    /// The address that getWebhookInfo shows.
    pub(crate) fn shown_address(&self) -> Option<IpAddr> {
        let found = self.resolved.map(|(address, _)| address);
        found.or_else(|| self.target.address.ip())
    }

    pub(crate) fn overview(&self) -> Overview {
        let lines = self.connections.values();
        let out = lines.filter(|line| matches!(line, Line::Busy(..)));
        Overview {
            connections: self.connections.len(),
            in_flight: out.count(),
            lanes: self.lanes.seen(),
        }
    }

    /// Counts 410s; no answer at all says nothing.
    fn gone(&mut self, status: Option<u16>, now: Duration) -> bool {
        match (status, self.gone_since) {
            (None, _) => false,
            (Some(410), Some(since)) => now > since + GONE,
            (Some(410), None) => {
                self.gone_since = Some(now);
                false
            }
            (Some(_), _) => {
                self.gone_since = None;
                false
            }
        }
    }
}

#[cfg(test)]
mod tests;
