//! Two that poll as one bot.
//!
//! In: two clients through a real `gramtap up`, or one through it and one beside it at the simulated Telegram's own door. Out: pass or
//! fail: what the console says of them, after one poll.

use gramtap_analytics::query::polls::{Polls, Rivals, polls};
use gramtap_database::Database;
use gramtap_events::TenantId;
use gramtap_simulator::{Control, Simulator, SimulatorConfig};
use gramtap_tests::{Client, DEADLINE, Ingress, Installation, Stores, fresh_bot, seconds, until};

const AGENTS: [&str; 2] = ["aiogram/3.20", "aiogram/3.31"];

struct Stage {
    installation: Installation,
    simulator: Simulator,
    telegram: Control,
    ingress: Ingress,
    database: Database,
    token: String,
    tenant: TenantId,
}

impl Stage {
    async fn new() -> Self {
        let installation = Installation::new(Stores::Embedded).await;
        let simulator = Simulator::start(SimulatorConfig::default()).await.unwrap();
        let telegram = simulator.control();
        let bot = fresh_bot();
        let token = format!("{bot}:AAcanary-of-the-polled-bot_000000009");
        telegram.add_bot_token(&token).unwrap();
        let tenant = installation.add(Some(bot)).await.id;
        // Empty polls are told of after a second instead of ten.
        let more = [("GRAMTAP_CAPTURE__POLL_WINDOW", "1s")];
        let ingress = Ingress::up(&installation, &simulator.http_url(), &more).await;
        let database = installation.registry().database().clone();
        let stage = Self {
            installation,
            simulator,
            telegram,
            ingress,
            database,
            token,
            tenant,
        };
        let get_me = format!("GET /bot{}/getMe HTTP/1.1\r\nHost: x\r\n\r\n", stage.token);
        let answer = stage.ingress.client().await.ask(get_me).await;
        assert_eq!(answer.status(), 200);
        stage
    }

    fn poll(&self, agent: &str, seconds: u64) -> String {
        let token = &self.token;
        format!(
            "GET /bot{token}/getUpdates?timeout={seconds} HTTP/1.1\r\nHost: x\r\nUser-Agent: {agent}\r\n\r\n"
        )
    }

    /// One polls; as soon as that waits, `other` does for a second, and ends it.
    async fn fight(&self, mut other: Client) {
        let mut one = self.ingress.client().await;
        one.send(self.poll(AGENTS[0], 50)).await;
        let parked = self.telegram.wait_for_polls(1, DEADLINE).await;
        assert_eq!(parked.len(), 1);
        other.send(self.poll(AGENTS[1], 1)).await;
        assert_eq!(one.answer().await.unwrap().status(), 409);
        assert_eq!(other.answer().await.unwrap().status(), 200);
    }

    async fn says(&self, rivals: Rivals) -> Polls {
        until("who polls", async || {
            let polls = polls(&self.database, self.tenant, seconds(), 1)
                .await
                .unwrap();
            (polls.rivals == rivals).then_some(polls)
        })
        .await
    }

    async fn end(self) {
        self.database.close().await;
        self.ingress.stop().await;
        self.simulator.shutdown().await;
        self.installation.remove().await;
    }
}

#[tokio::test]
async fn two_through_us_are_both_named() {
    let stage = Stage::new().await;
    stage.fight(stage.ingress.client().await).await;
    let polls = stage.says(Rivals::Through { clients: 2 }).await;
    let mut named: Vec<_> = polls.pollers.iter().collect();
    named.sort_by_key(|poller| poller.agent.clone());
    let agents: Vec<_> = named.iter().map(|poller| poller.agent.as_str()).collect();
    assert_eq!(agents, AGENTS);
    assert!(named.iter().all(|poller| poller.addr == "127.0.0.1"));
    // The one that was there lost.
    assert_eq!((named[0].conflicts, named[1].conflicts), (1, 0));
    assert_eq!(polls.reasons, [("two_pollers".to_owned(), 1)]);
    stage.end().await;
}

#[tokio::test]
async fn one_beside_us_is_told_to_be_there() {
    let stage = Stage::new().await;
    let beside = Client::connect(stage.simulator.http_addr().unwrap()).await;
    stage.fight(beside).await;
    let polls = stage.says(Rivals::Beside).await;
    let agents: Vec<_> = polls.pollers.iter().map(|it| it.agent.as_str()).collect();
    assert_eq!(agents, [AGENTS[0]], "the other is not seen");
    assert_eq!(polls.reasons, [("two_pollers".to_owned(), 1)]);
    stage.end().await;
}
