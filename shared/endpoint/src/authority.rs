//! A certificate that is given for one bot's webhook.
//!
//! In: PEM, from the console's form or the command line. Out: the webhook with it, or why not, in words that say what to do. Invariant: what is kept can be used when the
//! webhook is called; a private key is never kept. What a bot itself sends with its setWebhook is judged by ingress, in Telegram's place.

use std::sync::Arc;

use gramtap_outbound::Upstream;
use gramtap_outbound::guard::{Endpoint, Policy};
use gramtap_tenants::Webhook;

/// Bytes of a certificate that is kept; one with all its issuers has less than half.
pub const LARGEST: usize = 32 * 1024;

/// Why a certificate is not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthorityError {
    /// A private key is in it.
    #[error(
        "it holds a private key, which belongs to the server alone: give the certificate without it"
    )]
    Key,
    /// It has more bytes than [`LARGEST`].
    #[error("it has more than {} KiB: give the authority's own certificate alone", LARGEST / 1024)]
    Length,
    /// It is none.
    #[error(
        "it is none in PEM: give all of its text, from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----"
    )]
    Unusable,
    /// The webhook is called without TLS.
    #[error(
        "the webhook's address begins with http://, where no certificate is shown: leave it out"
    )]
    Clear,
}

/// The webhook, trusting the authority or the very certificate of this PEM besides the public authorities. Nothing but space: as it was.
///
/// # Errors
/// [`AuthorityError`].
pub fn trust(mut webhook: Webhook, pem: &str) -> Result<Webhook, AuthorityError> {
    let pem = pem.trim();
    if pem.is_empty() {
        return Ok(webhook);
    }
    if pem.contains("PRIVATE KEY-----") {
        return Err(AuthorityError::Key);
    }
    if pem.len() > LARGEST {
        return Err(AuthorityError::Length);
    }
    let policy = Arc::<Policy>::default();
    // Asked of nobody's address: of one that is called without TLS, nothing of a certificate is looked at.
    let usable = Endpoint::parse("https://webhook.invalid")
        .is_ok_and(|any| Upstream::guarded(&any, &policy, Some(pem), None).is_ok());
    match (usable, webhook.url().scheme()) {
        (false, _) => Err(AuthorityError::Unusable),
        (true, "https") => {
            webhook.ca = Some(pem.to_owned());
            Ok(webhook)
        }
        (true, _) => Err(AuthorityError::Clear),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Of `openssl req -x509 -newkey ec -subj /CN=bot.example -days 36500`.
    const PEM: &str = include_str!("authority/bot.example.pem");

    fn kept(url: &str, pem: &str) -> Result<Option<String>, AuthorityError> {
        let webhook = Webhook::new(url).unwrap();
        trust(webhook, pem).map(|webhook| webhook.ca)
    }

    #[test]
    fn what_can_be_used_is_kept_and_nothing_else() {
        let https = "https://bot.example/x";
        let own = Ok(Some(PEM.trim().to_owned()));
        let windows = PEM.replace('\n', "\r\n");
        let with_words = format!("bot.example:\n{PEM}");
        let twice = format!("{PEM}{PEM}");
        let long = PEM.repeat(LARGEST / PEM.len() + 1);
        let cut = &PEM[..PEM.len() / 2];
        let garbled = PEM.replacen("MII", "MIJ", 1);
        let label = "PRIVATE KEY";
        let key = format!("{PEM}-----BEGIN EC {label}-----\nAAcanary\n-----END EC {label}-----\n");
        for (url, pem, expected) in [
            (https, PEM, own),
            (https, "", Ok(None)),
            (https, " \r\n", Ok(None)),
            ("http://bot.example/x", "", Ok(None)),
            (https, windows.as_str(), Ok(Some(windows.trim().to_owned()))),
            (https, &with_words, Ok(Some(with_words.trim().to_owned()))),
            (https, &twice, Ok(Some(twice.trim().to_owned()))),
            (https, &long, Err(AuthorityError::Length)),
            (https, cut, Err(AuthorityError::Unusable)),
            (https, &garbled, Err(AuthorityError::Unusable)),
            (https, "nonsense", Err(AuthorityError::Unusable)),
            (https, &key, Err(AuthorityError::Key)),
            ("http://bot.example/x", PEM, Err(AuthorityError::Clear)),
        ] {
            assert_eq!(kept(url, pem), expected, "{url} {pem}");
        }
    }
}
