//! Large files, both ways, and who is slow over them.
//!
//! In: an embedded ingress, files whose bytes follow a pattern. Out: pass or fail: what arrives is
//! what was sent, and the process's memory does not grow with it: whoever does not read is not
//! read for. Content is compared as it comes, by pattern here and by CRC-32 in the simulator;
//! nobody holds a file.

#[path = "transfers/strait.rs"]
mod strait;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use flate2::Crc;
use gramtap_simulator::{CaptureConfig, FileSpec, Filter};
use gramtap_tests::{DEADLINE, Ingress, Installation, Stores, within};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::*;
use strait::Strait;

const WHOLE: u64 = 500_000_000;
/// With each framing but the first.
const SMALL: u64 = 50_000_000;
/// Of those who are slow.
const SLOW: u64 = 32 << 20;
const SLOW_ONES: usize = 4;
/// So much may the process grow.
const MEMORY: u64 = 20 << 20;
const BOUNDARY: &str = "the-boundary";
/// After so many bytes the simulator's pattern repeats.
const PERIOD: usize = 251;
const PIECE: usize = 64 << 10;

/// How an upload is framed.
#[derive(Clone, Copy)]
enum Framing {
    Length,
    Chunked,
}

/// The pattern from `at` on, at most a piece of it.
fn pattern(at: u64, left: u64) -> &'static [u8] {
    static PATTERN: std::sync::LazyLock<Vec<u8>> =
        std::sync::LazyLock::new(|| (0..PIECE + PERIOD).map(|at| (at % PERIOD) as u8).collect());
    let from = (at % PERIOD as u64) as usize;
    let length = left.min(PIECE as u64) as usize;
    &PATTERN[from..from + length]
}

/// What `size` bytes of the pattern come to.
fn crc32(size: u64) -> u32 {
    let (mut crc, mut at) = (Crc::new(), 0);
    while at < size {
        let piece = pattern(at, size - at);
        crc.update(piece);
        at += piece.len() as u64;
    }
    crc.sum()
}

/// Sends a document of so many bytes; counts them as the socket takes them.
async fn upload(
    mut stream: TcpStream,
    size: u64,
    framing: Framing,
    sent: Arc<AtomicU64>,
) -> String {
    let first = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"chat_id\"\r\n\r\n{USER}\r\n\
         --{BOUNDARY}\r\nContent-Disposition: form-data; name=\"document\"; filename=\"a.bin\"\r\n\r\n"
    );
    let last = format!("\r\n--{BOUNDARY}--\r\n");
    let framed = match framing {
        Framing::Length => {
            format!(
                "Content-Length: {}",
                first.len() as u64 + size + last.len() as u64
            )
        }
        Framing::Chunked => "Transfer-Encoding: chunked".to_owned(),
    };
    let head = format!(
        "POST /bot{TOKEN}/sendDocument HTTP/1.1\r\nHost: gramtap.test\r\nConnection: close\r\n\
         Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n{framed}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut at = 0;
    put(&mut stream, framing, first.as_bytes()).await;
    while at < size {
        let piece = pattern(at, size - at);
        put(&mut stream, framing, piece).await;
        at += piece.len() as u64;
        sent.store(at, Ordering::Relaxed);
    }
    put(&mut stream, framing, last.as_bytes()).await;
    if let Framing::Chunked = framing {
        stream.write_all(b"0\r\n\r\n").await.unwrap();
    }
    let mut answer = String::new();
    let read = within("an answer", stream.read_to_string(&mut answer)).await;
    read.unwrap();
    answer
}

async fn put(stream: &mut TcpStream, framing: Framing, piece: &[u8]) {
    if let Framing::Chunked = framing {
        let size = format!("{:x}\r\n", piece.len());
        stream.write_all(size.as_bytes()).await.unwrap();
    }
    let written = timeout(5 * DEADLINE, stream.write_all(piece)).await;
    written.expect("nobody reads").unwrap();
    if let Framing::Chunked = framing {
        stream.write_all(b"\r\n").await.unwrap();
    }
}

/// Asks for a file, and reads the answer's head.
async fn ask_for(mut stream: TcpStream, path: &str, size: u64) -> TcpStream {
    let head = format!(
        "GET /file/bot{TOKEN}/{path} HTTP/1.1\r\nHost: gramtap.test\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(within("a head", stream.read_u8()).await.unwrap());
    }
    let head = String::from_utf8(answer).unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert!(
        head.contains(&format!("\r\nContent-Length: {size}\r\n")),
        "{head}"
    );
    stream
}

/// Reads a file to its end, and the connection's.
async fn read(mut stream: TcpStream, size: u64) {
    let (mut at, mut piece) = (0, vec![0; PIECE]);
    while at < size {
        let count = within("more of a file", stream.read(&mut piece))
            .await
            .unwrap();
        assert!(count > 0, "{at} of {size} bytes");
        assert_eq!(
            &piece[..count],
            pattern(at, count as u64),
            "behind byte {at}"
        );
        at += count as u64;
    }
    assert_eq!(stream.read(&mut piece).await.unwrap(), 0, "too much");
}

/// A Telegram that takes and gives files of this size, and holds none of them.
async fn telegram() -> Telegram {
    Telegram::with(SimulatorConfig {
        upload_limit: 2 * WHOLE,
        download_limit: 2 * WHOLE,
        file_keep: 1_024,
        capture: CaptureConfig {
            body_limit: 1_024,
            ..CaptureConfig::default()
        },
        ..SimulatorConfig::default()
    })
    .await
}

