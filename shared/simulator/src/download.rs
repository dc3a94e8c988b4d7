//! `/file/bot{token}/{path}`: gives out files.
//!
//! In: a GET or HEAD (`connection.rs`). Out: the content, a part of it, or that it has not changed.
//! Invariant: only files of the token's environment, found by their exact path; nothing of this
//! machine's disk is reachable. A file never changes, so its tag is made from its id.

use std::ops::Range;

use crate::fail::Failure;
use crate::http::answer::{Answer, date};
use crate::http::head::Head;
use crate::methods::{admit, well_formed};
use crate::route::Environment;
use crate::shared::Shared;

/// Every file's date, 2026-01-01: the same in every run.
const MODIFIED: i64 = 1_767_225_600;

/// The answer to a download.
pub(crate) fn answer(
    shared: &Shared,
    head: &Head,
    token: &str,
    environment: Environment,
    path: &str,
) -> Answer {
    let config = &shared.config;
    let found = well_formed(token, config.mode).and_then(|id| {
        let mut world = shared.world(environment);
        admit(
            &mut world,
            id,
            token,
            config.accept_any_token,
            config.clock.now(),
        )?;
        let file = world.files.by_path(path);
        let content = file.and_then(|file| Some((file.content.clone()?, file.unique_id.clone())));
        content.ok_or_else(|| Failure::new(404, "Not Found"))
    });
    let (content, unique_id) = match found {
        Ok(found) => found,
        Err(failure) => {
            let mut answer = Answer::failure(&failure);
            answer.head_only = head.verb.as_ref() == b"HEAD";
            return answer;
        }
    };
    let length = content.length();
    let etag = format!("\"{unique_id}\"");
    let modified = date(MODIFIED);
    let verdict = verdict(head, length, &etag, &modified);
    let mut answer = match verdict {
        Verdict::Unchanged => Answer {
            status: 304,
            content_type: None,
            ..Answer::json(304, String::new())
        },
        Verdict::Failed => Answer::nginx(412),
        Verdict::Unsatisfiable => {
            let mut answer = Answer::nginx(416);
            answer
                .headers
                .push(("Content-Range".into(), format!("bytes */{length}").into()));
            answer
        }
        Verdict::Whole | Verdict::Part(_) => Answer {
            content_type: Some("application/octet-stream".into()),
            ..Answer::json(200, content)
        },
    };
    answer
        .headers
        .push(("Last-Modified".into(), modified.into()));
    answer.headers.push(("ETag".into(), etag.into()));
    match verdict {
        Verdict::Part(part) => {
            answer.status = 206;
            let shown = format!("bytes {}-{}/{length}", part.start, part.end - 1);
            answer.headers.push(("Content-Range".into(), shown.into()));
            answer.range = part;
        }
        Verdict::Whole => answer
            .headers
            .push(("Accept-Ranges".into(), "bytes".into())),
        Verdict::Unchanged | Verdict::Failed | Verdict::Unsatisfiable => {}
    }
    answer.head_only = head.verb.as_ref() == b"HEAD";
    answer
}

/// What is given of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Verdict {
    Whole,
    Part(Range<u64>),
    Unchanged,
    /// A precondition does not hold.
    Failed,
    Unsatisfiable,
}

fn verdict(head: &Head, length: u64, etag: &str, modified: &str) -> Verdict {
    let text = |name: &str| {
        head.header(name)
            .map(|value| String::from_utf8_lossy(value).trim().to_owned())
    };
    let names = |list: &str| {
        list == "*"
            || list
                .split(',')
                .any(|one| one.trim().trim_start_matches("W/") == etag)
    };
    if text("if-match").is_some_and(|list| !names(&list)) {
        return Verdict::Failed;
    }
    let unchanged = match text("if-none-match") {
        Some(list) => names(&list),
        None => text("if-modified-since").is_some_and(|since| since == modified),
    };
    if unchanged {
        return Verdict::Unchanged;
    }
    // A part is given only of what the client has seen the rest of.
    let same = text("if-range").is_none_or(|seen| seen == etag || seen == modified);
    match text("range").filter(|_| same) {
        Some(range) => part(&range, length),
        None => Verdict::Whole,
    }
}

/// `bytes=a-b`, `bytes=a-`, `bytes=-n`. Anything else, several ranges too, is the whole.
fn part(range: &str, length: u64) -> Verdict {
    let Some((from, to)) = range
        .strip_prefix("bytes=")
        .and_then(|range| range.split_once('-'))
    else {
        return Verdict::Whole;
    };
    let number = |text: &str| text.trim().parse::<u64>().ok();
    let part = match (number(from), number(to)) {
        (Some(from), Some(to)) if from <= to => from..to.saturating_add(1).min(length),
        (Some(from), None) if to.trim().is_empty() => from..length,
        (None, Some(last)) if from.trim().is_empty() => length.saturating_sub(last)..length,
        _ => return Verdict::Whole,
    };
    if part.start >= part.end {
        Verdict::Unsatisfiable
    } else {
        Verdict::Part(part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        let table = [
            ("bytes=0-9", Verdict::Part(0..10)),
            ("bytes=90-", Verdict::Part(90..100)),
            ("bytes=90-1000", Verdict::Part(90..100)),
            ("bytes=-10", Verdict::Part(90..100)),
            ("bytes=-1000", Verdict::Part(0..100)),
            ("bytes=100-", Verdict::Unsatisfiable),
            ("bytes=-0", Verdict::Unsatisfiable),
            ("bytes=9-3", Verdict::Whole),
            ("bytes=0-1,5-6", Verdict::Whole),
            ("lines=0-9", Verdict::Whole),
            ("bytes=-", Verdict::Whole),
        ];
        for (range, expected) in table {
            assert_eq!(part(range, 100), expected, "{range}");
        }
    }
}
