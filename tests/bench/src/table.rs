//! Rounds as tables.
//!
//! In: what was measured in each round, by upstream and proxy. Out: Markdown: of each number the median of the rounds, its ratio to nginx's,
//! and how far the rounds lie apart: their ratios, where they were measured in turns with nginx, else the numbers. Latencies are told as what a
//! proxy adds to the way without one. Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::proxy::Subject;
use crate::statistics::{median, spread};
use crate::values::{Value, Values};

/// All rounds.
#[derive(Debug, Default)]
pub(crate) struct Rounds {
    /// By whether the upstream has TLS, the number's name, and the proxy: one value a round.
    values: BTreeMap<bool, BTreeMap<String, BTreeMap<Subject, Vec<Value>>>>,
    /// What nothing else is measured beside: by name, one value a round.
    alone: BTreeMap<String, Vec<Value>>,
}

impl Rounds {
    pub(crate) fn add(&mut self, tls: bool, subject: Subject, values: Values) {
        let of_upstream = self.values.entry(tls).or_default();
        for (name, value) in values {
            let of_name = of_upstream.entry(name).or_default();
            of_name.entry(subject).or_default().push(value);
        }
    }

    /// Numbers of Gramtap that no proxy has.
    pub(crate) fn add_alone(&mut self, values: Values) {
        for (name, value) in values {
            self.alone.entry(name).or_default().push(value);
        }
    }

    /// As Markdown.
    pub(crate) fn table(&self) -> String {
        let mut text = String::new();
        for (tls, numbers) in &self.values {
            let upstream = if *tls { "TLS" } else { "plain" };
            let subjects: BTreeSet<Subject> = numbers
                .values()
                .flat_map(|of_name| of_name.keys().copied())
                .collect();
            let names: Vec<_> = subjects.iter().map(|subject| subject.name()).collect();
            text.push_str(&format!("\nUpstream: {upstream}\n\n"));
            text.push_str(&format!("| | {} |\n", names.join(" | ")));
            text.push_str(&format!("|---|{}\n", "---|".repeat(names.len())));
            for (name, of_name) in numbers {
                let direct = of_name.get(&Subject::Direct).filter(|_| adds(name));
                let direct = direct.and_then(|values| median(&numbers_of(values)));
                let nginx = of_name.get(&Subject::Nginx);
                let nginx = nginx.and_then(|it| median(&numbers_of(it)));
                let nginx = nginx.map(|it| it - direct.unwrap_or_default());
                let cells = subjects.iter().map(|subject| {
                    let values = of_name.get(subject).map(Vec::as_slice).unwrap_or_default();
                    let base = direct.filter(|_| *subject != Subject::Direct);
                    let against = nginx.filter(|_| *subject > Subject::Nginx);
                    cell(values, base.unwrap_or_default(), against)
                });
                let cells: Vec<_> = cells.collect();
                let added = if adds(name) { ", added" } else { "" };
                text.push_str(&format!("| {name}{added} | {} |\n", cells.join(" | ")));
            }
        }
        if !self.alone.is_empty() {
            text.push_str("\n| Gramtap alone | |\n|---|---|\n");
        }
        for (name, values) in &self.alone {
            text.push_str(&format!("| {name} | {} |\n", cell(values, 0.0, None)));
        }
        text
    }
}

/// Whether a number says more as what is added to that without a proxy.
fn adds(name: &str) -> bool {
    name.starts_with("latency")
}

fn numbers_of(values: &[Value]) -> Vec<f64> {
    values.iter().map(|value| value.number).collect()
}

/// The median less `base`, its ratio to nginx's, and the spread of the rounds.
fn cell(values: &[Value], base: f64, nginx: Option<f64>) -> String {
    let numbers = numbers_of(values);
    let Some(found) = median(&numbers) else {
        return "–".to_owned();
    };
    let ratios: Vec<f64> = values.iter().filter_map(|value| value.ratio).collect();
    let found = found - base;
    let digits = match found.abs() {
        it if it >= 100.0 => 0,
        it if it >= 10.0 => 1,
        _ => 2,
    };
    let mut text = format!("{found:.digits$}");
    let of_medians = nginx.filter(|it| *it != 0.0).map(|nginx| found / nginx);
    if let Some(ratio) = median(&ratios).or(of_medians) {
        text.push_str(&format!(" = **{ratio:.2}**"));
    }
    let told = if ratios.is_empty() { &numbers } else { &ratios };
    // Of one round there is none.
    if let Some(spread) = spread(told).filter(|_| told.len() > 1) {
        text.push_str(&format!(" ±{:.0} %", spread * 100.0));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str, number: f64, ratio: Option<f64>) -> Values {
        let mut values = Values::default();
        values.insert_with(name.to_owned(), number, ratio);
        values
    }

    #[test]
    fn numbers_stand_beside_their_ratio_to_nginx() {
        let mut rounds = Rounds::default();
        for (nginx, gramtap) in [(10.0, 12.0), (10.0, 11.0), (11.0, 10.0)] {
            for (subject, value) in [(Subject::Nginx, nginx), (Subject::Gramtap, gramtap)] {
                rounds.add(false, subject, named("CPU", value, None));
            }
        }
        let expected = "\nUpstream: plain\n\n| | nginx | gramtap |\n|---|---|---|\n\
                        | CPU | 10.0 ±5 % | 11.0 = **1.10** ±9 % |\n";
        assert_eq!(rounds.table(), expected);
    }

    #[test]
    fn latencies_are_what_is_added_to_the_direct_way() {
        let mut rounds = Rounds::default();
        for (subject, value) in [
            (Subject::Direct, 100.0),
            (Subject::Nginx, 150.0),
            (Subject::Haproxy, 200.0),
        ] {
            rounds.add(true, subject, named("latency, p50", value, None));
        }
        let table = rounds.table();
        let row = table.lines().last().unwrap_or_default();
        assert_eq!(row, "| latency, p50, added | 100 | 50.0 | 100 = **2.00** |");
    }

    #[test]
    fn ratios_of_turns_count_more_than_those_of_rounds() {
        let mut rounds = Rounds::default();
        for (nginx, gramtap, ratio) in [(10.0, 30.0, 2.0), (20.0, 40.0, 2.2), (30.0, 50.0, 1.8)] {
            rounds.add(false, Subject::Nginx, named("CPU", nginx, None));
            rounds.add(false, Subject::Gramtap, named("CPU", gramtap, Some(ratio)));
        }
        let table = rounds.table();
        let row = table.lines().last().unwrap_or_default();
        assert_eq!(row, "| CPU | 20.0 ±50 % | 40.0 = **2.00** ±10 % |");
    }
}