fn add_file(telegram: &Telegram, size: u64) -> String {
    let spec = FileSpec {
        name: "a.bin".to_owned(),
        size,
        ..FileSpec::default()
    };
    telegram.control.add_file(&spec).file_path
}

/// The documents that arrived, whole, are so many of this size.
fn assert_arrived(telegram: &Telegram, size: u64, count: usize) {
    let uploads = telegram.control.requests(&Filter::method("sendDocument"));
    let files = uploads
        .iter()
        .filter(|one| one.complete)
        .flat_map(|one| &one.files);
    let sums: Vec<_> = files
        .filter(|it| it.size == size)
        .map(|it| it.crc32)
        .collect();
    assert_eq!(sums, vec![crc32(size); count]);
}

async fn connect(ingress: &Ingress) -> TcpStream {
    TcpStream::connect(ingress.address()).await.unwrap()
}

#[tokio::test]
async fn half_a_gigabyte_each_way_costs_no_memory() {
    let telegram = telegram().await;
    let installation = Installation::new(Stores::Embedded).await;
    installation.add(Some(BOT)).await;
    let ingress = Ingress::start(&installation, "ingress", &telegram.url()).await;
    let path = add_file(&telegram, WHOLE);
    let mut grown = Vec::new();
    let uploads = [
        (1_000_000, Framing::Length),
        (1_000_001, Framing::Chunked),
        (WHOLE, Framing::Length),
        (SMALL, Framing::Chunked),
    ];
    for (size, framing) in uploads {
        let (before, began) = (ingress.peak_memory(), Instant::now());
        let stream = connect(&ingress).await;
        let answer = upload(stream, size, framing, Arc::default()).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert_arrived(&telegram, size, 1);
        grown.push((
            size,
            ingress.peak_memory().saturating_sub(before),
            began.elapsed(),
        ));
    }
    let (before, began) = (ingress.peak_memory(), Instant::now());
    read(ask_for(connect(&ingress).await, &path, WHOLE).await, WHOLE).await;
    grown.push((
        WHOLE,
        ingress.peak_memory().saturating_sub(before),
        began.elapsed(),
    ));
    println!("sizes, growth, times: {grown:?}");
    // The first calls also pay for what every process needs once.
    let sum: u64 = grown[2..].iter().map(|it| it.1).sum();
    assert!(sum < MEMORY, "{grown:?}");
    ingress.stop().await;
}

#[tokio::test]
async fn whoever_stops_reading_is_not_read_for() {
    let telegram = telegram().await;
    let strait = Strait::start(telegram.simulator.http_addr().unwrap()).await;
    let installation = Installation::new(Stores::Embedded).await;
    installation.add(Some(BOT)).await;
    let url = format!("http://{}", strait.address());
    let ingress = Ingress::start(&installation, "ingress", &url).await;
    let path = add_file(&telegram, SLOW);
    // The first calls also pay for what every process needs once.
    let answer = upload(
        connect(&ingress).await,
        1_000_000,
        Framing::Length,
        Arc::default(),
    )
    .await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    let before = ingress.peak_memory();

    // Bots that do not read what they asked for.
    let mut downloads = Vec::new();
    for _ in 0..SLOW_ONES {
        downloads.push(ask_for(connect(&ingress).await, &path, SLOW).await);
    }
    settled("downloads", || strait.passed()).await;
    // A Telegram that does not read what it is sent.
    strait.close();
    let sent: Vec<Arc<AtomicU64>> = (0..SLOW_ONES).map(|_| Arc::default()).collect();
    let mut uploads = JoinSet::new();
    for (at, sent) in sent.iter().enumerate() {
        let framing = if at % 2 == 0 {
            Framing::Length
        } else {
            Framing::Chunked
        };
        uploads.spawn(upload(
            connect(&ingress).await,
            SLOW,
            framing,
            Arc::clone(sent),
        ));
    }
    let taken = || {
        sent.iter()
            .map(|it| it.load(Ordering::Relaxed))
            .sum::<u64>()
    };
    settled("uploads", taken).await;
    let grown = ingress.peak_memory().saturating_sub(before);
    let (given, taken) = (strait.passed(), taken());
    println!("stopped: {given} bytes given, {taken} taken, {grown} bytes of memory");
    assert!(grown < MEMORY, "{grown} bytes");
    // What is on the way is in the system's buffers.
    assert!(given < SLOW * SLOW_ONES as u64, "{given} bytes given");
    assert!(taken < SLOW * SLOW_ONES as u64, "{taken} bytes taken");

    strait.open();
    for download in downloads {
        read(download, SLOW).await;
    }
    while let Some(answer) = uploads.join_next().await {
        assert!(answer.unwrap().starts_with("HTTP/1.1 200 OK\r\n"));
    }
    assert_arrived(&telegram, SLOW, SLOW_ONES);
    let grown = ingress.peak_memory().saturating_sub(before);
    println!("afterwards {grown} bytes of memory");
    assert!(grown < MEMORY, "{grown} bytes");
    ingress.stop().await;
}

/// Waits until this number has begun to grow and grows no more.
async fn settled(what: &str, number: impl Fn() -> u64) {
    let until = Instant::now() + DEADLINE;
    let mut still = 0;
    let mut last = number();
    while still < 10 {
        // paced: that nothing moves any more shows in time alone
        sleep(Duration::from_millis(100)).await;
        let now = number();
        still = if now == last && now > 0 { still + 1 } else { 0 };
        last = now;
        assert!(Instant::now() < until, "{what} do not stop");
    }
}
