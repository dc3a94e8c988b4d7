//! Records of deliveries.v1.
//!
//! In: attempts with their judgement; updates that are given up without one. Out: [`Delivery`]s. Invariant: of the bot's address only
//! scheme and host are told, of an answer its status and the method that it asks for. Pure.

use std::rc::Rc;

use gramtap_events::delivery::Delivery;
use gramtap_events::inbox::Inbox;
use gramtap_events::{Mint, Moment, Record};

use crate::arrange::{Buried, Item};
use crate::deliver::courier::Attempt;
use crate::deliver::verdict::{Judgement, Outcome};

/// The record of an attempt.
pub(crate) fn attempted(
    mint: &Mint,
    item: &Item<Rc<Inbox>>,
    attempt: &Attempt,
    judgement: &Judgement,
) -> Delivery {
    Delivery {
        at: attempt.at,
        bot: attempt.bot,
        attempt: item.tried.attempts,
        endpoint: attempt.endpoint.clone(),
        status: match attempt.outcome {
            Outcome::Answered { status, .. } => Some(status),
            _ => None,
        },
        label: judgement.reason.map(|reason| reason.label.into()),
        verdict: judgement.verdict,
        next_at: judgement.next_at,
        took_us: attempt.took_us,
        reply_method: attempt.reply_method.clone(),
        ..blank(mint, item)
    }
}

/// The record of an update whose time was over before its turn came.
pub(crate) fn untried(mint: &Mint, buried: &Buried<Rc<Inbox>>) -> Delivery {
    Delivery {
        label: Some(buried.cause.into()),
        verdict: buried.verdict,
        ..blank(mint, &buried.item)
    }
}

fn blank(mint: &Mint, item: &Item<Rc<Inbox>>) -> Delivery {
    let inbox = &item.payload;
    Delivery {
        v: Delivery::VERSION,
        record: mint.mint(),
        tenant: inbox.tenant,
        bot: None,
        at: Moment::now(),
        received_at: Some(inbox.replay.as_ref().map_or(inbox.at, |replay| replay.at)),
        inbox_record: inbox.record.clone(),
        update_id: inbox.update_id,
        kind: inbox.kind.clone(),
        queue: inbox.queue,
        attempt: 0,
        endpoint: None,
        status: None,
        label: None,
        verdict: gramtap_events::delivery::Verdict::Dead,
        next_at: None,
        took_us: 0,
        reply_method: None,
        replay: inbox.replay.as_ref().map(|replay| replay.at),
    }
}
