//! Chunked transfer coding (RFC 9112, 7.1), read strictly.
//!
//! In: the bytes of a chunked body, split anyhow, from `body`. Out: the runs of data, and the
//! end. Extensions and trailers are checked, bounded and dropped.
//! Invariant: every line ends with CR LF, a size is 1 to 16 hexadecimal digits, nothing but an
//! extension may follow it: here two readings are a smuggled answer.

use super::Step;
use crate::head::{LineScan, MAX_HEADERS, Malformed};

/// Bytes of chunk extensions of one body at most.
pub(crate) const MAX_EXTENSIONS: usize = 16 * 1024;
/// Bytes of trailers at most.
pub(crate) const MAX_TRAILERS: usize = 16 * 1024;

/// Where the reading of a chunked body stands.
#[derive(Debug, Default)]
pub(crate) struct Chunked {
    at: At,
    /// Bytes of extensions so far.
    extensions: usize,
}

#[derive(Debug)]
enum At {
    /// In the size, after so many digits.
    Size {
        size: u64,
        digits: u8,
    },
    Extension {
        size: u64,
    },
    /// After the CR of a size line.
    SizeLf {
        size: u64,
    },
    /// In data of which so much is owed; never zero.
    Data(u64),
    DataCr,
    DataLf,
    /// After the last chunk, with what has come of the trailers.
    Trailers {
        block: Vec<u8>,
        scan: LineScan,
    },
    Done,
}

impl Default for At {
    fn default() -> Self {
        Self::SIZE
    }
}

impl At {
    const SIZE: Self = Self::Size { size: 0, digits: 0 };
}

impl Chunked {
    pub(crate) fn is_done(&self) -> bool {
        matches!(self.at, At::Done)
    }

    /// Uses up bytes until a run of data is found, the body ends, or there are none left.
    pub(crate) fn step(&mut self, input: &[u8]) -> Result<Step, Malformed> {
        let mut used = 0;
        while let Some(&byte) = input.get(used) {
            match &mut self.at {
                At::Data(owed) => {
                    let rest = input.len() - used;
                    let take = rest.min(usize::try_from(*owed).unwrap_or(usize::MAX));
                    *owed -= take as u64;
                    if *owed == 0 {
                        self.at = At::DataCr;
                    }
                    return Ok(Step {
                        used: used + take,
                        data: used..used + take,
                    });
                }
                At::Trailers { block, scan } => {
                    used += trailers(block, scan, &input[used..])?.map_or_else(
                        || input.len() - used,
                        |end| {
                            self.at = At::Done;
                            end
                        },
                    );
                }
                At::Done => break,
                _ => {
                    self.framing(byte)?;
                    used += 1;
                }
            }
        }
        Ok(Step { used, data: 0..0 })
    }

    /// One byte between the data.
    fn framing(&mut self, byte: u8) -> Result<(), Malformed> {
        self.at = match (&self.at, byte) {
            (&At::Size { size, digits }, _) if byte.is_ascii_hexdigit() => {
                if digits == 16 {
                    return Err(Malformed::ChunkSize);
                }
                At::Size {
                    size: size << 4 | u64::from(hex(byte)),
                    digits: digits + 1,
                }
            }
            (&At::Size { size, digits: 1.. }, b'\r') => At::SizeLf { size },
            // White space is allowed before an extension's semicolon, and only there.
            (&At::Size { size, digits: 1.. }, b';') => At::Extension { size },
            (&At::Extension { size }, b'\r') => At::SizeLf { size },
            (&At::Extension { size }, b'\t' | b' '..=0x7e | 0x80..) => {
                self.extensions += 1;
                if self.extensions > MAX_EXTENSIONS {
                    return Err(Malformed::ChunkExtension);
                }
                At::Extension { size }
            }
            (At::Extension { .. }, _) => return Err(Malformed::ChunkExtension),
            (At::SizeLf { size: 0 }, b'\n') => At::Trailers {
                block: Vec::new(),
                scan: LineScan::START,
            },
            (&At::SizeLf { size }, b'\n') => At::Data(size),
            (At::DataCr, b'\r') => At::DataLf,
            (At::DataLf, b'\n') => At::SIZE,
            (At::DataCr | At::DataLf, _) => return Err(Malformed::ChunkEnd),
            _ => return Err(Malformed::ChunkSize),
        };
        Ok(())
    }
}

/// Collects trailers; how much of `input` belongs to them, once they end.
fn trailers(
    block: &mut Vec<u8>,
    scan: &mut LineScan,
    input: &[u8],
) -> Result<Option<usize>, Malformed> {
    let before = block.len();
    block.extend_from_slice(&input[..input.len().min(MAX_TRAILERS + 1 - before)]);
    let Some(end) = scan.advance(block).map_err(|_| Malformed::Trailer)? else {
        if block.len() > MAX_TRAILERS {
            return Err(Malformed::Trailer);
        }
        return Ok(None);
    };
    let mut slots = [httparse::EMPTY_HEADER; MAX_HEADERS];
    match httparse::parse_headers(&block[..end], &mut slots) {
        Ok(httparse::Status::Complete((read, _))) if read == end => Ok(Some(end - before)),
        _ => Err(Malformed::Trailer),
    }
}

/// The value of a hexadecimal digit.
fn hex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20) - b'a' + 10,
    }
}
