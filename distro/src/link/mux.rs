//! Many streams over one connection (yamux), either end opening them.

use std::task::Poll;

use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::{mpsc, oneshot},
};
use tokio_util::compat::{Compat, FuturesAsyncReadCompatExt as _, TokioAsyncReadCompatExt as _};

/// A stream within a connection.
pub type Stream = Compat<yamux::Stream>;

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
pub struct Opener(mpsc::Sender<oneshot::Sender<Stream>>);

/// The connection ended.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
#[error("the link ended")]
pub struct Ended;

impl Opener {
    /// A new stream.
    ///
    /// # Errors
    /// If the connection ended.
    pub async fn open(&self) -> Result<Stream, Ended> {
        let (give, take) = oneshot::channel();
        self.0.send(give).await.map_err(|_| Ended)?;
        take.await.map_err(|_| Ended)
    }
}

/// The most streams at a time that either end may open: each exec, each log that is followed, each watch of a webhook is one.
const STREAMS: usize = 512;

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
    config.set_max_num_streams(STREAMS);
    config.set_max_connection_receive_window(None);
    let mut connection = yamux::Connection::new(socket.compat(), config, mode);
    let (asks, mut asked) = mpsc::channel::<oneshot::Sender<Stream>>(16);
    let mut waiting: Option<oneshot::Sender<Stream>> = None;
    let mut closing = false;
    let driver = std::future::poll_fn(move |context| {
        loop {
            if closing {
                return connection.poll_close(context).map(|_| yamux::ConnectionError::Closed);
            }
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
                            // Whoever asked may have gone; the stream then ends with it.
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
                    let _ = incoming.try_send(stream.compat());
                }
                Poll::Ready(Some(Err(error))) => return Poll::Ready(error),
                Poll::Ready(None) => return Poll::Ready(yamux::ConnectionError::Closed),
                Poll::Pending => return Poll::Pending,
            }
        }
    });
    (Opener(asks), driver)
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        sync::mpsc,
    };

    use super::{End, run};

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
}
