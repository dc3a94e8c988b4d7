//! The bots of the demo: who they are, and how they are connected and set going.
//!
//! In: the registry, the simulated Telegram, the address that bots are told. Out: tasks on this thread that end when the process
//! does. Invariant: a bot is connected before its first call; what it may do wrong is told in its line.

use gramtap_actors::{DrainToken, spawn_local};
use gramtap_events::tenant::{Mode, Privacy};
use gramtap_simulator::{BotSpec, Control};
use gramtap_telegram::{BotId, Token};
use gramtap_tenants::{NewTenant, Registry, Webhook};
use tokio::net::TcpListener;

use super::client::Client;
use super::{clumsy, rivals, sleepy, tidy};

/// A bot of the demo.
pub(super) struct Bot {
    /// What it is called.
    pub(super) name: &'static str,
    username: &'static str,
    /// Made up, and good for the simulated Telegram alone.
    pub(super) token: &'static str,
    about: &'static str,
}

pub(super) const TIDY: Bot = Bot {
    name: "Tidy",
    username: "tidy_demo_bot",
    token: "7100000001:AAdemo_of_gramtap_is_no_secret_0001",
    about: "does everything right: commands, buttons, sources, polls, payments, files",
};
pub(super) const CLUMSY: Bot = Bot {
    name: "Clumsy",
    username: "clumsy_demo_bot",
    token: "7100000002:AAdemo_of_gramtap_is_no_secret_0002",
    about: "makes the mistakes that bots make",
};
pub(super) const RIVALS: Bot = Bot {
    name: "Rivals",
    username: "rivals_demo_bot",
    token: "7100000003:AAdemo_of_gramtap_is_no_secret_0003",
    about: "was started twice: its two copies take each other's updates",
};
pub(super) const SLEEPY: Bot = Bot {
    name: "Sleepy",
    username: "sleepy_demo_bot",
    token: "7100000004:AAdemo_of_gramtap_is_no_secret_0004",
    about: "takes its updates by webhook, which falls over once a minute: they wait for it",
};
/// Nobody has connected this one.
const STRANGER: &str = "7100000009:AAdemo_of_gramtap_is_no_secret_0009";

const ALL: [&Bot; 4] = [&TIDY, &CLUMSY, &RIVALS, &SLEEPY];

impl Bot {
    /// Its id; the number before the colon.
    pub(super) fn id(&self) -> i64 {
        let digits = self.token.split(':').next().unwrap_or_default();
        digits.parse().unwrap_or_default()
    }
}

/// What each is there for, a line each.
pub(super) fn told() -> String {
    let line = |bot: &&Bot| format!("{:8} {}  {}\n", bot.name, bot.id(), bot.about);
    ALL.iter().map(line).collect()
}

/// Makes them known to Telegram and to Gramtap.
pub(super) async fn connect(
    registry: &Registry,
    telegram: &Control,
    webhook: &Webhook,
) -> anyhow::Result<()> {
    for bot in ALL {
        telegram.add_bot(&BotSpec {
            token: bot.token.to_owned(),
            username: Some(bot.username.to_owned()),
            first_name: Some(bot.name.to_owned()),
        })?;
        let has_webhook = bot.name == SLEEPY.name;
        // What its webhook answers is executed here.
        let token = has_webhook.then(|| Token::parse(bot.token)).transpose()?;
        let new = NewTenant {
            bot: Some(BotId(bot.id())),
            name: Some(bot.name.to_owned()),
            // Of people who do not exist everything may be kept.
            privacy: Some(Privacy::Full),
            token,
        };
        let tenant = registry.add(&new).await?;
        if has_webhook {
            let mode = Some(Mode::Inbox);
            registry.set_webhook(tenant.code, webhook, mode).await?;
        }
    }
    telegram.add_bot_token(STRANGER)?;
    Ok(())
}

/// Sets bots and people going.
pub(super) fn run(address: &str, telegram: &Control, webhook: TcpListener, stop: &DrainToken) {
    tidy::start(address, telegram, stop);
    clumsy::start(address, telegram, stop);
    rivals::start(address, telegram, stop);
    sleepy::start(address, telegram, webhook, stop);
    let stranger = Client::new(address, STRANGER, "Python/3.12 aiohttp/3.9.5");
    let stop = stop.clone();
    drop(spawn_local("stranger", async move {
        stranger.poll(&stop, &[], async |_, _| {}).await;
    }));
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn tokens_are_tokens_and_ids_are_theirs() {
        for bot in ALL {
            assert_eq!(Token::parse(bot.token).unwrap().bot(), BotId(bot.id()));
            assert!(told().contains(&bot.id().to_string()));
        }
        assert!(Token::parse(STRANGER).is_ok());
    }
}
