//! Which records of which start of which instance have been counted.
//!
//! In: ids of records, `{instance}-{epoch}-{sequence}`. Out: whether each is new. Invariant: of each of the [`LIVE`] starts heard
//! of last the highest [`SEQUENCES`] are kept, of the others [`RESTING`], and what is below them counts as counted: two
//! workers of an instance bring records out of order by a few, a replay repeats thousands in order. Beyond
//! [`STARTS`] the start that was heard of least lately is forgotten. All of it is written with every batch: it has to be small.

use std::collections::VecDeque;

use gramtap_events::seen::Instance;

/// Sequences of a live start at most. Records of a bot that are further behind than this are taken for repeats.
pub const SEQUENCES: usize = 256;
/// Starts that keep so many.
pub const LIVE: usize = 4;
/// Sequences of any other start at most.
pub const RESTING: usize = 16;
/// Starts at most.
pub const STARTS: usize = 32;

/// The starts of all instances, the one heard of last at the end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Starts(Vec<Start>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Start {
    name: String,
    /// What is below it counts as counted.
    below: u64,
    /// Of the others those that have been counted, ascending.
    sequences: VecDeque<u64>,
}

impl Starts {
    pub(super) fn restored(instances: Vec<Instance>) -> Self {
        let start = |instance: Instance| Start {
            name: instance.start,
            below: instance.below,
            sequences: instance.sequences.into(),
        };
        Self(instances.into_iter().map(start).collect())
    }

    pub(super) fn kept(&self) -> Vec<Instance> {
        let instance = |start: &Start| Instance {
            start: start.name.clone(),
            below: start.below,
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
        let known = self.0.iter().rposition(|start| start.name == name);
        let at = known.unwrap_or_else(|| {
            if self.0.len() >= STARTS {
                self.0.remove(0);
            }
            self.0.push(Start {
                name: name.to_owned(),
                below: 0,
                sequences: VecDeque::new(),
            });
            self.0.len() - 1
        });
        let admitted = self.0[at].admit(sequence);
        if admitted {
            self.0[at..].rotate_left(1);
            // The one that is live no more, if any has just ceased to be.
            if let Some(resting) = self.0.len().checked_sub(LIVE + 1) {
                self.0[resting].keep(RESTING);
            }
        }
        admitted
    }
}

impl Start {
    fn admit(&mut self, sequence: u64) -> bool {
        if sequence < self.below {
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
        self.keep(SEQUENCES);
        true
    }

    fn keep(&mut self, most: usize) {
        while self.sequences.len() > most {
            let lowest = self.sequences.pop_front();
            self.below = lowest.map_or(self.below, |lowest| lowest.saturating_add(1));
        }
    }
}
