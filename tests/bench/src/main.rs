//! `make bench`: Gramtap beside nginx and haproxy, on the same work in the same run.
//!
//! In: the binary of ingress, nginx and haproxy of the system, Kafka of `GRAMTAP_TEST_KAFKA`. Out: a table on stdout and, if asked for, into
//! RESULTS.md. The way: `site.rs` makes what is the same for all; in each round each proxy (`proxy.rs`) is started before plain and
//! TLS upstream (`upstream.rs`), and `work.rs` measures it with the loads of `load.rs`; what no proxy has is measured by `alone.rs`; `table.rs` sets the rounds side by side.
//! Invariant: proxies take turns within a round, so that what the machine does besides meets all of them. Whatever fails ends the run.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a tool that measures: it tells on its terminal, and a task that panics ends it"
)]

mod alone;
mod callgrind;
mod client;
mod decode;
mod inbox;
mod instructions;
mod load;
mod process;
mod proxy;
mod registry;
mod request;
mod results;
mod send;
mod server;
mod site;
mod statistics;
mod table;
mod upstream;
mod usage;
mod values;
mod work;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use clap::Parser;

use proxy::Subject;
use site::Site;
use table::Rounds;
use work::{CONNECTIONS, Measure, Plan};

/// Measures Gramtap beside nginx and haproxy: CPU, latency and memory, as ratios to nginx.
///
/// Each proxy has core 0 to itself; load, upstream and Kafka share core 1. Numbers are medians of interleaved rounds; the
/// ratios to nginx say more than the numbers, which are this machine's.
#[derive(Debug, Parser)]
struct Arguments {
    /// Rounds.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Seconds of each measurement.
    #[arg(long, default_value_t = 4.0)]
    seconds: f64,
    /// Parked polls. A process has two open files for each.
    #[arg(long, value_delimiter = ',', default_values_t = [4_000])]
    polls: Vec<usize>,
    /// Pushed updates a second that the inbox is measured at, besides the highest rate that it holds.
    #[arg(long, value_delimiter = ',', default_values_t = [1_000.0])]
    rates: Vec<f64>,
    /// What is measured.
    #[arg(long, value_delimiter = ',', default_values = ["send", "large", "upload", "unloaded", "loaded", "parked", "instructions", "inbox", "decode", "registry"])]
    measures: Vec<Measure>,
    /// Of what.
    #[arg(long, value_delimiter = ',', default_values = ["direct", "nginx", "haproxy", "gramtap", "gramtap-off"])]
    subjects: Vec<Subject>,
    /// Before which upstreams: plain, tls.
    #[arg(long, value_delimiter = ',', default_values = ["plain", "tls"])]
    upstreams: Vec<Wire>,
    /// The binary of ingress, as it is released; the forwarder's is beside it.
    #[arg(long)]
    ingress: Option<PathBuf>,
    /// A word on what is measured, for the table's heading.
    #[arg(long, default_value = "")]
    note: String,
    /// The file that the table is put into, newest first.
    #[arg(long)]
    results: Option<PathBuf>,
}

/// How the upstream is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Wire {
    Plain,
    Tls,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(run(&arguments))
}

async fn run(arguments: &Arguments) -> Result<()> {
    let ingress = match &arguments.ingress {
        Some(ingress) => ingress.clone(),
        None => beside("gramtap-ingress")?,
    };
    let polls = arguments.polls.iter().copied().max();
    let parks = arguments.measures.contains(&Measure::Parked);
    let bots = polls.filter(|_| parks).unwrap_or_default().max(CONNECTIONS);
    eprintln!("bench: {bots} bots are connected");
    let site = Site::start(ingress, bots).await?;
    let mut plan = Plan {
        measures: arguments.measures.clone(),
        time: Duration::from_secs_f64(arguments.seconds),
        polls: arguments.polls.clone(),
        rates: arguments.rates.clone(),
        uploads: 5,
        half: 0.0,
    };
    if plan.measures.contains(&Measure::Loaded) {
        plan.half = half_of_nginx(&site).await?;
        eprintln!("bench: half load is {:.0} requests a second", plan.half);
    }
    let began = Instant::now();
    let mut rounds = Rounds::default();
    let proxies = !plan.measures.iter().all(|measure| measure.is_alone());
    for round in 1..=arguments.rounds {
        for upstream in arguments.upstreams.iter().filter(|_| proxies) {
            let tls = *upstream == Wire::Tls;
            for subject in &arguments.subjects {
                let values = work::measure(*subject, &site, tls, &plan)
                    .await
                    .with_context(|| format!("{}, {upstream:?}", subject.name()))?;
                rounds.add(tls, *subject, values);
            }
        }
        rounds.add_alone(alone::measure(&site, &plan).await?);
        plan.measures.retain(|measure| !measure.is_once());
        let took = began.elapsed().as_secs();
        eprintln!(
            "bench: round {round} of {} is over after {took} s",
            arguments.rounds
        );
    }
    let heading = results::heading(&arguments.note, arguments.rounds, plan.half);
    let section = format!("{heading}{}", rounds.table());
    println!("{section}");
    if let Some(file) = &arguments.results {
        results::put(file, &section)?;
    }
    Ok(())
}

/// Half of what nginx answers a second, plain, with all connections asking as fast as they can.
async fn half_of_nginx(site: &Site) -> Result<f64> {
    let plan = Plan {
        measures: vec![Measure::Send],
        time: Duration::from_secs(2),
        ..Plan::default()
    };
    let values = work::measure(Subject::Nginx, site, false, &plan).await?;
    let most = values.get("sendMessage, answered a second");
    Ok(most.context("nginx was not measured")? / 2.0)
}

/// A binary beside this one.
fn beside(name: &str) -> Result<PathBuf> {
    let path = std::env::current_exe()?.with_file_name(name);
    anyhow::ensure!(
        path.exists(),
        "there is no {}: run `make bench`, which builds it",
        path.display()
    );
    Ok(path)
}
