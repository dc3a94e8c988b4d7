//! Who uses a bot.
//!
//! In: `bot_users`, `bot_user_days`, `audience_dates`. Out: [`Audience`]. Invariant: a user counts once in each number. It reads an index entry
//! for each user active since the period began; of periods that are over, one for each day of each user.

use gramtap_database::{Database, Error, Statement};
use gramtap_events::TenantId;

use super::{Period, between, number};
use crate::fold::user::{halves, quarters};
use crate::zone::DAY;

/// Of any period; but every day of every user is looked at.
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
/// From the index alone, but for those who were last active on the day that the period begins on.
const SINCE: Statement = Statement::new(
    "audience_since",
    "SELECT language, premium, COUNT(*) AS n FROM bot_users WHERE tenant = $1 AND active_day > $2
     GROUP BY language, premium
     UNION ALL
     SELECT language, premium, COUNT(*) AS n FROM bot_users WHERE tenant = $1 AND active_day = $2 AND last_at >= $3
     GROUP BY language, premium",
);
const LATER: Statement = Statement::new(
    "audience_later",
    "SELECT COUNT(*) AS n FROM bot_users WHERE tenant = $1 AND active_day >= $2 AND last_at >= $3",
);
pub(super) const STATEMENTS: [&Statement; 5] = [&ACTIVE, &EVER, &BLOCKED, &SINCE, &LATER];

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
    let one = [bot.as_str().into()];
    let since = |second: i64| (second.div_euclid(DAY), second * 1_000_000);
    let ((day, at), (end_day, end)) = (since(from), since(to));
    let later = [bot.as_str().into(), end_day.into(), end.into()];
    let (rows, later, ever, blocked) = tokio::try_join!(
        between(database, &SINCE, bot, day, at),
        number(database, &LATER, &later),
        number(database, &EVER, &one),
        number(database, &BLOCKED, &one),
    )?;
    let mut audience = Audience {
        ever,
        blocked,
        ..Audience::default()
    };
    let mut languages = std::collections::BTreeMap::<String, i64>::new();
    for row in rows {
        let n: i64 = row.get("n")?;
        // Nobody was active later: those who were since it began were active within the period.
        audience.active += n;
        match row.get::<Option<String>>("language")? {
            Some(language) => *languages.entry(language).or_default() += n,
            None => audience.no_language += n,
        }
        match row.get::<Option<bool>>("premium")? {
            Some(true) => audience.premium += n,
            _ => audience.regular += n,
        }
    }
    if later > 0 {
        audience.active = within(database, bot, from, to).await?;
    }
    audience.languages = languages.into_iter().collect();
    audience.languages.sort_by_key(|(_, n)| -n);
    Ok(audience)
}

/// Users who were active between two seconds, by their days.
async fn within(database: &Database, bot: TenantId, from: i64, to: i64) -> Result<i64, Error> {
    let spans: Vec<(i64, u128)> = quarters(from, to).collect();
    let mut values = vec![bot.as_str().into()];
    for (day, bits) in [spans.first(), spans.last()].into_iter().flatten() {
        let (early, late) = halves(*bits);
        values.extend([*day, early, late].map(Into::into));
    }
    number(database, &ACTIVE, &values).await
}
