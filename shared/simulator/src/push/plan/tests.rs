//! The plan against telegram.md §2.4 in tables; [`model`]: against an oracle in random runs.

#![allow(clippy::unwrap_used)]

mod model;

use super::*;
use crate::push::address::Address;

const DAY: Duration = Duration::from_secs(86_400);

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A plan with its queue, on a clock of its own.
struct Stage {
    plan: Plan,
    waiting: UpdateQueue,
    numbers: u64,
    now: Duration,
}

impl Stage {
    fn new(most: i64) -> Self {
        let target = Target {
            address: Address::parse("https://h").unwrap(),
            secret: String::new(),
            ip: None,
            certificate: None,
        };
        Self {
            plan: Plan::new(target, most),
            waiting: UpdateQueue::new(1),
            numbers: 0,
            now: Duration::ZERO,
        }
    }

    fn add(&mut self, chat: i64, life: Duration) -> i64 {
        let text = format!("\"message\":{{\"chat\":{{\"id\":{chat}}}}}");
        self.waiting.push(text, self.now + life).unwrap()
    }

    fn next(&mut self) -> (Vec<Parcel>, Option<Duration>) {
        self.plan
            .next(&mut self.waiting, &mut self.numbers, self.now)
    }

    /// `update@connection` of what goes out now.
    fn out(&mut self) -> String {
        let parcels = self.next().0;
        let shown: Vec<String> = parcels
            .iter()
            .map(|one| format!("{}@{}", one.update, one.connection))
            .collect();
        shown.join(" ")
    }

    fn end(&mut self, connection: u64, verdict: &Verdict) -> bool {
        self.plan
            .ended(connection, verdict, true, &mut self.waiting, self.now)
    }

    fn again(&mut self) -> Option<Duration> {
        self.next().1
    }
}

fn failed(status: Option<u16>, retry_after: u64) -> Verdict {
    Verdict::Failed {
        message: String::new(),
        retry_after: s(retry_after),
        status,
    }
}

#[test]
fn one_connection_until_it_works_then_one_per_queue() {
    let mut stage = Stage::new(3);
    for chat in [1, 1, 2, 3, 4] {
        stage.add(chat, DAY);
    }
    assert_eq!(stage.out(), "1@1");
    assert_eq!(stage.again(), None, "only an answer helps now");
    stage.end(1, &Verdict::Taken);
    assert_eq!(
        stage.out(),
        "2@1 3@2 4@3",
        "one per queue, the oldest first"
    );
    stage.end(2, &Verdict::Taken);
    assert_eq!(stage.out(), "5@2");
    assert_eq!(stage.plan.overview().in_flight, 3);
}

#[test]
fn a_queue_waits_for_its_first_update_and_others_do_not() {
    let mut stage = Stage::new(40);
    for chat in [1, 1, 2] {
        stage.add(chat, DAY);
    }
    assert_eq!(stage.out(), "1@1");
    stage.end(1, &Verdict::Taken);
    assert_eq!(stage.out(), "2@1 3@2");
    stage.end(2, &failed(Some(500), 0));
    stage.add(1, DAY);
    stage.add(2, DAY);
    assert_eq!(stage.out(), "3@2", "at once, once");
    stage.end(2, &failed(Some(500), 0));
    assert_eq!((stage.out(), stage.again()), (String::new(), Some(s(2))));
    stage.end(1, &Verdict::Taken);
    assert_eq!(stage.out(), "4@1", "chat 1 goes on");
    stage.now = s(2);
    assert_eq!(stage.out(), "3@2");
    stage.end(2, &Verdict::Taken);
    assert_eq!(stage.out(), "5@2");
}

#[test]
fn retries_follow_the_schedule_and_stop_at_the_expiry() {
    let mut stage = Stage::new(1);
    stage.add(1, s(30));
    let mut sent = Vec::new();
    while stage.waiting.pending(stage.now) > 0 {
        let (parcels, again) = stage.next();
        match parcels.first() {
            Some(parcel) => {
                sent.push((stage.now.as_secs(), parcel.attempt));
                let connection = parcel.connection;
                stage.end(connection, &failed(None, 0));
            }
            None => stage.now = again.unwrap(),
        }
    }
    // After 14 s the next step of 16 s would end with the update's life.
    assert_eq!(sent, [(0, 1), (0, 2), (2, 3), (6, 4), (14, 5)]);
    assert_eq!((stage.waiting.expired(), stage.plan.lanes.count()), (1, 0));
}

