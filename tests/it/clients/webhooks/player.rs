//! One library's part: its bot, its server's process, and what an operator does for it.
//!
//! In: a library (`server.rs`), the addresses of `stage.rs`. Out: a running server with its webhook set. Invariant: an operator does what the guide says: the bot is
//! connected with its webhook, then Telegram is told; nothing of that goes through Gramtap. Telegram takes one setWebhook a second: refused ones are tried again.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use gramtap_events::TenantId;
use gramtap_events::tenant::Mode;
use gramtap_simulator::{Control, Filter};
use gramtap_telegram::{BotId, Token};
use gramtap_tenants::{Hook, NewTenant, Registry, Webhook};
use gramtap_tests::Client;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::{Duration, Instant, sleep};

use super::super::server::{Running, Server, Setting};

const SECRET: &str = "AAcanary-of-the-secret-header";
/// A library may take this long to start: a machine that does much else loads some of them for half a minute.
const PATIENCE: Duration = Duration::from_secs(180);

/// One library's part.
pub(super) struct Player {
    pub(super) server: Server,
    pub(super) listen: SocketAddr,
    pub(super) bot: i64,
    pub(super) token: String,
    pub(super) telegram: SocketAddr,
    pub(super) control: Control,
    /// What relays.
    pub(super) ingress: SocketAddr,
    pub(super) registry: Registry,
}

impl Player {
    /// Starts it, with calls to `base`.
    pub(super) fn begin(&self, root: &Path, base: SocketAddr) -> Result<Running> {
        let setting = Setting {
            base: &format!("http://{base}"),
            token: &self.token,
            listen: self.listen,
            secret: SECRET,
        };
        self.server.start(root, &setting)
    }

    /// Waits until the library has set its webhook and listens.
    pub(super) async fn ready(&self, running: &Running) -> Result<()> {
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            let set = self.control.webhook(self.bot)?.set;
            if set && TcpStream::connect(self.listen).await.is_ok() {
                return Ok(());
            }
            // paced: a process that starts tells nobody
            sleep(Duration::from_millis(50)).await;
        }
        bail!("it does not start: {}", running.words())
    }

    /// Starts it again, with calls through Gramtap, until it has set its webhook.
    pub(super) async fn begin_anew(&self, root: &Path) -> Result<Running> {
        let filter = Filter {
            bot: Some(self.bot),
            answered: true,
            ..Filter::method("setWebhook")
        };
        loop {
            let before = self.control.requests(&filter).len();
            let running = self.begin(root, self.ingress)?;
            let set = |control: &Control| control.requests(&filter).into_iter().nth(before);
            let told = self.control.wait_for(set, PATIENCE).await;
            match told.and_then(|told| told.status) {
                Some(200) => return Ok(running),
                Some(429) => {}
                other => bail!("setWebhook came to {other:?}: {}", running.words()),
            }
        }
    }

    /// The webhook's address, as Telegram has it.
    pub(super) async fn webhook(&self) -> Result<String> {
        let answer = self.ask("getWebhookInfo", "").await;
        let url = answer["result"]["url"].as_str();
        Ok(url.context("no webhook")?.to_owned())
    }

    /// Asks Telegram, not through Gramtap.
    async fn ask(&self, method: &str, body: &str) -> Value {
        let (token, length) = (&self.token, body.len());
        let kind = "application/x-www-form-urlencoded";
        let request = format!(
            "POST /bot{token}/{method} HTTP/1.1\r\nHost: telegram\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        loop {
            let answer = Client::connect(self.telegram).await.ask(&request).await;
            match answer.status() {
                // paced: Telegram takes one a second
                429 => sleep(Duration::from_millis(100)).await,
                _ => return answer.json(),
            }
        }
    }

    /// Connects the bot with its webhook; in mode inbox with its token.
    pub(super) async fn connect(
        &self,
        registry: &Registry,
        own: &str,
        mode: Mode,
    ) -> Result<(TenantId, Hook)> {
        let new = NewTenant {
            bot: Some(BotId(self.bot)),
            token: match mode {
                Mode::Inbox => Some(Token::parse(&self.token)?),
                Mode::Relay => None,
            },
            ..NewTenant::default()
        };
        let tenant = registry.add(&new).await?;
        let mut webhook = Webhook::new(own)?;
        if self.server.knows_secret {
            webhook.secret = Some(SECRET.to_owned().into());
        }
        let set = registry.set_webhook(tenant.code, &webhook, Some(mode));
        Ok((tenant.id, set.await?.1))
    }

    /// Tells Telegram to push to Gramtap; gives the address.
    pub(super) async fn move_by_hand(&self, ingress: SocketAddr, hook: &Hook) -> Result<String> {
        let address = format!("http://{ingress}/webhook/{}", hook.expose());
        let secret = match self.server.knows_secret {
            true => format!("&secret_token={SECRET}"),
            false => String::new(),
        };
        let body = format!("url={address}{secret}");
        let answer = self.ask("setWebhook", &body).await;
        ensure!(answer["ok"] == true, "setWebhook: {answer}");
        ensure!(
            self.webhook().await? == address,
            "the webhook was not moved"
        );
        Ok(address)
    }
}
