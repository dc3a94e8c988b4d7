//! TLS records in odd shapes: split anywhere, fragmented, between changes of keys.

use std::{net::SocketAddr, sync::Arc};

use gramtap_outbound::Upstream;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use crate::{
    server::{call, pool, run, told},
    tls::{head, identity, serve, upstream, write},
};

/// Passes bytes on; those to the client in small pieces.
async fn trickle(address: SocketAddr, piece: usize) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let front = listener.local_addr().unwrap();
    tokio::task::spawn_local(async move {
        let (client, _) = listener.accept().await.unwrap();
        client.set_nodelay(true).unwrap();
        let server = TcpStream::connect(address).await.unwrap();
        let (mut from_client, mut to_client) = client.into_split();
        let (mut from_server, mut to_server) = server.into_split();
        let forth = async { tokio::io::copy(&mut from_client, &mut to_server).await.ok() };
        let back = async {
            let mut buffer = vec![0; 16 * 1024];
            loop {
                let read = from_server.read(&mut buffer).await.unwrap_or(0);
                if read == 0 {
                    break;
                }
                for piece in buffer[..read].chunks(piece) {
                    to_client.write_all(piece).await.unwrap();
                    tokio::task::yield_now().await;
                }
            }
        };
        tokio::join!(forth, back);
    });
    front
}

/// Answers two requests, the second with changed keys where there are any to change.
async fn answer_twice(mut tls: TlsStream<TcpStream>, body: Arc<Vec<u8>>) {
    for change_keys in [false, true] {
        head(&mut tls).await.unwrap();
        if change_keys {
            // TLS 1.2 has no such thing.
            tls.get_mut().1.refresh_traffic_keys().ok();
        }
        let start = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
        write(&mut tls, start.as_bytes()).await;
        write(&mut tls, &body).await;
    }
    // The client's own change of keys comes with its next words.
    head(&mut tls).await.unwrap();
    write(&mut tls, b"HTTP/1.1 204 No Content\r\n\r\n").await;
}

#[test]
fn records_may_be_split_anywhere() {
    run(async {
        let body = Arc::new((0..5_000).map(|at| at as u8).collect::<Vec<_>>());
        for version in [&rustls::version::TLS13, &rustls::version::TLS12] {
            for piece in [1, 3, 1000] {
                for fragment in [None, Some(64)] {
                    let mut identity = identity(&[version]);
                    let mut config = (*identity.config).clone();
                    config.max_fragment_size = fragment;
                    identity.config = Arc::new(config);
                    let content = body.clone();
                    let (address, _) =
                        serve(&identity, move |tls| answer_twice(tls, content.clone())).await;
                    let front = trickle(address, piece).await;
                    let (pool, upstream) = (pool(), upstream(&identity, front));
                    for _ in 0..2 {
                        assert!(call(&pool, &upstream).await.unwrap().1 == *body);
                    }
                    assert_eq!(call(&pool, &upstream).await.unwrap().0, 204);
                    assert_eq!(pool.open(), 1, "one connection for all");
                }
            }
        }
    });
}

#[test]
fn a_refused_certificate_is_told_to_the_server() {
    run(async {
        let identity = identity(rustls::ALL_VERSIONS);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!(
            "https://localhost:{}",
            listener.local_addr().unwrap().port()
        );
        let (tell, told_why) = oneshot::channel();
        let acceptor = TlsAcceptor::from(identity.config.clone());
        tokio::task::spawn_local(async move {
            let (tcp, _) = listener.accept().await.unwrap();
            tell.send(acceptor.accept(tcp).await.unwrap_err().to_string())
                .unwrap();
        });
        // The authority is not given.
        let fault = call(&pool(), &Upstream::new(&url, None, None).unwrap())
            .await
            .unwrap_err();
        assert_eq!(told(&fault), ("tls", "tls", false));
        assert!(told_why.await.unwrap().contains("UnknownCA"));
    });
}

#[test]
fn a_record_that_was_tampered_with_is_no_data() {
    run(async {
        let identity = identity(rustls::ALL_VERSIONS);
        let (address, _) = serve(&identity, |mut tls| async move {
            head(&mut tls).await.unwrap();
            write(&mut tls, b"HTTP/1.1 200 OK\r\n\r\nabc").await;
            // A record of application data that no key has made.
            let forged = [&[23, 3, 3, 0, 32][..], &[7; 32]].concat();
            tls.get_mut().0.write_all(&forged).await.unwrap();
            head(&mut tls).await;
        })
        .await;
        let (pool, upstream) = (pool(), upstream(&identity, address));
        let fault = call(&pool, &upstream).await.unwrap_err();
        assert_eq!(told(&fault), ("cut", "body", true));
        assert_eq!(pool.open(), 0);
    });
}
