//! Which root partition a kernel belongs to: the one whose verity tree has the kernel's root hash. Pure.
//!
//! Behind the data lies the superblock in a block of its own, then the tree, top block first. The root hash is
//! `SHA-256(salt ‖ top block)`, so that two blocks tell a right partition from a wrong or damaged one.

use std::fmt;

use skerry_formats::{
    cmdline::RootRef,
    digest::{Digest, Hasher},
    slot::Slot,
    verity::{BLOCK, BadSuperblock, Superblock},
};

/// Bytes that must be read behind the data.
pub const HEAD: usize = 2 * BLOCK;

/// Why a root partition is not the one.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Mismatch {
    /// No superblock where it should be.
    #[error(transparent)]
    Superblock(#[from] BadSuperblock),
    /// The superblock counts other data than the command line.
    #[error("its tree covers {found} blocks, not {wanted}")]
    Blocks {
        /// Blocks in the superblock.
        found: u64,
        /// Blocks in the command line.
        wanted: u64,
    },
    /// The partition ends before its tree.
    #[error("it ends before its verity tree")]
    Short,
    /// The tree's top has another hash.
    #[error("its verity tree has the root hash {0}")]
    Hash(Digest),
    /// It cannot be read.
    #[error("it is unreadable: {0}")]
    Unreadable(String),
}

/// Root partitions that were looked at in vain.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Refusals(pub Vec<(String, Slot, Mismatch)>);

impl fmt::Display for Refusals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|(disk, slot, why)| write!(f, "; slot {slot} on `{disk}`: {why}"))
    }
}

/// Byte offset of the superblock; `None` for an absurd count.
#[must_use]
pub fn head_offset(wanted: &RootRef) -> Option<u64> {
    wanted.data_blocks.checked_mul(BLOCK as u64)
}

/// Whether a partition is the wanted one, from its superblock's block and the block behind it.
///
/// # Errors
/// If it is not.
pub fn check(wanted: &RootRef, head: &[u8]) -> Result<Superblock, Mismatch> {
    let (first, top) = head.split_at_checked(BLOCK).ok_or(Mismatch::Short)?;
    let superblock = Superblock::decode(first)?;
    if superblock.data_blocks != wanted.data_blocks {
        return Err(Mismatch::Blocks { found: superblock.data_blocks, wanted: wanted.data_blocks });
    }
    let mut hasher = Hasher::default();
    hasher.update(&superblock.salt);
    hasher.update(top.get(..BLOCK).ok_or(Mismatch::Short)?);
    let found = hasher.finish();
    if found == wanted.root_hash { Ok(superblock) } else { Err(Mismatch::Hash(found)) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use skerry_formats::verity::product_salt;

    use super::*;

    fn head() -> (RootRef, Vec<u8>) {
        let salt = product_salt().as_bytes().to_vec();
        let mut head = vec![0; HEAD];
        let superblock = Superblock { uuid: [1; 16], data_blocks: 300, salt: salt.clone() };
        head[..512].copy_from_slice(&superblock.encode());
        head[BLOCK..BLOCK + 96].fill(7);
        let root_hash = Digest::of(&[salt.as_slice(), &head[BLOCK..]].concat());
        (RootRef { root_hash, data_blocks: 300 }, head)
    }

    #[test]
    fn the_right_partition_is_taken() {
        let (wanted, head) = head();
        assert_eq!(check(&wanted, &head).map(|found| found.data_blocks), Ok(300));
    }

    #[test]
    fn a_flipped_byte_in_the_top_block_is_refused() {
        let (wanted, mut head) = head();
        head[BLOCK + 5] ^= 1;
        assert!(matches!(check(&wanted, &head), Err(Mismatch::Hash(_))));
    }

    #[test]
    fn a_partition_that_ends_early_is_refused() {
        let (wanted, head) = head();
        assert_eq!(check(&wanted, &head[..BLOCK + 9]), Err(Mismatch::Short));
        assert_eq!(check(&wanted, &[]), Err(Mismatch::Short));
    }

    #[test]
    fn another_count_of_blocks_is_refused() {
        let (wanted, head) = head();
        let other = RootRef { data_blocks: 301, ..wanted };
        assert_eq!(check(&other, &head), Err(Mismatch::Blocks { found: 300, wanted: 301 }));
    }

    proptest! {
        #[test]
        fn no_other_bytes_are_taken(at in 0..HEAD, flip in 1..=255u8) {
            let (wanted, mut head) = head();
            head[at] ^= flip;
            // Outside the superblock's fields nothing counts: its UUID, and the padding of its block.
            let counts = at >= BLOCK || (at < 82 && !(16..32).contains(&at)) || (88..120).contains(&at);
            prop_assert_eq!(check(&wanted, &head).is_err(), counts);
        }
    }
}
