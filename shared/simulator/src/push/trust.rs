//! Which servers a push trusts.
//!
//! In: the certificate that came with setWebhook, authorities from the configuration (`config.rs`).
//! Out: the TLS settings for `dial.rs`. Invariant: what the bot uploaded is trusted in place of the
//! authorities, either as the server's own certificate or as its issuer; with neither, no server is
//! trusted. No ALPN, as with Telegram.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

/// The settings for one webhook: trusts what is uploaded, else the authorities in `pem`.
pub(crate) fn settings(uploaded: Option<&[u8]>, pem: Option<&str>) -> Result<ClientConfig, Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let known = certificates(uploaded.or(pem.map(str::as_bytes)).unwrap_or_default());
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(known.iter().cloned());
    let issued = if roots.is_empty() {
        None
    } else {
        let verifier =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
        verifier.build().ok()
    };
    let verifier = Trust {
        known: if uploaded.is_some() {
            known
        } else {
            Vec::new()
        },
        issued,
        provider: Arc::clone(&provider),
    };
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth())
}

/// PEM, or one certificate in DER.
fn certificates(bytes: &[u8]) -> Vec<CertificateDer<'static>> {
    let pem: Vec<_> = CertificateDer::pem_slice_iter(bytes).flatten().collect();
    if pem.is_empty() && !bytes.is_empty() {
        return vec![CertificateDer::from(bytes.to_vec())];
    }
    pem
}

#[derive(Debug)]
struct Trust {
    /// The server may show one of these as its own.
    known: Vec<CertificateDer<'static>>,
    /// Checks a chain that ends in an authority; none if there is no authority.
    issued: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Trust {
    fn verify_server_cert(
        &self,
        own: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if self
            .known
            .iter()
            .any(|known| known.as_ref() == own.as_ref())
        {
            return match verify_server_name(&ParsedCertificate::try_from(own)?, name) {
                // Made with a common name alone, as Telegram's guide does it.
                Err(Error::InvalidCertificate(CertificateError::NotValidForNameContext {
                    presented,
                    ..
                })) if presented.is_empty() => Ok(ServerCertVerified::assertion()),
                checked => checked.map(|()| ServerCertVerified::assertion()),
            };
        }
        match &self.issued {
            Some(issued) => issued.verify_server_cert(own, chain, name, ocsp, now),
            None => Err(CertificateError::UnknownIssuer.into()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        own: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, own, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        own: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, own, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
