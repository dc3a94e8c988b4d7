//! Look-ups in a registry of a million bots: on this process's one thread, as an ingress makes them.
//!
//! In: `GRAMTAP_TEST_POSTGRES` and `GRAMTAP_TEST_REDIS`; a database of its own in the one and the last one of the other (`registry/filled.rs`). Out: look-ups a second by what answers
//! them, memory of what is known locally, and what unknown codes cost SQL. Invariant: what is looked up in a layer is unknown to the nearer ones: each key once. Both databases are
//! left empty, whatever fails.

mod filled;

use std::cell::RefCell;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use futures_util::future::try_join_all;
use gramtap_telemetry::Histogram;
use gramtap_tenants::{Directory, Key, Lookup};
use tokio::task::{JoinSet, LocalSet};

use crate::statistics::quantile;
use crate::usage;
use crate::values::Values;
use filled::Filled;

/// Bots that are connected.
const BOTS: u32 = 1_000_000;
/// Look-ups that wait for an answer at any time.
const AT_ONCE: usize = 256;
/// How long a layer is asked.
const TIME: Duration = Duration::from_secs(3);
/// Unknown codes a second.
const UNKNOWN: u32 = 10_000;
/// How long they come, in seconds.
const FLOOD: u32 = 5;
/// How long reading the registry may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// See the file's header.
pub(crate) async fn measure() -> Result<Values> {
    let filled = Filled::new(BOTS).await?;
    let mut values = Values::default();
    let measured = LocalSet::new()
        .run_until(look_up(&filled, &mut values))
        .await;
    let emptied = filled.remove().await;
    measured.and(emptied)?;
    Ok(values)
}

async fn look_up(filled: &Filled, values: &mut Values) -> Result<()> {
    let mut tell = |name: &str, value: f64| {
        values.insert(format!("registry of a million bots: {name}"), value);
    };
    let opened = filled.open()?;
    let before = usage::memory(&[std::process::id()])?;
    let began = Instant::now();
    let (directory, refreshing) = Directory::start(&opened.registry, opened.redis, None);
    until_read(&directory).await?;
    tell("start, all read after s", began.elapsed().as_secs_f64());
    let more = usage::memory(&[std::process::id()])?.saturating_sub(before);
    let bots = (0..BOTS).map(bot).collect::<Result<Vec<_>>>()?;
    let (near, far) = bots
        .into_iter()
        .partition::<Vec<_>, _>(|key| directory.cached(key).is_some());
    tell("start, bots kept locally", near.len() as f64);
    tell("start, memory in MB", more as f64 / 1e6);

    let (rate, _) = ask(&directory, 1, near.iter().copied().cycle()).await?;
    tell("local, look-ups a second", rate);
    let (rate, asked) = ask(&directory, AT_ONCE, far.iter().copied()).await?;
    tell(&format!("SQL, look-ups a second, {AT_ONCE} at once"), rate);
    flood(&directory, far.get(asked..).unwrap_or_default(), &mut tell).await?;
    refreshing.stop().await;
    opened.registry.database().close().await;

    // Redis is what answers while SQL is away. The last ones may not have been told to it.
    let opened = filled.open_without_sql()?;
    let (directory, _refreshing) = Directory::start(&opened.registry, opened.redis, None);
    let told = far.get(..asked.saturating_sub(AT_ONCE)).unwrap_or_default();
    let (first, others) = told.split_first().unzip();
    // Finds out that SQL is away.
    ask(&directory, 1, first.into_iter().copied()).await?;
    let others = others.into_iter().flatten().copied();
    let (rate, _) = ask(&directory, AT_ONCE, others).await?;
    tell(
        &format!("Redis, look-ups a second, {AT_ONCE} at once"),
        rate,
    );
    Ok(())
}

