//! A file with holes, read without reading the holes.

use std::{fs::File, os::unix::fs::FileExt as _, path::Path};

use crate::fsx::{self, FsError};

/// Bytes of a chunk.
pub const CHUNK: usize = 1 << 20;

/// A file that may have holes.
#[derive(Clone, Copy, Debug)]
pub struct Sparse<'a> {
    /// Its path, for errors.
    pub path: &'a Path,
    /// The file.
    pub file: &'a File,
    /// Its size in bytes.
    pub size: u64,
}

/// A chunk of a file.
#[derive(Clone, Copy, Debug)]
pub enum Chunk<'a> {
    /// It was read.
    Data(&'a [u8]),
    /// All zero, it lies in a hole.
    Hole(&'a [u8]),
}

impl<'a> Chunk<'a> {
    /// Its bytes.
    pub const fn bytes(self) -> &'a [u8] {
        match self {
            Self::Data(bytes) | Self::Hole(bytes) => bytes,
        }
    }
}

impl Sparse<'_> {
    /// Hands out the whole file in order, chunk by chunk, each with its place.
    pub fn chunks(&self, mut take: impl FnMut(u64, Chunk<'_>) -> Result<(), FsError>) -> Result<(), FsError> {
        let zeros = vec![0; CHUNK];
        let mut buffer = vec![0; CHUNK];
        let (mut at, mut data) = (0, 0..0);
        while at < self.size {
            let length = usize::try_from(self.size - at).map_or(CHUNK, |left| left.min(CHUNK));
            let end = at + length as u64;
            if at >= data.end {
                data = fsx::during("read", self.path, fsx::data_after(self.file, at, self.size))?;
            }
            if end <= data.start {
                take(at, Chunk::Hole(&zeros[..length]))?;
            } else {
                fsx::during("read", self.path, self.file.read_exact_at(&mut buffer[..length], at))?;
                take(at, Chunk::Data(&buffer[..length]))?;
            }
            at = end;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_and_data_come_back_as_they_are() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let chunk = CHUNK as u64;
        let size = 5 * chunk + 77;
        file.as_file().set_len(size).unwrap();
        let marks = [0, 2 * chunk - 1, 2 * chunk, 4 * chunk + 9, size - 1];
        marks.iter().for_each(|at| file.as_file().write_all_at(b"x", *at).unwrap());
        let mut got = Vec::new();
        let sparse = Sparse { path: file.path(), file: file.as_file(), size };
        let taken = sparse.chunks(|at, chunk| {
            assert_eq!(at, got.len() as u64);
            got.extend_from_slice(chunk.bytes());
            Ok(())
        });
        taken.unwrap();
        assert_eq!(got, fsx::read(file.path()).unwrap());
    }
}
