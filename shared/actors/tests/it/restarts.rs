//! How the wait between lives grows, and what happens when there are too many: in virtual time.

use std::{cell::RefCell, rc::Rc, time::Duration};

use gramtap_actors::{Policy, keep};
use tokio::time::Instant;

use crate::{
    actor::{Add, Subject},
    locally,
    recorder::{Event, events, record, restarts},
};

#[tokio::test(start_paused = true)]
async fn the_wait_grows_from_death_to_death() {
    record();
    locally(async {
        let births = Rc::new(RefCell::new(Vec::new()));
        let noted = Rc::clone(&births);
        let kept = keep("hopeless", Policy::default(), move || {
            noted.borrow_mut().push(Instant::now());
            Subject {
                panics_when_started: true,
                ..Subject::default()
            }
        });
        tokio::time::sleep(Duration::from_secs(100)).await;
        drop(kept);
        let births = births.borrow();
        let waits: Vec<u128> = births
            .windows(2)
            .map(|pair| (pair[1] - pair[0]).as_millis())
            .collect();
        let expected = [
            10, 20, 40, 80, 160, 320, 640, 1280, 2560, 5120, 10_240, 20_480, 30_000,
        ];
        assert_eq!(waits.len(), expected.len(), "{waits:?}");
        // The timer may be a millisecond late.
        for (wait, expected) in waits.iter().zip(expected) {
            assert!((expected..=expected + 2).contains(wait), "{waits:?}");
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn exhaustion_is_told_once_and_restarting_goes_on() {
    record();
    locally(async {
        let policy = Policy {
            budget: 3,
            max_delay: Duration::from_millis(20),
            ..Policy::default()
        };
        let births = Rc::new(RefCell::new(0));
        let counted = Rc::clone(&births);
        let kept = keep("exhausted", policy, move || {
            *counted.borrow_mut() += 1;
            Subject {
                panics_when_started: *counted.borrow() <= 8,
                ..Subject::default()
            }
        });
        let early = tokio::time::timeout(Duration::from_millis(40), kept.exhausted()).await;
        assert!(early.is_err(), "within its budget");
        kept.exhausted().await;
        assert_eq!(restarts("exhausted").len(), 4);
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!((*births.borrow(), restarts("exhausted").len()), (9, 8));
        let told = events("exhausted")
            .into_iter()
            .filter(|event| *event == Event::Exhausted)
            .count();
        assert_eq!(told, 1);
        assert_eq!(
            kept.durable(1).deliver(Add, Duration::from_secs(1)).await,
            Ok(1)
        );
    })
    .await;
}
