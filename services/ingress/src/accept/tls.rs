//! TLS of the bots' listener.
//!
//! In: `ingress.tls_cert_file`, `ingress.tls_key_file`. Out: rustls' configuration for actix-web.
//! HTTP/1.1 alone: a bot's library that offers h2 falls back to it. Invariant: a listener never
//! starts without a certificate it can use; a renewed file is taken on SIGHUP, and one that
//! cannot be read leaves the old certificate in place.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use crate::config::IngressSection;

/// The certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TlsError {
    /// A file cannot be read as PEM.
    #[error("{file} cannot be read (ingress.{key})")]
    File {
        /// The file.
        file: String,
        /// The setting that names it.
        key: &'static str,
        /// Why.
        #[source]
        source: rustls_pki_types::pem::Error,
    },
    /// Certificate and key do not fit.
    #[error("the certificate and the key of the listener do not fit together")]
    Pair(#[source] rustls::Error),
}

/// Every certificate in use, to be read again.
static IN_USE: Mutex<Vec<Arc<Certificate>>> = Mutex::new(Vec::new());

#[derive(Debug)]
struct Certificate {
    settings: IngressSection,
    current: RwLock<Arc<CertifiedKey>>,
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(
            &self.current.read().unwrap_or_else(PoisonError::into_inner),
        ))
    }
}

/// The listener's configuration; none where it speaks plain HTTP.
pub(crate) fn config(settings: &IngressSection) -> Result<Option<ServerConfig>, TlsError> {
    if settings.tls_cert_file.is_empty() {
        return Ok(None);
    }
    let current = RwLock::new(Arc::new(read(settings)?));
    let certificate = Arc::new(Certificate {
        settings: settings.clone(),
        current,
    });
    IN_USE
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(Arc::clone(&certificate));
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Pair)?;
    Ok(Some(
        builder
            .with_no_client_auth()
            .with_cert_resolver(certificate),
    ))
}

/// Reads the files again.
pub(crate) fn reload() {
    for certificate in IN_USE.lock().unwrap_or_else(PoisonError::into_inner).iter() {
        match read(&certificate.settings) {
            Ok(fresh) => {
                *certificate
                    .current
                    .write()
                    .unwrap_or_else(PoisonError::into_inner) = Arc::new(fresh);
                tracing::info!(
                    file = certificate.settings.tls_cert_file,
                    "the certificate was read again"
                );
            }
            Err(error) => tracing::error!(
                error = &error as &dyn std::error::Error,
                "the old certificate stays"
            ),
        }
    }
}

fn read(settings: &IngressSection) -> Result<CertifiedKey, TlsError> {
    let unreadable = |file: &str, key| {
        let file = file.to_owned();
        move |source| TlsError::File { file, key, source }
    };
    let (cert, key) = (&settings.tls_cert_file, &settings.tls_key_file);
    let chain = CertificateDer::pem_file_iter(Path::new(cert)).and_then(Iterator::collect);
    let chain: Vec<_> = chain.map_err(unreadable(cert, "tls_cert_file"))?;
    let key =
        PrivateKeyDer::from_pem_file(Path::new(key)).map_err(unreadable(key, "tls_key_file"))?;
    CertifiedKey::from_der(chain, key, &ring::default_provider()).map_err(TlsError::Pair)
}
