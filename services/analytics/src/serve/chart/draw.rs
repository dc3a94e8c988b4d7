//! Turns the numbers of a chart into shapes.
//!
//! In: a [`Chart`] and its [`Scale`]. Out: rectangles, lines, and an invisible field over each slot that tells its numbers.
//! Invariant: whole coordinates within the box, whatever the numbers are; a number that is not known draws nothing. Pure.

use super::scale::Scale;
use super::{Chart, Series, known};

/// The width of a slot, which is stretched to what there is room for.
pub const SLOT: i64 = 100;
/// The height of the box.
pub const HEIGHT: i64 = 1_000;
/// What is not nothing can be seen.
const LEAST: i64 = 6;
/// Slots up to which there is more room between bars.
const FEW: usize = 31;

/// A bar, or a part of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rect {
    pub(super) x: i64,
    pub(super) y: i64,
    pub(super) width: i64,
    pub(super) height: i64,
    pub(super) class: &'static str,
}

/// A line, with gaps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Path {
    pub(super) d: String,
    pub(super) class: &'static str,
}

/// The field over a slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hit {
    pub(super) x: i64,
    pub(super) title: String,
}

/// All shapes of a chart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Drawing {
    pub(super) rects: Vec<Rect>,
    pub(super) paths: Vec<Path>,
    pub(super) hits: Vec<Hit>,
}

/// Draws.
pub(super) fn draw(chart: &Chart, scale: &Scale) -> Drawing {
    let count = chart.slots.len();
    let margin = if count <= FEW { 15 } else { 6 };
    let mut drawing = Drawing::default();
    for place in 0..count {
        let x = left(place);
        let mut top = HEIGHT;
        for bars in &chart.bars {
            let value = known(bars, place).filter(|value| *value > 0.0);
            let Some(value) = value else { continue };
            let height = scale.place(value).max(LEAST).min(top);
            top -= height;
            drawing.rects.push(Rect {
                x: x + margin,
                y: top,
                width: SLOT - 2 * margin,
                height,
                class: bars.class,
            });
        }
        drawing.hits.push(Hit {
            x,
            title: title(chart, place),
        });
    }
    let paths = chart.lines.iter().map(|line| Path {
        d: path(line, count, scale),
        class: line.class,
    });
    drawing
        .paths
        .extend(paths.filter(|path| !path.d.is_empty()));
    drawing
}

/// Where a slot begins.
fn left(place: usize) -> i64 {
    i64::try_from(place).unwrap_or(0) * SLOT
}

/// The commands of a line; a lone number is a dot.
fn path(line: &Series, count: usize, scale: &Scale) -> String {
    let mut d = String::new();
    let mut is_drawing = false;
    for place in 0..count {
        let Some(value) = known(line, place) else {
            is_drawing = false;
            continue;
        };
        let (x, y) = (left(place) + SLOT / 2, HEIGHT - scale.place(value));
        let is_alone = !is_drawing && known(line, place + 1).is_none();
        d.push_str(&match (is_drawing, is_alone) {
            (true, _) => format!("L{x} {y}"),
            (false, false) => format!("M{x} {y}"),
            (false, true) => format!("M{x} {y}h0"),
        });
        is_drawing = true;
    }
    d
}

fn title(chart: &Chart, place: usize) -> String {
    let mut title = chart.slots[place].long.clone();
    for series in chart.bars.iter().chain(&chart.lines) {
        if let Some(value) = known(series, place) {
            let value = chart.unit.written(value);
            title.push_str(&format!("\n{}: {value}", series.name));
        }
    }
    title
}
