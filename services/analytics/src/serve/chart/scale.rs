//! The height that a number has in a chart.
//!
//! In: the highest number. Out: ticks, and places within [`HEIGHT`]. Invariant: from two to six ticks, the first of them zero, the last not
//! below the highest number; the places of numbers keep their order. Pure.

use super::{HEIGHT, Unit};

/// From zero to a round number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scale {
    step: f64,
    steps: u32,
}

impl Scale {
    /// The scale on which `highest` is the highest.
    pub(super) fn of(highest: f64, unit: Unit) -> Self {
        let smallest = match unit {
            Unit::Count => 1.0,
            Unit::Share => 0.000_1,
            Unit::Millis => 0.01,
        };
        let highest = match highest.is_finite() {
            true => highest.clamp(smallest, 1e15),
            false => smallest,
        };
        let mut magnitude = smallest;
        loop {
            for round in [1.0, 2.0, 5.0] {
                let step = magnitude * round;
                if step * 4.0 >= highest {
                    return Self::stepped(step, highest);
                }
            }
            magnitude *= 10.0;
        }
    }

    fn stepped(step: f64, highest: f64) -> Self {
        let steps = (1..=4).find(|steps| step * f64::from(*steps) >= highest);
        Self {
            step,
            steps: steps.unwrap_or(4),
        }
    }

    /// The numbers that are written beside the axis.
    pub(super) fn ticks(self) -> impl Iterator<Item = f64> {
        (0..=self.steps).map(move |step| self.step * f64::from(step))
    }

    /// How far above the ground a number is.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "clamped into the box"
    )]
    pub(super) fn place(self, value: f64) -> i64 {
        let top = self.step * f64::from(self.steps);
        let share = (value / top).clamp(0.0, 1.0);
        match share.is_finite() {
            true => (share * HEIGHT as f64).round() as i64,
            false => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ticks_are_round() {
        let table: [(f64, Unit, &[f64]); 7] = [
            (0.0, Unit::Count, &[0.0, 1.0]),
            (1.0, Unit::Count, &[0.0, 1.0]),
            (3.0, Unit::Count, &[0.0, 1.0, 2.0, 3.0]),
            (7.0, Unit::Count, &[0.0, 2.0, 4.0, 6.0, 8.0]),
            (1_234.0, Unit::Count, &[0.0, 500.0, 1_000.0, 1_500.0]),
            (f64::NAN, Unit::Millis, &[0.0, 0.01]),
            (80.0, Unit::Millis, &[0.0, 20.0, 40.0, 60.0, 80.0]),
        ];
        for (highest, unit, ticks) in table {
            let told: Vec<f64> = Scale::of(highest, unit).ticks().collect();
            let near = |(left, right): (&f64, &f64)| (left - right).abs() < 1e-9;
            assert!(
                told.len() == ticks.len() && told.iter().zip(ticks).all(near),
                "{highest}: {told:?}"
            );
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn every_number_has_a_place_and_order_is_kept(highest in 0.0f64..1e12, low in 0.0f64..1.0, high in 0.0f64..1.0) {
            let scale = Scale::of(highest, Unit::Count);
            let ticks: Vec<f64> = scale.ticks().collect();
            prop_assert!((2..=6).contains(&ticks.len()));
            prop_assert!(*ticks.last().unwrap_or(&0.0) >= highest);
            let (low, high) = (low.min(high) * highest, low.max(high) * highest);
            prop_assert!(scale.place(low) <= scale.place(high));
            prop_assert!((0..=HEIGHT).contains(&scale.place(high)));
        }
    }
}
