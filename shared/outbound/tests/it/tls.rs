//! Upstreams over TLS: whom they are trusted by, sessions, and what a close means.

use std::{cell::RefCell, io::Write, net::SocketAddr, rc::Rc, sync::Arc};

use futures_util::stream;
use gramtap_outbound::{Outgoing, Retry, Side, Upstream, UpstreamError};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::{HandshakeKind, ProtocolVersion, ServerConfig, SupportedProtocolVersion};
use rustls_pki_types::PrivateKeyDer;
use tempfile::NamedTempFile;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use crate::server::{call, get, pool, run, told, whole};

/// An authority and a certificate of `localhost` that it has signed.
pub(crate) struct Identity {
    authority: NamedTempFile,
    pub(crate) config: Arc<ServerConfig>,
}

pub(crate) fn identity(versions: &[&'static SupportedProtocolVersion]) -> Identity {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(["localhost".into()])
        .unwrap()
        .signed_by(&key, &issuer)
        .unwrap();
    let mut authority = NamedTempFile::new().unwrap();
    authority.write_all(issuer.pem().as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::Pkcs8(key.serialize_der().into()),
        )
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Identity {
        authority,
        config: Arc::new(config),
    }
}

/// What the server saw of a handshake.
#[derive(Debug, PartialEq)]
pub(crate) struct Shake {
    kind: HandshakeKind,
    version: ProtocolVersion,
    alpn: Option<Vec<u8>>,
}

pub(crate) type Shakes = Rc<RefCell<Vec<Shake>>>;

/// Runs the script for each connection that shakes hands.
pub(crate) async fn serve<F>(
    identity: &Identity,
    script: impl Fn(TlsStream<TcpStream>) -> F + 'static,
) -> (SocketAddr, Shakes)
where
    F: Future<Output = ()> + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let acceptor = TlsAcceptor::from(identity.config.clone());
    let shakes = Shakes::default();
    let record = shakes.clone();
    tokio::task::spawn_local(async move {
        loop {
            let (tcp, _) = listener.accept().await.unwrap();
            let Ok(tls) = acceptor.accept(tcp).await else {
                continue;
            };
            let session = tls.get_ref().1;
            record.borrow_mut().push(Shake {
                kind: session.handshake_kind().unwrap(),
                version: session.protocol_version().unwrap(),
                alpn: session.alpn_protocol().map(<[u8]>::to_vec),
            });
            tokio::task::spawn_local(script(tls));
        }
    });
    (address, shakes)
}

pub(crate) fn upstream(identity: &Identity, address: SocketAddr) -> Upstream {
    let url = format!("https://localhost:{}", address.port());
    Upstream::new(&url, Some(identity.authority.path()), None).unwrap()
}

/// Reads to the end of the head.
pub(crate) async fn head(tls: &mut TlsStream<TcpStream>) -> Option<()> {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        bytes.push(tls.read_u8().await.ok()?);
    }
    Some(())
}

pub(crate) async fn write(tls: &mut TlsStream<TcpStream>, bytes: &[u8]) {
    tls.write_all(bytes).await.unwrap();
    tls.flush().await.unwrap();
}

#[test]
fn connections_are_reused_and_sessions_resumed() {
    run(async {
        for (version, number) in [
            (&rustls::version::TLS13, ProtocolVersion::TLSv1_3),
            (&rustls::version::TLS12, ProtocolVersion::TLSv1_2),
        ] {
            let identity = identity(&[version]);
            let (address, shakes) = serve(&identity, |mut tls| async move {
                for closing in ["", "Connection: close\r\n"] {
                    head(&mut tls).await.unwrap();
                    let answer = format!("HTTP/1.1 200 OK\r\n{closing}Content-Length: 2\r\n\r\nok");
                    write(&mut tls, answer.as_bytes()).await;
                }
                tls.shutdown().await.ok();
            })
            .await;
            let (pool, upstream) = (pool(), upstream(&identity, address));
            for _ in 0..4 {
                assert_eq!(call(&pool, &upstream).await.unwrap(), (200, b"ok".to_vec()));
            }
            let shake = |kind| Shake {
                kind,
                version: number,
                alpn: Some(b"http/1.1".to_vec()),
            };
            let expected = [shake(HandshakeKind::Full), shake(HandshakeKind::Resumed)];
            assert_eq!(*shakes.borrow(), expected);
        }
    });
}

#[test]
fn an_authority_that_is_not_trusted_is_refused_before_a_byte_is_sent() {
    run(async {
        let identity = identity(rustls::ALL_VERSIONS);
        let (address, shakes) = serve(&identity, |_| async { panic!("let in") }).await;
        let url = format!("https://localhost:{}", address.port());
        let by_address = format!("https://127.0.0.1:{}", address.port());
        let table = [(url, None), (by_address, Some(identity.authority.path()))];
        for (url, authority) in table {
            let upstream = Upstream::new(&url, authority, None).unwrap();
            let fault = call(&pool(), &upstream).await.unwrap_err();
            assert_eq!(told(&fault), ("tls", "tls", false), "{url}");
            assert_eq!((fault.side(), fault.retry()), (Side::Upstream, Retry::Safe));
        }
        assert!(shakes.borrow().is_empty());
    });
}

