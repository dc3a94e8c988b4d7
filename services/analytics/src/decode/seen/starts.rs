//! Which records of which start of which instance have been counted.
//!
//! In: ids of records, `{instance}-{epoch}-{sequence}`. Out: whether each is new. Invariant: of each start the highest
//! [`SEQUENCES`] are kept, and what is below a full list counts as counted: two workers of an instance bring records out
//! of order by a few, a replay repeats thousands. Beyond [`STARTS`] the start that was heard of least lately is forgotten.

use std::collections::VecDeque;

use gramtap_events::seen::Instance;

/// Sequences of a start at most. Records of a bot that are further behind than this are taken for repeats.
pub const SEQUENCES: usize = 256;
/// Starts at most.
pub const STARTS: usize = 64;

/// The starts of all instances, the one heard of last at the end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Starts(Vec<Start>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Start {
    name: String,
    /// Ascending.
    sequences: VecDeque<u64>,
}

impl Starts {
    pub(super) fn restored(instances: Vec<Instance>) -> Self {
        let start = |instance: Instance| Start {
            name: instance.start,
            sequences: instance.sequences.into(),
        };
        Self(instances.into_iter().map(start).collect())
    }

    pub(super) fn kept(&self) -> Vec<Instance> {
        let instance = |start: &Start| Instance {
            start: start.name.clone(),
            sequences: start.sequences.iter().copied().collect(),
        };
        self.0.iter().map(instance).collect()
    }

    /// Adds a record; whether it was not there. An id that is no record's is always new.
    pub fn admit(&mut self, record: &str) -> bool {
        let Some((name, sequence)) = record.rsplit_once('-') else {
            return true;
        };
        let Ok(sequence) = sequence.parse() else {
            return true;
        };
        let Some(at) = self.0.iter().rposition(|start| start.name == name) else {
            if self.0.len() >= STARTS {
                self.0.remove(0);
            }
            self.0.push(Start {
                name: name.to_owned(),
                sequences: VecDeque::from([sequence]),
            });
            return true;
        };
        let admitted = self.0[at].admit(sequence);
        if admitted {
            self.0[at..].rotate_left(1);
        }
        admitted
    }
}

impl Start {
    fn admit(&mut self, sequence: u64) -> bool {
        let is_full = self.sequences.len() >= SEQUENCES;
        if is_full && self.sequences.front().is_some_and(|it| sequence < *it) {
            return false;
        }
        if self.sequences.back().is_none_or(|last| *last < sequence) {
            self.sequences.push_back(sequence);
        } else {
            match self.sequences.binary_search(&sequence) {
                Ok(_) => return false,
                Err(at) => self.sequences.insert(at, sequence),
            }
        }
        if self.sequences.len() > SEQUENCES {
            self.sequences.pop_front();
        }
        true
    }
}
