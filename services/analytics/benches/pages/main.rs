//! How long the pages of a bot take: from a browser's request to the last byte of the page, with ten million events counted.
//!
//! In: half a year of a made-up installation (`traffic.rs`), added to SQLite, and to Postgres where `GRAMTAP_TEST_POSTGRES` names one
//! (`fill.rs`); what is filled is kept below the target folder, or in a schema of its own. Out: a table on stdout, of the biggest bot:
//! the clock's time, as people wait by it. Each page is asked for over HTTP of the console, by somebody who is signed in (`browser.rs`),
//! with its usual and with its longest span. Invariant: a page that is not whole, or no page at all, fails the bench.
//! Run by `make bench-pages`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "whatever fails here fails the bench"
)]

mod browser;
#[path = "../decode/cpu.rs"]
#[expect(
    dead_code,
    reason = "what threads spend is asked by the other bench alone"
)]
mod cpu;
mod fill;
mod traffic;

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use gramtap_analytics::query::{Period, errors};
use gramtap_analytics::serve::desk::Desk;
use gramtap_analytics::serve::door::Door;
use gramtap_analytics::serve::{Console, Site, guest_link};
use gramtap_analytics::store::{Limits, Store};
use gramtap_analytics::zone::Zone;
use gramtap_bus::{Bus, BusConfig};
use gramtap_database::{Database, Statement};
use gramtap_telegram::BotId;
use gramtap_tenants::{Keys, NewTenant, Registry, Tenant};
use serde_json::json;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

use browser::Browser;
use traffic::{Bot, NOW, SHARES};

/// Events that are counted.
const EVENTS: i64 = 10_000_000;
/// How often each page is asked for.
const TIMES: usize = 25;
/// What no page is to reach.
const GOAL: Duration = Duration::from_millis(200);
/// The pages that have spans.
const PAGES: [&str; 6] = [
    "overview", "audience", "actions", "sources", "errors", "latency",
];
/// The errors that are shown one by one: what most users cause, and what is compared with other bots.
const ERRORS: [&str; 2] = ["blocked_by_user", "gateway"];

fn main() {
    // `cargo test --benches` only wants to know that it starts.
    if std::env::args().all(|it| it != "--bench") {
        return;
    }
    let events = std::env::var("GRAMTAP_BENCH_EVENTS").map_or(EVENTS, |it| it.parse().unwrap());
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("pages-{events}"));
    std::fs::create_dir_all(&folder).unwrap();
    let mut slow = measure("SQLite", "", &folder, events);
    if let Ok(url) = std::env::var("GRAMTAP_TEST_POSTGRES") {
        let url = schema(&url, &folder, events);
        slow += measure("Postgres", &url, &folder, events);
    }
    println!(
        "\npages that took {} ms or more at least once: {slow}",
        GOAL.as_millis()
    );
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

fn open(url: &str, folder: &Path) -> Database {
    let section = json!({"url": url, "max_connections": 8});
    Database::open(&serde_json::from_value(section).unwrap(), folder).unwrap()
}

/// The address of a schema of its own on the server.
fn schema(url: &str, folder: &Path, events: i64) -> String {
    let name = format!("pages_{events}");
    let make: &'static str = format!("CREATE SCHEMA IF NOT EXISTS {name}").leak();
    let runtime = runtime();
    let _inside = runtime.enter();
    let server = open(url, folder);
    runtime
        .block_on(server.execute(&Statement::new("bench_schema", make), &[]))
        .unwrap();
    runtime.block_on(server.close());
    format!("{url}?options=-c%20search_path%3D{name}")
}

