//! All of Gramtap in one binary, and the operator's commands.
//!
//! The way of a command: `cli.rs` reads the arguments → `effective.rs` the configuration → the
//! command's own file (`up.rs`, `demo.rs`, `bots.rs`, `console.rs`, `dead.rs`, `tail.rs`, `simulate.rs`, `topics.rs`, `config.rs`,
//! `doctor.rs`) does it and writes through `out.rs`. What fails comes back here, is said on
//! standard error with tokens hidden (`hide.rs`), and becomes an exit code.
//!
//! Invariant: 0 is done, 1 is failed, 2 is wrong usage, 64 is a refused configuration, whose key is
//! named. A token that was given as an argument is never written, wherever it was put.

mod bots;
mod cli;
mod config;
mod console;
mod dead;
mod demo;
mod doctor;
mod effective;
mod hide;
mod out;
mod simulate;
mod tail;
mod topics;
mod up;

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use gramtap_ingress::config::is_refusal;
use gramtap_settings::EXIT_CONFIG;
use gramtap_telegram::redact::redact;

use crate::cli::{Bots, Cli, Command, Console, Dead, Topics};
use crate::effective::Effective;

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let cli = match Cli::try_parse_from(&arguments) {
        Ok(cli) => cli,
        Err(error) => return usage(&error, &arguments),
    };
    match run(cli) {
        Ok(code) => code,
        Err(error) => failed(&error, &arguments),
    }
}

fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let file = cli.config.as_deref();
    match cli.command {
        Command::Demo(how) => on_runtime(demo::run(how)),
        Command::Up => on_runtime(up::run(Effective::load(file)?)),
        Command::Bots(Bots::Add(new)) => on_runtime(bots::add(Effective::quiet(file)?, new)),
        Command::Bots(Bots::List(list)) => on_runtime(bots::list(Effective::quiet(file)?, list)),
        Command::Bots(Bots::Release(which)) => {
            on_runtime(bots::release(Effective::quiet(file)?, which))
        }
        Command::Bots(Bots::RotateHook(which)) => {
            on_runtime(bots::rotate(Effective::quiet(file)?, which))
        }
        Command::Bots(Bots::Rm(removed)) => {
            on_runtime(bots::remove(Effective::quiet(file)?, removed))
        }
        Command::Console(Console::Link) => on_runtime(console::link(Effective::quiet(file)?)),
        Command::Dead(Dead::List(which)) => on_runtime(dead::list(Effective::quiet(file)?, which)),
        Command::Dead(Dead::Show(one)) => on_runtime(dead::show(Effective::quiet(file)?, one)),
        Command::Dead(Dead::Replay(which)) => {
            on_runtime(dead::replay(Effective::quiet(file)?, which))
        }
        Command::Tail(what) => on_runtime(tail::run(Effective::quiet(file)?, what)),
        Command::Simulate(how) => on_runtime(simulate::run(how)),
        Command::Topics(Topics::Apply) => on_runtime(topics::apply(Effective::quiet(file)?)),
        Command::Config => config::run(file),
        Command::Doctor => on_runtime(doctor::run(Effective::quiet(file)?)),
    }
}

/// One thread for the command itself; `up` starts more.
fn on_runtime(command: impl Future<Output = anyhow::Result<ExitCode>>) -> anyhow::Result<ExitCode> {
    actix_rt::System::new().block_on(command)
}

/// What clap says, without the tokens that it quotes. Help and version are no failures.
fn usage(error: &clap::Error, arguments: &[OsString]) -> ExitCode {
    let text = error.render();
    if !error.use_stderr() {
        return out::finish(out::print(&text.to_string()));
    }
    say(&hide::arguments(&text.to_string(), arguments));
    ExitCode::from(2)
}

fn failed(error: &anyhow::Error, arguments: &[OsString]) -> ExitCode {
    if error.chain().any(is_broken_pipe) {
        return ExitCode::SUCCESS;
    }
    say(&format!(
        "gramtap: {}\n",
        hide::arguments(&redact(&out::chain(error.as_ref())), arguments)
    ));
    ExitCode::from(if is_refusal(error) { EXIT_CONFIG } else { 1 })
}

/// Whoever read our output has seen enough.
fn is_broken_pipe(cause: &(dyn std::error::Error + 'static)) -> bool {
    cause
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
        && cause.source().is_none()
}

/// Nobody is left to be told if standard error is closed.
fn say(text: &str) {
    io::stderr().write_all(text.as_bytes()).ok();
}
