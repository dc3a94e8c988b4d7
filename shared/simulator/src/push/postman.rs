//! Gives every webhook's parcels to its couriers.
//!
//! In: bots to look at (`world/due.rs`), and the times that their plans asked for. Out: parcels, each
//! to the courier of its connection (`courier.rs`); new couriers for new connections.
//! Invariant: a parcel is handed over under the lock it was planned under. All couriers belong to this
//! one's set, so that ending it ends them; a panic in one ends its connection.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::courier::Courier;
use super::plan::Parcel;
use crate::route::Environment;
use crate::shared::Shared;

/// A bot in one environment.
type Place = (Environment, i64);

struct Postman {
    shared: Arc<Shared>,
    /// The couriers by their bots and connections.
    lines: HashMap<(Place, u64), mpsc::Sender<Parcel>>,
    /// When to look at a bot again.
    again: HashMap<Place, Duration>,
    couriers: JoinSet<(Place, u64)>,
}

/// Serves all webhooks until told to stop.
pub(crate) async fn run(shared: Arc<Shared>, stop: CancellationToken) {
    let mut postman = Postman {
        shared: Arc::clone(&shared),
        lines: HashMap::new(),
        again: HashMap::new(),
        couriers: JoinSet::new(),
    };
    loop {
        postman.round();
        let next = postman.again.values().min().copied();
        let time = async {
            match next {
                Some(at) => shared.config.clock.sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = stop.cancelled() => break,
            () = shared.bell.notified() => {}
            () = time => {}
            Some(ended) = postman.couriers.join_next() => match ended {
                Ok(line) => postman.over(line),
                Err(error) => tracing::error!(%error, "a courier's task failed"),
            },
        }
    }
    postman.couriers.shutdown().await;
}

impl Postman {
    /// Looks at every bot that is due.
    fn round(&mut self) {
        let now = self.shared.config.clock.now();
        for environment in [Environment::Production, Environment::Test] {
            let mut due = self.shared.world(environment).due.take();
            let timely = self.again.iter().filter(|(_, at)| **at <= now);
            due.extend(
                timely
                    .filter(|((own, _), _)| *own == environment)
                    .map(|((_, bot), _)| *bot),
            );
            for bot in due {
                self.look((environment, bot), now);
            }
        }
    }

    /// Hands out what one bot's webhook is to get now.
    fn look(&mut self, place: Place, now: Duration) {
        let shared = Arc::clone(&self.shared);
        let mut world = shared.world(place.0);
        let polling = world.bots.get_mut(&place.1).map(|bot| &mut bot.polling);
        let outgoing = polling.and_then(|polling| polling.outgoing(now));
        self.again.remove(&place);
        let Some(outgoing) = outgoing else {
            return;
        };
        if let Some(again) = outgoing.again {
            self.again.insert(place, again);
        }
        let mut fresh = Vec::new();
        for parcel in outgoing.parcels {
            let line = (place, parcel.connection);
            if parcel.fresh {
                let (sender, parcels) = mpsc::channel(1);
                self.lines.insert(line, sender);
                fresh.push(Courier {
                    shared: Arc::clone(&shared),
                    environment: place.0,
                    bot: place.1,
                    connection: parcel.connection,
                    target: Arc::clone(&outgoing.target),
                    parcels,
                    stop: outgoing.stop.clone(),
                });
            }
            let handed = self.lines.get(&line).map(|line| line.try_send(parcel));
            if !matches!(handed, Some(Ok(()))) {
                tracing::error!(bot = place.1, connection = line.1, "a courier is gone");
            }
        }
        drop(world);
        for courier in fresh {
            let line = (place, courier.connection);
            self.couriers.spawn(async move {
                courier.run().await;
                line
            });
        }
    }

    /// A courier has ended; another may have taken its number since, in a bot added anew.
    fn over(&mut self, line: (Place, u64)) {
        if self.lines.get(&line).is_some_and(mpsc::Sender::is_closed) {
            self.lines.remove(&line);
        }
    }
}