/// Fills a database and asks for every page. Returns how many were slow.
fn measure(engine: &str, url: &str, folder: &Path, events: i64) -> usize {
    let runtime = runtime();
    let _inside = runtime.enter();
    let database = open(url, folder);
    let store = Store::new(database.clone(), Limits::default());
    let section = json!({"key": "07".repeat(32), "key_file": ""});
    let keys = Keys::load(&serde_json::from_value(section).unwrap(), folder).unwrap();
    let registry = Registry::new(database.clone(), keys.clone());
    let prepared = runtime.block_on(database.prepare());
    // Filled by a version with other tables.
    prepared.unwrap_or_else(|error| panic!("{error}: remove {} or the schema", folder.display()));
    let tenants = runtime.block_on(connect(&registry));
    let bots = tenants.iter().zip(SHARES).map(|(tenant, share)| Bot {
        tenant: tenant.id,
        share,
    });
    let bots: Vec<Bot> = bots.collect();
    eprintln!("{engine}: filling, unless it is full");
    fill::fill(&runtime, &store, &bots, events);
    if !url.is_empty() {
        // What the server does by itself some minutes later.
        let statement = Statement::new("bench_vacuum", "VACUUM ANALYZE");
        let vacuumed = runtime.block_on(database.execute(&statement, &[]));
        vacuumed.map_err(|error| eprintln!("{error}")).ok();
    }
    let biggest = &tenants[0];
    let paths = runtime.block_on(paths(&database, biggest));
    print_head(engine, &runtime, &database, biggest);
    runtime.block_on(database.close());
    drop(registry);

    let (address, browser, end) = serve(url, folder, keys);
    let browser = Browser::enter(address, &browser);
    let mut slow = 0;
    for (name, path) in paths {
        let mut took = Vec::new();
        let mut bytes = 0;
        let clock = cpu::Clock::now();
        for _ in 0..TIMES {
            let began = Instant::now();
            let page = browser.get(&path);
            took.push((began.elapsed(), page.first));
            bytes = page.bytes;
        }
        let spent = clock.spent();
        let servers: f64 = spent.servers.iter().map(|(_, seconds)| seconds).sum();
        let cpu = (spent.own + servers) * 1_000.0 / TIMES as f64;
        let first = took[0].0;
        took.sort_unstable();
        let (median, worst) = (took[TIMES / 2], took[TIMES - 1].0);
        slow += usize::from(worst >= GOAL);
        let ms = |time: Duration| time.as_secs_f64() * 1_000.0;
        println!(
            "{name:<32} {bytes:>8} {:>10.1} {:>10.1} {:>10.1} {:>10.1} {cpu:>8.1}",
            ms(first),
            ms(median.1),
            ms(median.0),
            ms(worst)
        );
    }
    end.send(()).unwrap();
    slow
}

fn print_head(engine: &str, runtime: &Runtime, database: &Database, biggest: &Tenant) {
    let number = |sql: &'static str| {
        let statement = Statement::new("bench_number", sql);
        let values = [biggest.id.as_str().into()];
        let row = runtime
            .block_on(database.first(&statement, &values))
            .unwrap();
        row.unwrap().get::<Option<i64>>("n").unwrap().unwrap_or(0)
    };
    let events = number(
        "SELECT CAST(SUM(n) AS BIGINT) AS n FROM sum_labels WHERE kind = 'event' AND $1 <> ''",
    );
    let own = number(
        "SELECT CAST(SUM(n) AS BIGINT) AS n FROM sum_labels WHERE kind = 'event' AND tenant = $1",
    );
    let users = number("SELECT COUNT(*) AS n FROM bot_users WHERE tenant = $1");
    let labels = number("SELECT COUNT(*) AS n FROM sum_labels WHERE tenant = $1");
    println!(
        "\n{engine}: {events} events of {} bots; the biggest has {own} events, {users} users, {labels} rows of labels",
        SHARES.len()
    );
    println!(
        "{:<32} {:>8} {:>10} {:>10} {:>10} {:>10} {:>8}",
        format!("page, ms of {TIMES}"),
        "bytes",
        "the first",
        "first byte",
        "median",
        "worst",
        "CPU"
    );
}

