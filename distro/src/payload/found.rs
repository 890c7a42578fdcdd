//! Reading what a program carries.

use std::{
    fs::File,
    io::{self, Read},
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
};

use skerry_formats::{
    digest::Digest,
    payload::{self, BadPayload, FileEntry, Index, TRAILER, WINDOW_LOG},
};

use super::{Damage, PayloadError};
use crate::sys::fs;

/// The program that runs, whatever lies under its name by now.
pub const OWN: &str = "/proc/self/exe";

/// Bytes of a program's head that tell where it ends.
const HEAD: u64 = 64;

/// What a program carries: an index that was found whole, and the packed files that it speaks of.
#[derive(Debug)]
pub struct Payload {
    program: PathBuf,
    file: File,
    frame: (u64, u64),
    digest: Digest,
    index: Index,
}

impl Payload {
    /// What the running program carries; `None` if nothing.
    ///
    /// # Errors
    /// As [`Payload::of`].
    pub fn own() -> Result<Option<Self>, PayloadError> {
        let own = Path::new(OWN);
        Self::open(fs::open(own)?, fs::read_link(own)?.unwrap_or_else(|| own.to_owned()))
    }

    /// What a program carries; `None` if nothing.
    ///
    /// # Errors
    /// If the program cannot be read, was cut short or changed, or carries what is not for its own architecture.
    pub fn of(program: &Path) -> Result<Option<Self>, PayloadError> {
        Self::open(fs::open(program)?, program.to_owned())
    }

    /// What is said of the files that a program carries, for whichever architecture; `None` if it carries none.
    ///
    /// # Errors
    /// If the program cannot be read, or was cut short or changed.
    pub fn index_of(program: &Path) -> Result<Option<Index>, PayloadError> {
        Ok(Self::find(fs::open(program)?, program.to_owned())?.map(|payload| payload.index))
    }

    fn open(file: File, program: PathBuf) -> Result<Option<Self>, PayloadError> {
        match Self::find(file, program)? {
            Some(Self { program, index, .. }) if index.arch().kernel() != std::env::consts::ARCH => {
                Err(PayloadError::Foreign { program, theirs: index.arch() })
            }
            found => Ok(found),
        }
    }

    fn find(file: File, program: PathBuf) -> Result<Option<Self>, PayloadError> {
        let bad = |source| PayloadError::Bad { program: program.clone(), source };
        let size = fs::during("look at", &program, file.metadata())?.len();
        let tail = size.min(TRAILER as u64);
        let (head, tail) = (read(&program, &file, (0, size.min(HEAD)))?, read(&program, &file, (size - tail, tail))?);
        let Some(trailer) = payload::find(&head, &tail, size).map_err(bad)? else { return Ok(None) };
        let (at, bytes) = trailer.index_place();
        let index = trailer.index(&read(&program, &file, (at, u64::from(bytes)))?).map_err(bad)?;
        Ok(Some(Self { program, file, frame: trailer.frame_place(), digest: trailer.digest(), index }))
    }

    /// The files in it, and what they were built from.
    #[must_use]
    pub const fn index(&self) -> &Index {
        &self.index
    }

    /// What names this very set of files.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// All files, one behind the other, unpacked as they are read.
    pub(super) fn stream(&self) -> Result<impl Read + Send + '_, PayloadError> {
        let (at, left) = self.frame;
        let decoder = decoder(Section { file: &self.file, at, left });
        Ok(fs::during("unpack", &self.program, decoder)?)
    }

    /// This payload is bad as a whole.
    pub(super) fn bad(&self, source: BadPayload) -> PayloadError {
        PayloadError::Bad { program: self.program.clone(), source }
    }

    /// A file in it is damaged.
    pub(super) fn damaged(&self, file: &FileEntry, source: Damage) -> PayloadError {
        PayloadError::Damaged { program: self.program.clone(), file: file.path.clone(), source }
    }
}

fn decoder(frame: Section<'_>) -> io::Result<impl Read + Send + '_> {
    let mut decoder = zstd::Decoder::new(frame)?;
    decoder.window_log_max(WINDOW_LOG)?;
    Ok(decoder)
}

fn read(program: &Path, file: &File, (at, bytes): (u64, u64)) -> Result<Vec<u8>, PayloadError> {
    let bytes = usize::try_from(bytes)
        .map_err(|_| PayloadError::Bad { program: program.to_owned(), source: BadPayload::Bounds })?;
    let mut buffer = vec![0; bytes];
    fs::during("read", program, file.read_exact_at(&mut buffer, at))?;
    Ok(buffer)
}

/// A part of a file.
struct Section<'a> {
    file: &'a File,
    at: u64,
    left: u64,
}

impl Read for Section<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).map_or(buffer.len(), |left| left.min(buffer.len()));
        let count = self.file.read_at(&mut buffer[..most], self.at)?;
        self.at += count as u64;
        self.left -= count as u64;
        Ok(count)
    }
}
