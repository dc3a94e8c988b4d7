//! Charts, drawn by the server.
//!
//! In: numbers by hour or date ([`slots`]), from the pages. Out: a figure of HTML and SVG with its legend and its numbers as
//! a table (`chart.html`). The way: `scale.rs` chooses the ticks → `draw.rs` turns numbers into shapes → the template writes them.
//! Invariant: every number has its place in the table; no shape lies outside of its box; what is not known is a gap
//! and no zero. Shapes have classes instead of colours, and are stretched to the width that there is while texts are
//! not, so that one drawing fits a phone and a desk. Nothing here waits or fails.
//!
//! Two more: [`spark`], a chart as large as a word, and [`bar`], the length of a number in a table.

pub mod bar;
mod draw;
mod scale;
pub mod slots;
pub mod spark;

use askama::Template;

pub use draw::{HEIGHT, SLOT};
use draw::{Hit, Path, Rect};
use scale::Scale;
use slots::Slot;

use super::number;

/// What the numbers of a chart are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Things that are counted.
    Count,
    /// Shares of 1.
    Share,
    /// Milliseconds.
    Millis,
}

impl Unit {
    /// A number of a table.
    #[must_use]
    pub fn written(self, value: f64) -> String {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "counts came from whole numbers"
        )]
        match self {
            Self::Count => number::count(value as i64),
            Self::Share => number::percent(value),
            Self::Millis => number::duration(value),
        }
    }

    /// A number beside an axis.
    fn short(self, value: f64) -> String {
        match self {
            Self::Count => number::compact(value),
            _ => self.written(value),
        }
    }
}

/// Numbers of one kind, one for each slot.
#[derive(Clone, Debug)]
pub struct Series {
    /// Where the number stands in the answer of `query/`.
    pub key: String,
    /// What it is called.
    pub name: String,
    /// The class that it is drawn with.
    pub class: &'static str,
    /// None: not known, or not yet.
    pub values: Vec<Option<f64>>,
}

impl Series {
    /// Numbers with a name, a title and a class.
    #[must_use]
    pub fn new(
        key: impl Into<String>,
        name: impl Into<String>,
        class: &'static str,
        values: Vec<Option<f64>>,
    ) -> Self {
        Self {
            key: key.into(),
            name: name.into(),
            class,
            values,
        }
    }
}

/// A chart over hours or dates.
#[derive(Clone, Debug)]
pub struct Chart {
    /// What it shows.
    pub title: String,
    /// What its numbers are.
    pub unit: Unit,
    /// The hours or dates.
    pub slots: Vec<Slot>,
    /// Drawn as bars, one upon the other.
    pub bars: Vec<Series>,
    /// Drawn as lines.
    pub lines: Vec<Series>,
}

/// A mark beside an axis.
#[derive(Clone, Debug)]
struct Tick {
    /// Where, such as `12.5%`.
    at: String,
    /// Within the drawing.
    place: i64,
    text: String,
    /// `first`, `last`, `minor`.
    class: &'static str,
}

struct Row<'a> {
    slot: &'a Slot,
    cells: Vec<Cell<'a>>,
}

struct Cell<'a> {
    key: &'a str,
    text: String,
    raw: String,
}

#[derive(Template)]
#[template(path = "chart.html")]
struct Drawn<'a> {
    chart: &'a Chart,
    is_empty: bool,
    summary: String,
    width: i64,
    height: i64,
    rects: Vec<Rect>,
    paths: Vec<Path>,
    hits: Vec<Hit>,
    rows: Vec<Tick>,
    columns: Vec<Tick>,
    table: Vec<Row<'a>>,
}

impl Chart {
    /// Draws it.
    ///
    /// # Errors
    /// Those of the template.
    pub fn html(&self) -> Result<String, askama::Error> {
        let scale = Scale::of(self.highest(), self.unit);
        let drawing = draw::draw(self, &scale);
        let rows = scale.ticks().map(|value| {
            let place = HEIGHT - scale.place(value);
            let text = self.unit.short(value);
            Tick {
                at: part(place, HEIGHT),
                place,
                text,
                class: "",
            }
        });
        Drawn {
            chart: self,
            is_empty: self.highest() <= 0.0,
            summary: self.summary(),
            width: SLOT * self.count(),
            height: HEIGHT,
            rects: drawing.rects,
            paths: drawing.paths,
            hits: drawing.hits,
            rows: rows.collect(),
            columns: self.columns(),
            table: (0..self.slots.len()).map(|place| self.row(place)).collect(),
        }
        .render()
    }

    fn count(&self) -> i64 {
        i64::try_from(self.slots.len()).unwrap_or(0)
    }

    fn series(&self) -> impl Iterator<Item = &Series> {
        self.bars.iter().chain(&self.lines)
    }

    /// The highest stack or point.
    fn highest(&self) -> f64 {
        let stacked = |place: usize| -> f64 {
            let values = self.bars.iter().filter_map(|bars| known(bars, place));
            values.sum()
        };
        let stacks = (0..self.slots.len()).map(stacked);
        let points = self
            .lines
            .iter()
            .flat_map(|line| (0..self.slots.len()).filter_map(|place| known(line, place)));
        stacks.chain(points).fold(0.0, f64::max)
    }

    /// What a reader who cannot see it is told first.
    fn summary(&self) -> String {
        let (Some(first), Some(last)) = (self.slots.first(), self.slots.last()) else {
            return String::new();
        };
        let mut text = format!("{} to {}.", first.long, last.long);
        for series in self.series() {
            let values = (0..self.slots.len())
                .filter_map(|place| Some((place, known(series, place)?)))
                .max_by(|left, right| left.1.total_cmp(&right.1));
            if let Some((place, value)) = values.filter(|(_, value)| *value > 0.0) {
                let value = self.unit.written(value);
                text.push_str(&format!(
                    " {}: at most {value}, {}.",
                    series.name, self.slots[place].long
                ));
            }
        }
        text
    }

    fn columns(&self) -> Vec<Tick> {
        let width = self.count() * SLOT;
        let marks = slots::marks(&self.slots).into_iter().enumerate();
        let ticks = marks.map(|(order, at)| {
            let place = i64::try_from(at).unwrap_or(0) * SLOT + SLOT / 2;
            let class = match (place * 100 / width.max(1), order % 2) {
                (..=1, _) => "first",
                (97.., 0) => "last",
                (97.., _) => "last minor",
                (_, 0) => "",
                _ => "minor",
            };
            Tick {
                at: part(place, width),
                place,
                text: self.slots[at].short.clone(),
                class,
            }
        });
        ticks.collect()
    }

    fn row(&self, place: usize) -> Row<'_> {
        let cell = |series| -> Cell<'_> {
            let series: &Series = series;
            let value = known(series, place);
            let text = value.map(|value| self.unit.written(value));
            Cell {
                key: &series.key,
                text: text.unwrap_or_else(|| number::NOTHING.to_owned()),
                raw: value.map(|value| value.to_string()).unwrap_or_default(),
            }
        };
        Row {
            slot: &self.slots[place],
            cells: self.series().map(cell).collect(),
        }
    }
}

/// The number of a slot, if it is one.
fn known(series: &Series, place: usize) -> Option<f64> {
    let value = series.values.get(place).copied().flatten();
    value.filter(|value| value.is_finite() && *value >= 0.0)
}

/// A place as a part of the whole, in percent with one decimal.
fn part(place: i64, whole: i64) -> String {
    let thousandths = place * 1_000 / whole.max(1);
    format!("{}.{}%", thousandths / 10, thousandths % 10)
}

#[cfg(test)]
mod tests;
