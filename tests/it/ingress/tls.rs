//! Bots that call by TLS, and Telegram called by TLS.
//!
//! In: an embedded ingress with a certificate of an authority of the test's own; a simulator whose
//! authority is in `telegram.ca_file`. Out: pass or fail: what passes in plain HTTP passes here, at
//! each kind of address; a renewed certificate is taken on SIGHUP, a broken one is not; what is no
//! TLS ends and hurts nobody. Invariant: the client checks certificates as any library does.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use gramtap_simulator::Filter;
use gramtap_tests::{DEADLINE, Ingress, Installation, Stores, calls, within};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustix::process::Signal;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};
use tokio_rustls::TlsConnector;

use super::*;

const DOMAIN: &str = "gramtap.test";

/// An authority, and the files of the certificates that it signs.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    cert: PathBuf,
    key: PathBuf,
}

impl Authority {
    fn new(installation: &Installation) -> Self {
        let mut params = CertificateParams::default();
        let name = "Gramtap's tests";
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let [cert, key] = ["cert.pem", "key.pem"].map(|name| installation.folder().join(name));
        Self { issuer, cert, key }
    }

    /// A new certificate of the domain and all its codes' hosts; its key and itself as PEM.
    fn sign(&self) -> (String, String, CertificateDer<'static>) {
        let key = KeyPair::generate().unwrap();
        let names = [DOMAIN.to_owned(), format!("*.{DOMAIN}")];
        let params = CertificateParams::new(names).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let der = certificate.der().clone();
        (key.serialize_pem(), certificate.pem(), der)
    }

    /// Puts a new one where the process reads it.
    fn renew(&self) -> CertificateDer<'static> {
        let (key, cert, der) = self.sign();
        std::fs::write(&self.key, key).unwrap();
        std::fs::write(&self.cert, cert).unwrap();
        der
    }

    /// Connects as a library does that trusts this authority; also gives the certificate.
    async fn connect(&self, ingress: &Ingress, host: &str) -> (Client, CertificateDer<'static>) {
        let mut roots = RootCertStore::empty();
        roots.add(self.issuer.der().clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        // As libraries do that could speak more.
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let stream = TcpStream::connect(ingress.address()).await.unwrap();
        let name = ServerName::try_from(host.to_owned()).unwrap();
        let connecting = TlsConnector::from(Arc::new(config)).connect(name, stream);
        let stream = within("a handshake", connecting).await.unwrap();
        let (_, session) = stream.get_ref();
        let shown = session.peer_certificates().unwrap()[0].clone().into_owned();
        (Client::over(stream), shown)
    }
}

/// An ingress that speaks TLS to both sides.
async fn start(installation: &Installation, authority: &Authority, telegram: &Telegram) -> Ingress {
    let ca = installation.folder().join("telegram-ca.pem");
    std::fs::write(&ca, telegram.simulator.ca_pem()).unwrap();
    let [cert, key, ca] = [&authority.cert, &authority.key, &ca].map(|it| it.to_str().unwrap());
    let more = [
        ("GRAMTAP_PUBLIC_URL", "https://gramtap.test"),
        ("GRAMTAP_INGRESS__TLS_CERT_FILE", cert),
        ("GRAMTAP_INGRESS__TLS_KEY_FILE", key),
        ("GRAMTAP_TELEGRAM__CA_FILE", ca),
    ];
    let url = telegram.simulator.tls_url();
    Ingress::with(installation, "ingress", &url, &more).await
}

fn at_host(host: &str, target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n")
}

