//! Trusts a certificate that was given for one server, as the server's own.
//!
//! In: what a bot gives with its webhook, as PEM; the authorities besides. Out: the verifier of that server's connections. Bots give what `openssl req -x509` makes: a certificate that is its own
//! authority, which the usual check refuses as a server's. Invariant: only the very bytes that were given are trusted so, for the name that is called; whatever else
//! a server shows is checked as ever. Signatures are always checked.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{VerifierBuilderError, WebPkiServerVerifier, verify_server_name};
use rustls::crypto::CryptoProvider;
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

/// The verifier.
#[derive(Debug)]
pub(super) struct Verifier {
    given: Vec<CertificateDer<'static>>,
    usual: Arc<WebPkiServerVerifier>,
}

impl Verifier {
    /// `roots` are the authorities, those that were given among them.
    pub(super) fn new(
        given: Vec<CertificateDer<'static>>,
        roots: RootCertStore,
        provider: Arc<CryptoProvider>,
    ) -> Result<Self, VerifierBuilderError> {
        let usual =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build()?;
        Ok(Self { given, usual })
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        own: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if !self
            .given
            .iter()
            .any(|given| given.as_ref() == own.as_ref())
        {
            return self.usual.verify_server_cert(own, chain, name, ocsp, now);
        }
        match verify_server_name(&ParsedCertificate::try_from(own)?, name) {
            // Made with a common name alone, which nobody reads any more. It is this very certificate all the same.
            Err(Error::InvalidCertificate(CertificateError::NotValidForNameContext {
                presented,
                ..
            })) if presented.is_empty() => Ok(ServerCertVerified::assertion()),
            checked => checked.map(|()| ServerCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        own: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.usual.verify_tls12_signature(message, own, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        own: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.usual.verify_tls13_signature(message, own, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.usual.supported_verify_schemes()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};

    /// As `openssl req -x509` makes it.
    fn self_made(names: &[&str]) -> CertificateDer<'static> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut parameters = CertificateParams::new(names).unwrap();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        parameters.self_signed(&key).unwrap().der().clone()
    }

    fn trusts(given: &CertificateDer<'static>, shown: &CertificateDer<'_>, name: &str) -> bool {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(given.clone()).unwrap();
        let verifier = Verifier::new(vec![given.clone()], roots, provider).unwrap();
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let checked = verifier.verify_server_cert(shown, &[], &name, &[], UnixTime::now());
        checked.is_ok()
    }

    #[test]
    fn the_very_certificate_is_trusted_for_its_name_alone() {
        let (own, other) = (self_made(&["bot.example"]), self_made(&["bot.example"]));
        assert!(trusts(&own, &own, "bot.example"));
        assert!(!trusts(&own, &own, "other.example"));
        assert!(!trusts(&own, &other, "bot.example"));
        let nameless = self_made(&[]);
        assert!(trusts(&nameless, &nameless, "bot.example"));
        assert!(!trusts(&nameless, &own, "bot.example"));
    }
}
