//! Asks Telegram, once.
//!
//! In: `[telegram]` and a path. Out: the status and the body of the answer. Invariant: no redirect is
//! followed, because a token stands in the path; no error holds the path; an answer has ten seconds
//! and 64 KiB.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use awc::error::{ConnectError, PayloadError, SendRequestError};
use awc::{Client, Connector};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use serde::Deserialize;

const PATIENCE: Duration = Duration::from_secs(10);
const LARGEST: usize = 64 * 1024;

/// `[telegram]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Section {
    /// The Bot API, without credentials (`Config::load` refuses them).
    pub url: String,
    /// A file of authorities to trust besides the public ones. Empty: none.
    pub ca_file: String,
    /// The local address to ask from. Empty: the system's choice.
    pub bind: String,
}

/// Telegram gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// `telegram.ca_file`.
    #[error("the authorities in {path} (telegram.ca_file) cannot be used: {reason}")]
    Authorities {
        /// The file.
        path: String,
        /// Why.
        reason: String,
    },
    /// `telegram.url`, or the way there.
    #[error(
        "{url} (telegram.url) cannot be reached: {reason}; check this machine's network, and telegram.ca_file if the server's certificate is your own"
    )]
    Unreachable {
        /// Where it was looked for.
        url: String,
        /// Why.
        reason: String,
    },
}

/// What was answered.
#[derive(Debug)]
pub struct Answered {
    /// Of HTTP.
    pub status: u16,
    /// A Gramtap answered, not Telegram: it says so in a header.
    pub is_ours: bool,
    /// As it came.
    pub body: Vec<u8>,
}

/// GETs a path, which begins with a slash, below `telegram.url`.
///
/// # Errors
/// There was no answer, or none to be believed; what to do is said.
pub async fn get(section: &Section, path: &str) -> Result<Answered, AskError> {
    let url = section.url.trim_end_matches('/');
    let unreachable = |reason: String| AskError::Unreachable {
        url: url.to_owned(),
        reason,
    };
    let client = client(section)?;
    let mut response = client
        .get(format!("{url}{path}"))
        .send()
        .await
        .map_err(|error| unreachable(reason(&error)))?;
    let status = response.status().as_u16();
    let is_ours = response.headers().contains_key("gramtap-error");
    let body = response
        .body()
        .limit(LARGEST)
        .await
        .map_err(|error| unreachable(cut(&error)))?;
    Ok(Answered {
        status,
        is_ours,
        body: body.to_vec(),
    })
}

fn client(section: &Section) -> Result<Client, AskError> {
    let tls = tls(&section.ca_file).map_err(|reason| AskError::Authorities {
        path: section.ca_file.clone(),
        reason,
    })?;
    let connector = Connector::new()
        .rustls_0_23(Arc::new(tls))
        .timeout(PATIENCE)
        .handshake_timeout(PATIENCE);
    let mut builder = Client::builder()
        .connector(connector)
        .disable_redirects()
        .timeout(PATIENCE);
    if let Ok(address) = section.bind.parse() {
        builder = builder.local_address(address);
    }
    Ok(builder.finish())
}

/// Trusts the public authorities and those of the file.
fn tls(ca_file: &str) -> Result<ClientConfig, String> {
    let mut roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    if !ca_file.is_empty() {
        let certificates =
            CertificateDer::pem_file_iter(Path::new(ca_file)).map_err(|error| error.to_string())?;
        for certificate in certificates {
            let certificate = certificate.map_err(|error| error.to_string())?;
            roots.add(certificate).map_err(|error| error.to_string())?;
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| error.to_string())?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

/// awc's own texts may hold the request's address, so only those known not to are passed on.
fn reason(error: &SendRequestError) -> String {
    match error {
        SendRequestError::Connect(ConnectError::Timeout) | SendRequestError::Timeout => {
            format!("no answer within {} seconds", PATIENCE.as_secs())
        }
        SendRequestError::Connect(error) => error.to_string(),
        SendRequestError::Send(error) => error.to_string(),
        SendRequestError::Response(_) => "what it answers is not HTTP".to_owned(),
        _ => "the request could not be sent".to_owned(),
    }
}

fn cut(error: &PayloadError) -> String {
    match error {
        PayloadError::Overflow => {
            format!("its answer is larger than {LARGEST} bytes, which no Bot API's is")
        }
        _ => "its answer was cut short".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn section(url: &str, ca_file: &str) -> Section {
        Section {
            url: url.to_owned(),
            ca_file: ca_file.to_owned(),
            bind: String::new(),
        }
    }

    #[actix_rt::test]
    async fn errors_name_the_setting_and_hold_no_path() {
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = silent.local_addr().unwrap();
        drop(silent);
        for (section, key) in [
            (section(&format!("http://{address}"), ""), "telegram.url"),
            (
                section("https://127.0.0.1:1", "/no/such.pem"),
                "telegram.ca_file",
            ),
        ] {
            let Err(error) = get(&section, "/bot1:canary/getMe").await else {
                panic!("{key}: an answer");
            };
            let text = format!("{error} {error:?}");
            assert!(text.contains(key) && !text.contains("canary"), "{text}");
        }
    }
}
