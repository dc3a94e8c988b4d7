//! The libraries' webhook servers as child processes.
//!
//! In: where the Bot API is, a bot, the address at which it takes updates. Out: the line that a program prints for each update (its side of this is `hooks.py`, `hooks.mjs`,
//! `hooks.go`, `TelegramBotsHook.java` in tests/clients). Invariant: the library sets its webhook by itself, as its guide says; what it says on the side is shown if it
//! fails, tokens hidden. Dropping it kills the process, by its own id.

use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use anyhow::{Context as _, Result};
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinSet;

use super::program::{java, tail};

/// A library and how its webhook server is started.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Server {
    /// As shown.
    pub(crate) name: &'static str,
    program: Program,
    /// More of its environment.
    environment: &'static [(&'static str, &'static str)],
    /// It knows Telegram's secret header.
    pub(crate) knows_secret: bool,
    /// Answers that carry a method, of those that are asked for: other libraries make calls.
    pub(crate) answers: &'static [&'static str],
}

#[derive(Clone, Copy, Debug)]
enum Program {
    Python(&'static str),
    Node(&'static str),
    Go(&'static str),
    Java(&'static str),
}

const fn server(name: &'static str, program: Program) -> Server {
    Server {
        name,
        program,
        environment: &[],
        knows_secret: true,
        answers: &[],
    }
}

const MESSAGES: &[&str] = &["sendmessage"; 3];

/// All of them.
pub(crate) const SERVERS: [Server; 11] = [
    server("aiogram, background", Program::Python("aiogram_hook.py")),
    Server {
        environment: &[("IN_RESPONSE", "1")],
        answers: &["sendmessage", "sendmessage", "senddocument"],
        ..server("aiogram, in response", Program::Python("aiogram_hook.py"))
    },
    server("python-telegram-bot", Program::Python("ptb_hook.py")),
    server("pyTelegramBotAPI", Program::Python("telebot_hook.py")),
    Server {
        answers: MESSAGES,
        ..server("grammY", Program::Node("grammy_hook.mjs"))
    },
    Server {
        answers: &["sendchataction"],
        ..server("telegraf", Program::Node("telegraf_hook.mjs"))
    },
    Server {
        knows_secret: false,
        ..server("node-telegram-bot-api 0", Program::Node("ntba0_hook.mjs"))
    },
    server("node-telegram-bot-api 2", Program::Node("ntba2_hook.mjs")),
    Server {
        knows_secret: false,
        answers: MESSAGES,
        ..server("go-telegram-bot-api", Program::Go("tgbotapi-hook"))
    },
    server("telebot", Program::Go("telebot-hook")),
    Server {
        knows_secret: false,
        answers: MESSAGES,
        ..server("TelegramBots", Program::Java("TelegramBotsHook"))
    },
];

/// An update that a handler got.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub(crate) struct Handled {
    pub(crate) chat: i64,
    pub(crate) text: String,
}

/// A bot whose server is to run.
pub(crate) struct Setting<'a> {
    /// Where it finds the Bot API.
    pub(crate) base: &'a str,
    pub(crate) token: &'a str,
    /// Where it listens.
    pub(crate) listen: SocketAddr,
    pub(crate) secret: &'a str,
}

/// A running server.
pub(crate) struct Running {
    handled: Arc<Mutex<Vec<Handled>>>,
    log: File,
    _reader: JoinSet<()>,
    _child: Child,
}

impl Server {
    /// Starts it. It sets its webhook, and listens, when it comes to it.
    pub(crate) fn start(&self, root: &Path, setting: &Setting<'_>) -> Result<Running> {
        let log = tempfile::tempfile()?;
        let line = self.program.line(root);
        let (command, arguments) = line.split_first().context("no command")?;
        let mut child = Command::new(command)
            .args(arguments)
            .env("BASE", setting.base)
            .env("TOKEN", setting.token)
            .env("PORT", setting.listen.port().to_string())
            .env("URL", format!("http://{}/updates", setting.listen))
            .env("SECRET", setting.secret)
            .envs(self.environment.iter().copied())
            .env("NO_PROXY", "*")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("NODE_NO_WARNINGS", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log.try_clone()?)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("starting the server of {}", self.name))?;
        let mut lines = BufReader::new(child.stdout.take().context("no stdout")?).lines();
        let handled = Arc::<Mutex<Vec<Handled>>>::default();
        let (kept, mut reader) = (Arc::clone(&handled), JoinSet::new());
        reader.spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                // Some libraries greet on stdout.
                if let Ok(one) = serde_json::from_str(&line) {
                    kept.lock().unwrap().push(one);
                }
            }
        });
        Ok(Running {
            handled,
            log,
            _reader: reader,
            _child: child,
        })
    }
}

impl Program {
    fn line(self, root: &Path) -> Vec<String> {
        let text = |path: PathBuf| path.display().to_string();
        let installed = root.join("target/clients");
        match self {
            Self::Python(file) => {
                let file = root.join("tests/clients/python").join(file);
                vec![text(installed.join("python/bin/python")), text(file)]
            }
            Self::Node(file) => vec!["node".to_owned(), text(installed.join("node").join(file))],
            Self::Go(name) => vec![text(installed.join("go").join(name))],
            Self::Java(class) => java(&installed.join("java-webhook"), class),
        }
    }
}

impl Running {
    /// What its handlers have got so far.
    pub(crate) fn handled(&self) -> Vec<Handled> {
        self.handled.lock().unwrap().clone()
    }

    /// What it has said so far, tokens hidden.
    pub(crate) fn words(&self) -> String {
        let log = self.log.try_clone();
        log.map_or_else(|error| error.to_string(), tail)
    }
}
