//! Where users come from.
//!
//! In: `sum_labels`, `bot_users`. Out: [`Sources`]. Invariant: a user has one source, the first that was seen; a start with a payload counts
//! each time.

use gramtap_database::{Database, Error, Statement};
use gramtap_events::TenantId;

use super::actions::{Ranking, ranking};
use super::{Period, between};
use crate::fold::sums::Kind;

const ARRIVED: Statement = Statement::new(
    "sources_arrived",
    "SELECT source, COUNT(*) AS n FROM bot_users WHERE tenant = $1 AND first_at >= $2 AND first_at < $3 GROUP BY source",
);
pub(super) const STATEMENTS: [&Statement; 1] = [&ARRIVED];

/// Where users came from in a period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sources {
    /// *Starts*: `/start` commands with a payload, by payload, each time.
    pub starts: Ranking,
    /// *UTM*: pairs such as `utm_source=ads` in such payloads, plain or as base64url, each time.
    pub utm: Ranking,
    /// *New users by source*: users who are new in the period, by the payload of the first start with one that was ever seen of
    /// them; the most first.
    pub arrived: Vec<(String, i64)>,
    /// New users of all further sources together.
    pub arrived_rest: i64,
    /// *Direct*: users who are new in the period and of whom no payload is known.
    pub direct: i64,
}

impl Sources {
    /// *By a source*: users who are new in the period and of whom a payload is known.
    #[must_use]
    pub fn by_source(&self) -> i64 {
        let told = self.arrived.iter().map(|(_, n)| n);
        told.sum::<i64>() + self.arrived_rest
    }
}

/// Where users came from in a period; `top` of each ranking.
pub async fn sources(
    database: &Database,
    bot: TenantId,
    period: &Period,
    top: usize,
) -> Result<Sources, Error> {
    let bounds = [period.from(), period.to()].map(|second| second * 1_000_000);
    let mut arrived = Vec::new();
    let mut direct = 0;
    for row in between(database, &ARRIVED, bot, bounds[0], bounds[1]).await? {
        match row.get::<Option<String>>("source")? {
            Some(source) => arrived.push((source, row.get("n")?)),
            None => direct += row.get::<i64>("n")?,
        }
    }
    arrived.sort_unstable_by(|left: &(String, i64), right| {
        (-left.1, &left.0).cmp(&(-right.1, &right.0))
    });
    let rest = arrived.split_off(top.min(arrived.len()));
    Ok(Sources {
        starts: ranking(database, bot, period, Kind::Source, top).await?,
        utm: ranking(database, bot, period, Kind::Utm, top).await?,
        arrived,
        arrived_rest: rest.iter().map(|(_, n)| n).sum(),
        direct,
    })
}
