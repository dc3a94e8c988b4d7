//! Redis: what an ingress that starts without SQL asks for its bots.
//!
//! In: `[redis]`; states, from `directory/`. Out: states, back. Keys and values are `redis/value.rs`.
//! Invariant: an older version never replaces a newer one (a script compares them in Redis); no
//! value holds a secret. A command that a call waits for takes [`ANSWER`] at most; after three
//! failures, or one answer that did not come, Redis is left alone for a second
//! (`redis/breaker.rs`): a frozen Redis costs one call a second a tenth of one.

mod breaker;
mod value;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use gramtap_settings::SecretString;
use gramtap_telemetry::{Counter, Gauge, Histogram};
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, Cmd, FromRedisValue};
use serde::Deserialize;
use tokio::time::{Instant, timeout};

use crate::Tenant;
use crate::directory::{Key, Memory};
use breaker::Breaker;

pub(crate) use value::Remembered;

/// How long a command may take that a call waits for.
const ANSWER: Duration = Duration::from_millis(100);
/// How long others may take.
const BACKGROUND: Duration = Duration::from_secs(2);

/// `[redis]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RedisSection {
    /// `redis://` or `rediss://`; empty for none.
    pub url: SecretString,
}

/// Why Redis did not help.
#[derive(Debug, thiserror::Error)]
pub enum RedisError {
    /// `redis.url` is not understood. It is not shown: it may hold a password.
    #[error("redis.url is no redis:// or rediss:// address")]
    Address,
    /// It failed just before, and is left alone for a moment.
    #[error("redis is left alone after failures")]
    Skipped,
    /// It gave no answer in time.
    #[error("redis gave no answer in time")]
    Timeout,
    /// It is away, or refused.
    #[error("redis failed: {0}")]
    Failed(#[source] redis::RedisError),
}

impl RedisError {
    /// The fixed word for metrics.
    #[must_use]
    pub fn label(&self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Skipped => "skipped",
            Self::Timeout => "timeout",
            Self::Failed(_) => "error",
        }
    }

    /// Whether the same may work later.
    #[must_use]
    pub fn retry(&self) -> bool {
        !matches!(self, Self::Address)
    }
}

/// The one connection of this process. Cheap to clone.
#[derive(Clone)]
pub struct Redis {
    manager: ConnectionManager,
    breaker: Arc<Mutex<Breaker>>,
}

impl Redis {
    /// Reads where Redis is; none if the address is empty. Connects at the first command.
    ///
    /// # Panics
    /// Outside a runtime.
    pub fn open(section: &RedisSection) -> Result<Option<Self>, RedisError> {
        let url = section.url.expose().as_str();
        if url.is_empty() {
            return Ok(None);
        }
        let client = Client::open(url).map_err(|_| RedisError::Address)?;
        let config = ConnectionManagerConfig::new()
            .set_number_of_retries(1)
            .set_min_delay(Duration::from_millis(50))
            .set_max_delay(Duration::from_millis(500))
            .set_connection_timeout(Some(Duration::from_millis(300)))
            .set_response_timeout(Some(ANSWER));
        let manager = ConnectionManager::new_lazy_with_config(client, config);
        Ok(Some(Self {
            manager: manager.map_err(RedisError::Failed)?,
            breaker: Arc::default(),
        }))
    }

    /// Whether Redis answers now. For `gramtap doctor`.
    pub async fn ping(&self) -> Result<(), RedisError> {
        self.run(&redis::cmd("PING"), BACKGROUND).await
    }

    /// Reads once more if the connection broke: every reconnection costs one failed command.
    async fn read<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, RedisError> {
        let began = Instant::now();
        match self.run(command, ANSWER).await {
            Err(RedisError::Failed(error)) if error.is_io_error() => {
                let left = ANSWER.saturating_sub(began.elapsed());
                self.run(command, left).await
            }
            answer => answer,
        }
    }

    async fn run<T: FromRedisValue>(
        &self,
        command: &Cmd,
        limit: Duration,
    ) -> Result<T, RedisError> {
        let began = Instant::now();
        if !self.breaker().allows(began) {
            count(&RedisError::Skipped);
            return Err(RedisError::Skipped);
        }
        let mut manager = self.manager.clone();
        let answer = match timeout(limit, command.query_async(&mut manager)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) if error.is_timeout() => Err(RedisError::Timeout),
            Ok(Err(error)) => Err(RedisError::Failed(error)),
            Err(_) => Err(RedisError::Timeout),
        };
        Histogram::RedisSeconds.record(began.elapsed());
        match &answer {
            Ok(_) => {
                Counter::RedisCommands { result: "ok" }.inc();
                self.up();
            }
            Err(error) => {
                count(error);
                self.down(error);
            }
        }
        answer
    }

    fn up(&self) {
        Gauge::RedisUp.set(1);
        if self.breaker().succeeded() {
            tracing::info!("redis answers again");
        }
    }

    fn down(&self, error: &RedisError) {
        let hangs = matches!(error, RedisError::Timeout);
        if self.breaker().failed(hangs, Instant::now()) {
            Gauge::RedisUp.set(0);
            tracing::warn!(%error, label = error.label(), "redis is left alone for a moment");
        }
    }

    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Redis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Redis")
    }
}

fn count(error: &RedisError) {
    let result = error.label();
    Counter::RedisCommands { result }.inc();
}

impl Memory for Redis {
    fn recall<'a>(&'a self, keys: &'a [Key]) -> BoxFuture<'a, Result<Vec<Tenant>, RedisError>> {
        Box::pin(async move {
            let values: Vec<Option<Vec<u8>>> = self.read(&value::get(keys)).await?;
            let values = values.iter().flatten();
            Ok(values.filter_map(|value| value::tenant(value)).collect())
        })
    }

    fn remember(&self, what: Vec<Remembered>) -> BoxFuture<'_, Result<(), RedisError>> {
        Box::pin(async move {
            if what.is_empty() {
                return Ok(());
            }
            self.run(&value::set(&what), BACKGROUND).await
        })
    }

    fn wants_all(&self) -> BoxFuture<'_, bool> {
        Box::pin(async move {
            let taken: Result<Option<String>, _> =
                self.run(&value::begin_round(), BACKGROUND).await;
            matches!(taken, Ok(Some(_)))
        })
    }

    fn has_all(&self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            // Counted where it fails; the round is then begun again a minute later.
            self.run::<()>(&value::end_round(), BACKGROUND).await.ok();
        })
    }
}
