//! What is understood and what is refused. In: tables. Out: `cargo test`.
#![allow(clippy::unwrap_used, clippy::panic)]

use clap::CommandFactory;

use super::*;

fn read(line: &str) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(line.split_whitespace())
}

#[test]
fn the_declaration_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn what_the_contract_names_is_understood() {
    for line in [
        "gramtap up",
        "gramtap up --config /etc/gramtap.toml",
        "gramtap --config /etc/gramtap.toml up",
        "gramtap bots add --token 1:a",
        "gramtap bots add --token 1:a --store-token --name shop --privacy full --json",
        "gramtap bots add --token -",
        "gramtap bots add --id 7",
        "gramtap bots add --code-only",
        "gramtap bots add --code-only --id 7",
        "gramtap bots add --id 7 --webhook-url https://bot.example/x --webhook-secret s --webhook-ca ca.pem --mode relay",
        "gramtap bots release abcdefghijklmnopqrstuvwxyz",
        "gramtap bots rotate-hook abcdefghijklmnopqrstuvwxyz",
        "gramtap bots list --json",
        "gramtap bots rm abcdefghijklmnopqrstuvwxyz --now",
        "gramtap dead list --bot 7 --cause expired --kind message --since 2h --replayed --limit 5 --json",
        "gramtap dead show --bot 7 ingress-0-1-5 --json",
        "gramtap dead replay --bot 7 ingress-0-1-5 ingress-0-1-6 --to https://bot.example/x --json",
        "gramtap dead replay --bot 7 --cause expired --since 30m",
        "gramtap dead replay --bot 7 --all",
        "gramtap tail",
        "gramtap tail --bot 7 --topic calls --json",
        "gramtap tail --topic gramtap.updates.v1",
        "gramtap simulate --listen 127.0.0.1:0",
        "gramtap demo",
        "gramtap demo --for 30s",
        "gramtap topics apply",
        "gramtap config",
        "gramtap doctor",
    ] {
        read(line).unwrap_or_else(|error| panic!("{line}: {error}"));
    }
}

#[test]
fn what_makes_no_sense_is_refused() {
    for line in [
        "gramtap",
        "gramtap bots add",
        "gramtap dead list",
        "gramtap dead show --bot 7",
        "gramtap dead replay --bot 7",
        "gramtap dead replay --bot 7 ingress-0-1-5 --all",
        "gramtap dead list --bot 7 --limit 0",
        "gramtap bots add --name shop",
        "gramtap bots add --store-token",
        "gramtap bots add --id 7 --store-token",
        "gramtap bots add --token 1:a --id 1",
        "gramtap bots add --token 1:a --code-only",
        "gramtap bots add --id 0",
        "gramtap bots add --id x",
        "gramtap bots add --id 7 --privacy most",
        "gramtap bots rm",
        "gramtap bots rm 7",
        "gramtap tail --topic nothing",
        "gramtap simulate --listen 8082",
        "gramtap topics",
    ] {
        assert!(read(line).is_err(), "{line}");
    }
}

#[test]
fn the_simulator_has_an_address_of_its_own() {
    let Command::Simulate(simulate) = read("gramtap simulate").unwrap().command else {
        panic!("another command");
    };
    assert_eq!(simulate.listen.to_string(), "127.0.0.1:8082");
}

#[test]
fn a_token_is_not_shown() {
    let cli = read("gramtap bots add --token 1:canary").unwrap();
    assert!(!format!("{cli:?} {cli:#?}").contains("canary"));
    let refused = read("gramtap bots add --token 1:canary --privacy most").unwrap_err();
    assert!(!format!("{refused}").contains("canary"), "{refused}");
}
