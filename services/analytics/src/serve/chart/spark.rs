//! A chart as large as a word: the course of a number in a table.
//!
//! In: numbers in order. Out: an SVG of bars. Invariant: as many bars as numbers that are not zero, none outside of the box. Pure.

use askama::Template;

const HEIGHT: i64 = 100;
const STEP: i64 = 10;

/// The course of a number.
#[derive(Clone, Debug, Template)]
#[template(path = "spark.html")]
pub struct Spark {
    title: String,
    width: i64,
    bars: Vec<(i64, i64, i64)>,
}

impl Spark {
    /// Draws one; the title says what it shows.
    #[must_use]
    pub fn new(title: impl Into<String>, values: &[i64]) -> Self {
        let highest = values.iter().copied().max().unwrap_or(0).max(1);
        let bar = |(place, value): (usize, &i64)| {
            let value = (*value).max(0);
            let height = i128::from(value) * i128::from(HEIGHT) / i128::from(highest);
            let height = i64::try_from(height).unwrap_or(0).clamp(8, HEIGHT);
            let x = i64::try_from(place).unwrap_or(0) * STEP;
            (value > 0).then_some((x, HEIGHT - height, height))
        };
        Self {
            title: title.into(),
            width: i64::try_from(values.len()).unwrap_or(0).max(1) * STEP,
            bars: values.iter().enumerate().filter_map(bar).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn bars_are_in_the_box(values in prop::collection::vec(prop_oneof![0i64..100, any::<i64>()], 0..100)) {
            let spark = Spark::new("x", &values);
            prop_assert_eq!(spark.bars.len(), values.iter().filter(|value| **value > 0).count());
            for (x, y, height) in &spark.bars {
                prop_assert!(*x >= 0 && x + STEP <= spark.width);
                prop_assert!(*y >= 0 && y + height == HEIGHT && *height > 0);
            }
            prop_assert!(spark.render().unwrap().contains("<svg"));
        }
    }
}
