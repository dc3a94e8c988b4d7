//! Finds the end of a JSON value in bytes that come in pieces.
//!
//! In: bytes that begin inside a value. Out: where it ends. Invariant: looks at quotes, escapes
//! and brackets alone, skipping strings by memchr; whether the value is valid JSON is for its
//! reader to say. Holds a few bytes of state, never any of the value.

use memchr::memchr2;

/// A value that is being passed over.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scan {
    depth: u32,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Between strings, inside brackets.
    Plain,
    InString,
    /// Behind a backslash.
    Escaped,
    /// In a number or a word, outside brackets.
    Scalar,
}

/// Quotes and brackets.
const MARKS: [bool; 256] = {
    let mut marks = [false; 256];
    marks[b'"' as usize] = true;
    marks[b'{' as usize] = true;
    marks[b'}' as usize] = true;
    marks[b'[' as usize] = true;
    marks[b']' as usize] = true;
    marks
};

impl Scan {
    /// A scan of a value that begins with `first`; the first byte is still to be given to
    /// [`Scan::end`].
    pub(super) fn of(first: u8) -> Self {
        let state = match first {
            b'"' | b'{' | b'[' => State::Plain,
            _ => State::Scalar,
        };
        Self { depth: 0, state }
    }

    /// Where the value ends in `bytes`: behind its last byte, or `None` when it goes on.
    pub(super) fn end(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        loop {
            let rest = bytes.get(at..)?;
            match self.state {
                State::Scalar => {
                    return rest
                        .iter()
                        .position(|byte| ends_scalar(*byte))
                        .map(|step| at + step);
                }
                State::Escaped => {
                    rest.first()?;
                    at += 1;
                    self.state = State::InString;
                }
                State::InString => {
                    at += memchr2(b'"', b'\\', rest)? + 1;
                    self.state = match bytes[at - 1] {
                        b'"' => State::Plain,
                        _ => State::Escaped,
                    };
                }
                State::Plain => {
                    at += rest.iter().position(|byte| MARKS[usize::from(*byte)])? + 1;
                    match bytes[at - 1] {
                        b'"' => self.state = State::InString,
                        b'{' | b'[' => self.depth = self.depth.saturating_add(1),
                        _ => self.depth = self.depth.saturating_sub(1),
                    }
                }
            }
            if self.state == State::Plain && self.depth == 0 {
                return Some(at);
            }
        }
    }
}

fn ends_scalar(byte: u8) -> bool {
    matches!(byte, b',' | b']' | b'}' | b' ' | b'\t' | b'\r' | b'\n')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_end_where_they_end_however_they_are_cut() {
        let table = [
            (r#"{"a":[1,"}]\"{"],"b":{}} ,"#, 24),
            (r#""a\\" ]"#, 5),
            (r#""\"" "#, 4),
            ("12.5e3,", 6),
            ("null]", 4),
            ("[[],[[]]]]", 9),
            ("{}{}", 2),
        ];
        for (text, end) in table {
            let bytes = text.as_bytes();
            for cut in 0..=bytes.len() {
                let mut scan = Scan::of(bytes[0]);
                let found = match scan.end(&bytes[..cut]) {
                    Some(at) => Some(at),
                    None => scan.end(&bytes[cut..]).map(|at| cut + at),
                };
                assert_eq!(found, Some(end), "{text} cut at {cut}");
            }
        }
    }
}
