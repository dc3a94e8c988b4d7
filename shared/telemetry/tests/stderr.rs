//! What really arrives on standard error. This program starts itself again with one ignored test
//! as the child, because logs and the panic hook can be set up once in a process.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(
    clippy::disallowed_methods,
    reason = "the threads here are meant to panic uncounted"
)]

use std::{
    borrow::Cow,
    process::{Command, Output},
};

use gramtap_telemetry::{Format, TelemetryConfig, init_with, install_panic_hook, render};

fn hide_canary(text: &str) -> Cow<'_, str> {
    if text.contains("CANARY") {
        Cow::Owned(text.replace("CANARY", "***"))
    } else {
        Cow::Borrowed(text)
    }
}

/// Whether this process is the child of that name, and not a run of all ignored tests.
fn is_child(name: &str) -> bool {
    std::env::var("GRAMTAP_TEST_CHILD").is_ok_and(|child| child == name)
}

fn run_child(name: &str, backtrace: &str) -> Output {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--ignored", "--nocapture"])
        .env("GRAMTAP_TEST_CHILD", name)
        .env("RUST_BACKTRACE", backtrace)
        .output()
        .unwrap()
}

#[test]
fn lines_and_panics_arrive_masked() {
    let output = run_child("child_that_logs", "1");
    assert!(output.status.success());
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(!text.contains("CANARY"), "{text}");
    let lines: Vec<serde_json::Value> = text
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    let find = |message: &str| {
        lines
            .iter()
            .find(|line| line["message"] == message)
            .unwrap_or_else(|| panic!("{text}"))
    };
    assert_eq!(find("our own")["token"], "bot***");
    let panicked = find("panicked");
    assert_eq!(panicked["thread"], "unlucky");
    assert!(panicked["location"].as_str().unwrap().contains("stderr.rs"));
    assert!(
        panicked["backtrace"]
            .as_str()
            .unwrap()
            .contains("child_that_logs")
    );
    assert_eq!(panicked["reason"], "told ***");
    // Written by the guard's drop, after which nothing waits any more.
    find("the last one");
}

#[test]
#[ignore = "the child of lines_and_panics_arrive_masked"]
fn child_that_logs() {
    if !is_child("child_that_logs") {
        return;
    }
    let config = TelemetryConfig {
        format: Format::Json,
        ..TelemetryConfig::default()
    };
    let guard = init_with(&config, hide_canary).unwrap();
    assert_eq!(
        init_with(&config, hide_canary).unwrap_err().label(),
        "twice"
    );
    install_panic_hook(hide_canary);
    tracing::info!(token = "botCANARY", "our own");
    let unlucky = std::thread::Builder::new().name("unlucky".into());
    unlucky
        .spawn(|| panic!("told {}", "CANARY"))
        .unwrap()
        .join()
        .unwrap_err();
    assert!(render().contains("gramtap_panics_total 1\n"));
    tracing::info!("the last one");
    drop(guard);
}

#[test]
fn a_panic_before_logs_are_set_up_is_told_as_well() {
    let output = run_child("child_without_logs", "0");
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("in thread unlucky: told ***\n"), "{text}");
    assert!(!text.contains("CANARY"), "{text}");
}

#[test]
#[ignore = "the child of a_panic_before_logs_are_set_up_is_told_as_well"]
fn child_without_logs() {
    if !is_child("child_without_logs") {
        return;
    }
    install_panic_hook(hide_canary);
    let unlucky = std::thread::Builder::new().name("unlucky".into());
    unlucky
        .spawn(|| panic!("told CANARY"))
        .unwrap()
        .join()
        .unwrap_err();
}
