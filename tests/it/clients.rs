//! Unmodified client libraries: each takes the same steps directly and through Gramtap, and what
//! both sides saw is compared byte by byte.
//!
//! The way of a step through the files: `script.rs` lists them; `program.rs` has a library's program
//! (tests/clients) take one; `tee.rs` keeps the bytes between it and a `door.rs`; the simulator keeps
//! what arrived; `run.rs` gathers both; `judge.rs` makes random words equal (`normal.rs`), compares
//! (`message.rs`, `compare.rs`) and asks `allowed.rs`; `report.rs` writes target/clients/report.txt.
//! `printed.rs` runs the printed recipes as they are printed; `webhooks.rs` has the libraries' webhook servers (`server.rs`) pushed to. Invariant: a difference that is not on the list fails, and so does an entry that nothing needed.
//! Needs what tests/clients/install installs, and a mount namespace (`hosts.rs`); fails without them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod allowed;
mod compare;
mod door;
mod gramtap;
mod hosts;
mod judge;
mod message;
mod normal;
mod printed;
mod program;
mod report;
mod run;
mod script;
mod server;
mod tamper;
mod tee;
mod webhooks;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use gramtap_simulator::{Clock, Simulator, SimulatorConfig};
use tempfile::TempDir;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use allowed::Side;
use door::Door;
use gramtap::Gramtap;
use judge::Judged;
use program::{LIBRARIES, Library};
use run::{Places, run};
use tamper::Tamper;
use tee::Tee;

/// Libraries at once; most of their time is waiting.
const AT_ONCE: usize = 4;

#[tokio::test]
async fn every_library_sees_through_gramtap_what_it_sees_without() {
    install().await.unwrap();
    let room = Arc::new(Semaphore::new(AT_ONCE));
    let mut running = JoinSet::new();
    for library in LIBRARIES {
        let room = Arc::clone(&room);
        running.spawn(async move {
            let _place = room.acquire().await?;
            compared(&library)
                .await
                .with_context(|| format!("{}, broken off", library.name))
        });
    }
    let (mut judged, mut broken) = (Vec::new(), Vec::new());
    for ended in running.join_all().await {
        match ended {
            Ok(steps) => judged.extend(steps),
            Err(error) => broken.push(format!("{error:#}")),
        }
    }
    judged.sort_by_key(|step: &Judged| {
        LIBRARIES
            .iter()
            .position(|library| library.name == step.library)
    });
    let text = report::text(&judged, &broken);
    let path = root().join("target/clients/report.txt");
    std::fs::write(&path, &text).unwrap();
    let failures = report::failures(&judged, broken.is_empty());
    assert!(failures.is_empty() && broken.is_empty(), "{text}");
}

/// One byte each way is enough to be found, in the very calls it is in.
#[tokio::test]
async fn a_door_that_changes_one_byte_is_found() {
    install().await.unwrap();
    let simulator = simulator().await.unwrap();
    let target = simulator.http_addr().unwrap();
    let tamper = Tamper::start(target).await.unwrap();
    let doors = [
        Door::direct(target),
        Door {
            target: tamper.address,
            ..Door::again(target)
        },
    ];
    let library = LIBRARIES
        .iter()
        .find(|library| library.name == "go-telegram-bot-api")
        .unwrap();
    let judged = through(library, &doors, &simulator).await.unwrap();
    let found: Vec<_> = judged
        .iter()
        .filter(|step| step.step == "getMe")
        .flat_map(|step| &step.found)
        .collect();
    let names: Vec<_> = found
        .iter()
        .map(|(found, entry)| (found.side, found.difference.header.as_str(), *entry))
        .collect();
    assert_eq!(
        names,
        [
            (Side::Request, "user-agent", None),
            (Side::Answer, "server", None)
        ]
    );
    let failures = report::failures(&judged, false);
    assert!(
        failures.len() > script::STEPS.len(),
        "{}",
        report::text(&judged, &[])
    );
}

/// A library through Gramtap, held against the same without.
async fn compared(library: &Library) -> Result<Vec<Judged>> {
    let simulator = simulator().await?;
    let target = simulator.http_addr().context("no address")?;
    // Connecting a bot asks Telegram who it is.
    simulator.control().add_bot_token(run::TOKEN)?;
    let gramtap = Gramtap::start(&simulator.http_url()).await?;
    let mut doors = vec![Door::direct(target), Door::again(target)];
    doors.extend(gramtap.connect(&simulator.http_url(), run::TOKEN).await?);
    let judged = through(library, &doors, &simulator).await;
    let judged = judged.with_context(|| format!("Gramtap said: {}", gramtap.words()))?;
    simulator.shutdown().await;
    Ok(judged)
}

/// A library through all doors, each held against the first.
async fn through(library: &Library, doors: &[Door], simulator: &Simulator) -> Result<Vec<Judged>> {
    let hosts = hosts::file(doors.iter().map(|door| door.host.as_str()))?;
    hosts::check(hosts.path()).await?;
    let files = TempDir::new()?;
    let upload = upload(files.path())?;
    let root = root();
    let places = Places {
        root: &root,
        hosts: hosts.path(),
        upload: &upload,
    };
    let (control, tee) = (simulator.control(), Tee::start().await?);
    let mut judged = Vec::new();
    let mut direct = None;
    for door in doors
        .iter()
        .filter(|door| library.takes_path || door.prefix.is_empty())
    {
        let seen = run(library, door, &tee, &control, &places)
            .await
            .with_context(|| door.name)?;
        match &direct {
            None => direct = Some(seen),
            Some(direct) => {
                judged.extend(judge::judge(library, direct, &seen, door.through_gramtap))
            }
        }
    }
    Ok(judged)
}

/// A Telegram in which polls wait a fifth of their time and dates are the same in every run.
async fn simulator() -> Result<Simulator> {
    let config = SimulatorConfig {
        tls_listen: None,
        clock: Clock::scaled(5).with_fixed_date(1_767_225_600),
        ..SimulatorConfig::default()
    };
    Ok(Simulator::start(config).await?)
}

/// Puts the libraries where they are looked for; quick when they are there.
async fn install() -> Result<()> {
    let script = root().join("tests/clients/install");
    let output = tokio::process::Command::new(script).output().await?;
    ensure!(
        output.status.success(),
        "tests/clients/install: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

/// The 2 MB that are uploaded: no two kilobytes alike, the same in every run.
fn upload(folder: &Path) -> Result<PathBuf> {
    let path = folder.join("two-megabytes.bin");
    let mut file = std::io::BufWriter::new(std::fs::File::create(&path)?);
    let mut state = 1_u64;
    for _ in 0..script::UPLOAD_SIZE / size_of::<u64>() {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        file.write_all(&state.to_be_bytes())?;
    }
    file.flush()?;
    Ok(path)
}

/// The repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
