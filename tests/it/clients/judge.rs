//! What of two runs of a library differs, and whether it may.
//!
//! In: [`Run`]s. Out: [`Judged`] steps for `report.rs`. Invariant: every message of both runs is
//! compared, random words made equal (`normal.rs`) and nothing else; `allowed.rs` alone says what
//! may differ, and only between a door of Gramtap's and none.

use super::allowed::{self, Found, Side};
use super::compare::{self, Difference};
use super::message::Message;
use super::program::Library;
use super::run::{self, Run};
use super::script::STEPS;
use super::tee::Exchange;

/// A step of a run, judged.
pub(crate) struct Judged {
    pub(crate) library: &'static str,
    pub(crate) door: &'static str,
    pub(crate) step: &'static str,
    /// The library cannot take it.
    pub(crate) unsupported: bool,
    /// Without Gramtap it did not come out as the script says; what came of it instead.
    pub(crate) unscripted: Option<String>,
    /// What differs, and which entry allows it, if one does.
    pub(crate) found: Vec<(Found, Option<usize>)>,
}

/// Holds a run against the direct one; `lenient`: Gramtap is between, so its list applies.
pub(crate) fn judge(library: &Library, direct: &Run, other: &Run, lenient: bool) -> Vec<Judged> {
    let pairs = direct.steps.iter().zip(&other.steps).zip(&STEPS);
    let judged = pairs.map(|((one, two), step)| {
        let sides = [
            (Side::Request, compare::lists(&one.requests, &two.requests)),
            (Side::Answer, answers(&one.exchanges, &two.exchanges)),
            (Side::Library, compare::lines(&one.line, &two.line)),
        ];
        let mut found = Vec::new();
        for (side, differences) in sides {
            for difference in differences {
                let one = Found {
                    library: library.name,
                    door: other.door,
                    step: step.label,
                    side,
                    difference,
                };
                let entry = allowed::entry(&one).filter(|_| lenient);
                found.push((one, entry));
            }
        }
        Judged {
            library: library.name,
            door: other.door,
            step: step.label,
            unsupported: one
                .line
                .get("unsupported")
                .or(one.line.get("left out"))
                .is_some(),
            unscripted: (!run::as_scripted(step, one)).then(|| one.shown()),
            found,
        }
    });
    judged.collect()
}

/// What came back, exchange by exchange. Of one that the client left there is nothing to compare.
fn answers(direct: &[Exchange], other: &[Exchange]) -> Vec<Difference> {
    if direct.len() != other.len() {
        let all = |exchanges: &[Exchange]| -> Vec<Message> {
            exchanges
                .iter()
                .flat_map(|exchange| exchange.answers.clone())
                .collect()
        };
        return compare::lists(&all(direct), &all(other));
    }
    let pairs = direct
        .iter()
        .zip(other)
        .filter(|(one, two)| !one.left && !two.left);
    pairs
        .flat_map(|(one, two)| compare::lists(&one.answers, &two.answers))
        .collect()
}
