//! Digest and size of a file.

use std::{io::Read as _, path::Path};

use skerry_formats::digest::{Digest, Hasher};

use crate::fsx::{self, FsError};

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
