//! How numbers are written.
//!
//! In: counts, shares and durations of `query/`. Out: the texts of pages and charts. Invariant: what is not a number is a dash;
//! a change is coloured only where more is surely good or surely bad. Pure.

/// What is written where there is no number.
pub const NOTHING: &str = "–";

/// What more of a number means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sense {
    /// More is good.
    Good,
    /// More is bad.
    Bad,
    /// Who knows.
    Neither,
}

/// How a number has changed: a text, and the class of its colour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Such as `▲ 12 %`.
    pub text: String,
    /// `good`, `bad`, or empty.
    pub class: &'static str,
}

/// A count with commas: `1,234,567`.
#[must_use]
pub fn count(n: i64) -> String {
    let digits = n.unsigned_abs().to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if n < 0 {
        text.push('−');
    }
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number in little room: `950`, `1.2k`, `34k`, `5.6M`.
#[must_use]
pub fn compact(n: f64) -> String {
    if !n.is_finite() {
        return NOTHING.to_owned();
    }
    let units = [(1e9, "G"), (1e6, "M"), (1e3, "k")];
    // What would be written as 1000k is 1M.
    let unit = units
        .into_iter()
        .find(|(unit, _)| n.abs() >= unit * 0.999_5);
    match unit {
        Some((unit, sign)) => format!("{}{sign}", short(n / unit)),
        None => short(n),
    }
}

/// A share of 1 in percent: `0.4 %`, `12 %`.
#[must_use]
pub fn percent(share: f64) -> String {
    if !share.is_finite() {
        return NOTHING.to_owned();
    }
    let percent = share * 100.0;
    let is_small = percent != 0.0 && percent.abs() < 0.01;
    let text = match is_small {
        true => "< 0.01".to_owned(),
        false if percent.abs() < 0.995 => trimmed(format!("{percent:.2}")),
        false => short(percent),
    };
    format!("{text}\u{a0}%")
}

/// A duration in milliseconds: `0.42 ms`, `12 ms`, `1.2 s`, `75 s`.
#[must_use]
pub fn duration(ms: f64) -> String {
    if !ms.is_finite() {
        return NOTHING.to_owned();
    }
    match ms {
        ms if ms < 0.995 => format!("{}\u{a0}ms", trimmed(format!("{ms:.2}"))),
        ms if ms < 999.5 => format!("{}\u{a0}ms", short(ms)),
        ms if ms < 599_500.0 => format!("{}\u{a0}s", short(ms / 1_000.0)),
        ms => format!("{}\u{a0}min", short(ms / 60_000.0)),
    }
}

/// One decimal below ten, none from there on.
fn short(n: f64) -> String {
    match n.abs() < 9.95 {
        true => trimmed(format!("{n:.1}")),
        false => format!("{n:.0}"),
    }
}

fn trimmed(text: String) -> String {
    match text.contains('.') {
        true => text
            .trim_end_matches('0')
            .trim_end_matches('.')
            .replace("-0", "0"),
        false => text,
    }
}

/// How a count has changed against an earlier one.
#[must_use]
#[expect(
    clippy::cast_precision_loss,
    reason = "counts are far below what floats hold"
)]
pub fn change(now: i64, before: i64, sense: Sense) -> Change {
    let plain = |text: &str| Change {
        text: text.to_owned(),
        class: "",
    };
    match (now, before) {
        (0, 0) => return plain("—"),
        (_, 0) => return plain("new"),
        _ if now == before => return plain("no change"),
        _ => {}
    }
    let ratio = now as f64 / before as f64;
    let text = match ratio {
        ratio if ratio >= 10.0 => format!("▲ ×{}", compact(ratio)),
        ratio if ratio > 1.0 => format!("▲ {}", percent((ratio - 1.0).max(0.001))),
        ratio => format!("▼ {}", percent((1.0 - ratio).max(0.001))),
    };
    let class = class(ratio > 1.0, sense);
    Change { text, class }
}

