//! `gramtap demo`: all of Gramtap with something to look at.
//!
//! The way of it: `demo/scenery.rs` makes a temporary folder, a simulated Telegram and a configuration for both → `up.rs` starts the
//! services → the bots of `demo/bots.rs` (`demo/tidy.rs`, `demo/clumsy.rs`, `demo/rivals.rs`; `demo/sleepy.rs` has a webhook) call through ingress as any library would
//! (`demo/client.rs`), while the people of `demo/crowd.rs` write to them. Out: a few lines that say where to look. Invariant:
//! nothing leaves this machine, nothing is made up but the people: every number comes of a call that was made; the folder is
//! gone at the end, whatever ended it but SIGKILL.

mod bots;
mod client;
mod clumsy;
mod crowd;
mod rivals;
mod scenery;
mod sleepy;
mod tidy;

use std::future;
use std::net::Ipv4Addr;
use std::process::ExitCode;

use anyhow::Context as _;
use gramtap_simulator::Simulator;
use tokio::net::TcpListener;

use crate::cli::Demo;
use crate::effective::Effective;
use crate::out;
use crate::up::{self, Up};

pub(crate) async fn run(how: Demo) -> anyhow::Result<ExitCode> {
    let folder = scenery::folder()?;
    let simulator = Simulator::start(scenery::simulator()).await;
    let simulator = simulator.context("the simulated Telegram did not start")?;
    let webhook = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let port = webhook.local_addr()?.port();
    let effective = scenery::configuration(folder.path(), &simulator.http_url(), port)?;
    let process = up::open(&effective).await?;
    let stop = process.parts.drain.token();
    let own = sleepy::webhook(port)?;
    bots::connect(&process.parts.registry, &simulator.control(), &own).await?;
    let up = Up::start(&effective, process).await?;
    bots::run(
        &effective.config.process.public_url,
        &simulator.control(),
        webhook,
        &stop,
    );
    // The bots are at work whether or not anybody reads this.
    let console = up.guest().await?;
    out::print(&greeting(&effective, &how, console.as_deref())).ok();
    let over = async {
        match how.duration {
            Some(time) => tokio::time::sleep(time).await,
            None => future::pending().await,
        }
        true
    };
    let code = up.end(over).await;
    simulator.shutdown().await;
    folder
        .close()
        .context("the demo's folder was not removed")?;
    Ok(code)
}

fn greeting(effective: &Effective, how: &Demo, console: Option<&str>) -> String {
    let process = &effective.config.process;
    let console = console.map(|link| format!("console {link}   signed in as it is opened\n"));
    let console = console.unwrap_or_default();
    let folder = process.data_dir.display();
    let end = match how.duration {
        Some(time) => format!("after {time:?}, or with Ctrl-C"),
        None => "with Ctrl-C".to_owned(),
    };
    format!(
        "Four live bots with simulated users, behind a real Gramtap. Nothing leaves this machine.\n\n\
         {console}bots    {} is the address they are told to use\n\
         data    {folder}, removed at the end\n\n\
         {}\n\
         Next, in another terminal:\n  \
         export GRAMTAP_DATA_DIR={folder}\n  \
         gramtap tail --topic errors      what fails, as it fails, and which advice it gets\n  \
         gramtap tail --topic events      what analysts read\n  \
         gramtap bots list                the bots and their codes\n\n\
         It ends {end}.\n",
        process.public_url,
        bots::told(),
    )
}
