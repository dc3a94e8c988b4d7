//! What can go wrong, and whether asking again may help.
//!
//! In: sqlx's errors and `migrations.rs`. Out: every caller. Invariant: [`Error::retry`] is true for
//! what may pass by itself (away, busy, overloaded, failing over) and false for what will be the
//! same next time. No text holds an address or a bound value.

use std::time::Duration;

use sqlx::error::ErrorKind;

/// Why a query was not answered.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is away, busy, or refuses for now. Ask again.
    #[error("the database cannot be asked: {0}")]
    Unavailable(#[source] sqlx::Error),
    /// It did not answer in time. A write may have been done all the same. Ask again.
    #[error("the database gave no answer within {0:?}")]
    Timeout(Duration),
    /// A row with this key exists already, or one that is referred to does not.
    #[error("the database refused a row that contradicts another one")]
    Conflict,
    /// A newer version of Gramtap has changed the schema.
    #[error(
        "the database has schema {found} and this version of Gramtap knows {known} at most: \
         run the version that made it, or a newer one"
    )]
    Newer {
        /// In the database.
        found: i64,
        /// In this binary.
        known: i64,
    },
    /// The database was made by a build whose migrations were not those of any release.
    #[error("migration {version} of the database is not the one in this version of Gramtap")]
    Foreign {
        /// The migration's number.
        version: i64,
    },
    /// `database.url` is not understood.
    #[error("the database's address is refused: {0}")]
    Address(&'static str),
    /// A query and the schema do not fit together: a fault in Gramtap.
    #[error("a query failed that never should: {0}")]
    Bug(#[source] sqlx::Error),
}

impl Error {
    /// The fixed word for metrics.
    #[must_use]
    pub fn label(&self) -> &'static str {
        match self {
            Self::Unavailable(_) => "unavailable",
            Self::Timeout(_) => "timeout",
            Self::Conflict => "conflict",
            Self::Newer { .. } => "newer",
            Self::Foreign { .. } => "foreign",
            Self::Address(_) => "address",
            Self::Bug(_) => "bug",
        }
    }

    /// Whether another process holds SQLite's lock.
    pub(crate) fn is_busy(&self) -> bool {
        match self {
            Self::Unavailable(sqlx::Error::Database(told)) => {
                sqlite_code(told.as_ref()).is_some_and(|code| matches!(code, 5 | 6))
            }
            _ => false,
        }
    }

    /// Whether the same query may be answered later.
    #[must_use]
    pub fn retry(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Timeout(_))
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        use sqlx::Error as E;
        match &error {
            E::Io(_) | E::Tls(_) | E::PoolTimedOut | E::PoolClosed | E::WorkerCrashed => {
                Self::Unavailable(error)
            }
            // What a server says while it shuts down may be cut anywhere.
            E::Protocol(_) => Self::Unavailable(error),
            E::Database(told) => match told.kind() {
                ErrorKind::UniqueViolation | ErrorKind::ForeignKeyViolation => Self::Conflict,
                _ if passes(told.as_ref()) => Self::Unavailable(error),
                _ => Self::Bug(error),
            },
            _ => Self::Bug(error),
        }
    }
}

/// Whether what the engine says is about its own state and not about the query.
fn passes(told: &dyn sqlx::error::DatabaseError) -> bool {
    match sqlite_code(told) {
        Some(code) => passes_sqlite(code),
        None => passes_postgres(told.code().as_deref().unwrap_or_default()),
    }
}

/// The primary code, which is the low byte of an extended one.
fn sqlite_code(told: &dyn sqlx::error::DatabaseError) -> Option<i64> {
    told.try_downcast_ref::<sqlx::sqlite::SqliteError>()?;
    Some(told.code()?.parse::<i64>().ok()? & 0xff)
}

/// Connection, credentials, catalogue, rollback by the server, resources, intervention, disk.
fn passes_postgres(code: &str) -> bool {
    const CLASSES: [&str; 7] = ["08", "28", "3D", "40", "53", "57", "58"];
    const READ_ONLY: &str = "25006";
    CLASSES.iter().any(|class| code.starts_with(class)) || code == READ_ONLY
}

/// BUSY, LOCKED, NOMEM, READONLY, INTERRUPT, IOERR, CORRUPT, FULL, CANTOPEN, PROTOCOL, NOTADB.
fn passes_sqlite(code: i64) -> bool {
    matches!(code, 5..=11 | 13..=15 | 26)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn away_is_told_from_wrong() {
        let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        assert!(Error::from(sqlx::Error::Io(refused)).retry());
        assert!(Error::from(sqlx::Error::PoolTimedOut).retry());
        assert!(!Error::from(sqlx::Error::ColumnNotFound("x".into())).retry());
        for (code, passes) in [
            ("57P01", true),
            ("57P03", true),
            ("08006", true),
            ("53300", true),
            ("40001", true),
            ("25006", true),
            ("28P01", true),
            ("42P01", false),
            ("42703", false),
            ("22003", false),
            ("25P02", false),
        ] {
            assert_eq!(passes_postgres(code), passes, "{code}");
        }
        for (code, passes) in [
            (5, true),
            (6, true),
            (10, true),
            (13, true),
            (14, true),
            (1, false),
            (20, false),
            (19, false),
        ] {
            assert_eq!(passes_sqlite(code), passes, "{code}");
        }
    }
}
