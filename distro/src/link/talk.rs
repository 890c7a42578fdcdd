//! Whether a controller talks: one that is stuck takes connections (its kernel does) and says nothing.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::watch,
};

use super::splice::splice;

/// How a conversation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Talk {
    /// Nobody has said anything yet.
    Quiet,
    /// The caller spoke and waits.
    Asked,
    /// The controller spoke: it is well.
    Answered,
    /// The controller hung up without a word, or left the caller waiting.
    Silent,
    /// The caller hung up without a word.
    Left,
}

/// What happens in a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Event {
    /// Words of the caller.
    Question,
    /// Words of the controller.
    Answer,
    /// The caller has said all.
    CallerEnded,
    /// The controller has.
    ControllerEnded,
}

impl Talk {
    const fn after(self, event: Event) -> Self {
        match (self, event) {
            (Self::Quiet, Event::Question) => Self::Asked,
            (Self::Quiet | Self::Asked, Event::Answer) => Self::Answered,
            (Self::Quiet, Event::CallerEnded) => Self::Left,
            (Self::Asked, Event::CallerEnded) | (Self::Quiet | Self::Asked, Event::ControllerEnded) => Self::Silent,
            _ => self,
        }
    }
}

/// Connects a caller with a controller until both are done, or the controller turns out to be silent: when the caller gives up, or
/// after `patience`. Says how it stood in the end.
///
/// # Errors
/// If either breaks off. What stood until then is said nevertheless.
pub async fn converse(
    caller: impl AsyncRead + AsyncWrite + Unpin,
    controller: impl AsyncRead + AsyncWrite + Unpin,
    patience: Duration,
) -> (Talk, io::Result<()>) {
    let (tell, talk) = watch::channel(Talk::Quiet);
    let done = tokio::select! {
        done = splice(caller, Heard { stream: controller, tell: &tell }) => done,
        () = silence(talk.clone(), patience) => Ok(()),
    };
    let talk = *talk.borrow();
    // A question that is still open when all is over will not be answered.
    (if talk == Talk::Asked { Talk::Silent } else { talk }, done)
}

/// Ends when the caller waits in vain.
async fn silence(mut talk: watch::Receiver<Talk>, patience: Duration) {
    // Who tells outlives this: there is always an answer.
    drop(talk.wait_for(|talk| *talk != Talk::Quiet).await);
    drop(tokio::time::timeout(patience, talk.wait_for(|talk| *talk != Talk::Asked)).await);
    let well = *talk.borrow() == Talk::Answered;
    if well {
        std::future::pending::<()>().await;
    }
}

/// A stream to a controller, which tells how the conversation stands.
struct Heard<'a, S> {
    stream: S,
    tell: &'a watch::Sender<Talk>,
}

impl<S> Heard<'_, S> {
    fn note(&self, event: Event) {
        self.tell.send_if_modified(|talk| {
            let next = talk.after(event);
            std::mem::replace(talk, next) != next
        });
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Heard<'_, S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = ready!(Pin::new(&mut self.stream).poll_read(context, buffer));
        self.note(if buffer.filled().len() > before { Event::Answer } else { Event::ControllerEnded });
        Poll::Ready(read)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Heard<'_, S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.note(Event::Question);
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.note(Event::CallerEnded);
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex},
        task::JoinHandle,
        time::Instant,
    };

    use super::{Event, Talk, converse};

    const PATIENCE: Duration = Duration::from_secs(5);

    /// A caller, a controller, and how it ended between them after how long.
    fn meet() -> (DuplexStream, DuplexStream, JoinHandle<(Talk, Duration)>) {
        let ((caller, near), (far, controller)) = (duplex(64), duplex(64));
        let start = Instant::now();
        let between = async move {
            let talk = tokio::time::timeout(PATIENCE * 1000, converse(near, far, PATIENCE)).await;
            (talk.expect("it ended").0, start.elapsed())
        };
        (caller, controller, tokio::spawn(between))
    }

    #[tokio::test(start_paused = true)]
    async fn a_controller_that_says_nothing_is_not_waited_for() {
        let (mut caller, _controller, between) = meet();
        tokio::time::sleep(PATIENCE * 3).await;
        caller.write_all(b"hello").await.expect("said");
        assert_eq!(between.await.expect("it ran"), (Talk::Silent, PATIENCE * 4), "who says nothing waits for nothing");
        assert_eq!(caller.read(&mut [0]).await.expect("the end"), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_caller_that_gives_up_on_a_controller_is_believed_at_once() {
        let (mut caller, _controller, between) = meet();
        caller.write_all(b"hello").await.expect("said");
        tokio::time::sleep(Duration::from_secs(1)).await;
        drop(caller);
        assert_eq!(between.await.expect("it ran"), (Talk::Silent, Duration::from_secs(1)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_controller_that_answered_may_take_its_time() {
        let (mut caller, mut controller, between) = meet();
        caller.write_all(b"hello").await.expect("said");
        controller.write_all(b"hello").await.expect("said");
        caller.read_exact(&mut [0; 5]).await.expect("heard");
        caller.write_all(b"watch").await.expect("said");
        caller.shutdown().await.expect("said all");
        tokio::time::sleep(PATIENCE * 100).await;
        controller.write_all(b"news!").await.expect("said");
        caller.read_exact(&mut [0; 5]).await.expect("heard");
        drop((caller, controller));
        assert_eq!(between.await.expect("it ran").0, Talk::Answered);
    }

    #[tokio::test(start_paused = true)]
    async fn who_only_looks_whether_the_port_is_open_says_nothing_of_the_controller() {
        let (caller, controller, between) = meet();
        drop(caller);
        assert_eq!(between.await.expect("it ran").0, Talk::Left);
        drop(controller);
        let (_caller, controller, between) = meet();
        drop(controller);
        assert_eq!(between.await.expect("it ran").0, Talk::Silent, "kube-apiserver behind it is gone");
    }

    #[test]
    fn a_controller_that_spoke_once_is_silent_no_more() {
        for event in [Event::Question, Event::Answer, Event::CallerEnded, Event::ControllerEnded] {
            assert_eq!(Talk::Answered.after(event), Talk::Answered);
            assert_eq!(Talk::Silent.after(event), Talk::Silent);
        }
    }
}
