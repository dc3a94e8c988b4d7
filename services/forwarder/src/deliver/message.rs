//! What Telegram would tell of an attempt that failed: the `last_error_message` of getWebhookInfo.
//!
//! In: a status with its reason phrase, or the fault. Out: a text, for `report/standing.rs`. Invariant: no secret is in it, and it is not longer than
//! [`LONGEST`]; what is Gramtap's own fault is told to nobody: Telegram would not have met it. Pure.

use std::io;

use gramtap_outbound::guard::Refusal;
use gramtap_outbound::{Cause, Fault, Side};

/// Bytes of a text at most.
const LONGEST: usize = 256;

/// What OpenSSL, which Telegram uses, says of a certificate that is not trusted.
const NOT_TRUSTED: &str = "error:0A000086:SSL routines::certificate verify failed";
/// What it says of a server that closes in the middle.
const CUT: &str = "error:0A000126:SSL routines::unexpected eof while reading";

/// The endpoint took too long.
pub(crate) const TIMEOUT: &str = "Read timeout expired";

/// An answer that is no success.
pub(crate) fn answered(status: u16, reason: &[u8]) -> String {
    let reason = String::from_utf8_lossy(reason);
    gramtap_privacy::plain(
        &format!("Wrong response from the webhook: {status} {reason}"),
        LONGEST,
    )
}

/// No answer, or no whole one. None: Gramtap's own fault.
pub(crate) fn broken(fault: &Fault) -> Option<String> {
    if fault.side() != Side::Upstream {
        return None;
    }
    let text = match fault.cause() {
        Cause::Blocked(refusal) => refused(*refusal),
        Cause::Resolve(_) => "Failed to resolve host: Name or service not known".to_owned(),
        Cause::ConnectTimeout => "Connection timed out".to_owned(),
        Cause::Tls(error) => tls(error),
        Cause::Connect(error)
        | Cause::Send(error)
        | Cause::Receive(error)
        | Cause::Cut(Some(error)) => system(error),
        Cause::Closed | Cause::Cut(None) => closed(),
        Cause::Idle => TIMEOUT.to_owned(),
        _ => "Bad Request".to_owned(),
    };
    Some(gramtap_privacy::plain(&text, LONGEST))
}

/// An address that may not be called. Telegram would refuse it, too, if for fewer reasons; what it says does not tell what to do.
pub(crate) fn refused(refusal: Refusal) -> String {
    refusal.to_string()
}

fn closed() -> String {
    "Webhook connection closed".to_owned()
}

/// The system's words, without the number.
fn system(error: &io::Error) -> String {
    if error.kind() == io::ErrorKind::UnexpectedEof {
        return closed();
    }
    let text = error.to_string();
    let bare = text.split(" (os error").next();
    bare.unwrap_or_default().to_owned()
}

fn tls(error: &io::Error) -> String {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    let text = match inner {
        Some(rustls::Error::InvalidCertificate(_)) => NOT_TRUSTED.to_owned(),
        Some(inner) => inner.to_string(),
        None if error.kind() == io::ErrorKind::UnexpectedEof => CUT.to_owned(),
        None => return system(error),
    };
    format!("SSL error {{{text}}}")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use rustls::CertificateError;

    use super::*;

    #[test]
    fn errors_have_telegrams_words() {
        let of_system = io::Error::from_raw_os_error;
        assert_eq!(system(&of_system(111)), "Connection refused");
        assert_eq!(system(&of_system(104)), "Connection reset by peer");
        assert_eq!(system(&of_system(113)), "No route to host");
        let eof = || io::Error::from(io::ErrorKind::UnexpectedEof);
        assert_eq!(system(&eof()), "Webhook connection closed");
        let of_tls = |error| io::Error::new(io::ErrorKind::InvalidData, error);
        let expired = rustls::Error::InvalidCertificate(CertificateError::Expired);
        let table = [
            (of_tls(expired), format!("SSL error {{{NOT_TRUSTED}}}")),
            (
                of_tls(rustls::Error::HandshakeNotComplete),
                "SSL error {handshake not complete}".to_owned(),
            ),
            (eof(), format!("SSL error {{{CUT}}}")),
            (of_system(104), "Connection reset by peer".to_owned()),
        ];
        for (error, text) in table {
            assert_eq!(tls(&error), text);
        }
    }

    #[test]
    fn an_answer_is_told_with_its_reason_and_without_secrets() {
        let table: [(u16, &[u8], &str); 4] = [
            (500, b"Internal Server Error", "500 Internal Server Error"),
            (302, b"", "302 "),
            (403, "Нет".as_bytes(), "403 Нет"),
            (
                401,
                b"for 7000000123:AAcanary-of-the-bots-own-token_00017",
                "401 for 7000000123:***",
            ),
        ];
        for (status, reason, said) in table {
            let text = format!("Wrong response from the webhook: {said}");
            assert_eq!(answered(status, reason), text);
        }
        let long = answered(500, "ж".repeat(400).as_bytes());
        assert!((LONGEST - 1..=LONGEST).contains(&long.len()), "{long}");
    }
}
