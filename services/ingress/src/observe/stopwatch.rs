//! How long a call took, and whose time it was.
//!
//! In: the relay's marks, with its own clock. Out: `Took` of a call's record (`record.rs`).
//! Invariant: `own_us` is what is left of the total when Telegram's interval (first byte sent to
//! last byte received) and the waits for the bot outside that interval are taken away; a wait
//! inside it is Telegram's interval already and is not subtracted twice. Nothing is negative.

use std::time::{Duration, Instant};

use gramtap_events::call::Took;

/// Marks the times of one call. All marks are optional but the beginning.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopwatch {
    began: Instant,
    sent: Option<Instant>,
    received: Option<Instant>,
    waiting: Option<Instant>,
    /// Waits for the bot before the first byte was sent.
    before: Duration,
    /// Waits for the bot since the last byte was received, or since the first was sent.
    after: Duration,
}

impl Stopwatch {
    /// The request's head was received.
    #[must_use]
    pub(crate) fn start(now: Instant) -> Self {
        Self {
            began: now,
            sent: None,
            received: None,
            waiting: None,
            before: Duration::ZERO,
            after: Duration::ZERO,
        }
    }

    /// A byte was sent upstream. Only the first counts.
    pub(crate) fn sent(&mut self, now: Instant) {
        if self.sent.is_none() {
            self.close_wait(now);
            self.sent = Some(now);
        }
    }

    /// Bytes were received from upstream. The last call counts.
    pub(crate) fn received(&mut self, now: Instant) {
        self.received = Some(now);
        self.after = Duration::ZERO;
        self.waiting = self.waiting.map(|_| now);
    }

    /// From now on the bot is waited for, to send its body or to read the answer.
    pub(crate) fn waits(&mut self, now: Instant) {
        self.waiting.get_or_insert(now);
    }

    /// The bot has sent or read.
    pub(crate) fn resumes(&mut self, now: Instant) {
        self.close_wait(now);
        self.waiting = None;
    }

    /// The call is over: the sums.
    #[must_use]
    pub(crate) fn stop(mut self, now: Instant) -> Took {
        self.close_wait(now);
        let total = now.saturating_duration_since(self.began);
        let upstream = match (self.sent, self.received) {
            (Some(sent), Some(received)) => received.saturating_duration_since(sent),
            // Nothing came: all that time was spent waiting for Telegram.
            (Some(sent), None) => now.saturating_duration_since(sent),
            (None, _) => Duration::ZERO,
        };
        let waited = match (self.sent, self.received) {
            (Some(_), None) => self.before,
            _ => self.before + self.after,
        };
        let own = total.saturating_sub(upstream).saturating_sub(waited);
        Took {
            total_us: micros(total),
            upstream_us: micros(upstream),
            own_us: micros(own),
        }
    }

    /// Adds an open wait to its side and starts it anew at `now`.
    fn close_wait(&mut self, now: Instant) {
        if let Some(since) = self.waiting {
            let waited = now.saturating_duration_since(since);
            match self.sent {
                None => self.before += waited,
                Some(_) => self.after += waited,
            }
            self.waiting = Some(now);
        }
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Sums = (u64, u64, u64);
    type Marks = Vec<(u64, Mark)>;

    enum Mark {
        Sent,
        Received,
        Waits,
        Resumes,
    }

    fn took(marks: &[(u64, Mark)], end: u64) -> Sums {
        let zero = Instant::now();
        let at = |us: u64| zero + Duration::from_micros(us);
        let mut watch = Stopwatch::start(zero);
        for (us, mark) in marks {
            match mark {
                Mark::Sent => watch.sent(at(*us)),
                Mark::Received => watch.received(at(*us)),
                Mark::Waits => watch.waits(at(*us)),
                Mark::Resumes => watch.resumes(at(*us)),
            }
        }
        let took = watch.stop(at(end));
        (took.total_us, took.upstream_us, took.own_us)
    }

    #[test]
    fn own_time_is_what_neither_telegram_nor_the_bot_took() {
        use Mark::*;
        let table: [(&str, Marks, u64, Sums); 10] = [
            (
                "plain",
                vec![(10, Sent), (90, Received)],
                100,
                (100, 80, 20),
            ),
            ("never sent", vec![], 50, (50, 0, 50)),
            ("no answer", vec![(10, Sent)], 100, (100, 90, 10)),
            (
                "slow upload before the first byte",
                vec![(5, Waits), (45, Resumes), (50, Sent), (80, Received)],
                100,
                (100, 30, 30),
            ),
            (
                "a wait that sending ends",
                vec![(5, Waits), (45, Sent), (45, Resumes), (80, Received)],
                100,
                (100, 35, 25),
            ),
            (
                "slow upload in the middle",
                vec![(10, Sent), (20, Waits), (60, Resumes), (90, Received)],
                100,
                (100, 80, 20),
            ),
            (
                "slow reader in the middle",
                vec![
                    (10, Sent),
                    (20, Received),
                    (30, Waits),
                    (60, Resumes),
                    (90, Received),
                ],
                100,
                (100, 80, 20),
            ),
            (
                "slow reader at the end",
                vec![(10, Sent), (20, Received), (25, Waits), (95, Resumes)],
                100,
                (100, 10, 20),
            ),
            (
                "the bot never read on",
                vec![(10, Sent), (20, Received), (25, Waits)],
                100,
                (100, 10, 15),
            ),
            (
                "waiting for the bot when bytes arrive",
                vec![(10, Sent), (20, Waits), (50, Received), (70, Resumes)],
                100,
                (100, 40, 40),
            ),
        ];
        for (name, marks, end, sums) in table {
            assert_eq!(took(&marks, end), sums, "{name}");
        }
    }

    #[test]
    fn marks_in_any_order_never_go_below_zero() {
        use Mark::*;
        let sums = took(&[(90, Received), (10, Sent), (5, Waits), (2, Resumes)], 1);
        assert_eq!(sums.0, 1);
        assert!(sums.2 <= 1);
    }
}