#[test]
fn retry_after_is_heeded() {
    let mut stage = Stage::new(1);
    stage.add(1, DAY);
    assert_eq!(stage.out(), "1@1");
    stage.end(1, &failed(Some(429), 17));
    assert_eq!((stage.out(), stage.again()), (String::new(), Some(s(17))));
    stage.now = s(17);
    assert_eq!(stage.out(), "1@1");
    stage.end(1, &failed(Some(503), 1_000_000));
    assert_eq!(stage.again(), Some(s(17 + 3_600)));
}

#[test]
fn an_update_that_expired_while_it_waited_is_not_sent() {
    let mut stage = Stage::new(1);
    stage.add(1, DAY);
    stage.add(1, s(30));
    stage.add(1, DAY);
    assert_eq!(stage.out(), "1@1");
    stage.now = s(30);
    stage.end(1, &Verdict::Taken);
    assert_eq!(stage.out(), "3@1");
    assert_eq!(
        (stage.waiting.expired(), stage.waiting.pending(stage.now)),
        (1, 1)
    );
}

#[test]
fn gone_for_23_hours_in_a_row_deletes_the_webhook() {
    let hour = |hours: u64| s(hours * 3_600);
    // (hour, status): what the endpoint answered; the last one decides.
    type Answers = &'static [(u64, Option<u16>)];
    let cases: [(Answers, bool); 5] = [
        (&[(0, Some(410)), (23, Some(410))], false),
        (&[(0, Some(410)), (24, Some(410))], true),
        (&[(0, Some(410)), (1, Some(500)), (24, Some(410))], false),
        (&[(0, Some(410)), (1, None), (24, Some(410))], true),
        (&[(0, Some(410)), (24, Some(500))], false),
    ];
    for (answers, deleted) in cases {
        let mut stage = Stage::new(1);
        let mut last = false;
        for (at, status) in answers {
            stage.now = hour(*at);
            stage.add(i64::try_from(*at).unwrap() + 1, DAY);
            let parcels = stage.next().0;
            last = stage.end(parcels[0].connection, &failed(*status, 0));
        }
        assert_eq!(last, deleted, "{answers:?}");
    }
    let mut stage = Stage::new(1);
    stage.add(1, DAY);
    stage.out();
    stage.end(1, &failed(Some(410), 0));
    stage.out();
    stage.end(1, &Verdict::Taken);
    stage.now = hour(24);
    stage.add(1, DAY);
    stage.out();
    assert!(
        !stage.end(1, &failed(Some(410), 0)),
        "a success ends the row"
    );
}

#[test]
fn an_address_is_looked_up_again_after_half_an_hour() {
    let mut stage = Stage::new(1);
    let address = IpAddr::from([10, 0, 0, 1]);
    assert_eq!(
        (stage.plan.resolved(s(0)), stage.plan.shown_address()),
        (None, None)
    );
    stage.plan.resolve(address, 7, s(100));
    let good = stage.plan.resolved(s(100 + 1_799));
    assert_eq!(
        (good, stage.plan.resolved(s(100 + 1_981))),
        (Some(address), None)
    );
    assert_eq!(stage.plan.shown_address(), Some(address));
}

#[test]
fn what_is_looked_at_is_bounded() {
    let mut stage = Stage::new(2);
    for _ in 0..4 {
        stage.add(1, DAY);
    }
    stage.add(2, DAY);
    assert_eq!(stage.out(), "1@1");
    let lanes = stage.plan.overview().lanes;
    assert_eq!(
        (lanes.len(), lanes[0].updates),
        (1, 4),
        "twice max_connections"
    );
    stage.end(1, &Verdict::Taken);
    assert_eq!(stage.out(), "2@1 5@2", "chat 2 came into view");
}

#[test]
fn a_connection_that_ends_makes_room_and_a_plan_that_ends_stops_its_couriers() {
    let mut stage = Stage::new(1);
    stage.add(1, DAY);
    assert_eq!(stage.out(), "1@1");
    stage
        .plan
        .ended(1, &Verdict::Taken, false, &mut stage.waiting, stage.now);
    stage.add(1, DAY);
    assert_eq!(stage.out(), "2@2");
    stage.end(2, &Verdict::Taken);
    stage.plan.closed(2);
    assert_eq!(stage.plan.overview().connections, 0);
    stage.add(1, DAY);
    assert_eq!(stage.out(), "3@3");
    stage.end(3, &Verdict::Taken);
    // Its courier has closed it by then, whether that was told or not.
    stage.now = s(60);
    stage.add(1, DAY);
    assert_eq!(stage.out(), "4@4");
    let stop = stage.plan.stop().clone();
    drop(stage);
    assert!(stop.is_cancelled());
}
