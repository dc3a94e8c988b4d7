//! What `gramtap dead` writes.
//!
//! In: letters and attempts. Out: text for people; for scripts the JSON of `/v1`, whose keys are a contract. Invariant: texts of records cannot move the terminal's
//! cursor. Pure.

use std::fmt::Write as _;

use gramtap_analytics::query::deliveries::Attempt;
use gramtap_analytics::query::letters::Letter;
use gramtap_analytics::serve::api::shape::deliveries as shape;
use gramtap_analytics::serve::clock;
use gramtap_telegram::advice::{self, Symptom};

use crate::tail::printable;

/// For scripts: an array.
pub(super) fn json(letters: Vec<Letter>) -> serde_json::Result<String> {
    let letters: Vec<shape::Letter> = letters.into_iter().map(Into::into).collect();
    serde_json::to_string(&letters)
}

/// For scripts: an object.
pub(super) fn detail(letter: Letter, tried: Vec<Attempt>) -> serde_json::Result<String> {
    serde_json::to_string(&shape::LetterDetail {
        letter: letter.into(),
        tried: tried.into_iter().map(Into::into).collect(),
    })
}

/// A line for each.
pub(super) fn table(letters: &[Letter], n: i64) -> String {
    if letters.is_empty() {
        return "no dead letter fits\n".to_owned();
    }
    let mut text = String::new();
    for letter in letters {
        let update = letter
            .update_id
            .map_or_else(|| "-".to_owned(), |it| it.to_string());
        let line = format!(
            "{}  {:<24} {:<18} update {update}, {} attempts  {}{}",
            clock::machine(letter.dead_at),
            letter.cause,
            letter.kind,
            letter.attempts,
            letter.record,
            replayed(letter),
        );
        writeln!(text, "{}", printable(&line)).ok();
    }
    let shown = i64::try_from(letters.len()).unwrap_or(i64::MAX);
    if shown < n {
        writeln!(text, "{n} fit in all; --limit shows more").ok();
    }
    text
}

fn replayed(letter: &Letter) -> String {
    match (&letter.failed, letter.replayed_at, letter.asked_at) {
        (Some(failed), ..) => format!("  could not be replayed: {failed}"),
        (None, Some(at), _) => format!("  replayed {}", clock::machine(at)),
        (None, None, Some(_)) => "  is being replayed".to_owned(),
        (None, None, None) => String::new(),
    }
}

/// One in full.
pub(super) fn letter(letter: &Letter, tried: &[Attempt]) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: String| {
        writeln!(text, "{name:<12} {}", printable(&value)).ok();
    };
    let time = |at: Option<i64>| at.map_or_else(|| "-".to_owned(), clock::machine);
    let update = letter
        .update_id
        .map_or_else(|| "-".to_owned(), |it| it.to_string());
    line("record", letter.record.clone());
    line("update", format!("{update} {}", letter.kind));
    line("cause", letter.cause.clone());
    line("taken in", clock::machine(letter.received_at));
    line(
        "tried",
        format!(
            "{} times, first {}, last {}",
            letter.attempts,
            time(letter.first_at),
            time(letter.last_at)
        ),
    );
    line("given up", clock::machine(letter.dead_at));
    line("queue", letter.lane.clone());
    let wish = letter.asked_by.as_ref().map_or_else(String::new, |by| {
        let to = letter.asked_to.as_deref();
        let to = to.map(|to| format!(" to {to}")).unwrap_or_default();
        format!(", asked for by {by}{to}")
    });
    let replay = replayed(letter);
    if !replay.is_empty() {
        line("replay", format!("{}{wish}", replay.trim_start()));
    }
    for it in tried {
        let status = it.status.map(|it| format!(" {it}")).unwrap_or_default();
        let label = it
            .label
            .as_ref()
            .map(|it| format!(" {it}"))
            .unwrap_or_default();
        let endpoint = it.endpoint.as_deref().unwrap_or("-");
        let value = format!(
            "{} at {}: {}{status}{label}, {} ms, {endpoint}",
            it.attempt,
            clock::machine(it.at),
            it.verdict,
            it.took_us / 1_000
        );
        line("attempt", value);
    }
    let advice = advice::of(&Symptom {
        code: None,
        method: "webhook",
        description: None,
        label: Some(&letter.cause),
    });
    if advice.key != "unknown" {
        writeln!(
            text,
            "\n{}. {} {}",
            advice.title, advice.meaning, advice.remedy
        )
        .ok();
    }
    text
}

/// What was asked for.
pub(super) fn asked(n: u64) -> String {
    match n {
        0 => "no dead letter fits: nothing is delivered again\n".to_owned(),
        n => format!(
            "{n} updates are delivered again by the running `gramtap up` (or gramtap-analytics and gramtap-forwarder), within seconds;\n\
             `gramtap tail --topic deliveries` shows the attempts\n"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dead() -> Letter {
        Letter {
            record: "ingress-0-1-5".to_owned(),
            update_id: Some(77),
            kind: "message\u{1b}[2J".to_owned(),
            lane: "chat-0a1b".to_owned(),
            cause: "endpoint_gone".to_owned(),
            attempts: 3,
            received_at: 0,
            first_at: Some(0),
            last_at: None,
            dead_at: 0,
            place: (0, 0),
            asked_at: Some(1),
            asked_by: Some("Ann".to_owned()),
            asked_to: Some("https://other.example".to_owned()),
            replayed_at: None,
            failed: None,
        }
    }

    #[test]
    fn a_letter_is_told_with_what_to_do() {
        let text = letter(&dead(), &[]);
        for said in [
            "ingress-0-1-5",
            "3 times",
            "by Ann to https://other.example",
            "answered 410",
        ] {
            assert!(text.contains(said), "{said}: {text}");
        }
        assert!(!text.contains('\u{1b}'));
        let text = table(&[dead()], 2);
        assert!(text.contains("is being replayed") && text.contains("2 fit in all"));
        assert!(!text.contains('\u{1b}'));
        assert!(table(&[], 0).contains("no dead letter"));
        assert!(asked(0).contains("nothing") && asked(2).starts_with("2 updates"));
    }
}
