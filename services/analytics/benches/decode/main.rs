//! How fast records become events and events become numbers: events a second and core, stage by stage and the whole way.
//!
//! In: the scripted week (`week.rs`), as often as makes [`RECORDS`] records. Out: a table on stdout, of CPU time (`cpu.rs`), so that a
//! busy machine tells nearly the same. First the stages that only compute, each alone, the median of [`ROUNDS`]: decode (a record read, told
//! from repeats, its event and error made), encode (these as JSON), fold (read and counted). Then the whole way (`whole.rs`), through
//! the embedded log into SQLite, and through Kafka into Postgres where `GRAMTAP_TEST_KAFKA` and `GRAMTAP_TEST_POSTGRES` name them.
//! Invariant: what comes out is counted and has to be all. Run by `make bench-decode`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::cast_precision_loss,
    reason = "whatever fails here fails the bench"
)]

mod cpu;
mod week;
mod whole;

use std::path::Path;

use gramtap_analytics::decode::bots::Bots;
use gramtap_analytics::decode::decoder::{Decoder, Yield};
use gramtap_analytics::fold::{Folded, Zones};
use gramtap_analytics::store::Store;
use gramtap_bus::{Bus, Delivery, Message};

use tokio::runtime::Runtime;

use cpu::{Clock, Spent};

/// Records at least.
const RECORDS: usize = 1_000_000;
/// Records of a batch of the stages that only compute, as of the product's fold.
const BATCH: usize = 10_000;
/// Rounds of these.
const ROUNDS: usize = 5;

const HELP: &str = "\
How many records a second one core decodes and counts.

  make bench-decode                        with Kafka and Postgres of deploy/dev/services
  cargo bench -p gramtap-analytics --bench decode
                                           without, or with those that GRAMTAP_TEST_KAFKA
                                           and GRAMTAP_TEST_POSTGRES name; both must be empty

  ... -- --stages                          the stages that only compute (`make bench` does this)
  GRAMTAP_BENCH_RECORDS=N                  another number of records than 1,000,000

A core is a second of CPU time of this process, all its threads and the kernel's work for them:
SQLite and Kafka's client are in it, Kafka and Postgres themselves are not, and are told apart.
";

