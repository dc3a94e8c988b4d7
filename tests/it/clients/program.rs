//! The libraries' programs as child processes, and the words spoken with them.
//!
//! In: names of steps (`run.rs`). Out: the line that a program prints for each (its side of this is
//! `steps.py`, `steps.mjs`, `steps.go`, `Steps.java` in tests/clients). Invariant: one step at a time;
//! a program that says nothing within the deadline, or ends, is an error that shows its last
//! words. Dropping it kills the process, by its own id.

use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use gramtap_telegram::redact::redact;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout};
use tokio::time::timeout;

use super::hosts;

/// A step may take this long; the slowest take a few seconds, many times that where builds run beside them.
pub(crate) const DEADLINE: Duration = Duration::from_secs(180);

/// A client library and how its program is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Library {
    /// As shown in the report.
    pub(crate) name: &'static str,
    runtime: Runtime,
    /// Its base address may have a path.
    pub(crate) takes_path: bool,
    /// Steps that it never returns from, Gramtap or not.
    pub(crate) hangs: &'static [&'static str],
    /// The parts of its uploads are in another order each time.
    pub(crate) shuffles_parts: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Runtime {
    Python(&'static str),
    Node(&'static str),
    Go(&'static str),
    Java(&'static str),
}

const fn library(name: &'static str, runtime: Runtime) -> Library {
    Library {
        name,
        runtime,
        takes_path: true,
        hangs: &[],
        shuffles_parts: false,
    }
}

/// node-fetch 2 does not notice that a body with Content-Length ends before its length: grammY
/// waits for its own limit of 500 s then, telegraf for ever.
const fn on_node_fetch(library: Library) -> Library {
    Library {
        hangs: &["cut in the body"],
        ..library
    }
}

/// The fields of an upload are in a Go map, which has no order.
const fn shuffling(library: Library) -> Library {
    Library {
        shuffles_parts: true,
        ..library
    }
}

/// All of them.
pub(crate) const LIBRARIES: [Library; 11] = [
    library("aiogram", Runtime::Python("aiogram_bot.py")),
    library("python-telegram-bot", Runtime::Python("ptb_bot.py")),
    library("pyTelegramBotAPI", Runtime::Python("telebot_sync.py")),
    library(
        "pyTelegramBotAPI async",
        Runtime::Python("telebot_async.py"),
    ),
    on_node_fetch(library("grammY", Runtime::Node("grammy.mjs"))),
    on_node_fetch(library("telegraf", Runtime::Node("telegraf.mjs"))),
    library("node-telegram-bot-api 0", Runtime::Node("ntba0.mjs")),
    library("node-telegram-bot-api 2", Runtime::Node("ntba2.mjs")),
    shuffling(library("go-telegram-bot-api", Runtime::Go("tgbotapi"))),
    shuffling(library("telebot", Runtime::Go("telebot"))),
    Library {
        takes_path: false,
        ..library("TelegramBots", Runtime::Java("TelegramBots"))
    },
];

impl Library {
    /// The command line; `root` is the repository's.
    fn command(&self, root: &Path) -> Vec<String> {
        let text = |path: std::path::PathBuf| path.display().to_string();
        let installed = root.join("target/clients");
        match self.runtime {
            Runtime::Python(file) => vec![
                text(installed.join("python/bin/python")),
                text(root.join("tests/clients/python").join(file)),
            ],
            Runtime::Node(file) => vec!["node".to_owned(), text(installed.join("node").join(file))],
            Runtime::Go(name) => vec![text(installed.join("go").join(name))],
            Runtime::Java(class) => java(&installed.join("java"), class),
        }
    }
}

/// The command line of a class of a Java project.
pub(crate) fn java(project: &Path, class: &str) -> Vec<String> {
    let class_path = format!("{0}/lib/*:{0}/classes", project.display());
    // Short-lived: small heap, quick start.
    let options = [
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        "-Xmx256m",
        "-cp",
    ];
    let mut command = vec!["java".to_owned()];
    command.extend(options.map(str::to_owned));
    command.extend([class_path, class.to_owned()]);
    command
}

/// A running program.
pub(crate) struct Program {
    child: Child,
    stdin: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
    /// What it says on the side; a file without a name, so that it never waits for a reader.
    log: File,
}

impl Program {
    /// Starts a library's program with `environment` and these names in its hosts file.
    pub(crate) fn start(
        library: &Library,
        root: &Path,
        environment: &[(&str, String)],
        hosts_file: &Path,
    ) -> Result<Self> {
        let log = tempfile::tempfile()?;
        let mut command = hosts::within(hosts_file, &library.command(root));
        command
            .envs(environment.iter().map(|(name, value)| (name, value)))
            // Dates are shown in it; loopback is not to be reached through anything.
            .env("TZ", "UTC")
            .env("NO_PROXY", "*")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("NODE_NO_WARNINGS", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log.try_clone()?)
            .kill_on_drop(true);
        let mut child = command
            .spawn()
            .with_context(|| format!("starting the program of {}", library.name))?;
        Ok(Self {
            stdin: child.stdin.take().context("no stdin")?,
            lines: BufReader::new(child.stdout.take().context("no stdout")?).lines(),
            log,
            child,
        })
    }

    /// Has it take one step; gives the line it prints.
    pub(crate) async fn step(&mut self, name: &str) -> Result<Value> {
        let spoken = async {
            self.stdin.write_all(format!("{name}\n").as_bytes()).await?;
            self.lines.next_line().await
        };
        match timeout(DEADLINE, spoken).await {
            Ok(Ok(Some(line))) => {
                let line: Value = serde_json::from_str(&line).context("a line that is no JSON")?;
                match line["step"] == name {
                    true => Ok(line),
                    false => bail!("asked for step {name}, it spoke of {}", line["step"]),
                }
            }
            Ok(Ok(None) | Err(_)) => bail!("it ended in step {name}: {}", self.last_words().await),
            Err(_) => bail!(
                "it said nothing for {DEADLINE:?} in step {name}: {}",
                self.last_words().await
            ),
        }
    }

    /// Ends it by closing its stdin; it must then end well.
    pub(crate) async fn finish(self) -> Result<()> {
        let Self {
            mut child,
            stdin,
            log,
            ..
        } = self;
        drop(stdin);
        let status = timeout(DEADLINE, child.wait())
            .await
            .context("it does not end")??;
        ensure!(status.success(), "it ended with {status}: {}", tail(log));
        Ok(())
    }

    async fn last_words(&mut self) -> String {
        // Killed first, so that they are the last.
        let killed = self.child.kill().await;
        match self.log.try_clone() {
            Ok(log) => tail(log),
            Err(error) => format!("{error}, {killed:?}"),
        }
    }
}

/// The end of a log, tokens hidden.
pub(crate) fn tail(mut log: File) -> String {
    let mut words = Vec::new();
    if let Err(error) = log.rewind().and_then(|()| log.read_to_end(&mut words)) {
        return format!("its log cannot be read: {error}");
    }
    let words = String::from_utf8_lossy(&words);
    let from = words
        .char_indices()
        .rev()
        .nth(4_000)
        .map_or(0, |(at, _)| at);
    redact(&words[from..]).into_owned()
}