#[test]
fn a_file_without_an_authority_is_refused() {
    let mut file = NamedTempFile::new().unwrap();
    for content in [
        "",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    ] {
        file.write_all(content.as_bytes()).unwrap();
        let refused = Upstream::new("https://h", Some(file.path()), None).unwrap_err();
        assert!(
            matches!(refused, UpstreamError::NoAuthority { .. }),
            "{refused:?}"
        );
    }
}

#[test]
fn only_a_close_that_is_announced_ends_a_body() {
    run(async {
        // Whether TLS says goodbye before TCP does, and what comes of a body without framing.
        for announced in [true, false] {
            let identity = identity(rustls::ALL_VERSIONS);
            let (address, _) = serve(&identity, move |mut tls| async move {
                head(&mut tls).await.unwrap();
                write(&mut tls, b"HTTP/1.1 200 OK\r\n\r\nabc").await;
                if announced {
                    tls.shutdown().await.unwrap();
                } else {
                    tls.get_mut().0.shutdown().await.unwrap();
                }
                let mut rest = Vec::new();
                tls.read_to_end(&mut rest).await.ok();
            })
            .await;
            let (pool, upstream) = (pool(), upstream(&identity, address));
            let outcome = call(&pool, &upstream).await;
            if announced {
                assert_eq!(outcome.unwrap(), (200, b"abc".to_vec()));
            } else {
                assert_eq!(told(&outcome.unwrap_err()), ("cut", "body", true));
            }
            assert_eq!(pool.open(), 0);
        }
    });
}

#[test]
fn a_framed_body_is_whole_without_a_goodbye_and_cut_with_one() {
    run(async {
        for (body, whole_) in [("ok!", true), ("ok", false)] {
            let identity = identity(rustls::ALL_VERSIONS);
            let (address, _) = serve(&identity, move |mut tls| async move {
                head(&mut tls).await.unwrap();
                let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{body}");
                write(&mut tls, answer.as_bytes()).await;
                if !whole_ {
                    tls.shutdown().await.unwrap();
                }
            })
            .await;
            let (pool, upstream) = (pool(), upstream(&identity, address));
            let outcome = call(&pool, &upstream).await;
            if whole_ {
                assert_eq!(outcome.unwrap().1, b"ok!");
            } else {
                assert_eq!(told(&outcome.unwrap_err()), ("cut", "body", true));
            }
        }
    });
}

#[test]
fn large_bodies_stream_both_ways_at_once() {
    const TOTAL: usize = 8 << 20;
    run(async {
        let identity = identity(rustls::ALL_VERSIONS);
        let (address, _) = serve(&identity, |mut tls| async move {
            head(&mut tls).await.unwrap();
            let start = format!("HTTP/1.1 200 OK\r\nContent-Length: {TOTAL}\r\n\r\n");
            write(&mut tls, start.as_bytes()).await;
            let (mut buffer, mut echoed) = (vec![0; 50_000], 0);
            while echoed < TOTAL {
                let read = tls.read(&mut buffer).await.unwrap();
                write(&mut tls, &buffer[..read]).await;
                echoed += read;
            }
            tls.read_u8().await.ok();
        })
        .await;
        let (pool, upstream) = (pool(), upstream(&identity, address));
        let content: bytes::Bytes = (0..TOTAL)
            .map(|at| ((at * 31) >> 7) as u8)
            .collect::<Vec<_>>()
            .into();
        let parts: Vec<_> = (0..TOTAL)
            .step_by(100_000)
            .map(|at| Ok::<_, std::io::Error>(content.slice(at..TOTAL.min(at + 100_000))))
            .collect();
        let body = Outgoing::stream(Some(TOTAL as u64), stream::iter(parts));
        let sending = pool.send(&upstream, get("/"), body, pool.limits());
        let (_, echo) = whole(sending.await.unwrap()).await.unwrap();
        assert!(echo == content, "the echo differs");
        assert_eq!(pool.open(), 1, "the connection is kept");
    });
}

#[test]
fn a_connection_that_says_goodbye_while_idle_is_not_used() {
    run(async {
        for announced in [true, false] {
            let identity = identity(rustls::ALL_VERSIONS);
            let (address, shakes) = serve(&identity, move |mut tls| async move {
                head(&mut tls).await.unwrap();
                write(&mut tls, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
                if announced {
                    tls.shutdown().await.unwrap();
                }
            })
            .await;
            let (pool, upstream) = (pool(), upstream(&identity, address));
            for round in 1..4 {
                assert_eq!(call(&pool, &upstream).await.unwrap().1, b"ok");
                // Lets the close arrive.
                while pool.open() > 0 {
                    // paced: asks again until it is so
                    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
                }
                assert_eq!(shakes.borrow().len(), round);
            }
        }
    });
}
