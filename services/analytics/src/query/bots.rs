//! All bots of a page of the list, each with its headline numbers.
//!
//! In: their ids and zones. Out: [`Line`]s in the same order. Invariant: a line's numbers are those of the bot's overview of today. Costs five
//! indexed reads a bot, so ask for a page at a time.

use futures_util::stream::{self, StreamExt, TryStreamExt};
use gramtap_database::{Database, Error};
use gramtap_events::TenantId;

use super::Period;
use super::overview::{self, Figures};
use crate::zone::Zone;

/// Bots that are asked about at the same time.
const AT_ONCE: usize = 4;

/// A bot's numbers of today.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Which bot.
    pub bot: TenantId,
    /// Today, in the bot's time zone.
    pub today: Figures,
    /// The second that the last hour with any traffic today begins with.
    pub last_hour: Option<i64>,
}

/// The headline numbers of some bots. `now` is in seconds since 1970.
pub async fn bots(
    database: &Database,
    bots: &[(TenantId, Zone)],
    now: i64,
) -> Result<Vec<Line>, Error> {
    let lines = bots
        .iter()
        .map(|(bot, zone)| line(database, *bot, zone, now));
    stream::iter(lines).buffered(AT_ONCE).try_collect().await
}

async fn line(database: &Database, bot: TenantId, zone: &Zone, now: i64) -> Result<Line, Error> {
    let period = Period::last(zone.clone(), now, 1);
    let hours = overview::traffic(database, bot, &period).await?;
    let days = overview::days(database, bot, &period, &hours).await?;
    Ok(Line {
        bot,
        today: days
            .first()
            .map_or_else(Figures::default, |day| day.figures),
        last_hour: hours.last().map(|hour| hour.start),
    })
}
