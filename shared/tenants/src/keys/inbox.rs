//! Sealing webhook updates while they wait for delivery.
//!
//! In: ingress (seals), the forwarder, analytics and the list of dead letters (open). Out: [`Sealed`] parts of the records of
//! `inbox.v1` and its sisters. Invariant: a part opens only in its place: for its tenant, under its record, with its update's number, as
//! headers or as body; moving sealed bytes between records, or changing a record around them, is found out.

use gramtap_events::inbox::{Inbox, Sealed};
use gramtap_events::{RecordId, TenantId};

use super::{Keys, KeysError};

/// What a seal is bound to.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The bot.
    pub tenant: TenantId,
    /// The record that the update was taken in under.
    pub record: &'a RecordId,
    /// Telegram's number of the update.
    pub update_id: Option<i64>,
}

/// Which part of an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The headers to pass on: a JSON array of pairs.
    Headers,
    /// The body, as received.
    Body,
    /// Where it is to be delivered instead of the bot's webhook.
    Address,
}

impl Place<'_> {
    /// Parts of fixed length first, so that no two places are written alike.
    fn bytes(self, part: Part) -> Vec<u8> {
        let part: &[u8] = match part {
            Part::Headers => b"h",
            Part::Body => b"b",
            Part::Address => b"a",
        };
        let (known, number) = match self.update_id {
            Some(number) => (b"1", number.to_be_bytes()),
            None => (b"0", [0; 8]),
        };
        let tenant = self.tenant.as_str().as_bytes();
        [
            tenant,
            part,
            known,
            &number,
            self.record.as_str().as_bytes(),
        ]
        .concat()
    }
}

impl<'a> From<&'a Inbox> for Place<'a> {
    fn from(inbox: &'a Inbox) -> Self {
        Self {
            tenant: inbox.tenant,
            record: &inbox.record,
            update_id: inbox.update_id,
        }
    }
}

impl Keys {
    /// Seals a part of an update, with the key that [`Keys::id`] names.
    pub fn seal_update(
        &self,
        place: Place<'_>,
        part: Part,
        bytes: &[u8],
    ) -> Result<Sealed, KeysError> {
        let seal = self.first()?;
        let (nonce, text) = seal.inbox.seal(&place.bytes(part), bytes)?;
        Ok(Sealed {
            key: seal.id().to_owned(),
            nonce: nonce.to_vec(),
            text,
        })
    }

    /// Opens what [`Keys::seal_update`] made, for the same place and part.
    pub fn open_update(
        &self,
        place: Place<'_>,
        part: Part,
        sealed: &Sealed,
    ) -> Result<Vec<u8>, KeysError> {
        let cipher = &self.named(&sealed.key)?.inbox;
        cipher.open(&place.bytes(part), &sealed.nonce, &sealed.text)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use gramtap_events::Mint;
    use proptest::prelude::*;
    use zeroize::Zeroizing;

    use super::*;
    use crate::keys::tests::keys;

    const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaab";
    const B: &str = "aaaaaaaaaaaaaaaaaaaaaaaaac";

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_part_opens_in_its_place_alone(bytes: Vec<u8>, update_id: Option<i64>, flip: usize) {
            let mint = Mint::new("ingress-0", 7);
            let (record, other) = (mint.mint(), mint.mint());
            let place = Place { tenant: A.parse().unwrap(), record: &record, update_id };
            let keys = keys(1);
            let sealed = keys.seal_update(place, Part::Body, &bytes).unwrap();
            prop_assert_eq!(&keys.open_update(place, Part::Body, &sealed).unwrap(), &bytes);
            prop_assert_ne!(&keys.seal_update(place, Part::Body, &bytes).unwrap(), &sealed);

            let elsewhere = [
                (Place { tenant: B.parse().unwrap(), ..place }, Part::Body),
                (Place { record: &other, ..place }, Part::Body),
                (Place { update_id: Some(update_id.map_or(0, |id| id ^ 1)), ..place }, Part::Body),
                (place, Part::Headers),
            ];
            for (place, part) in elsewhere {
                let opened = keys.open_update(place, part, &sealed);
                prop_assert!(matches!(opened, Err(KeysError::Damaged)), "{:?}", place);
            }
            let mut changed = sealed.clone();
            let length = changed.nonce.len() + changed.text.len();
            match flip % length {
                at if at < changed.nonce.len() => changed.nonce[at] ^= 1,
                at => changed.text[at - sealed.nonce.len()] ^= 1,
            }
            let opened = keys.open_update(place, Part::Body, &changed);
            prop_assert!(matches!(opened, Err(KeysError::Damaged)));
        }
    }

    #[test]
    fn an_older_key_opens_and_garbage_is_damaged() {
        let (old, new) = (Zeroizing::new([1; 32]), Zeroizing::new([2; 32]));
        let record = Mint::new("ingress-0", 7).mint();
        let place = Place {
            tenant: A.parse().unwrap(),
            record: &record,
            update_id: None,
        };
        let before = Keys::new(&old, &[]);
        let sealed = before.seal_update(place, Part::Body, b"x").unwrap();
        let rotated = Keys::new(&new, &[old]);
        assert_eq!(
            rotated.open_update(place, Part::Body, &sealed).unwrap(),
            b"x"
        );
        let lost = Keys::new(&new, &[]).open_update(place, Part::Body, &sealed);
        assert!(matches!(lost, Err(KeysError::UnknownKey { .. })));
        for nonce in [vec![], vec![0; 11], vec![0; 64]] {
            let cut = Sealed {
                nonce,
                ..sealed.clone()
            };
            let opened = before.open_update(place, Part::Body, &cut);
            assert!(matches!(opened, Err(KeysError::Damaged)));
        }
    }
}
