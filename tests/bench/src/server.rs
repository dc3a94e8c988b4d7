//! A listener on a thread of its own, with the measuring side's core.
//!
//! In: a name, what to do with a connection. Out: where it listens. Invariant: what goes wrong on a connection is told and ends that connection; one that breaks
//! off, as those of a process that is ended do, is nothing to tell. Ends with the process.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::{Context as _, Result};
use tokio::net::{TcpListener, TcpStream};

/// Serves each connection by a task.
pub(crate) fn start<S, F>(name: &'static str, serve: S) -> Result<SocketAddr>
where
    S: Fn(TcpStream) -> F + Send + 'static,
    F: Future<Output = Result<()>> + Send + 'static,
{
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let run = move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(accept(name, listener, serve))
    };
    let thread = std::thread::Builder::new().name(name.to_owned());
    thread.spawn(move || {
        if let Err(error) = run() {
            eprintln!("{name} has ended: {error:#}");
        }
    })?;
    Ok(address)
}

async fn accept<S, F>(name: &'static str, listener: std::net::TcpListener, serve: S) -> Result<()>
where
    S: Fn(TcpStream) -> F,
    F: Future<Output = Result<()>> + Send + 'static,
{
    let listener = TcpListener::from_std(listener)?;
    loop {
        let (stream, _) = listener.accept().await.context("accept")?;
        stream.set_nodelay(true)?;
        let served = serve(stream);
        tokio::spawn(async move {
            if let Err(error) = served.await
                && !error.is::<std::io::Error>()
            {
                eprintln!("{name}: {error:#}");
            }
        });
    }
}
