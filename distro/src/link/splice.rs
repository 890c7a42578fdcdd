//! Two connections as one.

use std::{io, time::Duration};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, split};

/// How long a caller may stay when whom it called has ended.
const LINGER: Duration = Duration::from_secs(10);
/// Bytes that are read at a time: as many as tokio's own copying has.
const BUFFER: usize = 8 * 1024;

/// Connects a caller with whom it called, until both are done. The two are not alike: a caller that has said all (as `kubectl logs`
/// with its input closed) hears on for as long as the other talks. When the other has ended, nothing that a caller could still say
/// is for anybody, and one that neither speaks nor hangs up is dropped; what was said to it last it still hears.
///
/// # Errors
/// If either breaks off.
pub async fn splice(
    caller: impl AsyncRead + AsyncWrite + Unpin,
    called: impl AsyncRead + AsyncWrite + Unpin,
) -> io::Result<()> {
    let ((mut asks, mut hears), (mut says, mut listens)) = (split(caller), split(called));
    let asking = async {
        let asked = pass(&mut asks, &mut listens).await;
        asked.and(listens.shutdown().await)
    };
    let answering = async {
        pass(&mut says, &mut hears).await?;
        hears.shutdown().await
    };
    tokio::pin!(asking, answering);
    tokio::select! {
        done = &mut asking => match done {
            Ok(()) => answering.await,
            Err(broken) => {
                // The other may have spoken before it broke off.
                let _last_words = tokio::time::timeout(LINGER, answering).await;
                Err(broken)
            }
        },
        done = &mut answering => {
            done?;
            tokio::time::timeout(LINGER, asking).await.unwrap_or(Ok(()))
        }
    }
}

/// Passes on what is said, to the end. tokio's own reads on while who hears is slow, and where that fails it forgets what it holds.
async fn pass(from: &mut (impl AsyncRead + Unpin), to: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
    let mut bytes = vec![0; BUFFER];
    loop {
        let count = from.read(&mut bytes).await?;
        if count == 0 {
            return Ok(());
        }
        to.write_all(&bytes[..count]).await?;
        to.flush().await?;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex},
        net::{TcpListener, TcpStream},
        task::JoinHandle,
        time::Instant,
    };

    use super::{LINGER, splice};

    /// A caller and whom it called, and what is between them.
    fn pair() -> (DuplexStream, DuplexStream, JoinHandle<std::io::Result<()>>) {
        let ((caller, near), (far, called)) = (duplex(64), duplex(64));
        let day = Duration::from_secs(24 * 3600);
        (caller, called, tokio::spawn(async move { tokio::time::timeout(day, splice(near, far)).await? }))
    }

    #[tokio::test(start_paused = true)]
    async fn a_caller_that_never_hangs_up_is_dropped_when_the_other_has_ended() {
        let (mut caller, mut called, between) = pair();
        caller.write_all(b"?").await.expect("said");
        called.write_all(b"bad request").await.expect("answered");
        called.shutdown().await.expect("said all");
        let (start, mut heard) = (Instant::now(), String::new());
        caller.read_to_string(&mut heard).await.expect("heard");
        assert_eq!(heard, "bad request");
        between.await.expect("it ran").expect("it ended");
        assert_eq!(start.elapsed(), LINGER);
        assert!(caller.write_all(b"?").await.is_err(), "nobody is there");
    }

    #[tokio::test(start_paused = true)]
    async fn a_caller_that_is_not_listened_to_hears_the_last_words() {
        let (mut caller, mut called, between) = pair();
        caller.write_all(&[b'?'; 64]).await.expect("said");
        called.write_all(b"too large").await.expect("answered");
        drop(called);
        let mut heard = String::new();
        caller.read_to_string(&mut heard).await.expect("heard");
        assert_eq!(heard, "too large");
        between.await.expect("it ran").expect_err("it broke off");
    }

    #[tokio::test]
    async fn what_came_before_a_reset_is_passed_on() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let place = listener.local_addr().expect("bound");
        for _ in 0..20 {
            let (mut caller, near) = duplex(4);
            let far = TcpStream::connect(place).await.expect("connected");
            caller.write_all(b"?").await.expect("said");
            let between = tokio::spawn(splice(near, far));
            let (mut called, _) = listener.accept().await.expect("accepted");
            called.peek(&mut [0]).await.expect("a question");
            called.write_all(b"too large").await.expect("answered");
            // What it did not read makes this a reset (RFC 2525 section 2.17).
            drop(called);
            tokio::time::sleep(Duration::from_millis(1)).await;
            let mut heard = String::new();
            caller.read_to_string(&mut heard).await.expect("heard");
            assert_eq!(heard, "too large", "also by one that is slow");
            between.await.expect("it ran").expect_err("a reset");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_caller_that_has_said_all_hears_on() {
        let (mut caller, mut called, between) = pair();
        caller.write_all(b"logs").await.expect("said");
        caller.shutdown().await.expect("said all");
        let mut asked = String::new();
        called.read_to_string(&mut asked).await.expect("heard");
        assert_eq!(asked, "logs");
        for hour in 0..3_u8 {
            tokio::time::sleep(Duration::from_secs(3600)).await;
            called.write_all(&[hour]).await.expect("said");
            assert_eq!(caller.read_u8().await.expect("heard"), hour);
        }
        drop(called);
        between.await.expect("it ran").expect("it ended");
    }

    #[tokio::test(start_paused = true)]
    async fn both_hear_all_that_was_said() {
        let (mut caller, mut called, between) = pair();
        let (question, answer) = (vec![b'q'; 10_000], vec![b'a'; 10_000]);
        let (asked, mut heard) = (question.clone(), Vec::new());
        let other = tokio::spawn(async move {
            let mut question = vec![0; 10_000];
            called.read_exact(&mut question).await.expect("heard");
            called.write_all(&answer).await.expect("answered");
            question
        });
        caller.write_all(&asked).await.expect("said");
        caller.read_to_end(&mut heard).await.expect("heard");
        assert_eq!((other.await.expect("it ran"), heard), (question, vec![b'a'; 10_000]));
        drop(caller);
        between.await.expect("it ran").expect("it ended");
    }
}
