//! A browser that loads pages and nothing else.
//!
//! In: the console's address and a link that lets somebody in. Out: when the first byte of a page came, and how long it is.
//! Invariant: each page is asked for on a connection of its own, as somebody's first page is; anything but a whole page that was meant
//! fails the bench.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// Longer than any page may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// Somebody who is signed in.
pub(crate) struct Browser {
    address: SocketAddr,
    cookie: String,
}

/// A page that came.
pub(crate) struct Page {
    /// From the request to the first byte.
    pub(crate) first: Duration,
    /// Of its HTML.
    pub(crate) bytes: usize,
}

impl Browser {
    /// Signs in by a link.
    pub(crate) fn enter(address: SocketAddr, link: &str) -> Self {
        let (_, answer) = ask(address, link, "");
        let cookie = answer.lines().find_map(|line| {
            let (name, value) = line.split_once(": ")?;
            let value = value.split(';').next()?;
            name.eq_ignore_ascii_case("set-cookie")
                .then(|| value.to_owned())
        });
        Self {
            address,
            cookie: cookie.expect("a cookie"),
        }
    }

    /// Loads a page.
    pub(crate) fn get(&self, path: &str) -> Page {
        let (first, answer) = ask(self.address, path, &self.cookie);
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        assert!(head.starts_with("HTTP/1.1 200 "), "{path}: {head}");
        assert!(body.trim_end().ends_with("</html>"), "{path} is cut off");
        Page {
            first,
            bytes: body.len(),
        }
    }
}

fn ask(address: SocketAddr, path: &str, cookie: &str) -> (Duration, String) {
    let began = Instant::now();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let request = format!(
        "GET {path} HTTP/1.1\r\nhost: {address}\r\ncookie: {cookie}\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = vec![0; 1];
    stream.read_exact(&mut answer).unwrap();
    let first = began.elapsed();
    stream.read_to_end(&mut answer).unwrap();
    (first, String::from_utf8(answer).unwrap())
}
