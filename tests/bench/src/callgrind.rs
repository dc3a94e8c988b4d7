//! Instructions of a process, counted by valgrind's callgrind where the kernel has no counters.
//!
//! In: a program, a folder for callgrind's files. Out: how many instructions its threads have executed in user space since the last look. Invariant: exact, but for what the
//! process does by the clock, of which there is more to a request than in earnest: the process is some fifty times as slow.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::usage::pinned;

/// What callgrind's files are called; their number follows.
const FILE: &str = "callgrind";

/// A program that is counted, on a core.
pub(crate) fn counted(core: usize, program: &str, folder: &Path) -> Command {
    let mut command = pinned(core, "valgrind");
    let file = folder.join(FILE);
    command
        .args(["--quiet", "--tool=callgrind"])
        .arg(format!("--callgrind-out-file={}", file.display()))
        .arg(program);
    command
}

/// Has what was executed since the last time written to a file, and reads its sum.
pub(crate) fn dump(pid: u32, folder: &Path) -> Result<u64> {
    let told = Command::new("vgdb")
        .args([&format!("--pid={pid}"), "dump"])
        .output()
        .context("vgdb, of Debian's valgrind")?;
    let error = String::from_utf8_lossy(&told.stderr);
    ensure!(told.status.success(), "vgdb: {error}");
    let mut last = 0;
    for entry in std::fs::read_dir(folder)? {
        let name = entry?.file_name();
        let number = name.to_str().and_then(number);
        last = last.max(number.unwrap_or_default());
    }
    let file = folder.join(format!("{FILE}.{last}"));
    let text = std::fs::read_to_string(&file)
        .with_context(|| format!("{} is not there", file.display()))?;
    total(&text).context("callgrind told no sum")
}

/// Which of callgrind's files it is.
fn number(name: &str) -> Option<u32> {
    name.strip_prefix(FILE)?.strip_prefix('.')?.parse().ok()
}

/// The sum of one of callgrind's files.
fn total(text: &str) -> Option<u64> {
    let mut lines = text.lines();
    let line = lines.find_map(|line| line.strip_prefix("totals:"))?;
    line.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_of_a_file_is_read() {
        let text = "version: 1\nevents: Ir\nsummary: 12\n\nfn=(1) main\n3 58973\n\ntotals: 58973\n";
        assert_eq!(total(text), Some(58_973));
        assert_eq!(total("events: Ir\n"), None);
    }

    #[test]
    fn files_go_by_their_numbers() {
        for (name, expected) in [
            ("callgrind.12", Some(12)),
            ("callgrind", None),
            ("callgrind.x", None),
            ("nginx.conf", None),
        ] {
            assert_eq!(number(name), expected, "{name}");
        }
    }
}
