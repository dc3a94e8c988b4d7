//! What of two runs of a library differs, and whether it may.
//!
//! In: [`Run`]s. Out: [`Judged`] steps for `report.rs`. Invariant: every message of both runs is
//! compared, random words made equal (`normal.rs`) and nothing else; `allowed.rs` alone says what
//! may differ, and only between a door of Gramtap's and none.

use super::allowed::{self, Found, Side};
use super::compare::{self, Difference};
use super::message::Message;
use super::normal;
use super::program::Library;
use super::run::{self, Run, Seen};
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
pub(crate) fn judge(
    library: &Library,
    direct: &mut Run,
    other: &mut Run,
    lenient: bool,
) -> Vec<Judged> {
    let door = other.door;
    let mut judged = Vec::with_capacity(STEPS.len());
    for (number, step) in STEPS.iter().enumerate() {
        let unsupported = direct.steps[number].line.get("unsupported").is_some();
        let unscripted =
            (!run::as_scripted(step, &direct.steps[number])).then(|| direct.steps[number].shown());
        let one = Ready::of(library, &mut direct.steps[number], &direct.base, step.label);
        let two = Ready::of(library, &mut other.steps[number], &other.base, step.label);
        let sides = [
            (Side::Request, compare::lists(&one.requests, &two.requests)),
            (Side::Answer, answers(&one.exchanges, &two.exchanges)),
            (
                Side::Library,
                compare::texts(&one.line, &two.line).into_iter().collect(),
            ),
        ];
        let found = sides.into_iter().flat_map(|(side, differences)| {
            differences.into_iter().map(move |difference| Found {
                library: library.name,
                door,
                step: step.label,
                side,
                difference,
            })
        });
        judged.push(Judged {
            library: library.name,
            door,
            step: step.label,
            unsupported,
            unscripted,
            found: found
                .map(|found| (found.clone(), allowed::entry(&found).filter(|_| lenient)))
                .collect(),
        });
    }
    judged
}

/// A step with its random words made equal.
struct Ready<'a> {
    requests: Vec<&'a Message>,
    exchanges: Vec<&'a Exchange>,
    line: String,
}

impl<'a> Ready<'a> {
    fn of(library: &Library, seen: &'a mut Seen, base: &str, step: &str) -> Self {
        let all = seen.requests.iter_mut().chain(
            seen.exchanges
                .iter_mut()
                .map(|exchange| &mut exchange.request),
        );
        let boundaries = all.filter_map(|request| normal::request(request, library.shuffles_parts));
        let boundaries: Vec<String> = boundaries
            .filter_map(|boundary| String::from_utf8(boundary).ok())
            .collect();
        let mut line = seen.line.clone();
        normal::line(&mut line, base, &boundaries);
        let mut requests: Vec<&Message> = seen.requests.iter().collect();
        let mut exchanges: Vec<&Exchange> = seen.exchanges.iter().collect();
        if normal::LOOP_STEPS.contains(&step) {
            requests = normal::collapsed(requests, |request| request);
            exchanges = normal::collapsed(exchanges, |exchange| &exchange.request);
        }
        Self {
            requests,
            exchanges,
            line: line.to_string(),
        }
    }
}

/// What came back, exchange by exchange. Of one that the client left there is nothing to compare.
fn answers(direct: &[&Exchange], other: &[&Exchange]) -> Vec<Difference> {
    if direct.len() != other.len() {
        return compare::lists(&requests(direct), &requests(other));
    }
    let pairs = direct
        .iter()
        .zip(other)
        .filter(|(one, two)| !(one.left && two.left));
    let lists = pairs.map(|(one, two)| {
        compare::lists(
            &one.answers.iter().collect::<Vec<_>>(),
            &two.answers.iter().collect::<Vec<_>>(),
        )
    });
    lists.flatten().collect()
}

fn requests<'a>(exchanges: &[&'a Exchange]) -> Vec<&'a Message> {
    exchanges.iter().map(|exchange| &exchange.request).collect()
}
