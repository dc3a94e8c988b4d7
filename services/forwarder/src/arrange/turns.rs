//! Whose turn it is.
//!
//! In: bots that could start a delivery. Out: one bot at a time. A turn is one delivery, so a bot with a thousand updates gets as many turns as
//! one with two: there is no deficit to keep, as deliveries are of about the same size. Invariant: between two turns of a bot
//! every bot that waited at the first one has had its own. A bot stands in the ring once.

use std::collections::{HashSet, VecDeque};

use super::Recipient;

/// Bots that wait for their turn.
#[derive(Clone, Debug, Default)]
pub(super) struct Turns {
    ring: VecDeque<Recipient>,
    waiting: HashSet<Recipient>,
}

impl Turns {
    /// A bot could start a delivery. It waits behind all others, or where it waits already.
    pub(super) fn wait(&mut self, recipient: Recipient) {
        if self.waiting.insert(recipient) {
            self.ring.push_back(recipient);
        }
    }

    /// The bot whose turn it is.
    pub(super) fn take(&mut self) -> Option<Recipient> {
        let recipient = self.ring.pop_front()?;
        self.waiting.remove(&recipient);
        Some(recipient)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests;

    fn tenant(number: u8) -> Recipient {
        tests::tenant(number).into()
    }

    #[test]
    fn everybody_has_a_turn_before_anybody_has_two() {
        let mut turns = Turns::default();
        let mut left = [1_000, 3, 1, 0, 2];
        let numbers = || (0_u8..).zip([0_usize; 5]).map(|(number, _)| number);
        for number in numbers() {
            if left[usize::from(number)] > 0 {
                turns.wait(tenant(number));
                turns.wait(tenant(number));
            }
        }
        let mut order = Vec::new();
        while order.len() < 12 {
            let Some(next) = turns.take() else { break };
            let number = numbers().find(|it| tenant(*it) == next).unwrap_or(9);
            order.push(number);
            let left = &mut left[usize::from(number)];
            *left -= 1;
            if *left > 0 {
                turns.wait(next);
            }
        }
        assert_eq!(order, [0, 1, 2, 4, 0, 1, 4, 0, 1, 0, 0, 0]);
        let mut alone = Turns::default();
        alone.wait(tenant(0));
        assert_eq!(alone.take(), Some(tenant(0)));
        assert_eq!(alone.take(), None);
    }
}
