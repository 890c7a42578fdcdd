//! Digest and size of a file, or of what is being written.

use std::{
    io::{self, Read as _, Write},
    path::Path,
};

use skerry_formats::digest::{Digest, Hasher};

use crate::fsx::{self, FsError};

/// A writer that knows digest and size of what went through.
pub struct Measured<W> {
    to: W,
    hasher: Hasher,
    size: u64,
}

impl<W: Write> Measured<W> {
    /// Nothing went through yet.
    pub fn new(to: W) -> Self {
        Self { to, hasher: Hasher::default(), size: 0 }
    }

    /// Digest and size of all that went through.
    pub fn finish(self) -> (Digest, u64) {
        (self.hasher.finish(), self.size)
    }
}

impl<W: Write> Write for Measured<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.to.write(bytes)?;
        self.hasher.update(&bytes[..count]);
        self.size += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// The digest of a file's bytes, and how many there are.
///
/// # Errors
/// If the file cannot be read.
pub fn measure(path: &Path) -> Result<(Digest, u64), FsError> {
    let mut file = fsx::open(path)?;
    let mut hasher = Hasher::default();
    let mut buffer = vec![0; 1 << 16];
    let mut size = 0;
    loop {
        let count = fsx::during("read", path, file.read(&mut buffer))?;
        if count == 0 {
            return Ok((hasher.finish(), size));
        }
        hasher.update(&buffer[..count]);
        size += count as u64;
    }
}
