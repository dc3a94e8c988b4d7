//! What the system knows of the process, under the names that every dashboard expects. Input:
//! `/proc`. Output: lines appended to `metric.rs`' text. Invariant: what cannot be read is
//! left out; nothing is kept between two scrapes.

use std::{fmt::Write, fs};

/// Ticks a second in `/proc/self/stat`: a constant of Linux' interface, whatever the kernel's own.
const TICKS: f64 = 100.0;

/// Appends the `process_*` metrics.
pub(crate) fn render(text: &mut String) {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let system = fs::read_to_string("/proc/stat").unwrap_or_default();
    let kilobytes = |name: &str| field(&status, name).map(|kilobytes| kilobytes * 1024.0);
    // The folder that is being read is itself one of the open files.
    let open = fs::read_dir("/proc/self/fd")
        .ok()
        .map(|files| files.count().saturating_sub(1) as f64);
    for (name, kind, help, value) in [
        (
            "process_cpu_seconds_total",
            "counter",
            "User and system CPU seconds.",
            cpu_seconds(&stat),
        ),
        (
            "process_start_time_seconds",
            "gauge",
            "Start of the process in Unix time.",
            start_seconds(&stat, &system),
        ),
        (
            "process_resident_memory_bytes",
            "gauge",
            "Resident memory.",
            kilobytes("VmRSS:"),
        ),
        (
            "process_virtual_memory_bytes",
            "gauge",
            "Virtual memory.",
            kilobytes("VmSize:"),
        ),
        (
            "process_threads",
            "gauge",
            "Threads.",
            field(&status, "Threads:"),
        ),
        ("process_open_fds", "gauge", "Open file descriptors.", open),
        (
            "process_max_fds",
            "gauge",
            "Most file descriptors that may be open.",
            field(&limits, "Max open files"),
        ),
    ] {
        if let Some(value) = value {
            // Writing to a String cannot fail.
            write!(
                text,
                "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}\n"
            )
            .ok();
        }
    }
}

/// The number after `name` in a file of `name  number …` lines.
fn field(file: &str, name: &str) -> Option<f64> {
    file.lines()
        .find_map(|line| line.strip_prefix(name))?
        .split_whitespace()
        .next()?
        .parse()
        .ok()
}

/// User and system time: fields 14 and 15.
fn cpu_seconds(stat: &str) -> Option<f64> {
    Some((ticks(stat, 14)? + ticks(stat, 15)?) / TICKS)
}

/// When the process began, in Unix time: field 22, counted from the system's boot.
fn start_seconds(stat: &str, system: &str) -> Option<f64> {
    Some(field(system, "btime")? + ticks(stat, 22)? / TICKS)
}

/// A field by its number in the manual, all after the program's name, which may contain anything.
fn ticks(stat: &str, number: usize) -> Option<f64> {
    let after_name = stat.rsplit_once(')')?.1;
    after_name.split_whitespace().nth(number - 3)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_formats_of_proc() {
        assert_eq!(
            field("VmSize:\t  10 kB\nVmRSS:\t  20 kB\n", "VmRSS:"),
            Some(20.0)
        );
        assert_eq!(
            field(
                "Max open files            1024   4096   files",
                "Max open files"
            ),
            Some(1024.0)
        );
        assert_eq!(field("", "VmRSS:"), None);
        let stat = "1 (a ) b) S 0 1 1 0 -1 4194560 1 2 3 4 150 50 0 0 20 0 1 0 700 1 1";
        assert_eq!(cpu_seconds(stat), Some(2.0));
        assert_eq!(start_seconds(stat, "cpu 1 2\nbtime 1000\n"), Some(1007.0));
        assert_eq!(cpu_seconds("1 (cut"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn tells_of_this_process() {
        let mut text = String::new();
        render(&mut text);
        for name in [
            "process_cpu_seconds_total",
            "process_resident_memory_bytes",
            "process_open_fds",
            "process_max_fds",
        ] {
            let value = text
                .lines()
                .find_map(|line| line.strip_prefix(&format!("{name} ")));
            assert!(
                value.is_some_and(|value| value.parse::<f64>().is_ok_and(|value| value >= 0.0)),
                "{name} {text}"
            );
        }
    }
}
