//! TLS towards an upstream: whom to trust, and what is offered.
//!
//! In: the file of authorities of `upstream`. Out: the rustls configuration that `dial`
//! connects with; sessions are resumed through it, across connections and workers.
//! Invariant: the provider is named here and does not depend on a process default; http/1.1
//! is the only protocol offered. The byte stream itself is in `tls/session.rs`.

mod session;

use std::{path::Path, sync::Arc};

use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, pem::PemObject};

use crate::upstream::UpstreamError;
pub(crate) use session::Session;

/// Trusts the public authorities and those of the file.
pub(crate) fn client_config(ca_file: Option<&Path>) -> Result<Arc<ClientConfig>, UpstreamError> {
    let mut roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    if let Some(path) = ca_file {
        let unreadable = |source| UpstreamError::CaFile {
            path: path.to_owned(),
            source,
        };
        let authorities = CertificateDer::pem_file_iter(path)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(unreadable)?;
        let (added, ignored) = roots.add_parsable_certificates(authorities);
        if added == 0 || ignored > 0 {
            return Err(UpstreamError::NoAuthority {
                path: path.to_owned(),
            });
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(UpstreamError::Tls)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
