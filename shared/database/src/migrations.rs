//! Brings the schema up to date.
//!
//! In: the files of `migrations/`, compiled in, and a connection from `database.rs`. Out: the
//! tables. Invariant: all missing migrations are applied in one transaction under a lock that other
//! processes wait for, or none is; an applied one never changes; a schema that is newer than the
//! binary is refused. Cut off at any moment: nothing was done, and the next start does it.

use sha2::{Digest, Sha256};

use crate::engine::Engine;
use crate::lease::Lease;
use crate::{Error, Statement};

/// A step of the schema. Never edited once released: a change is another file.
pub(crate) struct Migration {
    pub(crate) version: i64,
    pub(crate) name: &'static str,
    pub(crate) sql: &'static str,
}

/// All steps, in order.
pub(crate) const ALL: &[Migration] = &[
    Migration {
        version: 1,
        name: "registry",
        sql: include_str!("../migrations/0001_registry.sql"),
    },
    Migration {
        version: 2,
        name: "analytics",
        sql: include_str!("../migrations/0002_analytics.sql"),
    },
    Migration {
        version: 3,
        name: "console",
        sql: include_str!("../migrations/0003_console.sql"),
    },
    Migration {
        version: 4,
        name: "api_keys",
        sql: include_str!("../migrations/0004_api_keys.sql"),
    },
    Migration {
        version: 5,
        name: "webhooks",
        sql: include_str!("../migrations/0005_webhooks.sql"),
    },
    Migration {
        version: 6,
        name: "deliveries",
        sql: include_str!("../migrations/0006_deliveries.sql"),
    },
    Migration {
        version: 7,
        name: "webhook_standing",
        sql: include_str!("../migrations/0007_webhook_standing.sql"),
    },
    Migration {
        version: 8,
        name: "dropped",
        sql: include_str!("../migrations/0008_dropped.sql"),
    },
];

const TABLE: &str = "CREATE TABLE gramtap_schema (
    version BIGINT PRIMARY KEY,
    name TEXT NOT NULL,
    digest TEXT NOT NULL,
    applied_at TEXT NOT NULL
)";

const APPLIED: Statement = Statement::new(
    "schema_applied",
    "SELECT version, digest FROM gramtap_schema ORDER BY version",
);

const APPLY: Statement = Statement::new(
    "schema_apply",
    "INSERT INTO gramtap_schema (version, name, digest, applied_at)
     VALUES ($1, $2, $3, CAST(CURRENT_TIMESTAMP AS TEXT))",
);

/// Applies what is missing of `all`. Returns how many that were.
pub(crate) async fn run<E: Engine>(
    lease: &mut Lease<E>,
    all: &[Migration],
) -> Result<usize, Error> {
    lease.begin().await?;
    lease.script(E::LOCK).await?;
    // Asked first, because a role that may only read and write rows may not even try to create.
    let made = lease.fetch(&E::MIGRATED, &[]).await?;
    if made.first().map(|row| row.get::<i64>("n")).transpose()? != Some(1) {
        lease.script(TABLE).await?;
    }
    let mut applied = Vec::new();
    for row in lease.fetch(&APPLIED, &[]).await? {
        applied.push((row.get::<i64>("version")?, row.get::<String>("digest")?));
    }
    let missing = missing(&applied, all)?;
    for migration in missing {
        lease.script(migration.sql).await?;
        let values = [
            migration.version.into(),
            migration.name.into(),
            digest(migration).into(),
        ];
        lease.execute(&APPLY, &values).await?;
        tracing::info!(
            version = migration.version,
            name = migration.name,
            "schema migrated"
        );
    }
    lease.end("COMMIT").await?;
    Ok(missing.len())
}

/// The migrations to apply after those that were.
fn missing<'a>(applied: &[(i64, String)], all: &'a [Migration]) -> Result<&'a [Migration], Error> {
    let known = all.last().map_or(0, |migration| migration.version);
    if let Some((found, _)) = applied.last().filter(|(found, _)| *found > known) {
        return Err(Error::Newer {
            found: *found,
            known,
        });
    }
    for (position, (version, was)) in applied.iter().enumerate() {
        let same = all
            .get(position)
            .is_some_and(|migration| migration.version == *version && digest(migration) == *was);
        if !same {
            return Err(Error::Foreign { version: *version });
        }
    }
    Ok(&all[applied.len()..])
}

fn digest(migration: &Migration) -> String {
    let digest = Sha256::digest(migration.sql);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const fn migration(version: i64, sql: &'static str) -> Migration {
        Migration {
            version,
            name: "test",
            sql,
        }
    }

    fn applied(all: &[Migration]) -> Vec<(i64, String)> {
        all.iter()
            .map(|migration| (migration.version, digest(migration)))
            .collect()
    }

    #[test]
    fn versions_count_from_one_and_none_is_left_out() {
        for (position, migration) in ALL.iter().enumerate() {
            assert_eq!(usize::try_from(migration.version).unwrap(), position + 1);
        }
    }

    #[test]
    fn only_what_is_missing_is_applied() {
        let all = [migration(1, "a"), migration(2, "b"), migration(3, "c")];
        for count in 0..=3 {
            let missing = missing(&applied(&all[..count]), &all).unwrap();
            assert_eq!(missing.len(), 3 - count);
            assert!(
                missing
                    .first()
                    .is_none_or(|first| first.version as usize == count + 1)
            );
        }
    }

    #[test]
    fn a_newer_schema_and_a_changed_migration_are_refused() {
        let all = [migration(1, "a"), migration(2, "b")];
        let refused = missing(&applied(&all), &all[..1]);
        assert!(matches!(refused, Err(Error::Newer { found: 2, known: 1 })));
        let edited = [migration(1, "a"), migration(2, "other")];
        let refused = missing(&applied(&edited), &all);
        assert!(matches!(refused, Err(Error::Foreign { version: 2 })));
    }
}
