//! What is found again after a kill, and what is left of a partition that went.

use super::*;

#[test]
fn a_restart_finds_out_what_is_parked_before_it_starts_anything() {
    let mut desk = Desk::new(|rules| rules.per_bot = 2);
    (0..6).for_each(|_| desk.arrive(0, "chat:1"));
    assert_eq!(
        desk.says(),
        ["park 2", "park 3", "park 4", "park 5", "deliver 0"]
    );
    // A commit from before: everything is read again, and stands in both topics.
    let old = desk.retry.len();
    let restored = desk.assign(None, None);
    assert_eq!(
        restored,
        Restored {
            mark: None,
            garbled: 0
        }
    );
    assert_eq!(desk.says(), ["pause Inbox"]);
    (0..6).for_each(|_| desk.arrive(0, "chat:1"));
    assert!(desk.says().is_empty());
    let said = desk.reads();
    let expected = [
        "resume Inbox",
        "duplicate 2",
        "duplicate 3",
        "duplicate 4",
        "duplicate 5",
        "deliver 0",
    ];
    assert_eq!(
        said.iter()
            .filter(|it| expected.contains(&it.as_str()))
            .count(),
        6,
        "{said:?}"
    );
    assert_eq!(desk.retry.len(), old);
    for origin in 0..6 {
        let said = desk.ends(origin, &OK);
        let next = format!("deliver {}", origin + 1);
        assert_eq!(said.contains(&next), origin < 5, "{said:?}");
    }
}

#[test]
fn of_a_partition_that_went_nothing_is_left() {
    let mut desk = Desk::new(|_| {});
    desk.arrive(0, "chat:1");
    desk.arrive(0, "chat:1");
    desk.says();
    desk.dispatch.revoked(0);
    assert_eq!(desk.dispatch.held(), (0, 0));
    assert_eq!(desk.dispatch.flying(None), 0);
    assert_eq!(desk.dispatch.wakes_at(), None);
    let ticket = desk.tickets[&0];
    assert!(
        desk.dispatch
            .outcome(at(desk.now), ticket, &OK, 0)
            .is_none()
    );
    assert!(desk.says().is_empty());
    assert_eq!(desk.dispatch.commit(Source::Inbox, 0, Some(1)), None);

    // Nor of what was delivered: another process has that now.
    desk.assign(None, None);
    desk.arrive(0, "chat:1");
    desk.arrive(0, "chat:1");
    assert_eq!(desk.says(), ["deliver 0"]);
    assert_eq!(desk.ends(0, &OK), ["deliver 1"]);
    desk.dispatch.revoked(0);
    desk.assign(None, None);
    desk.arrive(0, "chat:1");
    assert_eq!(desk.says(), ["deliver 0"]);
}

#[test]
fn what_was_delivered_is_known_after_a_restart() {
    let mut desk = Desk::new(|rules| {
        rules.lookback = 5;
        rules.ledger = ledger::Bounds {
            span: 100,
            ..rules.ledger
        };
    });
    (0..3).for_each(|_| desk.arrive(0, "chat:1"));
    desk.says();
    let commits =
        [Source::Inbox, Source::Retry].map(|it| desk.dispatch.commit(it, 0, Some(7)).unwrap());
    desk.ends(0, &OK);
    let restored = desk.assign(Some(&commits[0]), Some(&commits[1]));
    assert_eq!(restored.mark, Some(2));
    desk.dispatch.delivered(0, tenant(0), 0, None, at(desk.now));
    desk.arrive(0, "chat:1");
    assert_eq!(desk.says(), ["duplicate 0"]);
    // Not everything that was there has been read: the mark stays.
    let commit = desk.dispatch.commit(Source::Inbox, 0, Some(8)).unwrap();
    let (_, told) = ledger::Ledger::new(
        Some((commit.offset, &commit.metadata)),
        Rules::default().ledger,
    );
    assert_eq!((commit.offset, told.mark), (1, Some(7)));
    desk.arrive(0, "chat:1");
    assert_eq!(desk.says(), ["deliver 1"]);
}
