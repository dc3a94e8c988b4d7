//! Where the database is: `[database]` of `default.toml`.
//!
//! In: the settings. Out: [`Target`], to `pools.rs`. Invariant: what is refused is named without
//! the address itself, which may hold a password. Pure.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use gramtap_settings::SecretString;
use serde::Deserialize;
use sqlx::postgres::PgConnectOptions;

use crate::Error;

/// `[database]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseSection {
    /// `sqlite:<file>`, `postgres://…`, or empty for [`DatabaseSection::FILE`] in the data folder.
    pub url: SecretString,
    /// Connections at most (Postgres).
    pub max_connections: u32,
}

impl DatabaseSection {
    /// The SQLite file's name where no address is given.
    pub const FILE: &'static str = "registry.db";
}

/// An address that was understood.
pub(crate) enum Target {
    Sqlite(PathBuf),
    Postgres(Box<PgConnectOptions>),
}

impl Target {
    pub(crate) fn read(section: &DatabaseSection, data_dir: &Path) -> Result<Self, Error> {
        let url = section.url.expose().as_str();
        if url.is_empty() {
            return Ok(Self::Sqlite(data_dir.join(DatabaseSection::FILE)));
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            let options = PgConnectOptions::from_str(url)
                .map_err(|_| Error::Address("it is no valid postgres:// address"))?;
            return Ok(Self::Postgres(Box::new(options)));
        }
        let Some(file) = url.strip_prefix("sqlite:") else {
            return Err(Error::Address(
                "it begins with neither sqlite: nor postgres://",
            ));
        };
        match file.strip_prefix("//").unwrap_or(file) {
            "" => Err(Error::Address("sqlite: needs the path of a file after it")),
            // Each connection would see an empty database of its own.
            ":memory:" | "file::memory:" => {
                Err(Error::Address("a database in memory is not served"))
            }
            file => Ok(Self::Sqlite(PathBuf::from(file))),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;

    fn read(url: &str) -> Result<Target, Error> {
        let section = DatabaseSection {
            url: SecretString::new(url.to_owned()),
            max_connections: 8,
        };
        Target::read(&section, Path::new("/data"))
    }

    #[test]
    fn files_are_found_in_every_form() {
        for (url, file) in [
            ("", "/data/registry.db"),
            ("sqlite:/var/x.db", "/var/x.db"),
            ("sqlite:///var/x.db", "/var/x.db"),
            ("sqlite:x.db", "x.db"),
        ] {
            match read(url).unwrap() {
                Target::Sqlite(path) => assert_eq!(path, Path::new(file), "{url}"),
                Target::Postgres(_) => panic!("{url}"),
            }
        }
        let Target::Postgres(options) = read("postgres://me:pass@host:7/name").unwrap() else {
            panic!("no postgres");
        };
        assert_eq!((options.get_host(), options.get_port()), ("host", 7));
    }

    #[test]
    fn what_is_refused_is_not_shown() {
        for url in [
            "mysql://me:canary@host/x",
            "postgres://me:canary@host:notaport/x",
            "canary",
            "sqlite:",
            "sqlite::memory:",
        ] {
            let Err(error) = read(url) else {
                panic!("{url} was taken")
            };
            assert_eq!(error.label(), "address");
            assert!(
                !format!("{error} {error:?}").contains("canary"),
                "{error:?}"
            );
        }
    }
}
