//! The GUID partition table, read-only, as the UEFI specification (5.3) defines it. Pure: bytes in, entries out.
//!
//! The kernel of Debian 13 does not yet tell a partition's GUID in `/sys`, so that it is read here.

use uuid::Uuid;

/// Bytes of a sector; the layout is defined for 512 only.
pub const SECTOR: usize = 512;
/// The most entries that are read; the layout has 7, other tools make 128.
const MOST_ENTRIES: u32 = 1024;
/// Bytes of the header that its checksum covers.
const HEADER: usize = 92;

/// Where the entries lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The disk's GUID.
    pub disk: Uuid,
    /// First sector of the entries.
    pub entries_at: u64,
    count: u32,
    size: u32,
    checksum: u32,
}

/// A partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its number, from 1.
    pub number: u32,
    /// Its own GUID.
    pub guid: Uuid,
    /// Its first sector.
    pub first: u64,
    /// Its last sector.
    pub last: u64,
}

/// Bytes that are no partition table.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
pub enum BadGpt {
    /// Another disk format, or an empty disk.
    #[error("no GUID partition table")]
    Absent,
    /// The header's or the entries' checksum is wrong.
    #[error("the partition table's {0} are damaged: wrong checksum")]
    Damaged(&'static str),
    /// Parameters that no tool writes.
    #[error("the partition table has absurd {0}")]
    Absurd(&'static str),
}

impl Header {
    /// Reads the sector at block 1, or the disk's last.
    ///
    /// # Errors
    /// If it is no intact header.
    pub fn parse(sector: &[u8]) -> Result<Self, BadGpt> {
        let header = sector.get(..HEADER).ok_or(BadGpt::Absent)?;
        if &header[..8] != b"EFI PART" {
            return Err(BadGpt::Absent);
        }
        if word(header, 12) as usize != HEADER {
            return Err(BadGpt::Absurd("header size"));
        }
        let mut zeroed = header.to_vec();
        zeroed[16..20].fill(0);
        if crc32fast::hash(&zeroed) != word(header, 16) {
            return Err(BadGpt::Damaged("header bytes"));
        }
        let found = Self {
            disk: guid(&header[56..72]),
            entries_at: long(header, 72),
            count: word(header, 80),
            size: word(header, 84),
            checksum: word(header, 88),
        };
        if found.count > MOST_ENTRIES {
            return Err(BadGpt::Absurd("number of entries"));
        }
        if !(128..=4096).contains(&found.size) {
            return Err(BadGpt::Absurd("entry size"));
        }
        Ok(found)
    }

    /// Bytes that all entries take.
    #[must_use]
    pub const fn entries_size(&self) -> usize {
        self.count as usize * self.size as usize
    }

    /// Reads the entries that are in use.
    ///
    /// # Errors
    /// If the bytes are cut short or damaged.
    pub fn entries(&self, bytes: &[u8]) -> Result<Vec<Entry>, BadGpt> {
        let bytes = bytes.get(..self.entries_size()).ok_or(BadGpt::Damaged("entries"))?;
        if crc32fast::hash(bytes) != self.checksum {
            return Err(BadGpt::Damaged("entries"));
        }
        let used = (1..).zip(bytes.chunks_exact(self.size as usize)).filter(|(_, entry)| entry[..16] != [0; 16]);
        Ok(used
            .map(|(number, entry)| Entry {
                number,
                guid: guid(&entry[16..32]),
                first: long(entry, 32),
                last: long(entry, 40),
            })
            .collect())
    }
}

fn word(bytes: &[u8], at: usize) -> u32 {
    bytes[at..at + 4].iter().rev().fold(0, |value, byte| value << 8 | u32::from(*byte))
}

fn long(bytes: &[u8], at: usize) -> u64 {
    u64::from(word(bytes, at)) | u64::from(word(bytes, at + 4)) << 32
}

/// A GUID as tables hold it: the first three fields little-endian.
fn guid(bytes: &[u8]) -> Uuid {
    let mut own = [0; 16];
    own.copy_from_slice(&bytes[..16]);
    Uuid::from_bytes_le(own)
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;
    use skerry_formats::layout::{Part, disk_guid};

    use super::*;

    /// A table's header sector and entries.
    pub(crate) fn table(parts: &[Part]) -> (Vec<u8>, Vec<u8>) {
        let mut entries = vec![0; 128 * 128];
        for (entry, part) in entries.chunks_exact_mut(128).zip(parts) {
            entry[..16].copy_from_slice(&part.type_guid().to_bytes_le());
            entry[16..32].copy_from_slice(&part.guid().to_bytes_le());
            entry[32..40].copy_from_slice(&(part.start() / 512).to_le_bytes());
            let last = (part.start() + part.size().unwrap_or(1 << 30)) / 512 - 1;
            entry[40..48].copy_from_slice(&last.to_le_bytes());
        }
        let mut header = vec![0; 512];
        header[..8].copy_from_slice(b"EFI PART");
        for (at, value) in [(8, 0x1_0000), (12, 92), (80, 128), (84, 128), (88, crc32fast::hash(&entries))] {
            header[at..at + 4].copy_from_slice(&u32::to_le_bytes(value));
        }
        header[56..72].copy_from_slice(&disk_guid().to_bytes_le());
        header[72..80].copy_from_slice(&2u64.to_le_bytes());
        let checksum = crc32fast::hash(&header[..92]);
        header[16..20].copy_from_slice(&checksum.to_le_bytes());
        (header, entries)
    }

    #[test]
    fn partitions_of_the_layout_are_found_by_their_guids() {
        let (sector, bytes) = table(&Part::IN_IMAGE);
        let header = Header::parse(&sector).unwrap();
        let entries = header.entries(&bytes).unwrap();
        let numbers: Vec<u32> = entries.iter().map(|entry| entry.number).collect();
        assert_eq!((header.disk, numbers), (disk_guid(), vec![1, 2, 3, 4, 5]));
        assert_eq!((entries[4].guid, entries[4].first), (Part::RootA.guid(), 530 * 2048));
    }

    #[test]
    fn a_flipped_bit_is_seen() {
        let (mut sector, mut bytes) = table(&Part::IN_IMAGE);
        bytes[300] ^= 1;
        assert_eq!(Header::parse(&sector).unwrap().entries(&bytes), Err(BadGpt::Damaged("entries")));
        sector[60] ^= 1;
        assert_eq!(Header::parse(&sector), Err(BadGpt::Damaged("header bytes")));
    }

    proptest! {
        #[test]
        fn foreign_bytes_never_panic(sector in prop::collection::vec(any::<u8>(), 0..600)) {
            let mut sector = sector;
            prop_assert!(Header::parse(&sector).is_err());
            if sector.len() > 8 {
                sector[..8].copy_from_slice(b"EFI PART");
                let _any = Header::parse(&sector);
            }
        }
    }
}
