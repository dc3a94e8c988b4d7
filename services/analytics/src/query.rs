//! Questions about a bot, and their answers. No HTTP here.
//!
//! In: whoever shows numbers. Out: typed answers, each number with its definition as its doc comment. One file is one
//! page: [`overview`], [`audience`], [`actions`], [`sources`], [`errors`], [`latency`], [`polls`], [`deliveries`] (with [`letters`]), and the list
//! of all [`bots`]; [`audit`] says what was done; [`trend`] and [`blame`] add the course of errors and whose fault they are; [`period`] says which dates. Invariant: only sums are read, by index, never events; so an answer
//! costs the same however many events were counted. SQL away: an error that says whether to ask again.

pub mod actions;
pub mod audience;
pub mod audit;
pub mod blame;
pub mod bots;
pub mod connection;
pub mod deliveries;
pub mod errors;
pub mod latency;
pub mod letters;
pub mod overview;
pub mod period;
pub mod polls;
pub mod refused;
pub mod sources;
pub mod trend;

pub use period::Period;

use gramtap_database::{Database, Error, Row, Statement, Value};
use gramtap_events::TenantId;

/// All statements, to be checked against both engines.
pub fn statements() -> impl Iterator<Item = &'static Statement> {
    let all: [&[&'static Statement]; 14] = [
        &actions::STATEMENTS,
        &audience::STATEMENTS,
        &audit::STATEMENTS,
        &blame::STATEMENTS,
        &connection::STATEMENTS,
        &deliveries::STATEMENTS,
        &errors::STATEMENTS,
        &latency::STATEMENTS,
        &letters::STATEMENTS,
        &overview::STATEMENTS,
        &polls::STATEMENTS,
        &refused::STATEMENTS,
        &sources::STATEMENTS,
        &trend::STATEMENTS,
    ];
    all.into_iter()
        .flatten()
        .copied()
        .chain(crate::replay::STATEMENTS)
}

/// The rows of a bot's table between two places of its order.
async fn between(
    database: &Database,
    statement: &Statement,
    bot: TenantId,
    from: i64,
    to: i64,
) -> Result<Vec<Row>, Error> {
    database
        .fetch(statement, &[bot.as_str().into(), from.into(), to.into()])
        .await
}

/// The one number of an answer.
async fn number(
    database: &Database,
    statement: &Statement,
    values: &[Value],
) -> Result<i64, Error> {
    let row = database.first(statement, values).await?;
    Ok(row
        .map_or(Ok(None), |row| row.get::<Option<i64>>("n"))?
        .unwrap_or(0))
}

/// A part of a whole, or none of nothing.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts are far below what floats hold"
)]
fn share(part: i64, whole: i64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}
