//! Replays beside the updates that come by themselves.

use super::*;

#[test]
fn a_replay_is_no_repeat_of_its_update_but_of_itself() {
    let mut desk = Desk::new(|_| {});
    desk.arrive(1, "chat:1");
    desk.says();
    desk.ends(0, &OK);
    let asked = |seconds| {
        move |item: &mut Item<()>| (item.update_id, item.replay) = (Some(0), Some(at(seconds)))
    };
    desk.arrive_as(1, "chat:1", |item| item.update_id = Some(0));
    assert_eq!(desk.says(), ["duplicate 1"]);
    desk.arrive_as(1, "chat:1", asked(900));
    assert_eq!(desk.says(), ["deliver 2"]);
    desk.ends(2, &OK);
    desk.arrive_as(1, "chat:1", asked(900));
    desk.arrive_as(1, "chat:1", asked(901));
    assert_eq!(desk.says(), ["duplicate 3", "deliver 4"]);
}

fn elsewhere(item: &mut Item<()>) {
    (item.replay, item.elsewhere) = (Some(item.at), true);
}

#[test]
fn what_fails_elsewhere_says_nothing_of_the_bots_own_endpoint() {
    let mut desk = Desk::new(|_| {});
    for chat in 1..=20 {
        desk.arrive_as(1, &format!("chat:{chat}"), elsewhere);
    }
    desk.says();
    for origin in 0..20 {
        desk.ends(origin, &AWAY);
    }
    desk.arrive(1, "chat:1");
    assert_eq!(desk.says(), ["deliver 20"]);
    // Had they been its own, it would be away.
    let mut desk = Desk::new(|_| {});
    for chat in 1..=20 {
        desk.arrive(1, &format!("chat:{chat}"));
    }
    desk.says();
    for origin in 0..20 {
        desk.ends(origin, &AWAY);
    }
    desk.arrive(1, "chat:21");
    assert!(!desk.says().contains(&"deliver 20".to_owned()));
}

#[test]
fn what_goes_elsewhere_waits_for_nothing_of_the_bots_own() {
    let mut desk = Desk::new(|rules| {
        (rules.connections, rules.per_bot, rules.breaker.failures) = (1, 4, 1);
    });
    desk.arrive(1, "chat:1");
    assert_eq!(desk.says(), ["deliver 0"]);
    // Its connection is taken, its queue has one under way.
    desk.arrive_as(1, "chat:1", elsewhere);
    assert_eq!(desk.says(), ["deliver 1"]);
    // Now it is away, and all that comes for it is parked.
    assert_eq!(desk.ends(0, &AWAY), ["park 0"]);
    (0..9).for_each(|_| desk.arrive(1, "chat:1"));
    assert_eq!(desk.says().len(), 9);
    desk.reads();
    assert!(desk.ends(1, &OK).is_empty());
    desk.arrive_as(1, "chat:1", elsewhere);
    desk.arrive_as(1, "chat:1", elsewhere);
    assert_eq!(desk.says(), ["deliver 11"]);
    // It is tried as the schedule says: at once, after two seconds, after four, after eight.
    assert_eq!(desk.ends(11, &AWAY), ["deliver 11"]);
    for wait in [2, 4] {
        assert!(desk.ends(11, &AWAY).is_empty());
        let said = desk.waits(wait);
        assert!(said.contains(&"deliver 11".to_owned()), "{said:?}");
    }
    // What waits longer is parked with what is behind it, and comes back, though what is left there of the bot's own does not.
    assert_eq!(desk.ends(11, &AWAY), ["park 11", "park 12"]);
    desk.reads();
    assert!(desk.waits(8).contains(&"deliver 11".to_owned()));
    assert_eq!(desk.ends(11, &OK), ["deliver 12"]);
    assert!(desk.ends(12, &OK).is_empty());
}

#[test]
fn what_goes_elsewhere_is_let_be_where_the_bots_own_is_dropped_or_tried_at_once() {
    let mut desk = Desk::new(|_| {});
    desk.arrive(1, "chat:1");
    desk.arrive_as(1, "chat:1", elsewhere);
    desk.says();
    for origin in [0, 1] {
        desk.ends(origin, &FAILS);
        desk.ends(origin, &FAILS);
    }
    desk.dispatch.renewed(at(desk.now), tenant(1));
    assert_eq!(desk.says(), ["deliver 0"]);
    desk.ends(0, &FAILS);
    desk.dispatch
        .set_dropped(at(desk.now), tenant(1), Some(at(desk.now + 1)));
    assert_eq!(desk.says(), ["bury 0 dropped"]);
    assert_eq!(desk.waits(2), ["deliver 1"]);
    // It has as many connections as the webhook.
    desk.dispatch.set_connections(tenant(1), Some(1));
    desk.arrive_as(1, "chat:2", elsewhere);
    assert!(desk.says().is_empty());
    assert_eq!(desk.ends(1, &OK), ["deliver 2"]);
}

#[test]
fn what_is_left_in_the_topic_is_read_again_for_its_own_recipient() {
    let mut desk = Desk::new(|rules| rules.per_bot = 2);
    (0..4).for_each(|_| desk.arrive(1, "chat:1"));
    (4..7).for_each(|_| desk.arrive_as(1, "chat:1", elsewhere));
    desk.says();
    assert!(desk.reads().is_empty());
    let mut started = |ended: i64| {
        let said = desk.ends(ended, &OK);
        let starts = |said: &String| said.strip_prefix("deliver ").map(|it| it.parse().unwrap());
        said.iter().filter_map(starts).collect::<Vec<i64>>()
    };
    let own: Vec<_> = (0..4).map(&mut started).collect();
    assert_eq!(own, [vec![1], vec![2], vec![3], vec![]]);
    let elsewhere: Vec<_> = (4..7).map(&mut started).collect();
    assert_eq!(elsewhere, [vec![5], vec![6], vec![]]);
    assert_eq!(desk.dispatch.held(), (0, 0));
}
