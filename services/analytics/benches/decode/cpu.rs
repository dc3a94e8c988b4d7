//! What CPU time was spent: by this process, by each of its threads, and by the servers beside it.
//!
//! In: /proc, in hundredths of a second. Out: seconds. Invariant: time of threads and children that have ended is that of their
//! process still; a server whose pid is not known is left out, never guessed.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

/// What was spent up to a moment.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    wall: Instant,
    own: f64,
    /// By name; those of the same name together.
    threads: BTreeMap<String, f64>,
    /// By name.
    servers: BTreeMap<&'static str, f64>,
}

/// What was spent between two moments, in seconds.
#[derive(Clone, Debug)]
pub(crate) struct Spent {
    /// By the clock on the wall.
    pub(crate) wall: f64,
    /// By this process.
    pub(crate) own: f64,
    /// Threads that still live, those of the same name together, the busiest first.
    pub(crate) threads: Vec<(String, f64)>,
    /// Processes of servers.
    pub(crate) servers: Vec<(&'static str, f64)>,
}

impl Clock {
    /// Now.
    pub(crate) fn now() -> Self {
        let mut threads = BTreeMap::<String, f64>::new();
        for thread in std::fs::read_dir("/proc/self/task").unwrap().flatten() {
            if let Some((name, spent)) = stat(&thread.path()) {
                *threads.entry(name).or_default() += spent.alone;
            }
        }
        let servers = ["kafka", "postgres"].into_iter();
        Self {
            wall: Instant::now(),
            own: stat(Path::new("/proc/self")).map_or(0.0, |(_, spent)| spent.alone),
            threads,
            servers: servers
                .filter_map(|name| Some((name, server(name)?)))
                .collect(),
        }
    }

    /// What was spent since.
    pub(crate) fn spent(&self) -> Spent {
        let now = Self::now();
        let since = |name: &String, spent: f64| spent - self.threads.get(name).unwrap_or(&0.0);
        let threads = now.threads.into_iter();
        let mut threads: Vec<(String, f64)> = threads
            .map(|(name, spent)| (name.clone(), since(&name, spent)))
            .filter(|(_, spent)| *spent > 0.0)
            .collect();
        threads.sort_by(|left, right| right.1.total_cmp(&left.1));
        let servers = now.servers.into_iter();
        Spent {
            wall: (now.wall - self.wall).as_secs_f64(),
            own: now.own - self.own,
            threads,
            servers: servers
                .map(|(name, spent)| (name, spent - self.servers.get(name).unwrap_or(&spent)))
                .collect(),
        }
    }
}

struct Stat {
    parent: u32,
    alone: f64,
    with_children: f64,
}

/// The name of a process or thread, and what it has spent.
fn stat(at: &Path) -> Option<(String, Stat)> {
    let text = std::fs::read_to_string(at.join("stat")).ok()?;
    // The name may hold anything.
    let (before, after) = text.rsplit_once(") ")?;
    let name = before.split_once('(')?.1.to_owned();
    let fields: Vec<&str> = after.split(' ').collect();
    let seconds = |place: usize| fields[place].parse::<f64>().unwrap_or(0.0) / 100.0;
    let alone = seconds(11) + seconds(12);
    let parent = fields[1].parse().ok()?;
    let with_children = alone + seconds(13) + seconds(14);
    Some((
        name,
        Stat {
            parent,
            alone,
            with_children,
        },
    ))
}

/// What a server of `deploy/dev/services` has spent, with its children.
fn server(name: &str) -> Option<f64> {
    let pid = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/dev-services").to_owned();
    let pid = std::fs::read_to_string(format!("{pid}/{name}/pid")).ok()?;
    let pid: u32 = pid.split_whitespace().next()?.parse().ok()?;
    let own = stat(&Path::new("/proc").join(pid.to_string()))?
        .1
        .with_children;
    let processes = std::fs::read_dir("/proc").ok()?.flatten();
    let children = processes.filter_map(|process| stat(&process.path()));
    let children = children.filter(|(_, it)| it.parent == pid);
    Some(own + children.map(|(_, it)| it.with_children).sum::<f64>())
}
