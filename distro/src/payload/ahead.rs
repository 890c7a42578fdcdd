//! Reading in a thread of its own, so that unpacking goes on while what came before is digested and written.

use std::{
    io::{self, Read},
    sync::mpsc::{self, Receiver},
    thread::Scope,
};

/// Bytes handed over at a time.
const CHUNK: usize = 256 << 10;

/// How many chunks may wait.
const WAITING: usize = 4;

/// A reader whose bytes are there before they are asked for. Dropping it ends its thread.
pub(super) struct Ahead {
    chunks: Receiver<io::Result<Vec<u8>>>,
    chunk: Vec<u8>,
    at: usize,
}

impl Ahead {
    /// Starts to read.
    pub(super) fn start<'scope>(scope: &'scope Scope<'scope, '_>, mut from: impl Read + Send + 'scope) -> Self {
        let (sender, chunks) = mpsc::sync_channel(WAITING);
        scope.spawn(move || {
            loop {
                let chunk = next(&mut from);
                let last = chunk.as_ref().map_or(true, Vec::is_empty);
                // Nobody takes it: whoever reads has given up.
                if sender.send(chunk).is_err() || last {
                    return;
                }
            }
        });
        Self { chunks, chunk: Vec::new(), at: 0 }
    }
}

/// A full chunk, but for the last; an empty one at the end.
fn next(from: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut chunk = Vec::with_capacity(CHUNK);
    from.take(CHUNK as u64).read_to_end(&mut chunk)?;
    Ok(chunk)
}

impl Read for Ahead {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.chunk.len() {
            // After the end and after an error nothing comes any more.
            self.chunk = self.chunks.recv().unwrap_or_else(|_| Ok(Vec::new()))?;
            self.at = 0;
        }
        let count = (&self.chunk[self.at..]).read(buffer)?;
        self.at += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{self, Read},
        thread,
    };

    use super::{Ahead, CHUNK, WAITING};

    #[test]
    fn bytes_come_in_order_and_end() {
        let bytes: Vec<u8> = (0..7 * CHUNK + 5).map(|number| (number / 251) as u8).collect();
        let mut got = Vec::new();
        thread::scope(|scope| Ahead::start(scope, &bytes[..]).read_to_end(&mut got)).expect("read");
        assert!(got == bytes);
    }

    #[test]
    fn an_error_comes_after_the_bytes_before_it() {
        struct Fails;
        impl Read for Fails {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("torn"))
            }
        }
        let from = io::repeat(7).take(CHUNK as u64).chain(Fails);
        thread::scope(|scope| {
            let mut ahead = Ahead::start(scope, from);
            let mut got = vec![0; CHUNK];
            ahead.read_exact(&mut got).expect("read");
            assert_eq!(ahead.read(&mut got).expect_err("torn").to_string(), "torn");
        });
    }

    #[test]
    fn who_gives_up_does_not_wait() {
        thread::scope(|scope| {
            let endless = io::repeat(7);
            let mut byte = [0];
            let mut ahead = Ahead::start(scope, endless);
            for _ in 0..=WAITING {
                ahead.read_exact(&mut byte).expect("read");
            }
        });
    }
}
