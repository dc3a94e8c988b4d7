//! `gramtap dead`: lists updates that were given up, shows one, and has them delivered again.
//!
//! In: the arguments. Out: standard output (`dead/show.rs`); wishes in SQL, which a running `up` or `gramtap-analytics` makes good within seconds. Invariant: what
//! is replayed is what the same filter lists; another address is admitted before anything is marked, kept sealed, and written nowhere. Bodies stay
//! sealed: the console's owner opens them there.

mod show;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};
use gramtap_analytics::query::audit::{self, Action, COMMAND_LINE};
use gramtap_analytics::query::deliveries;
use gramtap_analytics::query::letters::{self, Filter};
use gramtap_analytics::replay::{self, Elsewhere, Which};
use gramtap_events::{Moment, TenantId};
use gramtap_tenants::Opened;

use crate::cli::{DeadList, DeadReplay, DeadShow, DeadWhich};
use crate::effective::Effective;
use crate::{out, tail};

/// Attempts of one update that are shown.
const ATTEMPTS: i64 = 100;

pub(crate) async fn list(effective: Effective, asked: DeadList) -> anyhow::Result<ExitCode> {
    let (opened, bot) = find(&effective, &asked.bot).await?;
    let database = opened.registry.database();
    let filter = filter(&asked.which, asked.replayed);
    let most = i64::from(asked.limit);
    let read = "the dead letters cannot be read; `gramtap doctor` tells more";
    let found = letters::list(database, bot, &filter, None, most).await;
    let found = found.context(read)?;
    let n = letters::count(database, bot, &filter).await.context(read)?;
    database.close().await;
    if asked.json {
        out::line(&show::json(found)?)?;
    } else {
        out::print(&show::table(&found, n))?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) async fn show(effective: Effective, asked: DeadShow) -> anyhow::Result<ExitCode> {
    let (opened, bot) = find(&effective, &asked.bot).await?;
    let database = opened.registry.database();
    let letter = letters::one(database, bot, &asked.record).await?;
    let tried = deliveries::attempts(database, bot, Some(&asked.record), ATTEMPTS).await?;
    database.close().await;
    let Some(letter) = letter else {
        bail!("there is no such dead letter; `gramtap dead list` shows their records");
    };
    if asked.json {
        out::line(&show::detail(letter, tried)?)?;
    } else {
        out::print(&show::letter(&letter, &tried))?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) async fn replay(effective: Effective, asked: DeadReplay) -> anyhow::Result<ExitCode> {
    let (opened, bot) = find(&effective, &asked.bot).await?;
    let to =
        match &asked.to {
            Some(to) => {
                let policy = &effective.config.webhooks;
                let to = Elsewhere::admit(to.expose(), bot, policy, &opened.keys);
                Some(to.context(
                    "--to is refused; [webhooks] of the configuration says what is allowed",
                )?)
            }
            None => None,
        };
    let which = match asked.records.is_empty() {
        true => Which::Fitting(filter(&asked.which, false)),
        false => Which::Records(asked.records),
    };
    let database = opened.registry.database();
    let at = micros(Moment::now());
    let subject = replay::subject(&which, to.as_ref());
    audit::note(
        database,
        (at, COMMAND_LINE),
        Action::Replay,
        Some(bot),
        &subject,
    )
    .await?;
    let n = replay::ask(database, bot, &which, (at, COMMAND_LINE), to.as_ref()).await;
    let n = n.context("nothing was marked; `gramtap doctor` tells more")?;
    database.close().await;
    match asked.json {
        true => out::line(&serde_json::json!({ "asked": n }).to_string())?,
        false => out::print(&show::asked(n))?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn find(effective: &Effective, wanted: &str) -> anyhow::Result<(Opened, TenantId)> {
    let opened = effective.open()?;
    let tenants = opened.registry.list().await;
    let tenants = tenants.context("the registry cannot be read")?;
    let bot = tail::one(wanted, &tenants)?;
    Ok((opened, bot))
}

fn filter(which: &DeadWhich, replayed: bool) -> Filter {
    let since = |ago: Duration| micros((Moment::now().time() - ago).into());
    Filter {
        cause: which.cause.clone(),
        kind: which.kind.clone(),
        from: which.since.map(since),
        to: None,
        replayed,
    }
}

/// Since 1970.
pub(crate) fn micros(moment: Moment) -> i64 {
    let micros = moment.time().unix_timestamp_nanos() / 1_000;
    i64::try_from(micros).unwrap_or(i64::MAX)
}
