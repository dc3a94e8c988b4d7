//! One request and its answer on an open connection.
//!
//! In: a stream (`dial.rs`), the bytes of a request. Out: the answer, taken in; and how far it had
//! come, whatever ended it. Invariant: writes and reads at once, as an answer may come early; of what
//! came nothing is read twice, and what is behind an answer waits for the next.

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};

use super::dial::{self, Stream};
use super::response::Reply;
use super::verdict::Broken;
use crate::config::SimulatorConfig;
use crate::http::Refusal;
use crate::http::framing::{Body, Step};
use crate::http::head::Head;
use crate::http::intake::Taken;

/// Read at once.
const PIECE: usize = 16 << 10;
/// What a server may send that was not asked.
const AHEAD: usize = 64 << 10;

/// An open connection.
pub(crate) struct Link {
    stream: Box<dyn Stream>,
    /// Received and not yet read.
    arrived: BytesMut,
}

/// How far an exchange has come.
#[derive(Default)]
pub(crate) struct Progress {
    /// The request is out.
    pub(crate) written: bool,
    pub(crate) heard: Heard,
}

/// What has come of an answer.
#[derive(Default)]
pub(crate) struct Heard {
    pub(crate) head: Bytes,
    /// With its framing, at most as much as is kept.
    pub(crate) body: Vec<u8>,
}

impl Link {
    pub(crate) fn over(stream: Box<dyn Stream>) -> Self {
        Self {
            stream,
            arrived: BytesMut::new(),
        }
    }

    /// Writes a request and reads its answer.
    pub(crate) async fn exchange(
        &mut self,
        request: &[u8],
        config: &SimulatorConfig,
        progress: &mut Progress,
    ) -> Result<(Reply, Taken), Broken> {
        let Progress { written, heard } = progress;
        let (mut source, mut sink) = tokio::io::split(&mut self.stream);
        let writing = async {
            sink.write_all(request).await?;
            sink.flush().await
        };
        let reading = answer(&mut source, &mut self.arrived, config, heard);
        tokio::pin!(writing, reading);
        let mut failed = None;
        loop {
            tokio::select! {
                biased;
                result = &mut writing, if failed.is_none() && !*written => match result {
                    Ok(()) => *written = true,
                    Err(error) => failed = Some(dial::system(error)),
                },
                result = &mut reading => {
                    // The end of a connection that could not be written to is not the news.
                    return match (result, failed) {
                        (Err(Broken::Closed), Some(failed)) => Err(failed),
                        (result, _) => result,
                    };
                }
            }
        }
    }

    /// Ends when the server closes; what it sends without being asked is kept.
    pub(crate) async fn gone(&mut self) {
        while self.arrived.len() < AHEAD {
            if !matches!(self.stream.read_buf(&mut self.arrived).await, Ok(1..)) {
                return;
            }
        }
    }
}

impl Heard {
    fn hear(&mut self, wire: &[Bytes], most: usize) {
        for bytes in wire {
            let room = most.saturating_sub(self.body.len()).min(bytes.len());
            self.body.extend_from_slice(&bytes[..room]);
        }
    }
}

/// Reads an answer whole.
async fn answer(
    source: &mut (impl AsyncRead + Unpin),
    arrived: &mut BytesMut,
    config: &SimulatorConfig,
    heard: &mut Heard,
) -> Result<(Reply, Taken), Broken> {
    let unreadable = |refusal: Refusal| Broken::Unreadable(refusal.reason);
    let head = loop {
        if let Some(head) = Head::cut(arrived).map_err(unreadable)? {
            break head;
        }
        more(source, arrived).await?;
    };
    heard.head = head.clone();
    let reply = Reply::read(&head)?;
    let mut intake = reply.intake(config.file_keep)?;
    let mut body = Body::new(reply.framing, true);
    loop {
        let step = body.step(arrived).map_err(unreadable)?;
        heard.hear(&body.wire(), config.capture.body_limit);
        match step {
            Step::Content(content) => intake.push(&content).map_err(unreadable)?,
            Step::Hungry => more(source, arrived).await?,
            Step::Done => break,
        }
    }
    Ok((reply, intake.finish().map_err(unreadable)?))
}

async fn more(source: &mut (impl AsyncRead + Unpin), arrived: &mut BytesMut) -> Result<(), Broken> {
    arrived.reserve(PIECE);
    match source.read_buf(arrived).await {
        Ok(0) => Err(Broken::Closed),
        Ok(_) => Ok(()),
        Err(error) => Err(dial::system(error)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::push::verdict::Ending;

    /// What becomes of a request of this size if the server reads nothing, says this, and leaves or stays.
    async fn exchange(
        size: usize,
        said: &str,
        leaves: bool,
        config: &SimulatorConfig,
    ) -> (Result<Ending, Broken>, Progress) {
        let (near, mut far) = tokio::io::duplex(256);
        far.write_all(said.as_bytes()).await.unwrap();
        let _stays = (!leaves).then_some(far);
        let mut link = Link::over(Box::new(near));
        let mut progress = Progress::default();
        let request = vec![b'x'; size];
        let result = link.exchange(&request, config, &mut progress).await;
        (result.map(|(reply, _)| reply.ending()), progress)
    }

    #[tokio::test]
    async fn an_answer_may_overtake_its_request() {
        let config = SimulatorConfig::default();
        let early = "HTTP/1.1 413 Too much\r\nContent-Length: 2\r\n\r\nno";
        for (size, written) in [(10, true), (10_000, false)] {
            let (ending, progress) = exchange(size, early, false, &config).await;
            let Ok(Ending::Answered { status, .. }) = ending else {
                panic!("{ending:?}");
            };
            assert_eq!((status, progress.written), (413, written), "{size}");
            assert_eq!(progress.heard.body, b"no");
        }
        // What could not be written is the news, not that nothing more is read.
        let (ending, progress) = exchange(10, "HTTP/1.1 200 OK\r\nA", true, &config).await;
        let broken = Broken::System("broken pipe".to_owned());
        assert_eq!((ending, progress.written), (Err(broken), false));
    }

    #[tokio::test]
    async fn no_more_of_a_body_is_kept_than_is_wanted() {
        let mut config = SimulatorConfig::default();
        config.capture.body_limit = 7;
        let chunked =
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
        let (ending, progress) = exchange(1, chunked, false, &config).await;
        assert!(ending.is_ok());
        assert_eq!(progress.heard.body, b"3\r\nabc\r");
    }
}
