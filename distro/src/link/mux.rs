//! Many streams over one connection (yamux), either end opening them.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot},
};
use tokio_util::compat::{Compat, FuturesAsyncReadCompatExt as _, TokioAsyncReadCompatExt as _};

/// The most streams at a time that an end opens: each exec, each log that is followed, each watch of a webhook is one. The other
/// end may be of a version that has a place for 512.
const STREAMS: usize = 480;
/// With so many yamux ends the connection and all streams with it: it must not come to that. yamux counts the streams of both
/// ends, and those that were dropped until it gets round to them. While the connection is stuck it does not, and up to 256 new
/// ones come on top (its `MAX_ACK_BACKLOG`).
const TOO_MANY: usize = 2048;

/// A stream within a connection.
#[derive(Debug)]
pub struct Stream {
    bytes: Compat<yamux::Stream>,
    /// Its place among those that this end may open; none if the other end opened it.
    _place: Option<OwnedSemaphorePermit>,
}

/// Which end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The one that dialled.
    Dialled,
    /// The one that was called.
    Called,
}

/// Opens streams on a connection; the connection ends when nobody can any more.
#[derive(Clone, Debug)]
pub struct Opener {
    asks: mpsc::Sender<Ask>,
    places: Arc<Semaphore>,
}

type Ask = oneshot::Sender<Compat<yamux::Stream>>;

/// There is no new stream.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
pub enum NoStream {
    /// The connection ended.
    #[error("the link ended")]
    Ended,
    /// It has as many as it can. They go on.
    #[error("{STREAMS} connections go over this link already")]
    Full,
}

impl Opener {
    /// A new stream.
    ///
    /// # Errors
    /// If the connection ended, or has no place for another.
    pub async fn open(&self) -> Result<Stream, NoStream> {
        let place = self.places.clone().try_acquire_owned().map_err(|_| NoStream::Full)?;
        let (give, take) = oneshot::channel();
        self.asks.send(give).await.map_err(|_| NoStream::Ended)?;
        let bytes = take.await.map_err(|_| NoStream::Ended)?;
        Ok(Stream { bytes, _place: Some(place) })
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.bytes).poll_read(context, buffer)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.bytes).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.bytes).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.bytes).poll_shutdown(context)
    }
}

/// Runs a connection until it ends, and says why. Streams that the other end opens come out of `incoming`'s other side; who
/// does not take them in time loses them.
pub fn run<T>(
    socket: T,
    end: End,
    incoming: mpsc::Sender<Stream>,
) -> (Opener, impl Future<Output = yamux::ConnectionError> + Send)
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mode = match end {
        End::Dialled => yamux::Mode::Client,
        End::Called => yamux::Mode::Server,
    };
    let mut config = yamux::Config::default();
    config.set_max_num_streams(TOO_MANY);
    config.set_max_connection_receive_window(None);
    let mut connection = yamux::Connection::new(socket.compat(), config, mode);
    let (asks, mut asked) = mpsc::channel::<Ask>(16);
    let mut waiting: Option<Ask> = None;
    let mut closing = false;
    let driver = std::future::poll_fn(move |context| {
        loop {
            if closing {
                return connection.poll_close(context).map(|_| yamux::ConnectionError::Closed);
            }
            // Whoever asked may have gone meanwhile.
            waiting = waiting.take().filter(|ask| !ask.is_closed());
            if waiting.is_none() {
                match asked.poll_recv(context) {
                    Poll::Ready(Some(ask)) => waiting = Some(ask),
                    Poll::Ready(None) => {
                        closing = true;
                        continue;
                    }
                    Poll::Pending => {}
                }
            }
            if waiting.is_some() {
                match connection.poll_new_outbound(context) {
                    Poll::Ready(Ok(stream)) => {
                        if let Some(ask) = waiting.take() {
                            // Where nobody takes it, it ends.
                            let _ = ask.send(stream.compat());
                        }
                        continue;
                    }
                    Poll::Ready(Err(error)) => return Poll::Ready(error),
                    Poll::Pending => {}
                }
            }
            match connection.poll_next_inbound(context) {
                Poll::Ready(Some(Ok(stream))) => {
                    let _ = incoming.try_send(Stream { bytes: stream.compat(), _place: None });
                }
                Poll::Ready(Some(Err(error))) => return Poll::Ready(error),
                Poll::Ready(None) => return Poll::Ready(yamux::ConnectionError::Closed),
                Poll::Pending => return Poll::Pending,
            }
        }
    });
    (Opener { asks, places: Arc::new(Semaphore::new(STREAMS)) }, driver)
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        sync::mpsc,
    };

    use super::{End, NoStream, STREAMS, run};

    #[tokio::test]
    async fn the_called_end_opens_streams_to_the_one_that_dialled() {
        let (near, far) = tokio::io::duplex(64 * 1024);
        let (give, mut take) = mpsc::channel(4);
        let (none, _) = mpsc::channel(1);
        let (_dialler, one) = run(near, End::Dialled, give);
        let (called, other) = run(far, End::Called, none);
        tokio::spawn(one);
        tokio::spawn(other);
        let mut out = called.open().await.expect("open");
        out.write_all(b"over here").await.expect("written");
        let mut received = take.recv().await.expect("a stream");
        let mut text = [0; 9];
        received.read_exact(&mut text).await.expect("read");
        assert_eq!(&text, b"over here");
        received.write_all(b"and back").await.expect("written");
        let mut text = [0; 8];
        out.read_exact(&mut text).await.expect("read");
        assert_eq!(&text, b"and back");
    }

    #[tokio::test]
    async fn a_connection_ends_when_nobody_can_open_streams_any_more() {
        let (near, far) = tokio::io::duplex(64 * 1024);
        let (none, _) = mpsc::channel(1);
        let (first, one) = run(near, End::Dialled, none.clone());
        let (second, other) = run(far, End::Called, none);
        let ended = tokio::spawn(other);
        tokio::spawn(one);
        drop(first);
        ended.await.expect("it ended");
        assert!(second.open().await.is_err());
    }

    #[tokio::test]
    async fn a_link_that_is_full_refuses_another_call_and_lives_on() {
        let (near, far) = tokio::io::duplex(64 * 1024);
        let (give, mut take) = mpsc::channel(64);
        let (none, _) = mpsc::channel(1);
        let (_dialler, one) = run(near, End::Dialled, give);
        let (called, other) = run(far, End::Called, none);
        tokio::spawn(one);
        tokio::spawn(other);
        tokio::spawn(async move {
            while let Some(mut stream) = take.recv().await {
                tokio::spawn(async move {
                    while let Ok(byte) = stream.read_u8().await {
                        stream.write_u8(byte).await.expect("written");
                    }
                });
            }
        });
        let mut streams = Vec::new();
        for _ in 0..STREAMS {
            let mut stream = called.open().await.expect("open");
            stream.write_u8(7).await.expect("written");
            assert_eq!(stream.read_u8().await.expect("read"), 7);
            streams.push(stream);
        }
        for _ in 0..100 {
            assert_eq!(called.open().await.expect_err("full"), NoStream::Full);
        }
        for stream in &mut streams {
            stream.write_u8(8).await.expect("written");
            assert_eq!(stream.read_u8().await.expect("they go on"), 8);
        }
        streams.truncate(STREAMS - 1);
        called.open().await.expect("there is a place again");
    }
}
