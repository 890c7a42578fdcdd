//! The callers of a socket.

use std::{io, time::Duration};

/// The pause after a caller that was lost: where files or memory ran out, asking again at once is of no use.
const PAUSE: Duration = Duration::from_millis(100);

/// The next caller. One that cannot be had ends nothing: it may have hung up (`ECONNABORTED`), or there are too many open files
/// (`EMFILE`), and the socket listens as before (accept(2)).
pub async fn next<T, F: Future<Output = io::Result<T>>>(accept: impl Fn() -> F) -> T {
    loop {
        match accept().await {
            Ok(caller) => return caller,
            Err(error) => {
                tracing::warn!(%error, "a caller was lost");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, io};

    use tokio::time::Instant;

    use super::{PAUSE, next};

    #[tokio::test(start_paused = true)]
    async fn a_caller_that_was_lost_is_not_the_last() {
        let (start, tries) = (Instant::now(), Cell::new(0));
        let accept = || {
            tries.set(tries.get() + 1);
            let tried = tries.get();
            // EMFILE, errno(3)
            async move { if tried < 4 { Err(io::Error::from_raw_os_error(24)) } else { Ok(tried) } }
        };
        assert_eq!(next(accept).await, 4);
        assert_eq!(start.elapsed(), PAUSE * 3, "files that ran out are not asked for without a pause");
    }
}