/// Waits until the last one that was connected is known.
async fn until_read(directory: &Directory) -> Result<()> {
    let until = Instant::now() + PATIENCE;
    let last = bot(BOTS - 1)?;
    while directory.cached(&last).is_none() {
        ensure!(Instant::now() < until, "{directory:?} after {PATIENCE:?}");
        // paced: it does not tell
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

/// Looks up connected bots, so many at a time, each as soon as one before it is answered. Returns how many were found a
/// second, and how many were looked up.
async fn ask(
    directory: &Directory,
    at_once: usize,
    keys: impl Iterator<Item = Key>,
) -> Result<(f64, usize)> {
    let keys = RefCell::new(keys);
    let next = || keys.borrow_mut().next();
    let began = Instant::now();
    let runs = (0..at_once).map(async |_| -> Result<(usize, usize)> {
        let (mut found, mut asked) = (0, 0);
        while began.elapsed() < TIME
            && let Some(key) = next()
        {
            let lookup = directory.find(key).await;
            ensure!(lookup != Lookup::Absent, "{key:?} is called absent");
            found += usize::from(lookup.found().is_some());
            asked += 1;
        }
        Ok((found, asked))
    });
    let done = try_join_all(runs).await?;
    let found: usize = done.iter().map(|(found, _)| found).sum();
    let asked = done.iter().map(|(_, asked)| asked).sum();
    ensure!(found > 0, "no bot was found");
    Ok((found as f64 / began.elapsed().as_secs_f64(), asked))
}

/// Codes that nobody has, at a rate whatever becomes of them; beside them connected bots, one after the other.
async fn flood(
    directory: &Directory,
    bots: &[Key],
    tell: &mut impl FnMut(&str, f64),
) -> Result<()> {
    let queries = || Histogram::RegistrySeconds.handle().count();
    let (asked, began) = (queries(), Instant::now());
    let mut unknown = JoinSet::new();
    let offer = async {
        let mut ticks = tokio::time::interval(Duration::from_millis(1));
        for tick in 0..FLOOD * 1_000 {
            ticks.tick().await;
            for place in 0..UNKNOWN / 1_000 {
                let key = Key::Code(filled::unknown(tick * (UNKNOWN / 1_000) + place)?);
                let directory = directory.clone();
                unknown.spawn_local(async move { timed(&directory, key).await });
            }
        }
        anyhow::Ok(())
    };
    let beside = async {
        let mut took = Vec::new();
        for key in bots {
            if began.elapsed() > Duration::from_secs(FLOOD.into()) {
                break;
            }
            took.push(timed(directory, *key).await);
        }
        took
    };
    let (offered, beside) = tokio::join!(offer, beside);
    offered?;
    let unknown = unknown.join_all().await;
    let queries = (queries() - asked) as f64 / began.elapsed().as_secs_f64();
    let late = |of: &[(Lookup, Duration)]| {
        let mut took: Vec<_> = of.iter().map(|(_, took)| *took).collect();
        took.sort_unstable();
        quantile(&took, 0.99).as_secs_f64() * 1e3
    };
    let missed = unknown.iter().filter(|(it, _)| *it != Lookup::Absent);
    let missed = missed.count() as f64 / unknown.len() as f64;
    for (name, value) in [
        ("SQL's queries a second", queries),
        ("p99 of their answers in ms", late(&unknown)),
        ("p99 of a bot's beside them in ms", late(&beside)),
        ("not answered in time, %", 100.0 * missed),
    ] {
        tell(&format!("{UNKNOWN} unknown codes a second, {name}"), value);
    }
    ensure!(
        beside.iter().all(|(lookup, _)| *lookup != Lookup::Absent),
        "a bot was called absent"
    );
    Ok(())
}

async fn timed(directory: &Directory, key: Key) -> (Lookup, Duration) {
    let began = Instant::now();
    let lookup = directory.find(key).await;
    (lookup, began.elapsed())
}

/// A connected bot, by how many were connected before it. All are looked up by codes: SQL is asked once for each kind of key.
fn bot(place: u32) -> Result<Key> {
    filled::known(place).map(Key::Code)
}