#[tokio::test]
async fn every_address_serves_in_tls_and_parked_polls_are_drained() {
    let telegram = Telegram::start().await;
    let installation = Installation::new(Stores::Embedded).await;
    let authority = Authority::new(&installation);
    authority.renew();
    let tenant = installation.add(Some(BOT)).await;
    let code = tenant.code.to_string();
    let ingress = start(&installation, &authority, &telegram).await;

    let host = Ingress::host_of(&code);
    let get_me = format!("/bot{TOKEN}/getMe");
    for (sni, host, target) in [
        (DOMAIN, DOMAIN, get_me.clone()),
        (DOMAIN, DOMAIN, format!("/c/{code}{get_me}")),
        (host.as_str(), host.as_str(), get_me.clone()),
        // Whose it is, Host says, as without TLS.
        (DOMAIN, host.as_str(), get_me.clone()),
    ] {
        let (mut client, _) = authority.connect(&ingress, sni).await;
        let answer = client.ask(at_host(host, &target)).await;
        assert_eq!(answer.json()["result"]["id"], BOT, "{host} {target}");
    }
    let unknown = Ingress::host_of(&"a".repeat(26));
    let (mut client, _) = authority.connect(&ingress, &unknown).await;
    let refused = client.ask(at_host(&unknown, &get_me)).await;
    assert_eq!(refused.header("gramtap-error"), Some("code_unknown"));

    // Two megabytes in many of TLS' records, there and back.
    let bytes: Vec<u8> = (0..2 << 20).map(|at| (at % 251) as u8).collect();
    let (mut client, _) = authority.connect(&ingress, DOMAIN).await;
    client.send(upload(&bytes)).await;
    let sent = client.answer().await.unwrap().json();
    let file = sent["result"]["document"]["file_id"].as_str().unwrap();
    let asked = form(TOKEN, "getFile", &format!("file_id={file}"));
    let path = client.ask(asked).await.json()["result"]["file_path"].clone();
    let path = path.as_str().unwrap();
    let got = client.ask(get(&format!("/file/bot{TOKEN}/{path}"))).await;
    assert!(got.body == bytes, "{} bytes came back", got.body.len());

    // A poll that waits, is answered by an update, waits again, and is drained.
    let poll = form(TOKEN, "getUpdates", "timeout=50");
    client.send(&poll).await;
    telegram.control.wait_for_polls(1, DEADLINE).await;
    telegram.control.backlog(BOT, 1, 0).unwrap();
    let update = client.answer().await.unwrap().json()["result"][0]["update_id"].clone();
    let offset = update.as_i64().unwrap() + 1;
    let poll = form(TOKEN, "getUpdates", &format!("timeout=50&offset={offset}"));
    client.send(&poll).await;
    telegram.control.wait_for_polls(1, DEADLINE).await;
    ingress.sigterm();
    let drained = client.answer().await.unwrap();
    assert_eq!(drained.text(), r#"{"ok":true,"result":[]}"#);
    assert_eq!(drained.header("connection"), Some("close"));
    assert!(client.is_closed().await);
    let status = ingress.ended().await;
    assert!(status.success(), "{status}");
    let told = only_calls(calls(&installation.open_bus(), &[tenant.id]).await);
    assert_eq!(told.len(), 4 + 3 + 2);
    let over_tls = telegram.control.requests(&Filter::default());
    assert!(
        over_tls.iter().all(|it| it.tls),
        "Telegram was called in plain"
    );
}

#[tokio::test]
async fn a_renewed_certificate_is_taken_and_a_broken_one_is_not() {
    let telegram = Telegram::start().await;
    let installation = Installation::new(Stores::Embedded).await;
    let authority = Authority::new(&installation);
    let first = authority.renew();
    installation.add(Some(BOT)).await;
    let ingress = start(&installation, &authority, &telegram).await;
    let get_me = get(&format!("/bot{TOKEN}/getMe"));

    let (mut old, shown) = authority.connect(&ingress, DOMAIN).await;
    assert_eq!(shown, first);
    assert_eq!(old.ask(&get_me).await.status(), 200);
    let second = authority.renew();
    ingress.signal(Signal::HUP);
    let until = Instant::now() + DEADLINE;
    while authority.connect(&ingress, DOMAIN).await.1 != second {
        assert!(Instant::now() < until, "the old certificate stays");
        // paced: a signal is not answered
        sleep(Duration::from_millis(20)).await;
    }
    // Who was connected stays so.
    assert_eq!(old.ask(&get_me).await.status(), 200);

    // A certificate whose key has not come yet.
    let (_, cert, _) = authority.sign();
    std::fs::write(&authority.cert, cert).unwrap();
    ingress.signal(Signal::HUP);
    while !ingress.words().contains("the old certificate stays") {
        assert!(Instant::now() < until, "{}", ingress.words());
        // paced: waits for a line of the log
        sleep(Duration::from_millis(20)).await;
    }
    let (mut client, shown) = authority.connect(&ingress, DOMAIN).await;
    assert_eq!(shown, second);
    assert_eq!(client.ask(&get_me).await.status(), 200);

    // No TLS: an alert and the end, and the others do not notice.
    for words in [get_me.as_bytes(), b"\x16\x03\x01\x00\x05hello", b"\0"] {
        let mut plain = TcpStream::connect(ingress.address()).await.unwrap();
        plain.write_all(words).await.unwrap();
        plain.shutdown().await.unwrap();
        let mut said = Vec::new();
        // A reset ends it as well.
        within("the end", plain.read_to_end(&mut said)).await.ok();
        assert!(said.len() <= 7, "{}", String::from_utf8_lossy(&said));
        assert!(said.is_empty() || said[0] == 21, "no alert: {said:?}");
    }
    assert_eq!(client.ask(&get_me).await.status(), 200);
    drop((old, client));
    ingress.stop().await;
}

fn upload(content: &[u8]) -> Vec<u8> {
    let mut body = format!(
        "--it\r\nContent-Disposition: form-data; name=\"chat_id\"\r\n\r\n{USER}\r\n--it\r\n\
         Content-Disposition: form-data; name=\"document\"; filename=\"a.bin\"\r\n\r\n"
    )
    .into_bytes();
    body.extend_from_slice(content);
    body.extend_from_slice(b"\r\n--it--\r\n");
    let mut request = format!(
        "POST /bot{TOKEN}/sendDocument HTTP/1.1\r\nHost: {DOMAIN}\r\n\
         Content-Type: multipart/form-data; boundary=it\r\nContent-Length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    request.extend_from_slice(&body);
    request
}
