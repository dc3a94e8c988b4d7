//! What many rounds say together.
//!
//! In: one number a round. Out: the median and how far the rounds lie apart. Pure.

use std::time::Duration;

/// Of an odd number of rounds the middle one, else the mean of the two in the middle. None of none.
pub(crate) fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        length if length % 2 == 1 => Some(sorted[middle]),
        _ => Some(f64::midpoint(sorted[middle - 1], sorted[middle])),
    }
}

/// Half of what lies between the lowest and the highest round, as a part of the median.
pub(crate) fn spread(values: &[f64]) -> Option<f64> {
    let low = values.iter().copied().min_by(f64::total_cmp)?;
    let high = values.iter().copied().max_by(f64::total_cmp)?;
    let median = median(values)?;
    (median != 0.0).then(|| (high - low) / 2.0 / median.abs())
}

/// The duration that this part of all do not exceed, of sorted ones.
pub(crate) fn quantile(sorted: &[Duration], part: f64) -> Duration {
    let last = sorted.len().saturating_sub(1);
    #[allow(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a number of measured requests"
    )]
    let at = (sorted.len() as f64 * part) as usize;
    sorted.get(at.min(last)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_the_rounds_and_how_far_they_lie_apart() {
        assert_eq!(median(&[]), None);
        assert_eq!(spread(&[]), None);
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(spread(&[9.0, 10.0, 12.0]), Some(0.15));
        assert_eq!(spread(&[0.0, 0.0]), None);
    }

    #[test]
    fn quantiles_are_those_of_the_sorted() {
        let all: Vec<_> = (1..=100).map(Duration::from_millis).collect();
        for (part, expected) in [(0.0, 1), (0.5, 51), (0.99, 100), (1.0, 100)] {
            assert_eq!(quantile(&all, part), Duration::from_millis(expected));
        }
        assert_eq!(quantile(&[], 0.5), Duration::ZERO);
    }
}
