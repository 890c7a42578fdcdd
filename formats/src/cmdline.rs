//! What a unified kernel image's command line says about the root file system.
//!
//! `skerry.roothash=<64 hex> skerry.datablocks=<count>`: the dm-verity root hash, and how many 4096-byte blocks of EROFS
//! precede the verity tree in the root partition. They select the slot: whichever root partition matches is ours.

use std::fmt;

use crate::digest::Digest;

/// The verified root that a kernel belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RootRef {
    /// dm-verity root hash.
    pub root_hash: Digest,
    /// 4096-byte blocks of data; the verity superblock follows them.
    pub data_blocks: u64,
}

/// A command line that names no verified root.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum BadCmdline {
    /// The key is not there.
    #[error("kernel command line has no `{0}`")]
    Missing(&'static str),
    /// The key appears twice.
    #[error("kernel command line has `{0}` twice")]
    Twice(&'static str),
    /// The value cannot be read.
    #[error("kernel command line: bad value of `{key}`: `{value}`")]
    Bad {
        /// Which key.
        key: &'static str,
        /// Its value.
        value: String,
    },
}

const ROOT_HASH: &str = "skerry.roothash";
const DATA_BLOCKS: &str = "skerry.datablocks";

impl RootRef {
    /// Reads both keys from a kernel command line.
    ///
    /// # Errors
    /// If a key is missing, doubled or malformed.
    pub fn parse(cmdline: &str) -> Result<Self, BadCmdline> {
        let root_hash = value(cmdline, ROOT_HASH)?;
        let data_blocks = value(cmdline, DATA_BLOCKS)?;
        let bad = |key, value: &str| BadCmdline::Bad { key, value: value.to_owned() };
        Ok(Self {
            root_hash: root_hash.parse().map_err(|_| bad(ROOT_HASH, root_hash))?,
            data_blocks: data_blocks.parse().map_err(|_| bad(DATA_BLOCKS, data_blocks))?,
        })
    }
}

impl fmt::Display for RootRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{ROOT_HASH}={} {DATA_BLOCKS}={}", self.root_hash, self.data_blocks)
    }
}

fn value<'a>(cmdline: &'a str, key: &'static str) -> Result<&'a str, BadCmdline> {
    let mut found = cmdline.split_ascii_whitespace().filter_map(|word| word.strip_prefix(key)?.strip_prefix('='));
    let first = found.next().ok_or(BadCmdline::Missing(key))?;
    found.next().map_or(Ok(first), |_| Err(BadCmdline::Twice(key)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_reference_survives_the_command_line() {
        let root = RootRef { root_hash: Digest::of(b"r"), data_blocks: 7 };
        assert_eq!(RootRef::parse(&format!("ro {root} quiet")), Ok(root));
    }

    #[test]
    fn a_doubled_root_hash_is_rejected() {
        let root = RootRef { root_hash: Digest::of(b"r"), data_blocks: 7 };
        assert_eq!(RootRef::parse(&format!("{root} {root}")), Err(BadCmdline::Twice(ROOT_HASH)));
    }
}
