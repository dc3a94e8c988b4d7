//! §2.4, webhook delivery, row "transport": TLS, and whom it trusts.
//!
//! In: endpoints with certificates of every kind. Out: pushes that arrive, or the words for those
//! that do not.

use std::net::SocketAddr;
use std::sync::Arc;

use gramtap_simulator::{Clock, SimulatorConfig, WebhookRules};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::net::TcpListener;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use crate::endpoint::{Line, OK};
use crate::pushes::{ended, info};
use crate::wire::{BOT, PATIENCE, Stage, TOKEN, USER, post};

const NOT_TRUSTED: &str = "SSL error {error:0A000086:SSL routines::certificate verify failed}";

/// A certificate and its key.
struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: KeyPair,
    pem: String,
}

/// An authority.
fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut parameters = CertificateParams::new(Vec::new()).unwrap();
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap()
}

fn issued(authority: &CertifiedIssuer<'static, KeyPair>, name: &str) -> Identity {
    let key = KeyPair::generate().unwrap();
    let parameters = CertificateParams::new(vec![name.to_owned()]).unwrap();
    let own = parameters.signed_by(&key, authority).unwrap();
    Identity {
        chain: vec![own.der().clone()],
        key,
        pem: own.pem(),
    }
}

/// As `openssl req -x509` makes it: its own authority, perhaps with a common name alone.
fn self_made(names: &[&str]) -> Identity {
    let key = KeyPair::generate().unwrap();
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut parameters = CertificateParams::new(names).unwrap();
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters
        .distinguished_name
        .push(DnType::CommonName, "bot.example");
    let own = parameters.self_signed(&key).unwrap();
    Identity {
        chain: vec![own.der().clone()],
        key,
        pem: own.pem(),
    }
}

struct Server {
    listener: TcpListener,
    acceptor: TlsAcceptor,
    address: SocketAddr,
}

impl Server {
    async fn start(identity: &Identity) -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(identity.key.serialize_der()));
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(identity.chain.clone(), key)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self {
            address: listener.local_addr().unwrap(),
            acceptor: TlsAcceptor::from(Arc::new(config)),
            listener,
        }
    }

    /// The name asked for, and the connection; none if the simulator refused.
    async fn line(
        &self,
    ) -> Option<(
        String,
        Line<tokio_rustls::server::TlsStream<tokio::net::TcpStream>>,
    )> {
        let accepted = timeout(PATIENCE, self.listener.accept()).await.unwrap();
        let secured = timeout(PATIENCE, self.acceptor.accept(accepted.unwrap().0))
            .await
            .unwrap();
        let secured = secured.ok()?;
        let session = secured.get_ref().1;
        assert_eq!(session.alpn_protocol(), None);
        let name = session.server_name().unwrap_or_default().to_owned();
        Some((name, Line::new(secured)))
    }
}

/// A stage with Telegram's own rules where `bot.example` is the server; the webhook is set, with this
/// certificate or none.
async fn stage(server: &Server, ca: Option<String>, certificate: Option<&str>) -> Stage {
    let stage = Stage::with(SimulatorConfig {
        clock: Clock::manual(),
        webhook_rules: WebhookRules::Cloud,
        webhook_hosts: vec![("bot.example".to_owned(), server.address)],
        webhook_ca: ca,
        ..SimulatorConfig::default()
    })
    .await;
    let mut form =
        "--B\r\nContent-Disposition: form-data; name=\"url\"\r\n\r\nhttps://bot.example/hook\r\n"
            .to_owned();
    if let Some(pem) = certificate {
        form += &format!(
            "--B\r\nContent-Disposition: form-data; name=\"certificate\"; filename=\"c.pem\"\r\n\r\n{pem}\r\n"
        );
    }
    form += "--B--\r\n";
    let target = format!("/bot{TOKEN}/setWebhook");
    let order = post(&target, "multipart/form-data; boundary=B", &form);
    stage.client().await.ask(order).await.result();
    stage.control.say(BOT, USER, "secret").unwrap();
    stage
}

async fn arrives(server: &Server, stage: &Stage) {
    let (name, mut line) = server.line().await.expect("trusted");
    let push = line.push().await;
    assert!(
        push.head
            .starts_with("POST /hook HTTP/1.1\r\nHost: bot.example\r\n"),
        "{}",
        push.head
    );
    assert_eq!(
        (name.as_str(), push.text().as_str()),
        ("bot.example", "secret")
    );
    line.answer(OK).await;
    assert_eq!(ended(stage, 1).await.pending_updates, 0);
    assert_eq!(info(stage).await["ip_address"], "127.0.0.1");
}

async fn is_refused(server: &Server, stage: &Stage) {
    assert!(server.line().await.is_none());
    ended(stage, 1).await;
    assert_eq!(info(stage).await["last_error_message"], NOT_TRUSTED);
}

#[tokio::test]
async fn an_authority_of_the_configuration_is_trusted() {
    let authority = authority();
    let server = Server::start(&issued(&authority, "bot.example")).await;
    let trusting = stage(&server, Some(authority.pem()), None).await;
    arrives(&server, &trusting).await;
    assert_eq!(info(&trusting).await["has_custom_certificate"], false);
    is_refused(&server, &stage(&server, None, None).await).await;
    let other = Server::start(&issued(&authority, "other.example")).await;
    is_refused(&other, &stage(&other, Some(authority.pem()), None).await).await;
}

#[tokio::test]
async fn an_uploaded_certificate_is_trusted_instead() {
    for names in [&["bot.example"][..], &[]] {
        let own = self_made(names);
        let server = Server::start(&own).await;
        let trusting = stage(&server, None, Some(&own.pem)).await;
        arrives(&server, &trusting).await;
        assert_eq!(info(&trusting).await["has_custom_certificate"], true);
    }
    let elsewhere = self_made(&["other.example"]);
    let server = Server::start(&elsewhere).await;
    is_refused(&server, &stage(&server, None, Some(&elsewhere.pem)).await).await;

    let authority = authority();
    let server = Server::start(&issued(&authority, "bot.example")).await;
    arrives(&server, &stage(&server, None, Some(&authority.pem())).await).await;
    // What is uploaded takes the place of what is configured.
    let other = self_made(&["bot.example"]);
    is_refused(
        &server,
        &stage(&server, Some(authority.pem()), Some(&other.pem)).await,
    )
    .await;
}

#[tokio::test]
async fn a_server_without_tls_is_a_failure_with_a_word() {
    let server = Server::start(&self_made(&["bot.example"])).await;
    let stage = stage(&server, None, None).await;
    let (mut stream, _) = server.listener.accept().await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut stream, b"HTTP/1.1 400 Bad Request\r\n\r\n")
        .await
        .unwrap();
    ended(&stage, 1).await;
    let seen = info(&stage).await["last_error_message"].to_string();
    assert!(seen.contains("SSL error {"), "{seen}");
}
