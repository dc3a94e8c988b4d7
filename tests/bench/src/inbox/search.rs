//! The highest rate that is held, looked for between two.
//!
//! In: whether a rate was held. Out: the rate to try next, each halfway of what is left, as factors go; at last the highest one that was held. Invariant: a rate is
//! given up after it was not held twice: a pause of Kafka's is not what a rate fails of. Pure.

/// Rates that are looked at, in updates a second.
const BOUNDS: [f64; 2] = [500.0, 16_000.0];
/// So near to each other, the rate is found.
const NEAR: f64 = 1.12;

/// See the file's header.
#[derive(Debug)]
pub(crate) struct Search {
    held: f64,
    lost: f64,
    failed: bool,
}

impl Search {
    pub(crate) fn new() -> Self {
        let [held, lost] = BOUNDS;
        Self {
            held,
            lost,
            failed: false,
        }
    }

    /// The rate to try. None: it is found.
    pub(crate) fn next(&self) -> Option<f64> {
        (self.lost / self.held > NEAR).then(|| (self.held * self.lost).sqrt())
    }

    /// What came of the rate that was to be tried.
    pub(crate) fn tell(&mut self, was_held: bool) {
        let Some(rate) = self.next() else { return };
        match (was_held, self.failed) {
            (true, _) => self.held = rate,
            (false, true) => self.lost = rate,
            (false, false) => {
                self.failed = true;
                return;
            }
        }
        self.failed = false;
    }

    /// The highest rate that was held. None: none was.
    pub(crate) fn held(&self) -> Option<f64> {
        (self.held > BOUNDS[0]).then_some(self.held)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Searches where `holds` says what is held. How many rates were tried, and what was found.
    fn find(mut holds: impl FnMut(f64) -> bool) -> (usize, Option<f64>) {
        let (mut search, mut tried) = (Search::new(), 0);
        while let Some(rate) = search.next() {
            search.tell(holds(rate));
            tried += 1;
        }
        (tried, search.held())
    }

    #[test]
    fn the_rate_is_found_from_below() {
        for limit in [600.0, 1_000.0, 3_456.0, 8_000.0, 15_900.0] {
            let (tried, found) = find(|rate| rate <= limit);
            let found = found.unwrap();
            assert!(
                found <= limit && limit < found * NEAR,
                "{limit}: found {found}"
            );
            assert!(tried <= 10, "{limit}: tried {tried}");
        }
    }

    #[test]
    fn nothing_is_found_where_nothing_is_held() {
        assert_eq!(find(|_| false).1, None);
    }

    #[test]
    fn one_failure_is_forgiven() {
        let mut tries = 0;
        let (_, found) = find(|rate| {
            tries += 1;
            rate <= 4_000.0 && tries % 2 == 0
        });
        assert!(found.is_some_and(|found| found > 4_000.0 / NEAR));
    }
}
