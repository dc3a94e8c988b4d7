//! The result on paper: library × step × door.
//!
//! In: [`Judged`] steps. Out: target/clients/report.txt, and the same text for whoever reads a
//! failure. Invariant: no token is in it; every difference that is not allowed is shown whole, every
//! allowed one is counted with its reason.

use std::fmt::Write as _;

use gramtap_telegram::redact::redact;

use super::allowed::{ALLOWED, Found};
use super::judge::Judged;
use super::script::STEPS;

/// The report's text.
pub(crate) fn text(judged: &[Judged], broken: &[String]) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    write(&mut text, judged, broken).ok();
    redact(&text).into_owned()
}

/// What makes the test fail: differences that nothing allows, and entries that nothing needed.
pub(crate) fn failures(judged: &[Judged], all_doors: bool) -> Vec<String> {
    let mut failures: Vec<String> = Vec::new();
    for step in judged {
        if let Some(seen) = &step.unscripted {
            failures.push(format!(
                "{}, step {}: without Gramtap it did not come out as scripted\n  {seen}",
                step.library, step.step
            ));
        }
        for (found, entry) in &step.found {
            if entry.is_none() {
                failures.push(shown(found));
            }
        }
    }
    if all_doors {
        for (number, allowed) in ALLOWED.iter().enumerate() {
            if needed(judged, number) == 0 {
                failures.push(format!(
                    "allowed and never needed, take it off the list: {}",
                    allowed.reason
                ));
            }
        }
    }
    failures
}

fn write(text: &mut String, judged: &[Judged], broken: &[String]) -> std::fmt::Result {
    writeln!(
        text,
        "= the same byte for byte   + the same but for what is allowed   ! different   - not to be had in the library\n"
    )?;
    let mut doors: Vec<&str> = Vec::new();
    let mut libraries: Vec<&str> = Vec::new();
    for step in judged {
        if !doors.contains(&step.door) {
            doors.push(step.door);
        }
        if !libraries.contains(&step.library) {
            libraries.push(step.library);
        }
    }
    writeln!(text, "{:24} {}", "", doors.join(" | "))?;
    for library in libraries {
        writeln!(text, "\n{library}")?;
        for label in STEPS.map(|step| step.label) {
            let marks: Vec<String> = doors
                .iter()
                .map(|door| {
                    let step = judged
                        .iter()
                        .find(|one| (one.library, one.door, one.step) == (library, *door, label));
                    format!("{:^width$}", step.map_or("", mark), width = door.len())
                })
                .collect();
            writeln!(text, "  {label:22} {}", marks.join(" | "))?;
        }
    }
    writeln!(text, "\nallowed, and how often needed:")?;
    for (number, allowed) in ALLOWED.iter().enumerate() {
        writeln!(text, "{:6}  {}", needed(judged, number), allowed.reason)?;
    }
    let failures = failures(judged, false);
    writeln!(
        text,
        "\n{} differences that are not allowed, {} runs broken off",
        failures.len(),
        broken.len()
    )?;
    for failure in broken.iter().chain(&failures) {
        writeln!(text, "\n{failure}")?;
    }
    Ok(())
}

fn needed(judged: &[Judged], number: usize) -> usize {
    let all = judged.iter().flat_map(|step| &step.found);
    all.filter(|(_, entry)| *entry == Some(number)).count()
}

fn mark(step: &Judged) -> &'static str {
    if step.unscripted.is_some() || step.found.iter().any(|(_, entry)| entry.is_none()) {
        "!"
    } else if step.unsupported {
        "-"
    } else if step.found.is_empty() {
        "="
    } else {
        "+"
    }
}

fn shown(found: &Found) -> String {
    let difference = &found.difference;
    format!(
        "{}, {}, step {}: {:?} {:?} {}\n  directly: {:?}\n  here:     {:?}",
        found.library,
        found.door,
        found.step,
        found.side,
        difference.aspect,
        difference.header,
        difference.direct,
        difference.door
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clients::allowed::{Side, entry};
    use crate::clients::compare::{Aspect, Difference};

    fn judged(header: &str, door: &str) -> Judged {
        let found = Found {
            library: "a",
            door: "b",
            step: "c",
            side: Side::Request,
            difference: Difference {
                aspect: Aspect::HeaderValue,
                header: header.to_owned(),
                direct: "x".to_owned(),
                door: door.to_owned(),
            },
        };
        let entry = entry(&found);
        Judged {
            library: "a",
            door: "b",
            step: "c",
            unsupported: false,
            unscripted: None,
            found: vec![(found, entry)],
        }
    }

    #[test]
    fn what_is_not_on_the_list_fails_and_so_does_what_is_on_it_for_nothing() {
        let other = judged("host", " 127.0.0.1:5");
        assert_eq!((mark(&other), failures(&[other], false)), ("+", vec![]));
        for wrong in [judged("host", " evil"), judged("accept", " 127.0.0.1:5")] {
            assert_eq!(mark(&wrong), "!");
            assert_eq!(failures(&[wrong], false).len(), 1);
        }
        let unneeded = failures(&[judged("host", " 127.0.0.1:5")], true);
        assert_eq!(unneeded.len(), ALLOWED.len() - 1);
        assert!(text(&[judged("x", "/bot123456:secret/")], &[]).contains("/bot123456:***/"));
    }
}
