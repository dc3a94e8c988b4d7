//! Who uses a bot.
//!
//! In: `bot_users`, `bot_user_days`, `audience_dates`. Out: [`Audience`]. Invariant: a user counts once in each number. The costliest page:
//! it reads an index entry for each user active in the period.

use gramtap_database::{Database, Error, Statement};
use gramtap_events::TenantId;

use super::{Period, between, number};
use crate::fold::user::{halves, quarters};
use crate::zone::DAY;

const ACTIVE: Statement = Statement::new(
    "audience_period",
    "SELECT COUNT(DISTINCT user_id) AS n FROM bot_user_days WHERE tenant = $1 AND day >= $2 AND day <= $5 AND (
        (day > $2 AND day < $5)
        OR (day = $2 AND ((early & $3) <> 0 OR (late & $4) <> 0))
        OR (day = $5 AND ((early & $6) <> 0 OR (late & $7) <> 0)))",
);
const EVER: Statement = Statement::new(
    "audience_ever",
    "SELECT CAST(SUM(fresh) AS BIGINT) AS n FROM audience_dates WHERE tenant = $1",
);
const BLOCKED: Statement = Statement::new(
    "audience_blocked",
    "SELECT COUNT(*) AS n FROM bot_users WHERE tenant = $1 AND blocked",
);
const SINCE: Statement = Statement::new(
    "audience_since",
    "SELECT language, premium, COUNT(*) AS n FROM bot_users WHERE tenant = $1 AND last_day >= $2 AND last_at >= $3
     GROUP BY language, premium",
);
pub(super) const STATEMENTS: [&Statement; 4] = [&ACTIVE, &EVER, &BLOCKED, &SINCE];

/// Who used a bot in a period.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audience {
    /// *Active users*: different users with at least one update whose own date falls into the period; bots and Telegram's service
    /// accounts excluded.
    pub active: i64,
    /// *Users*: all that were ever active, as long as the audience's numbers are kept.
    pub ever: i64,
    /// *Blocked now*: users whose last sign is that they blocked the bot: that update, or a refused call, is later than their
    /// last unblocking and any other update of theirs.
    pub blocked: i64,
    /// *Languages*: users seen since the period began, by the language of their client as last told; the most first.
    pub languages: Vec<(String, i64)>,
    /// *No language*: users seen since the period began of whom Telegram told no language.
    pub no_language: i64,
    /// *Premium*: users seen since the period began who had Telegram Premium when last seen.
    pub premium: i64,
    /// *Not Premium*: users seen since the period began who had not Telegram Premium when last seen.
    pub regular: i64,
}

/// Who used a bot in a period.
pub async fn audience(
    database: &Database,
    bot: TenantId,
    period: &Period,
) -> Result<Audience, Error> {
    let (from, to) = (period.from(), period.to());
    let spans: Vec<(i64, u128)> = quarters(from, to).collect();
    let mut active = vec![bot.as_str().into()];
    for (day, bits) in [spans.first(), spans.last()].into_iter().flatten() {
        let (early, late) = halves(*bits);
        active.extend([*day, early, late].map(Into::into));
    }
    let one = [bot.as_str().into()];
    let mut audience = Audience {
        active: number(database, &ACTIVE, &active).await?,
        ever: number(database, &EVER, &one).await?,
        blocked: number(database, &BLOCKED, &one).await?,
        ..Audience::default()
    };
    let mut languages = std::collections::BTreeMap::<String, i64>::new();
    for row in between(
        database,
        &SINCE,
        bot,
        from.div_euclid(DAY),
        from * 1_000_000,
    )
    .await?
    {
        let n: i64 = row.get("n")?;
        match row.get::<Option<String>>("language")? {
            Some(language) => *languages.entry(language).or_default() += n,
            None => audience.no_language += n,
        }
        match row.get::<Option<bool>>("premium")? {
            Some(true) => audience.premium += n,
            _ => audience.regular += n,
        }
    }
    audience.languages = languages.into_iter().collect();
    audience.languages.sort_by_key(|(_, n)| -n);
    Ok(audience)
}
