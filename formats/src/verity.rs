//! The dm-verity superblock, version 1, as the kernel's documentation and cryptsetup define it.
//!
//! Little-endian, 512 bytes, zero-padded to one hash block: `verity\0\0`, u32 version 1, u32 hash type 1, UUID, algorithm
//! name (32 bytes), u32 data block size, u32 hash block size, u64 data blocks, u16 salt size, 6 bytes zero, salt (256).

use crate::digest::Digest;

/// Bytes of a data block and of a hash block.
pub const BLOCK: usize = 4096;
/// Bytes of the superblock itself; the rest of its block is zero.
pub const SUPERBLOCK_SIZE: usize = 512;
const MAGIC: &[u8; 8] = b"verity\0\0";

/// The product's one salt, fixed so that the trees of two releases can be compared leaf by leaf.
#[must_use]
pub fn product_salt() -> Digest {
    Digest::of(b"skerry/verity/v1")
}

/// What a verity superblock says; sizes, version and algorithm are fixed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Superblock {
    /// UUID of the hash area.
    pub uuid: [u8; 16],
    /// Number of data blocks.
    pub data_blocks: u64,
    /// Salt, put before each block that is hashed; at most 256 bytes.
    pub salt: Vec<u8>,
}

/// Bytes that are no superblock of ours.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum BadSuperblock {
    /// Fewer than 512 bytes.
    #[error("verity superblock is cut short: {0} bytes of 512")]
    Short(usize),
    /// Another file's bytes.
    #[error("no verity superblock: wrong magic")]
    Magic,
    /// A parameter we never write.
    #[error("verity superblock: unsupported {field}: {value}")]
    Unsupported {
        /// Which field.
        field: &'static str,
        /// What it holds.
        value: u64,
    },
}

impl Superblock {
    /// The superblock's 512 bytes.
    #[must_use]
    pub fn encode(&self) -> [u8; SUPERBLOCK_SIZE] {
        let mut bytes = [0; SUPERBLOCK_SIZE];
        let salt = &self.salt[..self.salt.len().min(256)];
        let mut put = |at: usize, field: &[u8]| bytes[at..at + field.len()].copy_from_slice(field);
        put(0, MAGIC);
        put(8, &1u32.to_le_bytes());
        put(12, &1u32.to_le_bytes());
        put(16, &self.uuid);
        put(32, b"sha256");
        put(64, &(BLOCK as u32).to_le_bytes());
        put(68, &(BLOCK as u32).to_le_bytes());
        put(72, &self.data_blocks.to_le_bytes());
        put(80, &(salt.len() as u16).to_le_bytes());
        put(88, salt);
        bytes
    }

    /// Reads a superblock.
    ///
    /// # Errors
    /// If the bytes are no verity superblock of version 1 with SHA-256 and 4096-byte blocks.
    pub fn decode(bytes: &[u8]) -> Result<Self, BadSuperblock> {
        let bytes = bytes.get(..SUPERBLOCK_SIZE).ok_or(BadSuperblock::Short(bytes.len()))?;
        if &bytes[..8] != MAGIC {
            return Err(BadSuperblock::Magic);
        }
        for (field, at, wanted) in
            [("version", 8, 1), ("hash type", 12, 1), ("data block size", 64, BLOCK), ("hash block size", 68, BLOCK)]
        {
            let value = number(&bytes[at..at + 4]);
            if value != wanted as u64 {
                return Err(BadSuperblock::Unsupported { field, value });
            }
        }
        if &bytes[32..64] != b"sha256\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" {
            return Err(BadSuperblock::Unsupported { field: "hash algorithm", value: 0 });
        }
        let salt_size = number(&bytes[80..82]);
        if salt_size > 256 {
            return Err(BadSuperblock::Unsupported { field: "salt size", value: salt_size });
        }
        let mut uuid = [0; 16];
        uuid.copy_from_slice(&bytes[16..32]);
        Ok(Self { uuid, data_blocks: number(&bytes[72..80]), salt: bytes[88..88 + salt_size as usize].to_vec() })
    }
}

fn number(little_endian: &[u8]) -> u64 {
    little_endian.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn superblock_survives_its_bytes() {
        let block = Superblock { uuid: [7; 16], data_blocks: 63_814, salt: product_salt().as_bytes().to_vec() };
        assert_eq!(Superblock::decode(&block.encode()), Ok(block));
    }

    #[test]
    fn foreign_parameters_are_rejected() {
        let mut bytes = Superblock { uuid: [0; 16], data_blocks: 1, salt: vec![] }.encode();
        bytes[81] = 9;
        assert!(Superblock::decode(&bytes).is_err());
        bytes[0] = b'V';
        assert_eq!(Superblock::decode(&bytes), Err(BadSuperblock::Magic));
        assert_eq!(Superblock::decode(&bytes[..40]), Err(BadSuperblock::Short(40)));
    }
}
