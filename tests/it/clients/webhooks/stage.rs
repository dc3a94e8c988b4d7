//! What the webhook servers of all libraries share: one Telegram, one ingress before it, which relays.
//!
//! In: the list of `server.rs`. Out: a [`Player`] for each. Invariant: Gramtap may call this machine, at the ports that the servers listen on alone.

use std::net::SocketAddr;

use gramtap_simulator::{Clock, Simulator, SimulatorConfig, User};
use gramtap_tests::{Ingress, Installation, Stores, free_addresses, fresh_bot};

use super::player::Player;
use crate::clients::server::{SERVERS, Server};

/// What all libraries share.
pub(super) struct Stage {
    telegram: Simulator,
    installation: Installation,
    ingress: Ingress,
    listen: Vec<SocketAddr>,
    ports: String,
}

impl Stage {
    pub(super) async fn start() -> Self {
        let config = SimulatorConfig {
            clock: Clock::real().with_fixed_date(1_767_225_600),
            accept_any_chat: true,
            ..SimulatorConfig::default()
        };
        let telegram = Simulator::start(config).await.unwrap();
        for (user, name) in [(7, "Ann"), (8, "Bob")] {
            telegram.control().add_user(User::new(user, name));
        }
        let installation = Installation::new(Stores::Embedded).await;
        let listen = free_addresses::<{ SERVERS.len() }>();
        let ports: Vec<String> = listen.iter().map(|it| it.port().to_string()).collect();
        let ports = serde_json::to_string(&ports).unwrap();
        let url = telegram.http_url();
        let ingress = Ingress::reachable(&installation, &url, &callable(&ports)).await;
        Self {
            telegram,
            installation,
            ingress,
            listen: listen.to_vec(),
            ports,
        }
    }

    /// Where the Bot API is.
    pub(super) fn telegram(&self) -> String {
        self.telegram.http_url()
    }

    /// Settings by which the servers may be called.
    pub(super) fn callable(&self) -> Vec<(&'static str, &str)> {
        callable(&self.ports)
    }

    pub(super) fn players(&self) -> Vec<Player> {
        let player = |(server, listen): (&Server, &SocketAddr)| {
            let bot = fresh_bot();
            Player {
                server: *server,
                listen: *listen,
                bot,
                token: format!("{bot}:AAcanary-of-the-bots-own-token_{}", bot % 10_000),
                telegram: self.telegram.http_addr().unwrap(),
                control: self.telegram.control(),
                ingress: self.ingress.address(),
                registry: self.installation.registry(),
            }
        };
        SERVERS.iter().zip(&self.listen).map(player).collect()
    }

    /// At the end of a test that passed.
    pub(super) async fn end(self) {
        self.ingress.stop().await;
        let found = self.installation.canaries(&["AAcanary"]).await;
        assert_eq!(found, Vec::<String>::new());
        self.installation.remove().await;
    }
}

fn callable(ports: &str) -> Vec<(&'static str, &str)> {
    vec![
        ("GRAMTAP_WEBHOOKS__ALLOW", r#"["127.0.0.0/8"]"#),
        ("GRAMTAP_WEBHOOKS__PORTS", ports),
        ("GRAMTAP_WEBHOOKS__HTTP", "true"),
    ]
}
