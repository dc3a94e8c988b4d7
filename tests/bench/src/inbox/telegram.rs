//! Telegram, as it pushes updates to bots in inbox mode.
//!
//! In: the site, an ingress. Out: answers, and whether the inbox has what was answered 200. Invariant: every update has a number of its own; an update that is
//! answered 200 is in the inbox, or was passed on to its bot at once.

use std::borrow::Cow;
use std::ops::Range;
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use gramtap_bus::Bus;
use gramtap_events::tenant::Mode;
use gramtap_events::topics::INBOX;
use gramtap_tenants::{NewTenant, Webhook};

use super::{DELIVERED, updates};
use crate::client::{Client, Target};
use crate::load::closed;
use crate::load::open::{self, Answer};
use crate::site::{Site, end};

/// Bots of each round.
const BOTS: usize = 100;
/// Connections, as many as there may be to a few bots.
const CONNECTIONS: usize = 100;
/// What comes before a rate: connections are used, and Kafka takes everything in.
const WARM: Duration = Duration::from_millis(300);
/// How often that is tried: Kafka is asked again half a minute after it stood still.
const TRIES: usize = 200;

/// Bots in inbox mode. The secret parts of their addresses.
pub(super) async fn connect(site: &Site) -> Result<Vec<String>> {
    let registry = site.config()?.tenants.open()?.registry;
    let mut webhook = Webhook::new(&format!("http://{}/updates", site.endpoint().address))?;
    webhook.secret = Some(updates::SECRET.to_owned().into());
    let mut hooks = Vec::with_capacity(BOTS);
    for _ in 0..BOTS {
        let tenant = registry.add(&NewTenant::default()).await?;
        let set = registry.set_webhook(tenant.code, &webhook, Some(Mode::Inbox));
        hooks.push(set.await?.1.expose().to_owned());
    }
    registry.database().close().await;
    Ok(hooks)
}

/// See the file's header.
pub(super) struct Telegram {
    bus: Bus,
    /// Where the inbox ended at first.
    before: i64,
    clients: Vec<Client>,
    hooks: Vec<String>,
    sent: u64,
    /// With 200.
    answered: u64,
}

impl Telegram {
    pub(super) async fn new(site: &Site, hooks: Vec<String>, ingress: &Target) -> Result<Self> {
        let bus = Bus::open(&site.config()?.bus)?;
        Ok(Self {
            before: end(&bus, &INBOX).await?,
            bus,
            clients: closed::connect(ingress, CONNECTIONS).await?,
            hooks,
            sent: 0,
            answered: 0,
        })
    }

    pub(super) fn bus(&self) -> &Bus {
        &self.bus
    }

    /// The number of the next update.
    pub(super) fn next(&self) -> u64 {
        self.sent
    }

    /// So many updates a second, for so long. Their answers, and whether all of them were taken in.
    pub(super) async fn push(&mut self, rate: f64, time: Duration) -> Result<(Vec<Answer>, bool)> {
        let before = end(&self.bus, &INBOX).await?;
        let (hooks, first) = (&self.hooks, self.sent);
        let request = |_, number| Cow::from(updates::push(hooks, first + number));
        let mut answers = open::run(&mut self.clients, request, rate, time).await?;
        for answer in &mut answers {
            answer.number += first;
        }
        let count = answers.len() as u64;
        let answered = answers.iter().filter(|answer| answer.status == 200).count() as u64;
        self.sent += count;
        self.answered += answered;
        let taken_in = end(&self.bus, &INBOX).await? - before;
        let all = answered == count && u64::try_from(taken_in)? == count;
        Ok((answers, all))
    }

    /// Pushes until all is taken in. Which updates these were, the last time.
    pub(super) async fn warm(&mut self) -> Result<Range<u64>> {
        for _ in 0..TRIES {
            let first = self.sent;
            let (_, all) = self.push(DELIVERED, WARM).await?;
            if all {
                return Ok(first..self.sent);
            }
        }
        bail!("ingress does not take in all updates");
    }

    /// Nothing was lost of what was pushed so far, of which this many were passed on at once.
    pub(super) async fn check(&self, passed_on: usize) -> Result<()> {
        let taken_in = u64::try_from(end(&self.bus, &INBOX).await? - self.before)?;
        let found = taken_in + passed_on as u64;
        // What Telegram is to send again may be in the inbox all the same.
        ensure!(
            (self.answered..=self.sent).contains(&found),
            "{} updates of {} were answered 200, {taken_in} are in the inbox, {passed_on} at their bots",
            self.answered,
            self.sent
        );
        Ok(())
    }
}