/// How a share has changed, in points of a hundred.
#[must_use]
pub fn change_of_share(now: Option<f64>, before: Option<f64>, sense: Sense) -> Change {
    let (Some(now), Some(before)) = (now, before) else {
        return Change {
            text: "—".to_owned(),
            class: "",
        };
    };
    let points = (now - before) * 100.0;
    let sign = match points {
        points if points.abs() < 0.005 || !points.is_finite() => {
            return Change {
                text: "no change".to_owned(),
                class: "",
            };
        }
        points if points > 0.0 => '▲',
        _ => '▼',
    };
    let size = match points.abs() {
        size if size < 0.995 => trimmed(format!("{size:.2}")),
        size => short(size),
    };
    Change {
        text: format!("{sign} {size} points"),
        class: class(points > 0.0, sense),
    }
}

fn class(is_more: bool, sense: Sense) -> &'static str {
    match (is_more, sense) {
        (_, Sense::Neither) => "",
        (true, Sense::Good) | (false, Sense::Bad) => "good",
        (true, Sense::Bad) | (false, Sense::Good) => "bad",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_have_commas() {
        for (n, text) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (-12_345, "−12,345"),
            (1_234_567, "1,234,567"),
            (i64::MIN, "−9,223,372,036,854,775,808"),
        ] {
            assert_eq!(count(n), text);
        }
    }

    #[test]
    fn little_room_is_enough() {
        for (n, text) in [
            (0.0, "0"),
            (0.25, "0.2"),
            (7.0, "7"),
            (9.96, "10"),
            (950.0, "950"),
            (999.4, "999"),
            (999.6, "1k"),
            (1_240.0, "1.2k"),
            (34_400.0, "34k"),
            (999_600.0, "1M"),
            (5.6e9, "5.6G"),
            (-1_240.0, "-1.2k"),
            (f64::NAN, NOTHING),
        ] {
            assert_eq!(compact(n), text, "{n}");
        }
    }

    #[test]
    fn shares_and_durations_have_their_units() {
        for (share, text) in [
            (0.0, "0 %"),
            (0.000_01, "< 0.01 %"),
            (0.004_2, "0.42 %"),
            (0.009_96, "1 %"),
            (0.012_3, "1.2 %"),
            (0.5, "50 %"),
            (1.0, "100 %"),
            (f64::INFINITY, NOTHING),
        ] {
            assert_eq!(percent(share).replace('\u{a0}', " "), text, "{share}");
        }
        for (ms, text) in [
            (0.0, "0 ms"),
            (0.042, "0.04 ms"),
            (0.999, "1 ms"),
            (3.12, "3.1 ms"),
            (12.4, "12 ms"),
            (999.6, "1 s"),
            (1_240.0, "1.2 s"),
            (75_000.0, "75 s"),
            (1_200_000.0, "20 min"),
            (f64::NAN, NOTHING),
        ] {
            assert_eq!(duration(ms).replace('\u{a0}', " "), text, "{ms}");
        }
    }

    #[test]
    fn changes_are_coloured_where_it_is_sure_what_they_mean() {
        let table = [
            (0, 0, Sense::Bad, "—", ""),
            (5, 0, Sense::Bad, "new", ""),
            (5, 5, Sense::Good, "no change", ""),
            (112, 100, Sense::Good, "▲ 12 %", "good"),
            (112, 100, Sense::Bad, "▲ 12 %", "bad"),
            (112, 100, Sense::Neither, "▲ 12 %", ""),
            (50, 100, Sense::Good, "▼ 50 %", "bad"),
            (0, 100, Sense::Bad, "▼ 100 %", "good"),
            (1_200, 100, Sense::Bad, "▲ ×12", "bad"),
            (1_000_001, 1_000_000, Sense::Neither, "▲ 0.1 %", ""),
        ];
        for (now, before, sense, text, class) in table {
            let told = change(now, before, sense);
            let told = (told.text.replace('\u{a0}', " "), told.class);
            assert_eq!(told, (text.to_owned(), class), "{now} {before}");
        }
        for (now, before, text, class) in [
            (None, Some(0.5), "—", ""),
            (Some(0.02), Some(0.01), "▲ 1 points", "bad"),
            (Some(0.01), Some(0.014), "▼ 0.4 points", "good"),
            (Some(0.01), Some(0.01), "no change", ""),
        ] {
            let told = change_of_share(now, before, Sense::Bad);
            assert_eq!((told.text.as_str(), told.class), (text, class));
        }
    }
}
