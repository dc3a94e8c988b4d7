//! Replays: dead letters that somebody wants delivered after all.
//!
//! The way of a wish: the console, `/v1` and `gramtap dead` mark letters in SQL ([`ask`]) → [`run`], a loop of analytics, claims what is marked, reads the letters
//! (`replay/find.rs`) → their updates go into inbox.v1 again with `replay`, each acknowledged by the bus before it is marked as done. Invariant: a wish that was
//! answered is done or says why not, whatever dies meanwhile; one that was cut off between the bus and SQL is done again, so a letter may be replayed twice, never
//! lost. Another address was admitted by the guard when it was asked for, is kept sealed and is forgotten once it is used; what it leads to is checked again
//! when it is called. Bounded: [`BATCH`] letters at a time, in the order in which they came.

mod find;

use std::collections::HashMap;
use std::time::Duration;

use gramtap_actors::DrainToken;
use gramtap_bus::{Bus, Message};
use gramtap_database::{Database, Error, Row, Statement, Value};
use gramtap_events::inbox::{Inbox, Replay};
use gramtap_events::{Moment, TenantId};
use gramtap_outbound::guard::{Endpoint, Policy, Refusal};
use gramtap_process::Failure;
use gramtap_tenants::{Keys, KeysError, Part, Place, SealedWebhook, Webhook, WebhookError};

pub use find::{FindError, letters};

use crate::query::letters::Filter;

/// Letters that are replayed at a time.
pub const BATCH: i64 = 100;
/// How long a claim holds: whoever has it writes the batch in that time, or is dead.
const CLAIM: i64 = 60 * 1_000_000;
/// How long the loop rests when nothing is asked for.
const REST: Duration = Duration::from_secs(1);

const ASK: Statement = Statement::new(
    "replay_ask",
    "UPDATE dead_letters SET asked_at = $7, asked_by = $8, asked_to = $9, asked_address = $10, claimed_until = NULL, replayed_at = NULL,
        failed = NULL
     WHERE tenant = $1 AND (CAST($2 AS TEXT) = '' OR cause = $2) AND (CAST($3 AS TEXT) = '' OR kind = $3)
     AND dead_at >= $4 AND dead_at < $5 AND (CAST($6 AS BIGINT) = 1 OR asked_at IS NULL OR failed IS NOT NULL)",
);
const ASK_ONE: Statement = Statement::new(
    "replay_ask_one",
    "UPDATE dead_letters SET asked_at = $3, asked_by = $4, asked_to = $5, asked_address = $6, claimed_until = NULL, replayed_at = NULL,
        failed = NULL
     WHERE tenant = $1 AND record = $2",
);
const NEXT: Statement = Statement::new(
    "replay_next",
    "SELECT tenant, record, part, log_offset, asked_at, asked_address FROM dead_letters
     WHERE asked_at IS NOT NULL AND replayed_at IS NULL AND failed IS NULL AND (claimed_until IS NULL OR claimed_until < $1)
     ORDER BY asked_at, received_at, record LIMIT $2",
);
const CLAIMED: Statement = Statement::new(
    "replay_claim",
    "UPDATE dead_letters SET claimed_until = $4 WHERE tenant = $1 AND record = $2 AND replayed_at IS NULL
     AND (claimed_until IS NULL OR claimed_until < $3)",
);
const DONE: Statement = Statement::new(
    "replay_done",
    "UPDATE dead_letters SET replayed_at = $4, failed = $5, asked_address = NULL WHERE tenant = $1 AND record = $2 AND asked_at = $3",
);
/// All of them, to be checked against both engines.
pub const STATEMENTS: [&Statement; 5] = [&ASK, &ASK_ONE, &NEXT, &CLAIMED, &DONE];

/// Which letters.
#[derive(Clone, Debug)]
pub enum Which {
    /// These, by their records.
    Records(Vec<String>),
    /// All that fit, and have not been replayed.
    Fitting(Filter),
}

