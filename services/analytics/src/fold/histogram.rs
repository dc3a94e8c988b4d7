//! Durations in buckets whose bounds grow by a constant factor.
//!
//! In: durations of calls. Out: bucket numbers to `sums.rs`; quantiles to `query/latency.rs`. Invariant: what a
//! quantile is told to be is within [`ERROR`] of a duration that was measured, from [`SMALLEST`] up; sums of
//! histograms are the histograms of sums; reading what was written gives the same. Pure.

use std::collections::BTreeMap;

/// Buckets in which a duration doubles: bounds grow by 7.2 %, and the middle of a bucket is within 3.6 % of all in it.
const STEPS: f64 = 10.0;
/// Durations below this many microseconds share the first bucket.
pub const SMALLEST: f64 = 10.0;
/// The last bucket: about 21 minutes and all above.
const LAST: i64 = 270;
/// How many buckets there are.
pub const BUCKETS: usize = LAST as usize + 1;
/// How far a quantile may be from the true one, as a share of it.
pub const ERROR: f64 = 0.036;

/// The bucket of a duration in microseconds.
#[must_use]
pub fn bucket(us: f64) -> i64 {
    if !us.is_finite() || us <= SMALLEST {
        return 0;
    }
    #[expect(clippy::cast_possible_truncation, reason = "bounded by the next line")]
    let place = ((us / SMALLEST).log2() * STEPS).floor() as i64;
    place.clamp(0, LAST - 1) + 1
}

/// The duration in microseconds that stands for a bucket: the geometric middle.
#[must_use]
pub fn middle(bucket: i64) -> f64 {
    if bucket <= 0 {
        return SMALLEST;
    }
    #[expect(clippy::cast_precision_loss, reason = "bounded by LAST")]
    let place = bucket.min(LAST) as f64 - 0.5;
    SMALLEST * (place / STEPS).exp2()
}

/// A histogram as it is stored: `bucket:n` in rising order, with spaces between.
#[must_use]
pub fn written(buckets: &BTreeMap<i64, i64>) -> String {
    let mut text = String::with_capacity(8 * buckets.len());
    for (bucket, n) in buckets {
        let space = if text.is_empty() { "" } else { " " };
        text.push_str(&format!("{space}{bucket}:{n}"));
    }
    text
}

/// The buckets of a histogram as it is stored. What is not one of ours is passed over.
pub fn read(text: &str) -> impl Iterator<Item = (i64, i64)> {
    text.split(' ').filter_map(|pair| {
        let (bucket, n) = pair.split_once(':')?;
        Some((bucket.parse().ok()?, n.parse().ok()?))
    })
}

/// A quantile (0 to 1) of buckets in rising order with their numbers, in microseconds. None: nothing was measured.
#[must_use]
pub fn quantile(buckets: &[(i64, i64)], share: f64) -> Option<f64> {
    let total: i64 = buckets.iter().map(|(_, n)| n).sum();
    if total <= 0 {
        return None;
    }
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "counts of calls are far below what floats hold"
    )]
    let rank = ((total as f64 * share).ceil() as i64).clamp(1, total);
    let mut passed = 0;
    for (bucket, n) in buckets {
        passed += n;
        if passed >= rank {
            return Some(middle(*bucket));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss
    )]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn odd_durations_have_a_bucket() {
        for (us, expected) in [
            (f64::NAN, 0),
            (-1.0, 0),
            (0.0, 0),
            (10.0, 0),
            (10.1, 1),
            (20.1, 11),
            (1e18, LAST),
        ] {
            assert_eq!(bucket(us), expected, "{us}");
        }
        assert_eq!(quantile(&[], 0.5), None);
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(buckets in prop::collection::btree_map(0..=LAST, 1..i64::MAX, 0..50)) {
            let text = written(&buckets);
            prop_assert_eq!(read(&text).collect::<BTreeMap<_, _>>(), buckets);
        }

        #[test]
        fn quantiles_are_within_the_error(mut exponents in prop::collection::vec(1.0f64..8.7, 1..300)) {
            exponents.sort_by(f64::total_cmp);
            let durations: Vec<f64> = exponents.iter().map(|it| 10f64.powf(*it)).collect();
            let mut buckets = BTreeMap::new();
            for us in &durations {
                *buckets.entry(bucket(*us)).or_insert(0) += 1;
            }
            let buckets: Vec<(i64, i64)> = buckets.into_iter().collect();
            for share in [0.5, 0.95, 0.99] {
                let rank = (durations.len() as f64 * share).ceil() as usize;
                let truth = durations[rank.max(1) - 1];
                let told = quantile(&buckets, share).unwrap();
                prop_assert!((told - truth).abs() <= truth * ERROR, "{told} for {truth}");
            }
        }
    }
}
