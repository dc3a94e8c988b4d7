//! TLS towards an upstream: whom to trust, and what is offered.
//!
//! In: the file of authorities of `upstream`. Out: the rustls configuration that `dial`
//! connects with; sessions are resumed through it, across connections and workers.
//! Invariant: the provider is named here and does not depend on a process default; http/1.1
//! is the only protocol offered. The byte stream itself is in `tls/session.rs`.

mod given;
mod session;

use std::{path::Path, sync::Arc};

use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, pem::PemObject};

use crate::upstream::UpstreamError;
pub(crate) use session::Session;

/// Authorities that are trusted besides the public ones.
#[derive(Clone, Copy)]
pub(crate) enum Authorities<'a> {
    None,
    /// A PEM file.
    File(&'a Path),
    /// PEM itself.
    Text(&'a str),
}

/// Trusts the public authorities and those given.
pub(crate) fn client_config(
    authorities: Authorities<'_>,
) -> Result<Arc<ClientConfig>, UpstreamError> {
    let mut roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    let (path, given) = match authorities {
        Authorities::None => (Path::new(""), None),
        Authorities::File(path) => {
            let read = CertificateDer::pem_file_iter(path);
            (path, Some(read.and_then(Iterator::collect)))
        }
        Authorities::Text(pem) => {
            let read = CertificateDer::pem_slice_iter(pem.as_bytes());
            (Path::new("what was given"), Some(read.collect()))
        }
    };
    let own = matches!(authorities, Authorities::Text(_));
    let mut known = Vec::new();
    if let Some(given) = given {
        let given: Vec<CertificateDer<'_>> = given.map_err(|source| UpstreamError::CaFile {
            path: path.to_owned(),
            source,
        })?;
        if own {
            known.extend(given.iter().map(|one| one.clone().into_owned()));
        }
        let (added, ignored) = roots.add_parsable_certificates(given);
        if added == 0 || ignored > 0 {
            return Err(UpstreamError::NoAuthority {
                path: path.to_owned(),
            });
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(UpstreamError::Tls)?;
    let mut config = match known.is_empty() {
        true => builder.with_root_certificates(roots).with_no_client_auth(),
        false => {
            let verifier = given::Verifier::new(known, roots, provider)
                .map_err(|error| UpstreamError::Tls(rustls::Error::General(error.to_string())))?;
            builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(verifier))
                .with_no_client_auth()
        }
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
