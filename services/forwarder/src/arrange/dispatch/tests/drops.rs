//! Updates that a bot had dropped while they waited.

use super::*;

#[test]
fn what_waits_is_given_up_wherever_it_waits_and_nothing_else_is() {
    let mut desk = Desk::new(|rules| rules.per_bot = 4);
    desk.arrive(0, "chat:1");
    desk.arrive(0, "chat:1");
    desk.says();
    assert_eq!(desk.ends(0, &FAILS), ["deliver 0"]);
    // One that failed and one behind it; one under way and one behind it; some in the topic alone.
    assert!(desk.ends(0, &FAILS).is_empty());
    desk.arrive(0, "chat:2");
    desk.arrive(0, "chat:2");
    assert_eq!(desk.says(), ["deliver 2"]);
    desk.arrive(0, "chat:3");
    desk.arrive(0, "chat:3");
    desk.arrive_as(0, "chat:4", |item| item.replay = Some(at(1_000)));
    assert_eq!(desk.says(), ["park 4", "park 5", "park 6"]);
    assert!(desk.reads().is_empty());
    desk.arrive(1, "chat:1");
    assert_eq!(desk.says(), ["deliver 7"]);

    desk.now += 1;
    let dropped = Some(at(desk.now));
    desk.dispatch.set_dropped(at(desk.now), tenant(0), dropped);
    let mut said = desk.says();
    said.sort();
    let given_up = [0, 1, 3, 4, 5].map(|it| format!("bury {it} dropped"));
    assert_eq!(said[..5], given_up);
    assert_eq!(said[5..], ["deliver 6", "reread 0"]);
    // What is under way is let end, and not tried again.
    assert_eq!(desk.ends(2, &FAILS), ["bury 2 dropped"]);
    // One that was received before is read later; one that was received at that moment is wanted.
    desk.arrive_as(0, "chat:1", |item| item.at = at(1_000));
    desk.arrive(0, "chat:1");
    assert_eq!(desk.says(), ["bury 8 dropped", "deliver 9"]);
    for origin in [6, 7, 9] {
        assert!(desk.ends(origin, &OK).is_empty());
    }
    assert_eq!(desk.dispatch.held(), (0, 0));
    let commits =
        [Source::Inbox, Source::Retry].map(|it| desk.dispatch.commit(it, 0, None).unwrap());
    assert_eq!(commits.map(|commit| commit.offset), [10, 3]);
    assert!(!desk.dispatch.holds(tenant(0)));
}

#[test]
fn a_success_under_way_is_a_success() {
    let mut desk = Desk::new(|_| {});
    desk.arrive(0, "chat:1");
    desk.says();
    desk.dispatch
        .set_dropped(at(2_000), tenant(0), Some(at(2_000)));
    assert!(desk.ends(0, &OK).is_empty());
    // Telegram sends it again: it was delivered, not dropped.
    desk.arrive_as(0, "chat:1", |item| item.update_id = Some(0));
    assert_eq!(desk.says(), ["duplicate 1"]);
}

#[test]
fn what_was_dropped_is_given_up_after_a_restart_though_the_endpoint_is_away() {
    let mut desk = Desk::new(|rules| (rules.per_bot, rules.breaker.failures) = (1, 1));
    (0..3).for_each(|_| desk.arrive(0, "chat:1"));
    assert_eq!(desk.says(), ["park 1", "park 2", "deliver 0"]);
    desk.dispatch
        .set_dropped(at(2_000), tenant(0), Some(at(2_000)));
    assert!(desk.says().is_empty());
    desk.assign(None, None);
    assert_eq!(desk.says(), ["pause Inbox"]);
    (0..3).for_each(|_| desk.arrive(0, "chat:1"));
    let mut said = desk.reads();
    said.sort();
    let expected = [
        "bury 0 dropped",
        "bury 1 dropped",
        "bury 2 dropped",
        "duplicate 1",
        "duplicate 2",
        "resume Inbox",
    ];
    assert_eq!(said, expected);
    desk.now = 2_000;
    desk.arrive(0, "chat:1");
    desk.says();
    desk.ends(3, &AWAY);
    // Away: what comes is parked, and what was dropped meanwhile is not kept for later.
    desk.arrive(0, "chat:2");
    assert_eq!(desk.says(), ["park 4"]);
    desk.dispatch
        .set_dropped(at(2_001), tenant(0), Some(at(2_001)));
    assert!(desk.reads().contains(&"bury 4 dropped".to_owned()));
    assert!(!desk.dispatch.unstarted().any(|_| true));
}

#[test]
fn what_is_read_again_before_it_is_acknowledged_is_given_up_once() {
    let mut desk = Desk::new(|rules| {
        (rules.hold, rules.away, rules.breaker.failures) = (Duration::ZERO, 2, 3);
    });
    for queue in ["chat:1", "chat:1", "chat:1", "chat:2", "chat:2"] {
        desk.arrive(0, queue);
    }
    desk.says();
    for origin in [0, 3] {
        desk.ends(origin, &FAILS);
        desk.ends(origin, &FAILS);
    }
    assert!(desk.reads().is_empty());
    assert_eq!(desk.waits(2), ["deliver 0", "deliver 3"]);
    // Away: of what stands in the topic two are kept, and what is behind the one under way.
    assert!(desk.ends(0, &AWAY).is_empty());
    assert_eq!(desk.dispatch.held().0, 4);
    desk.unheard = true;
    desk.now += 1;
    let dropped = Some(at(desk.now));
    desk.dispatch.set_dropped(at(desk.now), tenant(0), dropped);
    let mut said = desk.says();
    said.sort();
    let given_up = [0, 1, 2, 4].map(|it| format!("bury {it} dropped"));
    assert_eq!(said[..4], given_up);
    assert_eq!(said[4..], ["reread 2"]);
    assert_eq!(desk.ends(3, &FAILS), ["bury 3 dropped"]);
}
