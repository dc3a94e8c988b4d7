//! `gramtap simulate`: an offline Bot API for the tests of any bot.
//!
//! In: an address. Out: the simulator (`shared/simulator`), until SIGINT or SIGTERM. Invariant: any
//! well-formed token is a bot and any chat id a chat, so that a bot runs without preparation; what
//! it keeps is bounded and in memory alone.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use gramtap_simulator::{ROUTES, Simulator, SimulatorConfig};
use tokio::signal::unix::{SignalKind, signal};

use crate::cli::Simulate;
use crate::out;

pub(crate) async fn run(how: Simulate) -> anyhow::Result<ExitCode> {
    let (mut term, mut int) = (
        signal(SignalKind::terminate())?,
        signal(SignalKind::interrupt())?,
    );
    let simulator = Simulator::start(config(&how)?).await;
    let simulator =
        simulator.context("the simulator did not start; choose another address with --listen")?;
    out::print(&greeting(&simulator.http_url()))?;
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
    simulator.shutdown().await;
    Ok(ExitCode::SUCCESS)
}

fn config(how: &Simulate) -> anyhow::Result<SimulatorConfig> {
    let read = |path: &PathBuf| {
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
    };
    let webhook_ca = how.webhook_ca.as_ref().map(read).transpose()?;
    Ok(SimulatorConfig {
        listen: Some(how.listen),
        tls_listen: None,
        accept_any_token: true,
        accept_any_chat: true,
        webhook_ca,
        ..SimulatorConfig::default()
    })
}

fn greeting(url: &str) -> String {
    format!(
        "A simulated Telegram listens on {url}\n\
         Point a bot at it as at any Bot API server; every well-formed token is a bot, every chat id a chat.\n\
         Gramtap in front of it: GRAMTAP_TELEGRAM__URL={url} gramtap up\n\n{ROUTES}"
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_file_of_authorities_that_is_not_there_is_named() {
        let missing = Simulate {
            listen: "127.0.0.1:0".parse().unwrap(),
            webhook_ca: Some("/nowhere/ca.pem".into()),
        };
        let error = config(&missing).unwrap_err();
        assert_eq!(error.to_string(), "cannot read /nowhere/ca.pem");
    }

    #[actix_rt::test]
    async fn it_starts_where_it_says_and_takes_any_token() {
        let config = config(&Simulate {
            listen: "127.0.0.1:0".parse().unwrap(),
            webhook_ca: None,
        })
        .unwrap();
        assert!(config.accept_any_token && config.accept_any_chat);
        let simulator = Simulator::start(config).await.unwrap();
        let text = greeting(&simulator.http_url());
        assert!(
            text.contains(&simulator.http_addr().unwrap().to_string()),
            "{text}"
        );
        assert!(text.contains("POST /simulator/say"), "{text}");
        simulator.shutdown().await;
    }
}
