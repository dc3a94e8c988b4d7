//! All webhook servers at once behind an inbox: Telegram pushes to ingress, updates wait in Kafka, the forwarder delivers them.
//!
//! In: servers that run and what they did when they were pushed to directly. Out: what differs, in words. Invariant: each update is delivered by one attempt;
//! a method in its answer is called by the forwarder with the bot's own token and what Telegram would have done it with; nothing of it is done twice, which is
//! looked at again once nobody is left who could. The bots' own calls go on through the installation that relays.

use anyhow::{Context as _, Result, ensure};
use futures_util::future::join_all;
use gramtap_events::TenantId;
use gramtap_events::delivery::{Delivery, Verdict};
use gramtap_events::tenant::Mode;
use gramtap_tenants::Hook;
use gramtap_tests::{
    Forwarder, Ingress, Installation, Stores, deliveries, inbox as taken_in, round,
};

use super::Played;
use super::scene::{Mark, SAID, Scene};
use super::stage::Stage;

/// A server that was pushed to through the inbox.
type Delivered = (Mark, Scene);

/// Each takes its part once more.
pub(super) async fn play(stage: &Stage, played: &[Played]) -> Vec<String> {
    let installation = Installation::new(Stores::Servers).await;
    let registry = installation.registry();
    let mut connected = Vec::new();
    for one in played {
        let connecting = one.player.connect(&registry, &one.own, Mode::Inbox);
        connected.push(connecting.await.unwrap());
    }
    let telegram = stage.telegram();
    let mut more = stage.callable();
    let ingress = Ingress::reachable(&installation, &telegram, &more).await;
    more.push(("GRAMTAP_TELEGRAM__URL", &telegram));
    let round = round(&installation, Stores::Servers).await;
    let forwarder = Forwarder::start(&round, &installation, "forwarder", &[], &more).await;
    let parts = played.iter().zip(&connected);
    let delivered = parts.map(|(one, (_, hook))| one.delivered(&ingress, hook));
    let delivered: Vec<Result<Delivered>> = join_all(delivered).await;
    forwarder.stop().await;
    drop(round);
    ingress.stop().await;

    let tenants: Vec<TenantId> = connected.iter().map(|(tenant, _)| *tenant).collect();
    let bus = installation.observe_bus();
    let taken = taken_in(&bus, &tenants).await;
    let attempts = deliveries(&bus, &tenants).await;
    let mut errors = Vec::new();
    for ((one, tenant), delivered) in played.iter().zip(&tenants).zip(delivered) {
        let own = attempts.iter().filter(|it| it.tenant == *tenant);
        let kept = taken.iter().filter(|it| it.tenant == *tenant).count();
        let judged = delivered.and_then(|delivered| one.judge(&delivered, kept, own.collect()));
        if let Err(error) = judged
            .context("taken in first")
            .context(one.player.server.name)
        {
            errors.push(format!("{error:#}"));
        }
    }
    let found = installation.canaries(&["AAcanary"]).await;
    assert_eq!(found, Vec::<String>::new());
    installation.remove().await;
    errors
}

impl Played {
    /// Telegram is told, then everything is said again.
    async fn delivered(&self, ingress: &Ingress, hook: &Hook) -> Result<Delivered> {
        let player = &self.player;
        player.move_by_hand(ingress.address(), hook).await?;
        player.scene(&self.running).await
    }

    /// When it is over: what came of it, and what is on record.
    fn judge(
        &self,
        (mark, scene): &Delivered,
        kept: usize,
        mut attempts: Vec<&Delivery>,
    ) -> Result<()> {
        ensure!(kept == SAID.len(), "{kept} were kept first");
        self.direct.means_the_same(scene)?;
        let since = self.player.since(&self.running, mark)?;
        ensure!(since == *scene, "later: {since:?}, before: {scene:?}");
        attempts.sort_by_key(|it| it.update_id);
        ensure!(attempts.len() == SAID.len(), "attempts: {attempts:?}");
        for (attempt, direct) in attempts.into_iter().zip(self.direct.replies()) {
            let made = (attempt.verdict, attempt.attempt);
            ensure!(made == (Verdict::Delivered, 1), "{attempt:?}");
            let method = attempt
                .reply_method
                .as_ref()
                .map(|it| it.to_ascii_lowercase());
            let direct = direct.map(|act| act.method.clone());
            ensure!(
                method == direct,
                "on record {method:?}, directly {direct:?}"
            );
        }
        Ok(())
    }
}
