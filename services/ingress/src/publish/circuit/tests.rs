//! The circuit in the situations it was made for, and against a bus that does anything.
//!
//! In: tables, random scripts. Out: pass or fail.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;

const SLOW: Duration = Duration::from_secs(1);

fn millis(number: u64) -> Duration {
    Duration::from_millis(number)
}

fn there() -> bool {
    true
}

/// A step of a situation, and how long after its beginning.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// An update comes; whether it is handed over.
    Comes(bool),
    /// The one that was handed over so many before the last one ends.
    Ends(usize, Ending),
}

/// Plays a situation on a circuit that begins closed.
fn play(name: &str, steps: &[(u64, Step)]) {
    let began = Instant::now();
    let mut circuit = Circuit::new(began, SLOW);
    circuit.close();
    let mut passes: Vec<Option<Pass>> = Vec::new();
    for (at, step) in steps {
        let now = began + millis(*at);
        match *step {
            Step::Comes(goes) => {
                let pass = circuit.choose(now, there);
                assert_eq!(pass.is_some(), goes, "{name} at {at}");
                passes.extend(pass.map(Some));
            }
            Step::Ends(back, ending) => {
                let at = passes.len() - 1 - back;
                let pass = passes[at].take().unwrap();
                circuit.ended(now, pass, ending);
            }
        }
    }
}

#[test]
fn situations() {
    use Ending::{Failed, Stored, Unheard};
    use Step::{Comes, Ends};
    play(
        "quick acknowledgements keep it closed",
        &[
            (0, Comes(true)),
            (1_000, Ends(0, Stored)),
            (1_000, Comes(true)),
        ],
    );
    play(
        "what is slow opens it before it is reported, and a probe closes it",
        &[
            (0, Comes(true)),
            (900, Comes(true)),
            (1_001, Comes(false)),
            (5_000, Comes(false)),
            // Nothing is tried while a record is stuck: its report is the probe.
            (9_000, Ends(0, Stored)),
            (9_000, Comes(false)),
            (10_000, Ends(1, Failed)),
            (10_000, Comes(true)),
            (10_000, Comes(false)),
            (10_100, Ends(0, Stored)),
            (10_100, Comes(true)),
            (10_100, Comes(true)),
        ],
    );
    play(
        "a slow acknowledgement opens it",
        &[
            (0, Comes(true)),
            (1_001, Ends(0, Stored)),
            (1_001, Comes(false)),
            (2_000, Comes(false)),
            (2_001, Comes(true)),
        ],
    );
    play(
        "one failure opens it that was long in coming, though nothing else came",
        &[
            (0, Comes(true)),
            (10_000, Ends(0, Failed)),
            (10_000, Comes(false)),
            (11_000, Comes(true)),
        ],
    );
    play(
        "two failures are chance, three are not, and pauses double",
        &[
            (0, Comes(true)),
            (0, Ends(0, Failed)),
            (0, Comes(true)),
            (0, Ends(0, Failed)),
            (0, Comes(true)),
            (0, Ends(0, Stored)),
            (0, Comes(true)),
            (0, Comes(true)),
            (0, Comes(true)),
            (0, Ends(0, Failed)),
            (0, Ends(1, Failed)),
            (0, Ends(2, Failed)),
            (999, Comes(false)),
            (1_000, Comes(true)),
            (1_000, Ends(0, Failed)),
            (2_999, Comes(false)),
            (3_000, Comes(true)),
            (3_000, Ends(0, Failed)),
            (6_999, Comes(false)),
            (7_000, Comes(true)),
            (7_000, Comes(false)),
        ],
    );
    play(
        "a probe that nobody waited for is followed by another one",
        &[
            (0, Comes(true)),
            (1_001, Comes(false)),
            (1_500, Ends(0, Unheard)),
            (2_001, Comes(true)),
            (2_010, Ends(0, Unheard)),
            (2_010, Comes(true)),
        ],
    );
}

#[test]
fn the_first_update_is_a_probe_unless_the_bus_has_answered() {
    let now = Instant::now();
    let mut circuit = Circuit::new(now, SLOW);
    assert!(!circuit.is_closed());
    assert_eq!(circuit.choose(now, || false), None);
    let probe = circuit.choose(now, there).unwrap();
    assert_eq!(circuit.choose(now, there), None);
    circuit.ended(now, probe, Ending::Stored);
    assert!(circuit.is_closed());
}

#[derive(Clone, Debug)]
enum Chance {
    Passes(u64),
    /// And whether the bus is connected.
    Comes(bool),
    Ends(prop::sample::Index, Ending),
}

fn chance() -> impl Strategy<Value = Chance> {
    let ending = prop::sample::select(vec![Ending::Stored, Ending::Failed, Ending::Unheard]);
    prop_oneof![
        (0..3_000_u64).prop_map(Chance::Passes),
        any::<bool>().prop_map(Chance::Comes),
        any::<bool>().prop_map(Chance::Comes),
        (any::<prop::sample::Index>(), ending).prop_map(|(which, how)| Chance::Ends(which, how)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whatever the bus does: nothing is handed over while something is stuck, one update at a time while the circuit is not
    /// closed, and once the bus is well every update is handed over after the longest pause.
    #[test]
    fn an_ill_bus_is_left_alone_and_a_well_one_is_used(script in prop::collection::vec(chance(), 0..200)) {
        let mut now = Instant::now();
        let mut circuit = Circuit::new(now, SLOW);
        let mut under_way: Vec<(Pass, Instant)> = Vec::new();
        for step in script {
            match step {
                Chance::Passes(time) => now += millis(time),
                Chance::Comes(is_there) => {
                    let is_stuck = under_way.iter().any(|(_, since)| now.duration_since(*since) > SLOW);
                    let was_closed = circuit.is_closed();
                    let Some(pass) = circuit.choose(now, || is_there) else {
                        prop_assert!(!circuit.is_closed());
                        continue;
                    };
                    prop_assert!(!is_stuck);
                    under_way.push((pass, now));
                    if !was_closed {
                        prop_assert!(is_there);
                        // The probe, alone: what is under way besides is older than the opening.
                        prop_assert!(circuit.choose(now, there).is_none());
                    }
                }
                Chance::Ends(which, how) => {
                    if !under_way.is_empty() {
                        let (pass, _) = under_way.remove(which.index(under_way.len()));
                        circuit.ended(now, pass, how);
                    }
                }
            }
            prop_assert_eq!(circuit.flying.len(), under_way.len());
        }
        for (pass, _) in under_way {
            circuit.ended(now, pass, Ending::Failed);
        }
        now += PAUSE.1;
        let pass = circuit.choose(now, there).unwrap();
        circuit.ended(now, pass, Ending::Stored);
        prop_assert!(circuit.is_closed());
    }
}
