//! Disk layout v1, frozen: partitions, their places and their derived GUIDs.
//!
//! ```text
//! 0        16 MiB     272        528 529 530        1554       2578
//! | gap    | ESP      | RESERVED | M | M | ROOT-A   | ROOT-B   | DATA …
//! ```
//! An image file ends behind ROOT-A; ROOT-B and DATA are made on the device at first boot.

use sha2::{Digest as _, Sha256};
use uuid::{Builder, Uuid, uuid};

/// Bytes of a sector, the unit of the partition table.
pub const SECTOR: u64 = 512;
/// One mebibyte, the alignment of every partition.
pub const MIB: u64 = 1 << 20;
/// The largest share of a root slot, in per cent, that a release may fill.
pub const SLOT_BUDGET_PERCENT: u64 = 60;
/// The disk's own GUID.
#[must_use]
pub fn disk_guid() -> Uuid {
    derive("disk")
}

/// A partition of the layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// FAT: boot loader and unified kernel images.
    Esp,
    /// A second boot partition some day.
    Reserved,
    /// Raw: the boot loader's record, then the agent's two records.
    Meta1,
    /// Raw: the agent's copy.
    Meta2,
    /// EROFS and its verity tree, slot A.
    RootA,
    /// EROFS and its verity tree, slot B; made on first boot.
    RootB,
    /// ext4, mounted on `/var`; made and grown on first boot.
    Data,
}

impl Part {
    /// The partitions that an image file holds, in disk order.
    pub const IN_IMAGE: [Self; 5] = [Self::Esp, Self::Reserved, Self::Meta1, Self::Meta2, Self::RootA];
    /// All partitions, in disk order.
    pub const ALL: [Self; 7] =
        [Self::Esp, Self::Reserved, Self::Meta1, Self::Meta2, Self::RootA, Self::RootB, Self::Data];

    /// The GPT partition name.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Esp => "ESP",
            Self::Reserved => "RESERVED",
            Self::Meta1 => "META-1",
            Self::Meta2 => "META-2",
            Self::RootA => "ROOT-A",
            Self::RootB => "ROOT-B",
            Self::Data => "DATA",
        }
    }

    /// First byte on the disk.
    #[must_use]
    pub const fn start(self) -> u64 {
        MIB * match self {
            Self::Esp => 16,
            Self::Reserved => 272,
            Self::Meta1 => 528,
            Self::Meta2 => 529,
            Self::RootA => 530,
            Self::RootB => 1554,
            Self::Data => 2578,
        }
    }

    /// Size in bytes; DATA has none, it takes the rest.
    #[must_use]
    pub const fn size(self) -> Option<u64> {
        match self {
            Self::Esp | Self::Reserved => Some(256 * MIB),
            Self::Meta1 | Self::Meta2 => Some(MIB),
            Self::RootA | Self::RootB => Some(1024 * MIB),
            Self::Data => None,
        }
    }

    /// The partition's own GUID, the same on every disk.
    #[must_use]
    pub fn guid(self) -> Uuid {
        derive(self.label())
    }

    /// The partition type GUID. Only the ESP and DATA use well-known types, so that no generator mounts the rest.
    #[must_use]
    pub fn type_guid(self) -> Uuid {
        match self {
            Self::Esp => uuid!("c12a7328-f81f-11d2-ba4b-00a0c93ec93b"),
            Self::Data => uuid!("0fc63daf-8483-4772-8e79-3d69d8477de4"),
            Self::Reserved => derive("type/reserved"),
            Self::Meta1 | Self::Meta2 => derive("type/meta"),
            Self::RootA | Self::RootB => derive("type/root"),
        }
    }
}

/// A version 8 UUID from the layout's version and a word.
fn derive(word: &str) -> Uuid {
    let digest: [u8; 32] = Sha256::digest(format!("skerry/layout/v1/{word}").as_bytes()).into();
    let mut first = [0; 16];
    first.copy_from_slice(&digest[..16]);
    Builder::from_custom_bytes(first).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_touch_and_never_overlap() {
        for pair in Part::ALL.windows(2) {
            assert_eq!(pair[0].size().map(|size| pair[0].start() + size), Some(pair[1].start()));
        }
    }

    #[test]
    fn guids_are_frozen() {
        let seen: Vec<String> = Part::ALL.iter().map(|part| part.guid().to_string()).collect();
        let mut unique = seen.clone();
        unique.sort();
        unique.dedup();
        assert_eq!(unique.len(), seen.len());
        assert_eq!(disk_guid().get_version_num(), 8);
    }
}
