//! Tells of requests that are not relayed, so that a console can say whose address is wrong.
//!
//! In: refusals of `call.rs`. Out: call records under the unattributed tenant. Invariant: a
//! stranger's flood becomes at most one record a minute for each bot, address and reason, from a
//! bounded memory; all of them are counted by `refused_total`.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use gramtap_telegram::BotId;

use super::arrival::Arrival;
use crate::relay::refusal::Refusal;

/// One record for the same refusal in this time.
const QUIET: Duration = Duration::from_secs(60);
/// Refusals remembered at a time, per worker; beyond, nothing is told until some are forgotten.
const BOUND: usize = 1024;

type Who = (Option<BotId>, Option<IpAddr>, &'static str);

/// What was told lately.
#[derive(Debug, Default)]
pub(crate) struct Refused {
    told: HashMap<Who, Instant>,
}

impl Refused {
    /// Whether this refusal is to be told.
    pub(crate) fn is_news(
        &mut self,
        arrival: &Arrival,
        bot: Option<BotId>,
        refusal: &Refusal,
    ) -> bool {
        self.note((bot, arrival.from, refusal.label), arrival.began)
    }

    fn note(&mut self, who: Who, now: Instant) -> bool {
        let fresh = |at: &Instant| now.saturating_duration_since(*at) < QUIET;
        if self.told.get(&who).is_some_and(fresh) {
            return false;
        }
        if self.told.len() >= BOUND {
            self.told.retain(|_, at| fresh(at));
        }
        if self.told.len() >= BOUND {
            return false;
        }
        self.told.insert(who, now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_a_minute_and_a_flood_is_bounded() {
        let mut refused = Refused::default();
        let now = Instant::now();
        let who = (Some(BotId(1)), None, "bot_unknown");
        assert!(refused.note(who, now));
        assert!(!refused.note(who, now + Duration::from_secs(59)));
        assert!(refused.note(who, now + Duration::from_secs(61)));
        let told = (0..10_000)
            .filter(|id| refused.note((Some(BotId(*id)), None, "x"), now))
            .count();
        assert!(told <= BOUND, "{told}");
        assert!(refused.note((None, None, "later"), now + 2 * QUIET));
    }
}
