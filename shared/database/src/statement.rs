//! A named query and what is bound to it.
//!
//! In: constants of the crates that own the tables. Out: `engine.rs`. Invariant: the text is
//! static, so no value ever becomes SQL; it means the same on both engines. Pure.

/// A query with a name for logs and metrics. Placeholders are `$1`, `$2` …; keep each one a `const`.
#[derive(Debug)]
pub struct Statement {
    /// What it is called.
    pub name: &'static str,
    /// Its text, for both engines.
    pub sql: &'static str,
    /// The same for SQLite, where the placeholders of a long statement are a plain `?`.
    pub(crate) sqlite: &'static str,
    /// Whether a connection keeps the plan that it made.
    pub(crate) kept: bool,
}

impl Statement {
    /// Names a query.
    #[must_use]
    pub const fn new(name: &'static str, sql: &'static str) -> Self {
        Self {
            name,
            sql,
            sqlite: sql,
            kept: true,
        }
    }

    /// The same, planned for its values each time. After five times Postgres may keep a plan for any values, and is far off where
    /// these tell how many rows there are.
    #[must_use]
    pub const fn planned_each_time(self) -> Self {
        Self {
            name: self.name,
            sql: self.sql,
            sqlite: self.sqlite,
            kept: false,
        }
    }
}

/// What is bound to a placeholder. Nulls are typed, because Postgres wants to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// BIGINT.
    Int(Option<i64>),
    /// TEXT.
    Text(Option<String>),
    /// BOOLEAN.
    Bool(Option<bool>),
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(Some(value))
    }
}

impl From<Option<i64>> for Value {
    fn from(value: Option<i64>) -> Self {
        Self::Int(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(Some(value.to_owned()))
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(Some(value))
    }
}

impl From<Option<String>> for Value {
    fn from(value: Option<String>) -> Self {
        Self::Text(value)
    }
}

impl From<Option<&str>> for Value {
    fn from(value: Option<&str>) -> Self {
        Self::Text(value.map(str::to_owned))
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(Some(value))
    }
}
