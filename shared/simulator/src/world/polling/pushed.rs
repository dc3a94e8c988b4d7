//! A bot's updates as they are pushed to its webhook.
//!
//! In: `push/postman.rs` asks what goes out, `push/courier.rs` tells what came of it. Out: parcels,
//! and the webhook's last error, which getWebhookInfo shows. Invariant: without a webhook nothing goes
//! out; a webhook that is gone for 23 h is deleted, its updates stay for getUpdates.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::Polling;
use crate::json::Raw;
use crate::push::plan::{Overview, Parcel};
use crate::push::request::Target;
use crate::push::verdict::Verdict;
use crate::world::webhook::Webhook;

/// What goes out now, and whereto.
pub(crate) struct Outgoing {
    pub(crate) parcels: Vec<Parcel>,
    pub(crate) target: Arc<Target>,
    /// Ends when the webhook does.
    pub(crate) stop: CancellationToken,
    /// When to ask again, if nothing happens before.
    pub(crate) again: Option<Duration>,
}

impl<W> Polling<W> {
    /// What is to be pushed now; none if there is no webhook.
    pub(crate) fn outgoing(&mut self, now: Duration) -> Option<Outgoing> {
        let plan = self.plan.as_mut()?;
        let (parcels, again) = plan.next(&mut self.queue, &mut self.connections, now);
        Some(Outgoing {
            parcels,
            target: Arc::clone(&plan.target),
            stop: plan.stop().clone(),
            again,
        })
    }

    /// What was out on a connection has ended; `stays` if the connection carries on.
    pub(crate) fn pushed(
        &mut self,
        connection: u64,
        verdict: &Verdict,
        stays: bool,
        now: Duration,
        unix: i64,
    ) {
        let Some(plan) = &mut self.plan else {
            return;
        };
        if let Verdict::Failed { message, .. } = verdict {
            self.webhook.last_error = Some((unix, message.clone()));
        }
        if plan.ended(connection, verdict, stays, &mut self.queue, now) {
            self.begin(Webhook::default());
        }
    }

    /// A connection that carried nothing has ended.
    pub(crate) fn hung_up(&mut self, connection: u64) {
        if let Some(plan) = &mut self.plan {
            plan.closed(connection);
        }
    }

    /// The address found for the webhook's host, while it is good.
    pub(crate) fn resolved(&self, now: Duration) -> Option<IpAddr> {
        self.plan.as_ref()?.resolved(now)
    }

    /// An address was found for the webhook's host.
    pub(crate) fn resolve(&mut self, address: IpAddr, seed: u64, now: Duration) {
        if let Some(plan) = &mut self.plan {
            plan.resolve(address, seed, now);
        }
    }

    /// How the webhook stands; none if there is none.
    pub(crate) fn overview(&self) -> Option<Overview> {
        self.plan.as_ref().map(|plan| plan.overview())
    }

    /// The result of getWebhookInfo.
    pub(crate) fn webhook_info(&mut self, allowed: Option<&[&str]>, now: Duration) -> Raw {
        let pending = self.queue.pending(now);
        let found = self.plan.as_ref().and_then(|plan| plan.shown_address());
        self.webhook.info(pending, allowed, found)
    }
}