/// The bots of the installation, the biggest first.
async fn connect(registry: &Registry) -> Vec<Tenant> {
    let mut tenants = registry.list().await.unwrap();
    for place in tenants.len()..SHARES.len() {
        let new = NewTenant {
            bot: Some(BotId(7_100_200_300 + i64::try_from(place).unwrap())),
            name: Some(format!("Bot {place:02}")),
            ..NewTenant::default()
        };
        tenants.push(registry.add(&new).await.unwrap());
    }
    tenants.sort_by_key(|tenant| tenant.bot.unwrap().0);
    tenants
}

/// What is asked for: names and paths.
async fn paths(database: &Database, bot: &Tenant) -> Vec<(String, String)> {
    let mut pages: Vec<String> = PAGES.iter().map(|page| (*page).to_owned()).collect();
    let groups = errors::errors(database, bot.id, &Period::last(Zone::UTC, NOW, 90))
        .await
        .unwrap();
    let mut named = Vec::new();
    for advice in ERRORS {
        let group = groups
            .iter()
            .find(|group| group.advice.is_some_and(|it| it.key == advice));
        let group = group.unwrap_or_else(|| panic!("no error with the advice {advice}"));
        named.push((
            format!("error: {advice}"),
            format!("errors/{}", group.group),
        ));
    }
    let mut paths = vec![("list of bots".to_owned(), "/bots".to_owned())];
    let pages = pages
        .drain(..)
        .map(|page| (page.clone(), page))
        .chain(named);
    for (name, page) in pages {
        let path = format!("/bots/{}/{page}", bot.code);
        paths.push((name.clone(), path.clone()));
        paths.push((format!("{name}, 90 days"), format!("{path}?days=90")));
    }
    paths
}

/// Starts a console on a thread of its own. Its address, a link that lets somebody in, and what ends it.
#[expect(
    clippy::disallowed_methods,
    reason = "the thread ends with the process at the latest"
)]
fn serve(url: &str, folder: &Path, keys: Keys) -> (SocketAddr, String, oneshot::Sender<()>) {
    let (told, tell) = mpsc::channel();
    let (end, ended) = oneshot::channel();
    let (url, folder) = (url.to_owned(), PathBuf::from(folder));
    std::thread::spawn(move || {
        actix_rt::System::new().block_on(async move {
            let database = open(&url, &folder);
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap();
            let site = Site {
                store: Store::new(database.clone(), Limits::default()),
                registry: Registry::new(database.clone(), keys.clone()),
                bus: bus(&folder),
                keys,
                public_url: "https://tg.example.org".to_owned(),
                url: format!("http://{address}"),
                proxies: gramtap_process::TrustedProxies::default(),
                telegram: gramtap_botapi::Section {
                    url: "https://telegram.example.org".to_owned(),
                    ca_file: String::new(),
                    bind: String::new(),
                },
                door: Door::default(),
                desk: Desk::default(),
                webhooks: gramtap_outbound::guard::Policy::default(),
                clock: || NOW,
            };
            let link = guest_link(&database, "").await.unwrap();
            let console = Console::start(listener, site).unwrap();
            told.send((address, link)).unwrap();
            ended.await.ok();
            console.stop().await;
        });
    });
    let (address, link) = tell.recv().unwrap();
    (address, link, end)
}

fn bus(folder: &Path) -> Bus {
    let kafka = json!({
        "brokers": "", "properties": [], "partitions": 4, "replication": 1, "compression": "none",
    });
    let section = json!({"kind": "embedded", "embedded": {"retention": "7d", "max_bytes": "1GiB"}});
    let config = BusConfig {
        bus: serde_json::from_value(section).unwrap(),
        kafka: serde_json::from_value(kafka).unwrap(),
        data_dir: folder.to_owned(),
        client: "gramtap-bench".to_owned(),
    };
    Bus::open(&config).unwrap()
}
