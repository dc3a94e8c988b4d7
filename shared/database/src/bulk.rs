//! One statement over many rows: what a batch writes or asks, in few round trips.
//!
//! In: statics of the crates that own the tables. Out: [`Statement`]s of 1, 8 and 64 rows, to
//! `transaction.rs` and to whoever checks all statements. Invariant: the text is made of static
//! parts and placeholders alone, so no value ever becomes SQL; each of the three texts is made once.

use std::sync::OnceLock;

use crate::{Statement, Value};

/// Rows of the three statements, the largest first. 64 rows of 16 columns are within what SQLite
/// and Postgres bind at most.
const SIZES: [usize; 3] = [64, 8, 1];

/// A statement whose middle is a list of rows: `INSERT INTO t (a, b) VALUES` … `ON CONFLICT` … or
/// `SELECT … FROM (VALUES` … `) AS k CROSS JOIN t WHERE t.a = k.column1`.
pub struct Bulk {
    name: &'static str,
    head: &'static str,
    row: &'static str,
    tail: &'static str,
    made: OnceLock<[Statement; 3]>,
}

impl Bulk {
    /// `row` is one row with `?` for each of its values; where the engine could not tell a value's
    /// type from its place, with a cast: `(CAST(? AS TEXT), CAST(? AS BIGINT))`.
    #[must_use]
    pub const fn new(
        name: &'static str,
        head: &'static str,
        row: &'static str,
        tail: &'static str,
    ) -> Self {
        Self {
            name,
            head,
            row,
            tail,
            made: OnceLock::new(),
        }
    }

    /// The statements that it becomes.
    pub fn statements(&'static self) -> &'static [Statement; 3] {
        self.made
            .get_or_init(|| SIZES.map(|rows| self.statement(rows)))
    }

    fn statement(&self, rows: usize) -> Statement {
        Statement {
            // With a number in each, SQLite's client looks for its name among all of them.
            sqlite: self.text(rows, |_| "?".to_owned()).leak(),
            ..Statement::new(
                self.name,
                self.text(rows, |place| format!("${place}")).leak(),
            )
        }
    }

    /// Takes a batch apart: each statement with the values of its rows.
    pub(crate) fn parts<'a>(
        &'static self,
        values: &'a [Value],
    ) -> impl Iterator<Item = (&'static Statement, &'a [Value])> {
        let width = self.row.matches('?').count().max(1);
        let mut rest = values;
        std::iter::from_fn(move || {
            let fits = |(_, rows): &(&Statement, usize)| rows * width <= rest.len();
            let (statement, rows) = self.statements().iter().zip(SIZES).find(fits)?;
            let (now, later) = rest.split_at(rows * width);
            rest = later;
            Some((statement, now))
        })
    }

    fn text(&self, rows: usize, placeholder: impl Fn(usize) -> String) -> String {
        let mut text = String::from(self.head);
        let mut place = 0;
        for row in 0..rows {
            text.push_str(if row == 0 { " " } else { ", " });
            for (part, piece) in self.row.split('?').enumerate() {
                if part > 0 {
                    place += 1;
                    text.push_str(&placeholder(place));
                }
                text.push_str(piece);
            }
        }
        text.push(' ');
        text.push_str(self.tail);
        text
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    static PAIRS: Bulk = Bulk::new("pairs", "INSERT INTO t (a, b) VALUES", "(?, ?)", "END");

    #[test]
    fn rows_become_numbered_placeholders() {
        let [_, eight, one] = PAIRS.statements();
        assert_eq!(one.sql, "INSERT INTO t (a, b) VALUES ($1, $2) END");
        assert!(eight.sql.contains(" ($1, $2), ($3, $4)"), "{}", eight.sql);
        assert!(eight.sql.ends_with("($15, $16) END"), "{}", eight.sql);
        assert_eq!(one.sqlite, "INSERT INTO t (a, b) VALUES (?, ?) END");
    }

    #[test]
    fn every_row_is_in_one_part_and_in_order() {
        for rows in [0, 1, 7, 8, 9, 63, 64, 75, 200] {
            let values: Vec<Value> = (0..2 * rows).map(Value::from).collect();
            let parts: Vec<_> = PAIRS.parts(&values).collect();
            let joined: Vec<Value> = parts.iter().flat_map(|(_, part)| part.to_vec()).collect();
            assert_eq!(joined, values);
            for (statement, part) in parts {
                let last = format!("${})", part.len());
                assert!(statement.sql.contains(&last), "{}", statement.sql);
            }
        }
    }
}
