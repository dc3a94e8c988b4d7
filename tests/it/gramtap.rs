//! The `gramtap` binary, as an operator runs it.
//!
//! In: a folder of its own for each test, the simulated Telegram, the environment. Out: pass or fail.
//! `gramtap/bots.rs`: what is connected beside a running `up` is served; `tail.rs`: records as they
//! come; `counted.rs`: what becomes of them; `demo.rs`: the demo moves; `api.rs`: `/v1` is as it is
//! described; `checks.rs`: `config`, `doctor`, `topics apply`, `simulate`; `refusals.rs`: what is wrong is
//! named; `ending.rs`: signals; `links.rs`: ways into the console; `moving.rs`: webhooks moved
//! by command; `walk.rs`: the console in a browser. Invariant: each command is a process with nothing in its environment
//! but what the test gives it; what still runs at a test's end is killed, by its id; no token is in
//! anything that `up` has written.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod api;
mod bots;
mod checks;
mod counted;
mod demo;
mod ending;
mod links;
mod moving;
mod refusals;
mod tail;
mod walk;

use std::net::SocketAddr;
use std::path::Path;
use std::process::{ExitStatus, Output, Stdio};

use gramtap_simulator::{Control, Simulator, SimulatorConfig};
use gramtap_tests::{Answer, Client, assert_no_canary, binary, free_addresses, within};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

const BOT: i64 = 7_000_000_123;
const TOKEN: &str = "7000000123:AAcanary-of-the-operators-bot_0005";
/// What an exit code means.
const OK: Option<i32> = Some(0);
const FAILED: Option<i32> = Some(1);
const USAGE: Option<i32> = Some(2);
const REFUSED: Option<i32> = Some(64);

/// What `up` says.
const LOG: &str = "up.log";

/// A folder with what belongs to one installation, and a simulated Telegram.
struct Place {
    folder: TempDir,
    address: SocketAddr,
    admin: SocketAddr,
    console: SocketAddr,
    simulator: Simulator,
    control: Control,
}

/// What a command came to.
struct Done {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Place {
    async fn new() -> Self {
        let config = SimulatorConfig {
            accept_any_chat: true,
            ..SimulatorConfig::default()
        };
        let simulator = Simulator::start(config).await.unwrap();
        let control = simulator.control();
        control.add_bot_token(TOKEN).unwrap();
        let [address, admin, console] = free_addresses();
        Self {
            folder: tempfile::tempdir().unwrap(),
            address,
            admin,
            console,
            simulator,
            control,
        }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// `gramtap` with these arguments, in the folder.
    fn gramtap(&self, arguments: &[&str]) -> Command {
        self.command("gramtap", arguments)
    }

    fn command(&self, name: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary(name));
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("GRAMTAP_") {
                command.env_remove(name);
            }
        }
        command
            .args(arguments)
            .current_dir(self.path())
            .env("GRAMTAP_INGRESS__LISTEN", self.address.to_string())
            .env("GRAMTAP_ADMIN__LISTEN", self.admin.to_string())
            .env("GRAMTAP_CONSOLE__LISTEN", self.console.to_string())
            .env("GRAMTAP_TELEGRAM__URL", self.simulator.http_url())
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }

    /// Runs a command to its end.
    async fn run(&self, arguments: &[&str]) -> Done {
        self.run_with(arguments, &[]).await
    }

    /// The same with more in its environment.
    async fn run_with(&self, arguments: &[&str], more: &[(&str, &str)]) -> Done {
        let mut command = self.gramtap(arguments);
        command.envs(more.iter().copied());
        done(within("the command's end", command.output()).await.unwrap())
    }

    /// `gramtap up`, serving.
    async fn up(&self, more: &[(&str, &str)]) -> Running {
        let log = std::fs::File::create(self.path().join(LOG)).unwrap();
        let mut command = self.gramtap(&["up"]);
        command.envs(more.iter().copied()).stderr(log);
        let mut up = Running::start(command);
        // It says so only once it serves.
        while !up.said.contains("gramtap tail") {
            let line = within("a line", up.next_line()).await;
            assert!(line.is_some(), "it ended: {}", self.words());
        }
        up
    }

    /// What `up` has written beside its standard output.
    fn words(&self) -> String {
        std::fs::read_to_string(self.path().join(LOG)).unwrap()
    }

    async fn client(&self) -> Client {
        Client::connect(self.address).await
    }

    async fn get(&self, target: &str) -> Answer {
        self.client().await.ask(get(target)).await
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.path().join(LOG).exists() {
            assert_no_canary(self.path());
        }
    }
}

fn done(output: Output) -> Done {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Done {
        code: output.status.code(),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}

/// A command that goes on.
struct Running {
    child: Child,
    out: Lines<BufReader<ChildStdout>>,
    /// All lines read so far.
    said: String,
}

impl Running {
    fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let out = lines(child.stdout.take().unwrap());
        Self {
            child,
            out,
            said: String::new(),
        }
    }

    /// The next line of its standard output.
    async fn line(&mut self) -> String {
        let line = within("a line", self.next_line()).await;
        line.unwrap_or_else(|| panic!("it said no more than {:?}", self.said))
    }

    /// None: it has closed its standard output.
    async fn next_line(&mut self) -> Option<String> {
        let line = self.out.next_line().await.unwrap()?;
        self.said.push_str(&line);
        self.said.push('\n');
        Some(line)
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id().unwrap()).unwrap();
        kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
    }

    async fn ended(mut self) -> ExitStatus {
        within("the process's end", self.child.wait())
            .await
            .unwrap()
    }

    /// SIGTERM; it has to end in order.
    async fn stop(self) {
        self.signal(Signal::TERM);
        assert_eq!(self.ended().await.code(), OK);
    }
}

fn lines<R: AsyncRead>(from: R) -> Lines<BufReader<R>>
where
    BufReader<R>: tokio::io::AsyncBufRead + Unpin,
{
    BufReader::new(from).lines()
}

fn get(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: gramtap.test\r\n\r\n")
}
