//! What holds for every chart.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::draw::draw;
use super::scale::Scale;
use super::*;
use crate::query::Period;
use crate::zone::Zone;

fn chart(bars: Vec<Vec<Option<f64>>>, lines: Vec<Vec<Option<f64>>>, days: i64) -> Chart {
    let period = Period {
        zone: Zone::UTC,
        first: 20_000,
        days,
    };
    let series = |values| Series::new("calls", "Calls <b>", "s1", values);
    Chart {
        title: "A & <script>".to_owned(),
        unit: Unit::Count,
        slots: slots::dates(&period),
        bars: bars.into_iter().map(series).collect(),
        lines: lines.into_iter().map(series).collect(),
    }
}

fn drawing(chart: &Chart) -> draw::Drawing {
    draw(chart, &Scale::of(chart.highest(), chart.unit))
}

/// All numbers in the commands of a path.
fn coordinates(d: &str) -> Vec<i64> {
    d.split(|sign: char| !sign.is_ascii_digit() && sign != '-')
        .filter(|part| !part.is_empty())
        .map(|part| part.parse().unwrap())
        .collect()
}

#[test]
fn what_is_not_known_is_a_gap() {
    let line = vec![
        None,
        Some(1.0),
        Some(2.0),
        None,
        Some(f64::NAN),
        Some(4.0),
        None,
    ];
    let chart = chart(vec![], vec![line], 7);
    let drawing = drawing(&chart);
    assert_eq!(drawing.paths[0].d, "M150 750L250 500M550 0h0");
    let html = chart.html().unwrap();
    assert_eq!(html.matches("value=\"\">–</data>").count(), 4);
    assert!(html.contains("at most 4, Wed 9 Oct"), "{html}");
}

#[test]
fn a_chart_is_escaped_has_no_style_of_its_own_and_a_table() {
    let values = vec![Some(1_234.0), Some(0.0), None];
    let html = chart(vec![values], vec![], 3).html().unwrap();
    assert!(html.contains("A &#38; &#60;script&#62;"), "{html}");
    assert!(!html.contains("<script") && !html.contains("<b>"));
    assert!(!html.contains("style=") && !html.contains("<style"));
    let day = 20_000 * 86_400;
    assert!(html.contains(&format!(
        "<data data-number=\"calls\" data-at=\"{day}\" value=\"1234\">1,234</data>"
    )));
    assert_eq!(html.matches("<tr>").count(), 4);
}

#[test]
fn nothing_is_said_to_be_nothing() {
    for values in [vec![], vec![None; 7], vec![Some(0.0); 7]] {
        let html = chart(vec![values.clone()], vec![values], 7).html().unwrap();
        assert!(html.contains("Nothing in this time."));
        assert!(!html.contains("<svg"));
    }
}

fn numbers() -> impl Strategy<Value = Vec<Option<f64>>> {
    let number = prop_oneof![
        4 => (0.0f64..1e6).prop_map(Some),
        1 => Just(Some(0.0)),
        1 => Just(None),
        1 => prop_oneof![Just(Some(f64::NAN)), Just(Some(f64::INFINITY)), Just(Some(-1.0)), Just(Some(1e300))],
    ];
    prop::collection::vec(number, 0..40)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_number_is_drawn_and_nothing_outside_of_the_box(
        bars in prop::collection::vec(numbers(), 0..3), lines in prop::collection::vec(numbers(), 0..3), days in 1i64..40,
    ) {
        let chart = chart(bars, lines, days);
        let drawing = drawing(&chart);
        let width = days * SLOT;
        let places = 0..usize::try_from(days).unwrap();
        let drawn = chart.bars.iter().flat_map(|bars| places.clone().filter(|place| known(bars, *place) > Some(0.0)));
        prop_assert_eq!(drawing.rects.len(), drawn.count());
        for rect in &drawing.rects {
            prop_assert!(rect.x >= 0 && rect.width > 0 && rect.x + rect.width <= width, "{:?}", rect);
            prop_assert!(rect.y >= 0 && rect.height >= 0 && rect.y + rect.height <= HEIGHT, "{:?}", rect);
        }
        for path in &drawing.paths {
            for pair in coordinates(&path.d.replace("h0", "")).chunks(2) {
                prop_assert!((0..=width).contains(&pair[0]) && (0..=HEIGHT).contains(&pair[1]), "{}", path.d);
            }
        }
        let points: usize = drawing.paths.iter().map(|path| path.d.matches(['M', 'L']).count()).sum();
        let told = chart.lines.iter().flat_map(|line| places.clone().filter(|place| known(line, *place).is_some()));
        prop_assert_eq!(points, told.count());
        prop_assert_eq!(drawing.hits.len() as i64, days);
        let html = chart.html().unwrap();
        prop_assert!(!html.contains("NaN") && !html.contains("inf"), "{}", html);
        prop_assert_eq!(html.matches("<th scope=\"row\">").count() as i64, days);
    }
}
