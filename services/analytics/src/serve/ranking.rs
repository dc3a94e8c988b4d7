//! A list of labels by how often they were counted.
//!
//! In: a [`Ranking`] of `query/`, or pairs. Out: `ranking.html`. Invariant: the rows, the rest and what was counted together are all that was
//! counted; a label is only ever text, whatever its signs and its length.

use askama::Template;

use super::chart::bar::Bar;
use super::definition::Definition;
use super::number::{self, Change, Sense};
use crate::query::actions::Ranking;

/// Rows of a list.
pub(super) const ROWS: usize = 15;

/// A list.
#[derive(Clone, Debug, Template)]
#[template(path = "ranking.html")]
pub(super) struct List {
    definition: &'static Definition,
    key: String,
    rows: Vec<Row>,
    rest: i64,
    rest_labels: usize,
    other: i64,
    has_change: bool,
    /// What to do to get some.
    hint: &'static str,
}

#[derive(Clone, Debug)]
struct Row {
    label: String,
    is_code: bool,
    n: i64,
    before: i64,
    change: Change,
    part: String,
    bar: Bar,
}

impl List {
    /// Of a ranking with the name `key` in its answer.
    pub(super) fn of(
        definition: &'static Definition,
        ranking: &Ranking,
        hint: &'static str,
    ) -> Self {
        let top = ranking.top.iter();
        let rows = top.map(|ranked| (ranked.label.as_str(), ranked.n, ranked.before));
        let mut list = Self::new(
            definition,
            rows.collect(),
            ranking.rest + ranking.other,
            hint,
        );
        list.rest = ranking.rest;
        list.rest_labels = ranking.rest_labels;
        list.other = ranking.other;
        list.has_change = true;
        list
    }

    /// Of pairs that are not compared; `more` is what is not among them.
    pub(super) fn plain(
        definition: &'static Definition,
        pairs: &[(String, i64)],
        more: i64,
        hint: &'static str,
    ) -> Self {
        let shown = pairs.len().min(ROWS);
        let rows = pairs[..shown].iter();
        let rows = rows.map(|(label, n)| (label.as_str(), *n, 0)).collect();
        let rest: i64 = pairs[shown..].iter().map(|(_, n)| n).sum();
        let mut list = Self::new(definition, rows, rest + more, hint);
        list.rest = rest + more;
        list
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "counts are far below what floats hold"
    )]
    fn new(
        definition: &'static Definition,
        rows: Vec<(&str, i64, i64)>,
        more: i64,
        hint: &'static str,
    ) -> Self {
        let largest = rows.iter().map(|(_, n, _)| *n).max().unwrap_or(0);
        let all = rows.iter().map(|(_, n, _)| n).sum::<i64>() + more;
        let row = |(label, n, before): (&str, i64, i64)| Row {
            label: label.to_owned(),
            is_code: true,
            n,
            before,
            change: number::change(n, before, Sense::Neither),
            part: number::percent(n as f64 / all.max(1) as f64),
            bar: Bar::new(n, largest),
        };
        Self {
            definition,
            key: definition.key.to_owned(),
            rows: rows.into_iter().map(row).collect(),
            rest: 0,
            rest_labels: 0,
            other: 0,
            has_change: false,
            hint,
        }
    }

    /// Shows labels as words instead of as code.
    pub(super) fn words(mut self, word: impl Fn(&str) -> String) -> Self {
        for row in &mut self.rows {
            row.label = word(&row.label);
            row.is_code = false;
        }
        self
    }
}
