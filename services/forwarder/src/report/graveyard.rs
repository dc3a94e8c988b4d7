//! What is written of updates that are put off or given up.
//!
//! In: decisions. Out: messages for inbox.retry.v1 and inbox.dead.v1. Invariant: the update is in them as it was taken in, sealed as it was. Pure.

use std::rc::Rc;

use gramtap_bus::Message;
use gramtap_events::inbox::Inbox;

use crate::arrange::{Buried, Item};

/// The record of an update that waits, or stands behind one that does.
pub(crate) fn parked(item: &Item<Rc<Inbox>>) -> Result<Message, serde_json::Error> {
    Message::of(&item.to_retry(Inbox::clone(&item.payload)))
}

/// The record of an update that is given up.
pub(crate) fn buried(buried: &Buried<Rc<Inbox>>) -> Result<Message, serde_json::Error> {
    Message::of(&buried.to_dead(Inbox::clone(&buried.item.payload)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use gramtap_bus::message::LARGEST;
    use gramtap_events::Mint;
    use gramtap_events::delivery::Verdict;
    use gramtap_events::inbox::{ROOM, Replay, Sealed, Tried};
    use gramtap_tenants::Webhook;

    use super::*;
    use crate::tests::{at, tenant};

    /// What is sealed under a key of the installation's: its name has eight characters.
    fn sealed(bytes: usize) -> Sealed {
        Sealed {
            key: "5f0c9a1e".to_owned(),
            nonce: vec![0; 12],
            text: vec![0; bytes + 16],
        }
    }

    #[test]
    fn the_largest_that_is_taken_in_can_be_replayed_parked_and_buried() {
        let mut inbox = Inbox {
            v: 1,
            record: Mint::new("ingress-0", 7).mint(),
            tenant: tenant(3),
            at: at(1_000),
            update_id: Some(i64::MAX),
            kind: "chosen_inline_result".into(),
            queue: "inline:-9007199254740991".parse().unwrap(),
            headers: sealed(200),
            body: sealed(0),
            replay: None,
        };
        let left = LARGEST - ROOM - Message::of(&inbox).unwrap().size();
        inbox.body = sealed(left / 4 * 3 - 2);
        let taken = Message::of(&inbox).unwrap().size();
        assert!(
            (LARGEST - ROOM - 8..=LARGEST - ROOM).contains(&taken),
            "{taken}"
        );
        inbox.replay = Some(Replay {
            at: at(2_000),
            to: Some(sealed(Webhook::LONGEST_URL)),
        });
        let item = Item {
            tried: Tried {
                attempts: u32::MAX,
                first_at: Some(at(3_000)),
                last_at: Some(at(4_000)),
            },
            next_at: Some(at(5_000)),
            origin: i64::MAX,
            ..Item::inbox(0, 0, &inbox, 1, Rc::new(inbox.clone()))
        };
        let parked = parked(&item).unwrap().size();
        let buried = buried(&Buried {
            item,
            verdict: Verdict::Refused,
            cause: "address_documentation",
            attempted: true,
        });
        let buried = buried.unwrap().size();
        assert!(parked.max(buried) <= LARGEST, "{parked} {buried}");
        // There is not more room than is needed by far.
        assert!(parked.max(buried) > LARGEST - 2_048, "{parked} {buried}");
    }
}
