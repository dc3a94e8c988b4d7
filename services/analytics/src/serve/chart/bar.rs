//! The length of a number beside others.
//!
//! In: a number and the largest of its kind. Out: an SVG as wide as there is room. Invariant: from 0 to 100 %. Pure.

use askama::Template;

/// A bar in a table.
#[derive(Clone, Copy, Debug, Template)]
#[template(path = "bar.html")]
pub struct Bar {
    /// Where it begins, in percent.
    from: i64,
    /// How long it is, in percent.
    length: i64,
    /// A mark, in percent.
    mark: Option<i64>,
}

impl Bar {
    /// A bar from the left.
    #[must_use]
    pub fn new(n: i64, largest: i64) -> Self {
        let n = n.clamp(0, largest.max(0));
        let length = i128::from(n) * 100 / i128::from(largest.max(1));
        let length = i64::try_from(length).unwrap_or(0);
        Self {
            from: 0,
            length: length.max(i64::from(n > 0)),
            mark: None,
        }
    }

    /// From a low to a high quantile with a mark between, on a scale up to `largest`.
    #[must_use]
    pub fn spread(low: f64, mark: f64, high: f64, largest: f64) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "clamped")]
        let place = |value: f64| match (value / largest).is_finite() {
            true => (value / largest * 100.0).clamp(0.0, 100.0).round() as i64,
            false => 0,
        };
        let from = place(low).min(99);
        Self {
            from,
            length: (place(high) - from).max(1),
            mark: Some(place(mark).clamp(from, 99)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_long_as_their_part() {
        for (n, largest, length) in [
            (0, 0, 0),
            (0, 10, 0),
            (1, 1_000, 1),
            (5, 10, 50),
            (10, 10, 100),
            (20, 10, 100),
            (-5, 10, 0),
            (i64::MAX, i64::MAX, 100),
        ] {
            assert_eq!(Bar::new(n, largest).length, length, "{n} of {largest}");
        }
        for (low, mark, high, largest) in [
            (1.0, 2.0, 3.0, 4.0),
            (0.0, 0.0, 0.0, 0.0),
            (9.0, 9.0, 9.0, 9.0),
            (f64::NAN, 1.0, f64::INFINITY, 2.0),
        ] {
            let bar = Bar::spread(low, mark, high, largest);
            let mark = bar.mark.unwrap_or(-1);
            assert!(
                bar.from >= 0 && bar.length > 0 && bar.from + bar.length <= 100,
                "{bar:?}"
            );
            assert!((bar.from..=100).contains(&mark), "{bar:?}");
        }
    }
}
