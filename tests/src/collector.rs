//! Somebody whom traces are sent to.
//!
//! In: connections of processes that export spans. Out: every byte of them. Invariant: it answers
//! nothing, which an exporter has to bear, and keeps all, whatever it is. Ends with the test's runtime.

#![allow(
    clippy::disallowed_methods,
    reason = "a test's own tasks end with its runtime"
)]

use std::sync::{Arc, Mutex};

use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;

/// A collector that only listens.
#[derive(Debug)]
pub struct Collector {
    url: String,
    heard: Arc<Mutex<Vec<u8>>>,
}

impl Collector {
    /// Starts one.
    pub async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let heard = Arc::<Mutex<Vec<u8>>>::default();
        let all = Arc::clone(&heard);
        tokio::task::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let all = Arc::clone(&all);
                tokio::task::spawn(async move {
                    let mut part = vec![0; 64 << 10];
                    while let Ok(length @ 1..) = stream.read(&mut part).await {
                        all.lock().unwrap().extend_from_slice(&part[..length]);
                    }
                });
            }
        });
        Self { url, heard }
    }

    /// What `telemetry.otlp_endpoint` is to be.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// All that has come.
    #[must_use]
    pub fn heard(&self) -> Vec<u8> {
        self.heard.lock().unwrap().clone()
    }
}
