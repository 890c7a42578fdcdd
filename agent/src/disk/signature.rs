//! File system signatures, read from a device's first bytes. Pure.

use std::fmt;

/// Bytes from a device's start that are enough to tell every signature known here.
pub const ENOUGH: usize = 72 << 10;
/// Where an ext superblock lies.
const EXT: usize = 1024;

/// What a device holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signature {
    /// ext2, ext3 or ext4.
    Ext(Ext),
    /// FAT, with its label.
    Fat(Label),
    /// ISO 9660, with its label.
    Iso(Label),
    /// A file system or volume that is none of ours; its name.
    Foreign(&'static str),
    /// Nothing known, but not all zero.
    Unknown,
    /// All zero.
    Blank,
}

/// The size of an ext file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ext {
    /// Bytes that the file system takes.
    pub size: u64,
}

/// A file system's label, upper-cased, without padding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label(String);

impl Label {
    fn new(bytes: &[u8]) -> Self {
        Self(String::from_utf8_lossy(bytes).trim_matches(['\0', ' ']).to_uppercase())
    }

    /// The label.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Magic numbers of what a disk is used for elsewhere: place, bytes, name.
const FOREIGN: [(usize, &[u8], &str); 8] = [
    (0, b"XFSB", "XFS"),
    (0, b"LUKS\xba\xbe", "LUKS"),
    (0, b"hsqs", "SquashFS"),
    (1024, b"\xe2\xe1\xf5\xe0", "EROFS"),
    (1024, b"\x10\x20\xf5\xf2", "F2FS"),
    (512, b"LABELONE", "LVM"),
    (3, b"NTFS    ", "NTFS"),
    (0x1_0040, b"_BHRfS_M", "Btrfs"),
];

/// What a device whose first bytes these are holds.
#[must_use]
pub fn signature(start: &[u8]) -> Signature {
    let has = |at: usize, magic: &[u8]| start.get(at..at + magic.len()) == Some(magic);
    if has(EXT + 0x38, &[0x53, 0xef]) {
        return Signature::Ext(ext(&start[EXT..]));
    }
    if let Some((_, _, name)) = FOREIGN.iter().find(|(at, magic, _)| has(*at, magic)) {
        return Signature::Foreign(name);
    }
    if has(0x8001, b"CD001") {
        return Signature::Iso(Label::new(start.get(0x8028..0x8048).unwrap_or_default()));
    }
    let fat = [(0x36, 0x2b), (0x52, 0x47)].into_iter().find(|(at, _)| has(*at, b"FAT"));
    if let (Some((_, label)), true) = (fat, has(510, &[0x55, 0xaa])) {
        return Signature::Fat(Label::new(&start[label..label + 11]));
    }
    if start.iter().all(|byte| *byte == 0) { Signature::Blank } else { Signature::Unknown }
}

fn ext(superblock: &[u8]) -> Ext {
    let word = |at: usize| {
        superblock
            .get(at..at + 4)
            .map_or(0, |bytes| bytes.iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
    };
    // Incompatible feature 0x80: block numbers have 64 bits.
    let high = if word(0x60) & 0x80 == 0 { 0 } else { word(0x150) << 32 };
    let block = 1024u64 << word(0x18).min(6);
    Ext { size: (word(0x4) | high).saturating_mul(block) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_fat_medium_is_known_by_its_label() {
        let mut sector = vec![0; 4096];
        sector[0x2b..0x36].copy_from_slice(b"CIDATA     ");
        sector[0x36..0x3e].copy_from_slice(b"FAT16   ");
        sector[510..512].copy_from_slice(&[0x55, 0xaa]);
        assert_eq!(signature(&sector), Signature::Fat(Label("CIDATA".into())));
    }

    #[test]
    fn an_iso_medium_is_known_by_its_label() {
        let mut start = vec![0; ENOUGH];
        start[0x8001..0x8006].copy_from_slice(b"CD001");
        start[0x8028..0x802e].copy_from_slice(b"cidata");
        start[0x802e..0x8048].fill(b' ');
        assert_eq!(signature(&start), Signature::Iso(Label("CIDATA".into())));
    }

    #[test]
    fn the_size_of_ext4_is_read() {
        let mut start = vec![0; 8192];
        start[1024 + 0x38..1024 + 0x3a].copy_from_slice(&[0x53, 0xef]);
        start[1024 + 4..1024 + 8].copy_from_slice(&1000u32.to_le_bytes());
        start[1024 + 0x18] = 2;
        assert_eq!(signature(&start), Signature::Ext(Ext { size: 4_096_000 }));
    }

    #[test]
    fn only_zeroes_are_blank() {
        let mut start = vec![0; ENOUGH];
        assert_eq!(signature(&start), Signature::Blank);
        start[9] = 1;
        assert_eq!(signature(&start), Signature::Unknown);
        start[..4].copy_from_slice(b"XFSB");
        assert_eq!(signature(&start), Signature::Foreign("XFS"));
    }

    proptest! {
        #[test]
        fn foreign_bytes_never_panic(start in prop::collection::vec(any::<u8>(), 0..3000), magic in 0..3usize) {
            let mut start = start;
            for (at, bytes) in [(0x36, &b"FAT"[..]), (0x438, &[0x53, 0xef]), (510, &[0x55, 0xaa])].iter().take(magic + 1) {
                if let Some(place) = start.get_mut(*at..at + bytes.len()) {
                    place.copy_from_slice(bytes);
                }
            }
            let _any = signature(&start);
        }
    }
}
