//! What processes have used.
//!
//! In: `/proc`, by process number. Out: CPU time, resident memory, system calls. Invariant: threads and children of a process count with it.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result};

fn of(pid: u32) -> PathBuf {
    Path::new("/proc").join(pid.to_string())
}

/// A process and its children.
pub(crate) fn family(pid: u32) -> Result<Vec<u32>> {
    let mut all = vec![pid];
    for task in tasks(pid)? {
        let children = std::fs::read_to_string(task.join("children"))?;
        for child in children.split_whitespace() {
            all.extend(family(child.parse()?)?);
        }
    }
    Ok(all)
}

fn tasks(pid: u32) -> Result<Vec<PathBuf>> {
    let tasks = std::fs::read_dir(of(pid).join("task"))
        .with_context(|| format!("process {pid} has gone"))?;
    tasks.map(|task| Ok(task?.path())).collect()
}

/// CPU time since the start, user and system, of all threads that live.
pub(crate) fn cpu(pids: &[u32]) -> Result<Duration> {
    let mut nanoseconds = 0;
    for pid in pids {
        for task in tasks(*pid)? {
            let line = std::fs::read_to_string(task.join("schedstat"))?;
            let spent = line.split_whitespace().next().unwrap_or_default();
            nanoseconds += spent.parse::<u64>()?;
        }
    }
    Ok(Duration::from_nanos(nanoseconds))
}

/// The same of all threads, those that have ended too; in hundredths of a second.
pub(crate) fn cpu_with_ended(pids: &[u32]) -> Result<Duration> {
    let mut ticks = 0;
    for pid in pids {
        let stat = std::fs::read_to_string(of(*pid).join("stat"))?;
        // The name may hold anything.
        let (_, fields) = stat.rsplit_once(") ").context("no stat")?;
        let fields: Vec<_> = fields.split(' ').collect();
        for field in fields.get(11..13).context("no times")? {
            ticks += field.parse::<u64>()?;
        }
    }
    Ok(Duration::from_millis(ticks * 10))
}

/// Resident memory, in bytes.
pub(crate) fn memory(pids: &[u32]) -> Result<u64> {
    let mut kilobytes = 0;
    for pid in pids {
        let rollup = std::fs::read_to_string(of(*pid).join("smaps_rollup"))?;
        let line = rollup.lines().find_map(|line| line.strip_prefix("Rss:"));
        let number = line.and_then(|line| line.trim().strip_suffix(" kB"));
        kilobytes += number.context("no Rss")?.parse::<u64>()?;
    }
    Ok(kilobytes * 1024)
}

/// Runs a process, and all it starts, on one core.
pub(crate) fn pinned(core: usize, program: &str) -> Command {
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", &core.to_string(), program]);
    command.stdin(Stdio::null());
    command
}

/// Counts what processes do until it is asked.
pub(crate) struct Events {
    /// As perf names it.
    name: &'static str,
    perf: Child,
}

impl Events {
    pub(crate) fn count(name: &'static str, pids: &[u32]) -> Result<Self> {
        let pids: Vec<_> = pids.iter().map(u32::to_string).collect();
        let mut command = Command::new("perf");
        command.args(["stat", "-x,", "-e", name, "-p"]);
        command.arg(pids.join(","));
        let perf = command
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .context("perf, of Debian's linux-perf")?;
        Ok(Self { name, perf })
    }

    pub(crate) fn end(self) -> Result<u64> {
        let pid = i32::try_from(self.perf.id())?;
        let pid = rustix::process::Pid::from_raw(pid).context("a process number")?;
        rustix::process::kill_process(pid, rustix::process::Signal::INT)?;
        let told = self.perf.wait_with_output()?;
        let told = String::from_utf8_lossy(&told.stderr);
        let count = counted(&told, self.name);
        count.with_context(|| format!("perf does not count {} here: {}", self.name, told.trim()))
    }
}

/// What `perf stat -x,` told of an event.
fn counted(told: &str, event: &str) -> Option<u64> {
    let line = told.lines().find(|line| line.contains(event))?;
    line.split(',').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn perf_is_understood() {
        for (told, expected) in [
            ("48212,,instructions,1003,100.00,,", Some(48_212)),
            ("48212,,instructions:u,1003,100.00,,", Some(48_212)),
            ("some warning\n7,,instructions,1,100.00,,\n", Some(7)),
            ("<not supported>,,instructions,0,100.00,,", None),
            ("<not counted>,,instructions,0,0.00,,", None),
            ("", None),
        ] {
            assert_eq!(counted(told, "instructions"), expected, "{told}");
        }
    }
}