fn main() {
    let is = |word: &str| std::env::args().any(|it| it == word);
    if is("--help") {
        return println!("{HELP}");
    }
    // `cargo test --benches` only wants to know that it starts.
    if !is("--bench") {
        return;
    }
    let records = std::env::var("GRAMTAP_BENCH_RECORDS").map_or(RECORDS, |it| it.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let (deliveries, bots) = week::deliveries(folder.path(), records);
    let bytes: usize = deliveries
        .iter()
        .filter_map(|it| it.payload.as_ref())
        .map(|it| it.len())
        .sum();
    println!(
        "{records} records of {bots} bots, {} bytes each",
        bytes / records
    );
    println!(
        "{:<44} {:>9} {:>8} {:>8} {:>10}",
        "", "events", "CPU s", "wall s", "events/s"
    );
    let made = computed(&deliveries);
    if is("--stages") {
        return;
    }

    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let _inside = runtime.enter();
    let embedded = folder.path().join("embedded");
    std::fs::create_dir(&embedded).unwrap();
    let store = whole::store("", &embedded);
    through(
        &runtime,
        "embedded log and SQLite",
        &whole::bus("embedded", "", &embedded),
        &store,
        &deliveries,
        made,
    );
    let named = |name: &str| std::env::var(name).ok();
    if let Some((kafka, postgres)) = named("GRAMTAP_TEST_KAFKA").zip(named("GRAMTAP_TEST_POSTGRES"))
    {
        let store = whole::store(&postgres, Path::new("/no/such"));
        let bus = whole::bus("kafka", &kafka, folder.path());
        through(
            &runtime,
            "Kafka and Postgres",
            &bus,
            &store,
            &deliveries,
            made,
        );
    }
}

/// What only computes. Tells how many events and errors came of it.
fn computed(deliveries: &[Delivery]) -> [usize; 2] {
    let mut spent = [const { Vec::new() }; 3];
    let mut made = [0; 2];
    for round in 0..ROUNDS {
        progress("rounds", round, ROUNDS);
        let clock = Clock::now();
        let yields = decode(deliveries);
        spent[0].push(clock.spent());
        let clock = Clock::now();
        let messages = encode(&yields);
        spent[1].push(clock.spent());
        made = [
            yields.iter().map(|it| it.events.len()).sum(),
            yields.iter().map(|it| it.errors.len()).sum(),
        ];
        drop(yields);
        let clock = Clock::now();
        let folded = fold(&messages);
        spent[2].push(clock.spent());
        let counted: u64 = folded.iter().map(|it| it.records).sum();
        assert_eq!(usize::try_from(counted).unwrap(), made[0] + made[1]);
    }
    let [decode, encode, fold] = spent.map(|mut rounds| {
        rounds.sort_by(|left: &Spent, right| left.own.total_cmp(&right.own));
        rounds.swap_remove(ROUNDS / 2)
    });
    row("decode", made[0], &[&decode]);
    row("encode", made[0], &[&encode]);
    row("fold", made[0], &[&fold]);
    row(
        "decode, encode and fold",
        made[0],
        &[&decode, &encode, &fold],
    );
    made
}

fn decode(deliveries: &[Delivery]) -> Vec<Yield> {
    let mut decoder = Decoder::default();
    let bots = Bots::default();
    let batch = |batch: &[Delivery]| {
        let mut into = Yield::default();
        for delivery in batch {
            decoder.decode(delivery, &bots, &mut into);
        }
        into
    };
    deliveries.chunks(BATCH).map(batch).collect()
}

fn encode(yields: &[Yield]) -> Vec<Vec<Message>> {
    let batch = |it: &Yield| {
        let events = it.events.iter().map(Message::of);
        let both = events.chain(it.errors.iter().map(Message::of));
        both.collect::<Result<_, _>>().unwrap()
    };
    yields.iter().map(batch).collect()
}

fn fold(messages: &[Vec<Message>]) -> Vec<Folded> {
    let zones = Zones::default();
    let batch = |batch: &Vec<Message>| {
        let mut into = Folded::default();
        for message in batch {
            into.add(message.topic, message.payload.as_deref().unwrap(), &zones);
        }
        into
    };
    messages.iter().map(batch).collect()
}

/// The whole way through a bus into a database.
fn through(
    runtime: &Runtime,
    name: &str,
    bus: &Bus,
    store: &Store,
    deliveries: &[Delivery],
    made: [usize; 2],
) {
    let told = runtime.block_on(async {
        whole::fill(bus, deliveries).await;
        whole::whole(bus, store, deliveries.len(), made).await
    });
    println!("{name}");
    row("  consume, decode, publish", made[0], &[&told.decode]);
    threads(&told.decode);
    row("  follow, fold, add to SQL", made[0], &[&told.fold]);
    threads(&told.fold);
    row("  both", made[0], &[&told.decode, &told.fold]);
}

/// A row of the table: of parts that are done one after the other.
fn row(name: &str, events: usize, parts: &[&Spent]) {
    let own: f64 = parts.iter().map(|it| it.own).sum();
    let wall: f64 = parts.iter().map(|it| it.wall).sum();
    println!(
        "{name:<44} {events:>9} {own:>8.2} {wall:>8.2} {:>10.0}",
        events as f64 / own
    );
}

/// Whose CPU time it was.
fn threads(spent: &Spent) {
    let told =
        |(name, seconds): (&str, f64)| (seconds >= 0.05).then(|| format!("{name} {seconds:.2}"));
    let threads = spent
        .threads
        .iter()
        .map(|(name, seconds)| (name.as_str(), *seconds));
    let threads: Vec<String> = threads.filter_map(told).collect();
    println!("    of it: {}", threads.join(", "));
    let servers = spent.servers.iter().copied();
    let servers: Vec<String> = servers.filter_map(told).collect();
    if !servers.is_empty() {
        println!("    besides: {}", servers.join(", "));
    }
}

/// Tells how far something is.
fn progress(what: &str, done: usize, all: usize) {
    use std::io::{IsTerminal, Write};
    let mut to = std::io::stderr();
    if to.is_terminal() {
        let end = if done >= all { "\n" } else { "" };
        write!(to, "\r  {what}: {done} of {all}{end}").unwrap();
        to.flush().unwrap();
    }
}
