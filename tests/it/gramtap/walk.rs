//! The console in a real browser: tests/browser/walk.mjs beside a real `gramtap up`.
//!
//! In: Debian's chromium, what tests/clients/install installs. Out: pass or fail; pictures of every page in target/browser.
//! Invariant: the browser's errors, requests to other hosts and serious faults of accessibility fail the test.

use std::path::Path;
use std::process::Stdio;

use gramtap_simulator::User;
use gramtap_tests::free_addresses;
use tokio::process::Command;

use super::{Place, TOKEN};

const CHAT: i64 = 7;

#[tokio::test]
async fn the_console_is_walked_in_a_browser() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .canonicalize()
        .unwrap();
    let installed = root.join("target/clients");
    let install = Command::new(root.join("tests/clients/install"))
        .args(["python", "browser"])
        .output()
        .await
        .unwrap();
    assert!(
        install.status.success(),
        "{}",
        String::from_utf8_lossy(&install.stderr)
    );
    let pictures = root.join("target/browser");
    std::fs::create_dir_all(&pictures).unwrap();

    let place = Place::new().await;
    place.control.add_user(User::new(CHAT, "Ann"));
    for text in ["/start promo", "a word", "another"] {
        place.control.say(super::BOT, CHAT, text).unwrap();
    }
    let upload = place.path().join("upload.bin");
    std::fs::write(&upload, vec![7; 100_000]).unwrap();
    // The bot's own server is at an address that is allowed; localhost is not.
    let [address] = free_addresses();
    let port = address.port();
    let ports = format!("[\"{port}\"]");
    let webhooks = [
        ("GRAMTAP_WEBHOOKS__ALLOW", r#"["127.0.0.2/32"]"#),
        ("GRAMTAP_WEBHOOKS__PORTS", &ports),
        ("GRAMTAP_WEBHOOKS__HTTP", "true"),
    ];
    let up = place.up(&webhooks).await;
    let link = up
        .said
        .split_whitespace()
        .find(|word| word.contains("/welcome/"));
    let walk = Command::new("node")
        .arg(installed.join("browser/walk.mjs"))
        .env("CONSOLE", format!("http://{}", place.console))
        .env("LINK", link.unwrap())
        .env("BASE", format!("http://{}", place.address))
        .env("TOKEN", TOKEN)
        .env("CHAT", CHAT.to_string())
        .env("UPLOAD", &upload)
        .env("WEBHOOK", format!("http://127.0.0.2:{port}"))
        .env("PYTHON", installed.join("python/bin/python"))
        .env("PROGRAM", root.join("tests/clients/printed/aiogram.py"))
        .env("PICTURES", &pictures)
        .env("NO_PROXY", "*")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let walk = walk.await.unwrap();
    let said = |bytes: &[u8]| {
        gramtap_telegram::redact::redact(&String::from_utf8_lossy(bytes)).into_owned()
    };
    assert!(
        walk.status.success(),
        "{}\n{}",
        said(&walk.stdout),
        said(&walk.stderr)
    );
    up.stop().await;
}
