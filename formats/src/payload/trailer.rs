//! The last bytes of a file that carries a payload.

use super::{BadPayload, Index};
use crate::digest::Digest;

/// Bytes of a trailer.
pub const TRAILER: usize = 64;

/// The most bytes that an index may have.
pub const INDEX_LIMIT: u32 = 1 << 20;

const MAGIC: [u8; 8] = *b"sk8s+one";
const VERSION: u32 = 1;

/// Where the parts of the file are. All numbers are written lowest byte first.
///
/// ```text
///  0  8  magic        `sk8s+one`
///  8  4  version      1
/// 12  4  index bytes
/// 16  8  program      bytes of the program, where the frame begins
/// 24  8  index        where the index begins; the frame ends there, and the trailer follows it
/// 32 32  SHA-256 of the index
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trailer {
    program: u64,
    index_at: u64,
    index_bytes: u32,
    digest: Digest,
}

impl Trailer {
    /// The trailer of a file with a program and a frame of so many bytes, and an index.
    ///
    /// # Errors
    /// If the index is too long, or the frame is empty.
    pub fn new((program, frame): (u64, u64), index: &Index) -> Result<Self, BadPayload> {
        let text = index.to_json();
        let index_bytes = u32::try_from(text.len()).ok().filter(|bytes| *bytes <= INDEX_LIMIT);
        let index_bytes = index_bytes.ok_or_else(|| BadPayload::Index(format!("it has {} bytes", text.len())))?;
        let index_at = program.checked_add(frame).filter(|_| frame > 0).ok_or(BadPayload::Bounds)?;
        Ok(Self { program, index_at, index_bytes, digest: Digest::of(&text) })
    }

    /// As bytes.
    #[must_use]
    pub fn to_bytes(self) -> [u8; TRAILER] {
        let mut bytes = [0; TRAILER];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.index_bytes.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.program.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.index_at.to_le_bytes());
        bytes[32..].copy_from_slice(self.digest.as_bytes());
        bytes
    }

    /// Reads the last bytes of a file of `size` bytes; `None` if they are no trailer.
    ///
    /// # Errors
    /// If they are one of another version, or its numbers do not fit the file.
    pub fn read(tail: &[u8], size: u64) -> Result<Option<Self>, BadPayload> {
        let Ok(bytes) = <[u8; TRAILER]>::try_from(tail) else { return Ok(None) };
        if bytes[..8] != MAGIC {
            return Ok(None);
        }
        let version = small(&bytes[8..12]);
        if version != VERSION {
            return Err(BadPayload::Version(version));
        }
        let mut digest = [0; 32];
        digest.copy_from_slice(&bytes[32..]);
        let trailer = Self {
            program: u64::from(small(&bytes[16..20])) | u64::from(small(&bytes[20..24])) << 32,
            index_at: u64::from(small(&bytes[24..28])) | u64::from(small(&bytes[28..32])) << 32,
            index_bytes: small(&bytes[12..16]),
            digest: Digest::from_bytes(digest),
        };
        if trailer.fits(size) { Ok(Some(trailer)) } else { Err(BadPayload::Bounds) }
    }

    fn fits(&self, size: u64) -> bool {
        let behind = u64::from(self.index_bytes) + TRAILER as u64;
        (1..=INDEX_LIMIT).contains(&self.index_bytes)
            && self.program < self.index_at
            && self.index_at.checked_add(behind) == Some(size)
    }

    /// Where the frame lies: start and length in bytes.
    #[must_use]
    pub const fn frame_place(&self) -> (u64, u64) {
        (self.program, self.index_at - self.program)
    }

    /// Where the index lies: start and length in bytes.
    #[must_use]
    pub const fn index_place(&self) -> (u64, u32) {
        (self.index_at, self.index_bytes)
    }

    /// Digest of the index: it names this very set of files.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// Reads the bytes of the index.
    ///
    /// # Errors
    /// If they are not those that the trailer names, or what they say does not fit together.
    pub fn index(&self, bytes: &[u8]) -> Result<Index, BadPayload> {
        if Digest::of(bytes) == self.digest { Index::parse(bytes) } else { Err(BadPayload::Changed) }
    }
}

fn small(bytes: &[u8]) -> u32 {
    bytes.iter().rev().fold(0, |value, byte| value << 8 | u32::from(*byte))
}
