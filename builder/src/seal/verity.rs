//! The dm-verity hash tree behind a root (format: the kernel's `Documentation/admin-guide/device-mapper/verity.rst`).
//!
//! Behind the data: one block with the superblock, then the tree, its top level first, its leaves last. Each digest is
//! SHA-256 of the salt and a 4096-byte block; 128 digests fill a block, the rest of the last one is zero.

use std::{
    fs::File,
    io::{Seek as _, SeekFrom, Write as _},
    os::unix::fs::FileExt as _,
    path::Path,
    thread,
};

use skerry_formats::{
    cmdline::RootRef,
    digest::{Digest, Hasher},
    verity::{BLOCK, Superblock, product_salt},
};

use crate::fsx::{self, FsError};

const DIGEST: usize = 32;
const PER_BLOCK: usize = BLOCK / DIGEST;
/// Blocks that a thread reads at once.
const CHUNK: usize = 1024;

/// A finished hash tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HashTree {
    /// Digest of the top block, or of the data if that is one block.
    pub root_hash: Digest,
    /// The tree's blocks in their order on disk.
    pub blocks: Vec<u8>,
}

/// Data in a file, from some byte on.
#[derive(Clone, Copy, Debug)]
pub struct Area<'a> {
    /// The file's path, for errors.
    pub path: &'a Path,
    /// The file.
    pub file: &'a File,
    /// First byte of the data.
    pub start: u64,
}

impl Area<'_> {
    /// Fills a buffer from `at` bytes behind the start.
    ///
    /// # Errors
    /// If the file cannot be read there.
    pub fn read(&self, buffer: &mut [u8], at: u64) -> Result<(), FsError> {
        fsx::during("read", self.path, self.file.read_exact_at(buffer, self.start.saturating_add(at)))
    }
}

/// Pads a file to whole blocks and appends superblock and hash tree.
///
/// # Errors
/// If it cannot be read or written.
pub fn append(path: &Path, file: &mut File) -> Result<RootRef, FsError> {
    let size = fsx::during("read", path, file.seek(SeekFrom::End(0)))?;
    let padded = size.next_multiple_of(BLOCK as u64).max(BLOCK as u64);
    fsx::during("write", path, file.set_len(padded))?;
    let data_blocks = padded / BLOCK as u64;
    let tree = of_data(Area { path, file, start: 0 }, data_blocks)?;
    let superblock = Superblock { uuid: uuid(), data_blocks, salt: product_salt().as_bytes().to_vec() };
    let mut head = superblock.encode().to_vec();
    head.resize(BLOCK, 0);
    fsx::during("write", path, file.seek(SeekFrom::Start(padded)))?;
    fsx::during("write", path, file.write_all(&head))?;
    fsx::during("write", path, file.write_all(&tree.blocks))?;
    Ok(RootRef { root_hash: tree.root_hash, data_blocks })
}

/// The tree over the first blocks of a file.
///
/// # Errors
/// If it cannot be read.
pub fn of_data(area: Area<'_>, data_blocks: u64) -> Result<HashTree, FsError> {
    let leaves = leaves(area, data_blocks)?;
    if data_blocks == 1 {
        // A single digest needs no block to lie in: it is the root hash itself.
        let mut root = [0; DIGEST];
        root.copy_from_slice(&leaves[..DIGEST]);
        return Ok(HashTree { root_hash: Digest::from_bytes(root), blocks: Vec::new() });
    }
    let mut levels = vec![leaves];
    while levels.last().is_some_and(|level| level.len() > BLOCK) {
        let above = levels.last().map(|level| level_above(level)).unwrap_or_default();
        levels.push(above);
    }
    let top = levels.last().map(Vec::as_slice).unwrap_or_default();
    let root_hash = Digest::from_bytes(salted(top));
    Ok(HashTree { root_hash, blocks: levels.into_iter().rev().flatten().collect() })
}

/// Whether the tree behind the data of a file is what a root hash and its data demand.
///
/// # Errors
/// If it cannot be read.
pub fn matches(area: Area<'_>, root: &RootRef) -> Result<bool, FsError> {
    let tree = of_data(area, root.data_blocks)?;
    let mut kept = vec![0; tree.blocks.len()];
    let at = (root.data_blocks + 1) * BLOCK as u64;
    area.read(&mut kept, at)?;
    Ok(tree.root_hash == root.root_hash && tree.blocks == kept)
}

/// The UUID of the hash area, the same for every release.
fn uuid() -> [u8; 16] {
    let digest = Digest::of(b"skerry/verity/v1/uuid");
    let mut uuid = [0; 16];
    uuid.copy_from_slice(&digest.as_bytes()[..16]);
    uuid[6] = uuid[6] & 0x0f | 0x80;
    uuid[8] = uuid[8] & 0x3f | 0x80;
    uuid
}

/// The lowest level, in two halves at once.
fn leaves(area: Area<'_>, data_blocks: u64) -> Result<Vec<u8>, FsError> {
    let half = data_blocks.div_ceil(2);
    let (first, second) = thread::scope(|scope| {
        let other = scope.spawn(|| digests(area, half..data_blocks));
        (digests(area, 0..half), other.join())
    });
    let mut level = first?;
    level.extend(second.unwrap_or_else(|_| digests(area, half..data_blocks))?);
    level.resize(level.len().next_multiple_of(BLOCK), 0);
    Ok(level)
}

fn digests(area: Area<'_>, blocks: std::ops::Range<u64>) -> Result<Vec<u8>, FsError> {
    let mut out = Vec::new();
    let mut buffer = vec![0; CHUNK * BLOCK];
    let mut at = blocks.start;
    while at < blocks.end {
        let count = usize::try_from(blocks.end - at).map_or(CHUNK, |left| left.min(CHUNK));
        let part = &mut buffer[..count * BLOCK];
        area.read(part, at * BLOCK as u64)?;
        part.chunks(BLOCK).for_each(|block| out.extend_from_slice(&salted(block)));
        at += count as u64;
    }
    Ok(out)
}

fn level_above(level: &[u8]) -> Vec<u8> {
    let mut above: Vec<u8> = level.chunks(BLOCK).flat_map(salted).collect();
    above.resize(above.len().next_multiple_of(PER_BLOCK * DIGEST), 0);
    above
}

fn salted(block: &[u8]) -> [u8; DIGEST] {
    static SALT: std::sync::LazyLock<Digest> = std::sync::LazyLock::new(product_salt);
    let mut hasher = Hasher::default();
    hasher.update(SALT.as_bytes());
    hasher.update(block);
    *hasher.finish().as_bytes()
}
