//! Every recipe that is printed for Python, JavaScript, Go and Java, run as it is printed.
//!
//! In: `gramtap_tenants::recipes`, which the console, `gramtap bots add` and README.md show; the programs of
//! tests/clients/printed, which lack nothing but the recipe. Out: pass or fail. A real `gramtap up` stands between and
//! alone knows where Telegram is: `api.telegram.org` leads to a closed port of this machine, so that a call which
//! a recipe does not lead to Gramtap fails. Invariant: a recipe is put in word for word; what it lacks the program lacks.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use gramtap_simulator::{Control, Filter, User};
use gramtap_tenants::recipes;
use tempfile::TempDir;
use tokio::process::Command;

use super::gramtap::Gramtap;
use super::program::DEADLINE;
use super::{hosts, install, root, script, simulator, upload};

/// What a program is written in.
#[derive(Clone, Copy)]
enum Language {
    Python,
    Node,
    Go,
    Java,
}

/// Programs of tests/clients/printed, and the recipes that they run.
const PROGRAMS: [(&str, &str, Language); 10] = [
    ("aiogram", "aiogram.py", Language::Python),
    (
        "python-telegram-bot",
        "python-telegram-bot.py",
        Language::Python,
    ),
    ("pyTelegramBotAPI", "pyTelegramBotAPI.py", Language::Python),
    ("grammY", "grammY.mjs", Language::Node),
    ("telegraf", "telegraf.mjs", Language::Node),
    (
        "node-telegram-bot-api 0.6x",
        "node-telegram-bot-api-0.mjs",
        Language::Node,
    ),
    (
        "node-telegram-bot-api",
        "node-telegram-bot-api-2.mjs",
        Language::Node,
    ),
    (
        "go-telegram-bot-api",
        "go-telegram-bot-api.go",
        Language::Go,
    ),
    ("telebot", "telebot.go", Language::Go),
    ("TelegramBots", "TelegramBots.java", Language::Java),
];

/// What each bot must have asked Telegram for.
const METHODS: [&str; 6] = [
    "file",
    "getfile",
    "getme",
    "getupdates",
    "senddocument",
    "sendmessage",
];

#[tokio::test]
async fn every_printed_recipe_runs_as_printed_and_through_gramtap_alone() {
    install().await.unwrap();
    let simulator = simulator().await.unwrap();
    let control = simulator.control();
    let gramtap = Gramtap::reachable(&simulator.http_url()).await.unwrap();
    let trap = hosts::file(["api.telegram.org"]).unwrap();
    hosts::check(trap.path()).await.unwrap();
    let files = TempDir::new().unwrap();
    let upload = upload(files.path()).unwrap();
    let mut failures = Vec::new();
    for (number, (library, file, language)) in (700_001..).zip(PROGRAMS) {
        let token = format!("{number}:AAcanary-printed_recipe_of_a_library_0");
        let told = async {
            connect(&control, &gramtap, &simulator.http_url(), number, &token).await?;
            let folder = TempDir::new()?;
            let base = gramtap.base();
            let command = prepare(library, file, language, &base, folder.path()).await?;
            let environment = [
                ("TOKEN", token.clone()),
                ("CHAT", script::USER.to_string()),
                ("UPLOAD", upload.display().to_string()),
                ("BASE", base),
            ];
            run(&command, &environment, trap.path(), folder.path()).await
        };
        let told = told.await;
        let judged = told.and_then(|told| judge(&told, number, &control));
        if let Err(error) = judged {
            failures.push(format!("{library}: {error:#}"));
        }
    }
    let said = gramtap.words();
    assert!(failures.is_empty(), "{}\n{said}", failures.join("\n"));
    simulator.shutdown().await;
}

/// A bot with three updates waiting for it, known to Telegram and to Gramtap.
async fn connect(
    control: &Control,
    gramtap: &Gramtap,
    telegram: &str,
    number: i64,
    token: &str,
) -> Result<()> {
    control.add_bot_token(token)?;
    control.add_user(User::new(script::USER, "Ann"));
    for text in ["/start", "a word", "another"] {
        control.say(number, script::USER, text)?;
    }
    gramtap.connect(telegram, token).await?;
    Ok(())
}