/// Where to, instead of the bot's webhook. Admitted and sealed.
#[derive(Clone, Debug)]
pub struct Elsewhere {
    shown: String,
    sealed: SealedWebhook,
}

/// Why updates are not delivered there.
#[derive(Debug, thiserror::Error)]
pub enum ElsewhereError {
    /// It is no address.
    #[error(transparent)]
    Address(#[from] WebhookError),
    /// The guard does not admit it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It cannot be sealed.
    #[error(transparent)]
    Keys(#[from] KeysError),
}

impl Elsewhere {
    /// Reads an address for updates of a bot.
    ///
    /// # Errors
    /// It is none, or may not be called.
    pub fn admit(
        url: &str,
        tenant: TenantId,
        policy: &Policy,
        keys: &Keys,
    ) -> Result<Self, ElsewhereError> {
        let webhook = admitted(url, policy)?;
        Ok(Self {
            shown: webhook.endpoint(),
            sealed: keys.seal_webhook(tenant, &webhook)?,
        })
    }
}

/// A webhook at an address that may be called, as far as that can be said before its name is resolved.
///
/// # Errors
/// It is none, or may not be called.
pub fn admitted(url: &str, policy: &Policy) -> Result<Webhook, ElsewhereError> {
    let webhook = Webhook::new(url)?;
    let endpoint = Endpoint::parse(webhook.url().as_str())?;
    match endpoint.name() {
        Some(_) => policy.admit(&endpoint)?,
        None => drop(policy.check(&endpoint, &[])?),
    }
    Ok(webhook)
}

/// What the log says of a wish. No address is in it but scheme and host.
#[must_use]
pub fn subject(which: &Which, to: Option<&Elsewhere>) -> String {
    let what = match which {
        Which::Records(records) => records.join(" "),
        Which::Fitting(filter) => {
            let any = |text: &Option<String>| text.clone().unwrap_or_else(|| "any".to_owned());
            let bound = |at: Option<i64>| at.map(|at| at.to_string()).unwrap_or_default();
            format!(
                "cause={} kind={} dead={}..{}",
                any(&filter.cause),
                any(&filter.kind),
                bound(filter.from),
                bound(filter.to)
            )
        }
    };
    match to {
        Some(to) => format!("{what} to {}", to.shown),
        None => what,
    }
}

/// Marks letters to be replayed, by somebody and at a time in microseconds since 1970. How many there were.
///
/// # Errors
/// The database.
pub async fn ask(
    database: &Database,
    bot: TenantId,
    which: &Which,
    (at, by): (i64, &str),
    to: Option<&Elsewhere>,
) -> Result<u64, Error> {
    let to = to.map(|to| (to.shown.as_str(), to.sealed.as_str()));
    let wish: [Value; 4] = [
        at.into(),
        by.into(),
        to.map(|to| to.0).into(),
        to.map(|to| to.1).into(),
    ];
    match which {
        Which::Fitting(filter) => {
            let values: Vec<Value> = filter.values(bot).into_iter().chain(wish).collect();
            database.execute(&ASK, &values).await
        }
        Which::Records(records) => {
            let mut asked = 0;
            for record in records {
                let key = [bot.as_str().into(), record.as_str().into()];
                let values: Vec<Value> = key.into_iter().chain(wish.clone()).collect();
                asked += database.execute(&ASK_ONE, &values).await?;
            }
            Ok(asked)
        }
    }
}

/// Why replaying rests.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The database.
    #[error(transparent)]
    Database(#[from] Error),
    /// The letters cannot be read.
    #[error(transparent)]
    Find(#[from] FindError),
    /// An update was not written.
    #[error(transparent)]
    Produce(#[from] gramtap_bus::ProduceError),
    /// An update cannot be written as JSON.
    #[error("an update cannot be written: {0}")]
    Encode(#[from] serde_json::Error),
}

impl Failure for ReplayError {
    fn label(&self) -> &'static str {
        match self {
            Self::Database(error) => error.label(),
            Self::Find(error) => error.label(),
            Self::Produce(error) => error.label(),
            Self::Encode(_) => "encode",
        }
    }

    fn retry(&self) -> bool {
        true
    }
}

/// A letter that is to be replayed.
struct Wish {
    tenant: TenantId,
    record: String,
    place: (i64, i64),
    asked_at: i64,
    address: Option<String>,
}

/// Replays what is asked for until `stop`.
///
/// # Errors
/// Anything on the way; what was claimed is done again a minute later.
pub async fn run(
    bus: &Bus,
    database: &Database,
    keys: &Keys,
    stop: &DrainToken,
) -> Result<(), ReplayError> {
    while !stop.is_draining() {
        if once(bus, database, keys).await? == 0 {
            tokio::select! {
                () = stop.draining() => {}
                () = tokio::time::sleep(REST) => {}
            }
        }
    }
    Ok(())
}

/// Replays a batch. How many letters were marked.
///
/// # Errors
/// As of [`run`].
pub async fn once(bus: &Bus, database: &Database, keys: &Keys) -> Result<usize, ReplayError> {
    let now = micros();
    let rows = database.fetch(&NEXT, &[now.into(), BATCH.into()]).await?;
    let mut wishes = Vec::new();
    for row in &rows {
        let Some(wish) = wish(row)? else { continue };
        let key = [wish.tenant.as_str().into(), wish.record.as_str().into()];
        let claim = [now.into(), (now + CLAIM).into()];
        let values: Vec<Value> = key.into_iter().chain(claim).collect();
        if database.execute(&CLAIMED, &values).await? == 1 {
            wishes.push(wish);
        }
    }
    if wishes.is_empty() {
        return Ok(0);
    }
    let places = wishes.iter().map(|wish| wish.place);
    let mut found: HashMap<_, _> = letters(bus, places).await?;
    for wish in &wishes {
        let letter = found.remove(&wish.place);
        // An offset is never given twice, but a topic may have been made anew.
        let letter = letter.filter(|it| it.inbox.record.as_str() == wish.record);
        let failed = match letter.map(|letter| again(letter.inbox, wish, keys)) {
            None => Some("gone"),
            Some(Err(error)) => Some(error.label()),
            Some(Ok(inbox)) => {
                bus.produce(Message::of(&inbox)?).await?;
                None
            }
        };
        if let Some(label) = failed {
            tracing::warn!(tenant = %wish.tenant, record = wish.record, label, "a dead letter cannot be replayed");
        }
        let done = failed.is_none().then(micros);
        let key = [wish.tenant.as_str().into(), wish.record.as_str().into()];
        let values: Vec<Value> = key
            .into_iter()
            .chain([wish.asked_at.into(), done.into(), failed.into()])
            .collect();
        database.execute(&DONE, &values).await?;
    }
    Ok(wishes.len())
}

/// The update as it goes into the inbox again.
fn again(mut inbox: Inbox, wish: &Wish, keys: &Keys) -> Result<Inbox, KeysError> {
    let to = match &wish.address {
        None => None,
        Some(sealed) => {
            let webhook = keys.open_webhook(wish.tenant, &sealed.clone().into())?;
            // Written out in full it may be longer than an address is allowed to be.
            let url = webhook.given().as_bytes();
            Some(keys.seal_update(Place::from(&inbox), Part::Address, url)?)
        }
    };
    let at = Moment::now();
    inbox.replay = Some(Replay { at, to });
    Ok(inbox)
}

fn wish(row: &Row) -> Result<Option<Wish>, Error> {
    let tenant: String = row.get("tenant")?;
    let Ok(tenant) = tenant.parse() else {
        return Ok(None);
    };
    Ok(Some(Wish {
        tenant,
        record: row.get("record")?,
        place: (row.get("part")?, row.get("log_offset")?),
        asked_at: row.get("asked_at")?,
        address: row.get("asked_address")?,
    }))
}

/// Microseconds since 1970, by the machine's clock: claims of several processes are held against each other.
fn micros() -> i64 {
    let micros = Moment::now().time().unix_timestamp_nanos() / 1_000;
    i64::try_from(micros).unwrap_or(i64::MAX)
}
