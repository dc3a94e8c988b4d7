//! The libraries' webhook servers under Telegram's pushes, without Gramtap and with it.
//!
//! In: `server.rs` starts them; one simulated Telegram (`stage.rs`). Out: pass or fail. The way of each library (`player.rs`): it sets its own webhook and is pushed to directly; its
//! webhook is moved to Gramtap by hand, and the same is said again (`scene.rs`); it is started anew, with calls through Gramtap, where its own setWebhook is taken over; and all of
//! them together are moved to an installation that takes updates in first (`inbox.rs`). Invariant: each update is pushed, and handled, once and in its chat's order;
//! what Telegram sees of an answer (`answer.rs`), and does for it (`act.rs`), is the same byte for byte, but for dates and words that the library draws anew. Of an inbox it does the same.

mod act;
mod answer;
mod inbox;
mod player;
mod scene;
mod stage;

use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use gramtap_events::tenant::Mode;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use player::Player;
use scene::Scene;
use stage::Stage;

use super::server::Running;

/// A library that has been pushed to directly and in mode relay, and still runs.
struct Played {
    player: Player,
    running: Running,
    /// The address that it has set by itself.
    own: String,
    direct: Scene,
}

#[tokio::test]
async fn every_webhook_server_is_pushed_to_through_gramtap_as_it_is_without() {
    super::install().await.unwrap();
    let stage = Stage::start().await;
    let mut running = JoinSet::new();
    let room = Arc::new(Semaphore::new(super::AT_ONCE));
    for player in stage.players() {
        let room = Arc::clone(&room);
        running.spawn(async move {
            let _place = room.acquire().await?;
            let name = player.server.name;
            player.play().await.with_context(|| name)
        });
    }
    let (mut played, mut errors) = (Vec::new(), Vec::new());
    for ended in running.join_all().await {
        match ended {
            Ok(one) => played.push(one),
            Err(error) => errors.push(format!("{error:#}")),
        }
    }
    errors.extend(inbox::play(&stage, &played).await);
    assert!(errors.is_empty(), "{}", errors.join("\n\n"));
    drop(played);
    stage.end().await;
}

impl Player {
    /// Directly, and in mode relay.
    async fn play(self) -> Result<Played> {
        self.control.add_bot_token(&self.token)?;
        let root = super::root();
        let running = self.begin(&root, self.telegram)?;
        self.ready(&running).await?;
        let own = self.webhook().await?;
        let direct = self.scene(&running).await.context("directly")?.1;
        let performed: Vec<&str> = direct.performed().map(|act| act.method.as_str()).collect();
        ensure!(
            performed == self.server.answers,
            "answers carry {performed:?}"
        );

        let (_, hook) = self.connect(&self.registry, &own, Mode::Relay).await?;
        let address = self.move_by_hand(self.ingress, &hook).await?;
        let moved = self.scene(&running).await.context("moved by hand")?.1;
        direct.same(&moved)?;

        // Started anew, with calls through Gramtap: what it sets by itself is taken over.
        drop(running);
        let running = self.begin_anew(&root).await?;
        self.ready(&running).await?;
        ensure!(
            self.webhook().await? == address,
            "the webhook was not taken over"
        );
        let taken = self.scene(&running).await.context("taken over")?.1;
        direct.same(&taken)?;
        Ok(Played {
            player: self,
            running,
            own,
            direct,
        })
    }
}
