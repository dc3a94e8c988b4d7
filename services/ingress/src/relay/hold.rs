//! Holds back error answers to getUpdates that follow each other too quickly.
//!
//! In: refusals of polls. Out: how long to wait before the answer. One library asks again
//! without a pause after an error; Telegram's server holds repeated errors for 3 s, and so do
//! we with ours. Invariant: the first error of a poller is told at once; the memory is bounded,
//! and whoever falls out of it is told at once again.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use gramtap_telegram::BotId;

/// Pollers remembered at a time, per worker.
const BOUND: usize = 4096;

/// Who polls.
pub(crate) type Poller = (Option<BotId>, Option<IpAddr>);

/// When each poller was last told of an error.
#[derive(Debug)]
pub(crate) struct Holds {
    hold: Duration,
    told: HashMap<Poller, Instant>,
}

impl Holds {
    pub(crate) fn new(hold: Duration) -> Self {
        Self {
            hold,
            told: HashMap::new(),
        }
    }

    /// How long the answer to `poller` waits.
    pub(crate) fn wait(&mut self, poller: Poller, now: Instant) -> Duration {
        let repeated = |at: &Instant| now.saturating_duration_since(*at) < 2 * self.hold;
        let wait = match self.told.get(&poller) {
            Some(at) if repeated(at) => self.hold,
            _ => Duration::ZERO,
        };
        if self.told.len() >= BOUND && !self.told.contains_key(&poller) {
            let hold = self.hold;
            self.told
                .retain(|_, at| now.saturating_duration_since(*at) < 2 * hold);
            if self.told.len() >= BOUND {
                self.told.clear();
            }
        }
        self.told.insert(poller, now + wait);
        wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_error_is_told_at_once_and_the_next_ones_wait() {
        let hold = Duration::from_secs(3);
        let mut holds = Holds::new(hold);
        let start = Instant::now();
        let poller = (Some(BotId(1)), None);
        assert_eq!(holds.wait(poller, start), Duration::ZERO);
        assert_eq!(holds.wait(poller, start), hold);
        assert_eq!(holds.wait(poller, start + hold), hold);
        assert_eq!(holds.wait((Some(BotId(2)), None), start), Duration::ZERO);
        assert_eq!(
            holds.wait(poller, start + Duration::from_secs(60)),
            Duration::ZERO
        );
    }

    #[test]
    fn many_pollers_are_bounded() {
        let mut holds = Holds::new(Duration::from_secs(3));
        let now = Instant::now();
        for id in 0..20_000 {
            holds.wait((Some(BotId(id)), None), now);
        }
        assert!(holds.told.len() <= BOUND);
    }
}
