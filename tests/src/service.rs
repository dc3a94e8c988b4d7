//! A process of a service, of a test's own.
//!
//! In: an installation (`installation.rs`), the service's settings. Out: the addresses of its listeners, what it said.
//! Invariant: it is the binary that was built beside the test, set up by
//! its environment alone; started means ready; and whatever the test is about, no canary is in what
//! the process wrote when it is over. Not ready in time: the test fails with the end of its log.
//! Dropping it kills the process, by its id.

use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};

use crate::{
    Answer, Client, DEADLINE, Installation, assert_no_canary, free_addresses, until, within,
};

/// A running process.
#[derive(Debug)]
pub struct Service {
    child: Child,
    admin: SocketAddr,
    log: PathBuf,
}

impl Service {
    /// Starts a binary with its arguments and waits until it is ready. `process` names its folder in the installation.
    pub(crate) async fn start(
        installation: &Installation,
        line: &[&str],
        process: &str,
        environment: &[(&str, &str)],
    ) -> Self {
        let mut service = Self::spawn(installation, line, process, environment);
        service.wait_until_ready(process).await;
        service
    }

    /// Starts a binary with arguments and waits for nothing.
    #[must_use]
    pub fn spawn(
        installation: &Installation,
        command: &[&str],
        process: &str,
        environment: &[(&str, &str)],
    ) -> Self {
        let data = installation.data_dir(process);
        let [admin, console] = free_addresses();
        let log = data.with_file_name("stderr");
        let (name, arguments) = command.split_first().expect("a binary's name");
        let mut command = Command::new(binary(name));
        // The tests' own variables are no settings.
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("GRAMTAP_") {
                command.env_remove(name);
            }
        }
        command
            .args(arguments)
            .env("GRAMTAP_DATA_DIR", &data)
            .env("GRAMTAP_ADMIN__LISTEN", admin.to_string())
            .env("GRAMTAP_CONSOLE__LISTEN", console.to_string())
            .envs(installation.environment())
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(File::create(log.with_file_name("stdout")).unwrap())
            .stderr(File::create(&log).unwrap())
            .kill_on_drop(true);
        let child = command.spawn().unwrap();
        Self { child, admin, log }
    }

    /// Where its operator's listener is.
    #[must_use]
    pub fn admin(&self) -> SocketAddr {
        self.admin
    }

    /// The link that it has printed, which makes the console's owner.
    pub async fn owner_link(&self) -> String {
        let printed = self.log.with_file_name("stdout");
        let link = async || {
            let words = std::fs::read_to_string(&printed).unwrap();
            let link = words.split_whitespace().find(|it| it.contains("/welcome/"));
            link.map(str::to_owned)
        };
        until("the link for the console's owner", link).await
    }

    /// The most memory that it has had so far, in bytes; roughly, as the kernel counts: it may go back a little.
    #[must_use]
    pub fn peak_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
        kilobytes.and_then(|it| it.parse::<u64>().ok()).unwrap() * 1024
    }

    /// What its operator's listener answers to GET.
    pub async fn operator(&self, path: &str) -> Answer {
        let mut client = Client::connect(self.admin).await;
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        client.ask(request).await
    }

    /// Its process's number.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id().expect("it runs")
    }

    /// What it has said so far.
    #[must_use]
    pub fn words(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap()).into_owned()
    }

    /// Tells it to end.
    pub fn sigterm(&self) {
        self.signal(Signal::TERM);
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.pid()).ok().and_then(Pid::from_raw);
        kill_process(pid.unwrap(), signal).unwrap();
    }

    /// How it ended, if it has.
    pub fn has_ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Kills it.
    pub async fn kill(mut self) {
        within("the process's death", self.child.kill())
            .await
            .unwrap();
    }

    /// Waits until it has ended.
    pub async fn ended(mut self) -> ExitStatus {
        within("the process's end", self.child.wait())
            .await
            .unwrap()
    }

    /// Ends it; it has to end in order.
    pub async fn stop(self) {
        self.sigterm();
        let log = self.log.clone();
        let status = self.ended().await;
        let words = || String::from_utf8_lossy(&std::fs::read(&log).unwrap()).into_owned();
        assert!(status.success(), "{status}: {}", words());
    }

    /// Waits until it is ready.
    pub async fn wait_until_ready(&mut self, name: &str) {
        let until = Instant::now() + DEADLINE;
        while Instant::now() < until {
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!("{name} ended with {status}: {}", self.words());
            }
            let listens = tokio::net::TcpStream::connect(self.admin).await.is_ok();
            if listens && self.operator("/-/ready").await.status() == 200 {
                return;
            }
            // paced: a process that starts has no other way to say that it is ready
            sleep(Duration::from_millis(20)).await;
        }
        panic!("{name} is not ready: {}", self.words());
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        assert_no_canary(self.log.parent().unwrap());
    }
}

/// A binary that was built beside this test.
///
/// # Panics
/// If it was not built.
#[must_use]
pub fn binary(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let folder = test.parent().and_then(Path::parent).unwrap();
    let binary = folder.join(name);
    assert!(
        binary.exists(),
        "there is no {}: run `make test`, which builds it",
        binary.display()
    );
    binary
}
