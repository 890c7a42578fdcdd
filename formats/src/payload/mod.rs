//! What a program carries behind itself: files that it lays out when it first needs them; docs/onefile.md has the form.
//!
//! `program (ELF) | all files, one behind the other, as one zstd frame | index (JSON) | trailer (64 bytes)`
//!
//! The index knows nothing of the program before it nor of how the files are packed: the same files have the same index.

mod elf;
mod index;
mod path;
mod trailer;

#[cfg(test)]
mod tests;

pub use elf::end_of_program;
pub use index::{FILE_LIMIT, FILES_LIMIT, FileEntry, Index, Mode};
pub use path::{BadFilePath, FilePath};
pub use trailer::{INDEX_LIMIT, TRAILER, Trailer};

/// How far an unpacker must look back at most, and so the memory that it takes: 64 MiB, as a power of two.
pub const WINDOW_LOG: u32 = 26;

/// Bytes that are no payload, or one that is not whole.
#[derive(Debug, thiserror::Error)]
pub enum BadPayload {
    /// Something follows the program, but it does not end as a payload does.
    #[error("what follows its program ({0} bytes) does not end as it should: the file was cut short, or changed")]
    Cut(u64),
    /// A later form.
    #[error("its payload is of version {0}; known: 1")]
    Version(u32),
    /// Numbers that contradict each other.
    #[error("its trailer speaks of bytes that are not there")]
    Bounds,
    /// Not the index that the trailer names.
    #[error("its index is not as it was written")]
    Changed,
    /// More bytes than the index has files for.
    #[error("more is packed in it than its index lists")]
    Long,
    /// An end that cannot be unpacked.
    #[error("the end of what it carries cannot be unpacked")]
    End(#[source] std::io::Error),
    /// An index that cannot be read.
    #[error("its index cannot be read")]
    Json(#[source] serde_json::Error),
    /// An index that no one may follow.
    #[error("its index makes no sense: {0}")]
    Index(String),
}

/// Finds the trailer of a program's file out of its first bytes, its last ones and its size in bytes.
///
/// A file shorter than a trailer, or one that ends where its program does, carries nothing.
///
/// # Errors
/// If something follows the program that is no whole payload.
pub fn find(head: &[u8], tail: &[u8], size: u64) -> Result<Option<Trailer>, BadPayload> {
    if let Some(trailer) = Trailer::read(tail, size)? {
        return Ok(Some(trailer));
    }
    match end_of_program(head) {
        Some(end) if end < size => Err(BadPayload::Cut(size - end)),
        _ => Ok(None),
    }
}
