//! Items are made of records, and records of items.
#![allow(clippy::unwrap_used)]

use gramtap_events::Mint;
use gramtap_events::inbox::{Replay, Sealed};

use super::*;
use crate::tests::{at, tenant};

fn inbox(kind: &'static str, queue: &str) -> Inbox {
    let sealed = Sealed {
        key: String::new(),
        nonce: Vec::new(),
        text: Vec::new(),
    };
    Inbox {
        v: 1,
        record: Mint::new("ingress-0", 1).mint(),
        tenant: tenant(3),
        at: at(1_000),
        update_id: Some(7),
        kind: kind.into(),
        queue: queue.parse().unwrap(),
        headers: sealed.clone(),
        body: sealed,
        replay: None,
    }
}

#[test]
fn an_update_expires_as_its_kind_says() {
    let table = [
        ("message", 86_400),
        ("inline_query", 30),
        ("callback_query", 150),
        ("chosen_inline_result", 600),
        ("other:hologram", 86_400),
    ];
    for (kind, seconds) in table {
        let item = Item::inbox(2, 40, &inbox(kind, "chat:1"), 512, ());
        assert_eq!(item.expires_at, at(1_000 + seconds), "{kind}");
        assert_eq!(
            (item.origin, item.place.offset, item.place.partition),
            (40, 40, 2)
        );
        assert_eq!(
            (item.bytes, item.tried, item.next_at),
            (512, Tried::default(), None)
        );
    }
}

#[test]
fn a_replay_has_a_day_and_one_to_elsewhere_another_recipient() {
    let mut asked = inbox("inline_query", "inline:1");
    let replay = |to| Some(Replay { at: at(9_000), to });
    asked.replay = replay(None);
    let item = Item::inbox(0, 0, &asked, 1, ());
    assert_eq!(item.expires_at, at(9_000 + 86_400));
    assert_eq!((item.queue, item.elsewhere), (asked.queue, false));
    asked.replay = replay(Some(asked.body.clone()));
    let item = Item::inbox(0, 0, &asked, 1, ());
    let recipient = Recipient {
        tenant: asked.tenant,
        elsewhere: true,
    };
    assert_eq!((item.queue, item.recipient()), (asked.queue, recipient));
    let retry = item.to_retry(asked);
    let again = Item::retry(0, 3, &retry, 1, ());
    let found = (again.recipient(), again.replay);
    assert_eq!(found, (recipient, Some(at(9_000))));
}

#[test]
fn what_is_parked_comes_back_as_it_was() {
    let taken = inbox("message", "chat:1");
    let item = Item {
        tried: Tried {
            attempts: 3,
            first_at: Some(at(1_001)),
            last_at: Some(at(1_003)),
        },
        next_at: Some(at(1_007)),
        ..Item::inbox(2, 40, &taken, 512, ())
    };
    let back = Item::retry(2, 5, &item.to_retry(taken.clone()), 600, ());
    let place = Place {
        source: Source::Retry,
        partition: 2,
        offset: 5,
    };
    assert_eq!((back.place, back.origin, back.bytes), (place, 40, 600));
    assert_eq!((back.tried, back.next_at), (item.tried, item.next_at));
    assert_eq!(
        (
            back.tenant,
            back.queue,
            back.update_id,
            back.at,
            back.expires_at
        ),
        (
            item.tenant,
            item.queue,
            item.update_id,
            item.at,
            item.expires_at
        )
    );

    let buried = Buried {
        item: back,
        verdict: Verdict::Refused,
        cause: "address_private",
        attempted: true,
    };
    let dead = buried.to_dead(taken.clone());
    assert_eq!(
        (dead.cause.as_ref(), dead.tried, dead.inbox),
        ("address_private", item.tried, taken)
    );
}
