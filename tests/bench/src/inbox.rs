//! Updates that are pushed to bots in inbox mode, on Kafka: how many a second are taken in, and how soon they are at their bots.
//!
//! In: the site. Out: numbers, once a round. An open load (`inbox/telegram.rs`) of messages (`inbox/updates.rs`): first at the given rates (`inbox/rates.rs`), then the highest
//! that is held is looked for (`inbox/search.rs`). Then a forwarder (`inbox/forwarder.rs`) delivers (`inbox/delivery.rs`) to the bots' webhook, which is in this process
//! (`inbox/endpoint.rs`), from where the inbox ends (`inbox/group.rs`). Ingress has the proxies' core; Kafka, the load and the forwarder have the other one.
//! Invariant: an update that is answered 200 is in the inbox or was passed on to its bot at once, or the run fails. Where Kafka stands still for a second, ingress may
//! pass updates on or have Telegram send them again: what is told is of times when it did neither.

mod delivery;
pub(crate) mod endpoint;
mod forwarder;
mod group;
mod rates;
mod search;
mod telegram;
mod updates;

use anyhow::Result;

use crate::proxy::{Proxy, Subject};
use crate::site::Site;
use crate::values::Values;
use crate::work::Plan;
use telegram::Telegram;

/// Updates a second while they are delivered.
const DELIVERED: f64 = 500.0;

/// All of it, with an ingress of its own.
pub(crate) async fn measure(site: &Site, plan: &Plan, values: &mut Values) -> Result<()> {
    let hooks = telegram::connect(site).await?;
    let ingress = Proxy::start(Subject::Gramtap, site, false).await?;
    let mut telegram = Telegram::new(site, hooks, &ingress.target).await?;
    // What the round before has left.
    site.endpoint().take();
    rates::measure(&ingress, &mut telegram, plan, values).await?;
    telegram.check(site.endpoint().take().len()).await?;
    group::commit_the_ends(telegram.bus()).await?;
    delivery::measure(site, &mut telegram, plan.time, values).await
}
