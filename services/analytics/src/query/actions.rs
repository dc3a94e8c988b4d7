//! What users do: commands, buttons, kinds of events and of media.
//!
//! In: `sum_labels`. Out: [`Actions`]; the [`Ranking`] of any kind, also to `sources.rs`. Invariant: the numbers of a ranking, its rest and
//! its other ones add up to everything that was counted.

use gramtap_database::{Database, Error, Statement, Value};
use gramtap_events::TenantId;

use super::Period;
use super::overview::is_update;
use crate::fold::sums::Kind;

const RANKED: Statement = Statement::new(
    "actions_ranked",
    "SELECT label, CAST(SUM(n) AS BIGINT) AS n FROM sum_labels
     WHERE tenant = $1 AND kind = $2 AND hour >= $3 AND hour < $4 GROUP BY label",
)
.planned_each_time();
/// Of some labels alone: without those that nobody asks for there is next to nothing to put in order.
const NAMED: Statement = Statement::new(
    "actions_named",
    "SELECT label, CAST(SUM(n) AS BIGINT) AS n FROM sum_labels
     WHERE tenant = $1 AND kind = $2 AND hour >= $3 AND hour < $4
     AND label IN ($5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19) GROUP BY label",
);
pub(super) const STATEMENTS: [&Statement; 2] = [&RANKED, &NAMED];

/// Labels that are asked for by name at most.
const NAMES: usize = 15;

/// What users did in a period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actions {
    /// *Commands*: messages that begin with a command, by command.
    pub commands: Ranking,
    /// *Buttons by data*: inline buttons pressed, by their `callback_data`.
    pub callbacks: Ranking,
    /// *Buttons by text*: inline buttons pressed, by the text on them, where Telegram told it.
    pub buttons: Ranking,
    /// *Media*: messages with media, by kind.
    pub media: Ranking,
    /// *Updates by kind*: by the name of their event.
    pub updates: Ranking,
}

/// Labels by how often they were counted, the most frequent first; those counted alike by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ranking {
    /// The first ones.
    pub top: Vec<Ranked>,
    /// All further ones together.
    pub rest: i64,
    /// How many different ones those are.
    pub rest_labels: usize,
    /// What came on days that had reached their bound of different labels, and was counted together.
    pub other: i64,
}

/// A label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ranked {
    /// What it is.
    pub label: String,
    /// How often it was counted.
    pub n: i64,
    /// How often in the period before.
    pub before: i64,
}

/// What users did in a period; `top` of each ranking.
pub async fn actions(
    database: &Database,
    bot: TenantId,
    period: &Period,
    top: usize,
) -> Result<Actions, Error> {
    let ranking = |kind| ranking(database, bot, period, kind, top);
    let (commands, callbacks, buttons, media, updates) = tokio::try_join!(
        ranking(Kind::Command),
        ranking(Kind::Callback),
        ranking(Kind::Button),
        ranking(Kind::Media),
        ranking(Kind::Event),
    )?;
    Ok(Actions {
        commands,
        callbacks,
        buttons,
        media,
        updates,
    })
}

/// The ranking of one kind. Of events, only updates.
pub(super) async fn ranking(
    database: &Database,
    bot: TenantId,
    period: &Period,
    kind: Kind,
    top: usize,
) -> Result<Ranking, Error> {
    let now = counted(database, bot, period, kind, &[]).await?;
    let (other, mut labels): (Vec<_>, Vec<_>) =
        now.into_iter().partition(|(label, _)| label.is_empty());
    labels.sort_unstable_by(|left, right| (-left.1, &left.0).cmp(&(-right.1, &right.0)));
    let rest = labels.split_off(top.min(labels.len()));
    let mut before = std::collections::HashMap::new();
    if !labels.is_empty() {
        before.extend(counted(database, bot, &period.before(), kind, &labels).await?);
    }
    let ranked = labels.into_iter().map(|(label, n)| Ranked {
        n,
        before: before.get(&label).copied().unwrap_or(0),
        label,
    });
    Ok(Ranking {
        top: ranked.collect(),
        rest: rest.iter().map(|(_, n)| n).sum(),
        rest_labels: rest.len(),
        other: other.iter().map(|(_, n)| n).sum(),
    })
}

/// Labels and how often each was counted; of those alone that are named, where few are.
async fn counted(
    database: &Database,
    bot: TenantId,
    period: &Period,
    kind: Kind,
    named: &[(String, i64)],
) -> Result<Vec<(String, i64)>, Error> {
    let bounds = [period.from().into(), period.to().into()];
    let [from, to] = bounds;
    let mut values: Vec<Value> = vec![bot.as_str().into(), kind.as_str().into(), from, to];
    let statement = match named.len() {
        1..=NAMES => {
            let filled = named.iter().cycle().take(NAMES);
            values.extend(filled.map(|(label, _)| Value::from(label.as_str())));
            &NAMED
        }
        _ => &RANKED,
    };
    let mut counted = Vec::new();
    for row in database.fetch(statement, &values).await? {
        counted.push((row.get::<String>("label")?, row.get::<i64>("n")?));
    }
    counted.retain(|(label, _)| kind != Kind::Event || is_update(label));
    Ok(counted)
}
