//! Delivers webhook updates to bots.

pub mod arrange;
pub mod consume;
pub mod deliver;

#[cfg(test)]
mod model;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use gramtap_events::{Moment, TenantId};
    use time::OffsetDateTime;

    /// So many seconds after 1970 began.
    pub(crate) fn at(seconds: i64) -> Moment {
        Moment::from(OffsetDateTime::from_unix_timestamp(seconds).unwrap())
    }

    /// One of 25 bots.
    pub(crate) fn tenant(number: u8) -> TenantId {
        let last = char::from(b'b' + number);
        format!("{}{last}", "a".repeat(TenantId::LENGTH - 1))
            .parse()
            .unwrap()
    }
}