/// Puts the recipe into its program, and makes that ready to run.
async fn prepare(
    library: &str,
    file: &str,
    language: Language,
    base: &str,
    folder: &Path,
) -> Result<Vec<String>> {
    let recipe = recipes::all().iter().find(|it| it.library == library);
    let recipe = recipe.with_context(|| format!("no recipe is printed for {library}"))?;
    let program = std::fs::read_to_string(root().join("tests/clients/printed").join(file))?;
    let mut written = String::new();
    for line in program.lines() {
        match line.trim_start_matches([' ', '\t', '#', '/']) {
            "{imports}" => written.push_str(recipe.imports),
            "{recipe}" => written.push_str(&recipe.lines(base)?),
            _ => written.push_str(line),
        }
        written.push('\n');
    }
    let clients = root().canonicalize()?.join("target/clients");
    let text = |path: PathBuf| path.display().to_string();
    match language {
        Language::Python => {
            let main = folder.join("main.py");
            std::fs::write(&main, written)?;
            Ok(vec![text(clients.join("python/bin/python")), text(main)])
        }
        Language::Node => {
            let main = folder.join("main.mjs");
            std::fs::write(&main, written)?;
            modules(&clients.join("node/node_modules"), folder, file)?;
            Ok(vec!["node".to_owned(), text(main)])
        }
        Language::Go => {
            std::fs::write(folder.join("main.go"), written)?;
            for name in ["go.mod", "go.sum"] {
                std::fs::copy(
                    root().join("tests/clients/go").join(name),
                    folder.join(name),
                )?;
            }
            let program = text(folder.join("program"));
            let build = ["go", "build", "-mod=readonly", "-o", &program, "."];
            finish(Command::new(build[0]).args(&build[1..]).current_dir(folder)).await?;
            Ok(vec![program])
        }
        Language::Java => {
            let main = folder.join("Printed.java");
            std::fs::write(&main, written)?;
            let path = format!("{}/java/lib/*:{}", clients.display(), folder.display());
            let mut build = Command::new("javac");
            build.args(["-cp", &path, "-d"]).arg(folder).arg(main);
            finish(&mut build).await?;
            let options = [
                "java",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Xmx256m",
            ];
            let command = options.into_iter().chain(["-cp", &path, "Printed"]);
            Ok(command.map(str::to_owned).collect())
        }
    }
}

/// Both majors of a library are installed; a program finds the one that it is about under the library's own name.
fn modules(installed: &Path, folder: &Path, file: &str) -> Result<()> {
    let ours = folder.join("node_modules");
    std::fs::create_dir(&ours)?;
    for name in ["grammy", "telegraf"] {
        std::os::unix::fs::symlink(installed.join(name), ours.join(name))?;
    }
    if let Some(name) = file
        .strip_suffix(".mjs")
        .filter(|it| it.starts_with("node-"))
    {
        let link = ours.join("node-telegram-bot-api");
        std::os::unix::fs::symlink(installed.join(name), link)?;
    }
    Ok(())
}

/// Runs a program in a place where Telegram is not to be found; gives the line that it prints.
async fn run(
    command: &[String],
    environment: &[(&str, String)],
    trap: &Path,
    folder: &Path,
) -> Result<serde_json::Value> {
    let mut command = hosts::within(trap, command);
    command
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .env("NO_PROXY", "*")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("TMPDIR", folder);
    let said = finish(&mut command).await?;
    let line = said.lines().next_back().context("it said nothing")?;
    Ok(serde_json::from_str(line)?)
}

/// Waits for a command; gives what it printed.
async fn finish(command: &mut Command) -> Result<String> {
    let output = command.kill_on_drop(true).output();
    let output = tokio::time::timeout(DEADLINE, output)
        .await
        .context("it does not end")??;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        bail!(
            "it ended with {}: {}",
            output.status,
            gramtap_telegram::redact::redact(&words)
        );
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// What a bot saw, and what Telegram saw of it.
fn judge(told: &serde_json::Value, bot: i64, control: &Control) -> Result<()> {
    ensure!(told["updates"] == 3, "it received {told}");
    ensure!(told["bytes"] == script::UPLOAD_SIZE, "it downloaded {told}");
    ensure!(told["username"].is_string(), "it is {told}");
    let mut methods: Vec<_> = control
        .requests(&Filter::default())
        .into_iter()
        .filter(|request| request.bot == Some(bot))
        .filter_map(|request| request.method)
        .collect();
    methods.sort_unstable();
    methods.dedup();
    ensure!(
        METHODS
            .iter()
            .all(|method| methods.iter().any(|it| it == method)),
        "Telegram was asked for {methods:?}"
    );
    Ok(())
}
