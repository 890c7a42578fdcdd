//! The partition table (UEFI specification 2.10, chapter 5), by layout v1. Written by ourselves, as every byte is fixed.

use skerry_formats::layout::{MIB, Part, SECTOR, disk_guid};
use uuid::Uuid;

/// Bytes of an image: its last partition, and room for the backup table.
pub const IMAGE_SIZE: u64 = end_of_parts() + MIB;
const ENTRIES: usize = 128;
const ENTRY: usize = 128;
const TABLE_SECTORS: u64 = (ENTRIES * ENTRY) as u64 / SECTOR;

const fn end_of_parts() -> u64 {
    match Part::RootA.size() {
        Some(size) => Part::RootA.start() + size,
        None => 0,
    }
}

/// What goes to the two ends of the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tables {
    /// Protective MBR, header and entries, for offset 0.
    pub primary: Vec<u8>,
    /// Entries and header, for the end of the disk.
    pub backup: Vec<u8>,
}

/// Both tables of an image.
#[must_use]
pub fn tables() -> Tables {
    let last = IMAGE_SIZE / SECTOR - 1;
    let entries = entries();
    let mut primary = protective_mbr(last);
    primary.extend(header(&entries, [1, last, 2]));
    primary.extend(&entries);
    let mut backup = entries.clone();
    backup.extend(header(&entries, [last, 1, last - TABLE_SECTORS]));
    Tables { primary, backup }
}

fn entries() -> Vec<u8> {
    let mut bytes = vec![0; ENTRIES * ENTRY];
    for (part, entry) in Part::IN_IMAGE.iter().zip(bytes.chunks_mut(ENTRY)) {
        let first = part.start() / SECTOR;
        let last = first + part.size().unwrap_or(SECTOR) / SECTOR - 1;
        entry[..16].copy_from_slice(&part.type_guid().to_bytes_le());
        entry[16..32].copy_from_slice(&part.guid().to_bytes_le());
        entry[32..40].copy_from_slice(&first.to_le_bytes());
        entry[40..48].copy_from_slice(&last.to_le_bytes());
        for (unit, place) in part.label().encode_utf16().zip(entry[56..].chunks_mut(2)) {
            place.copy_from_slice(&unit.to_le_bytes());
        }
    }
    bytes
}

/// A header in its sector; `places` are its own sector, the other header's, and the entries' first.
fn header(entries: &[u8], places: [u64; 3]) -> Vec<u8> {
    let mut bytes = b"EFI PART\0\0\x01\0\x5c\0\0\0\0\0\0\0\0\0\0\0".to_vec();
    let [own, other, first_entry] = places;
    let last = IMAGE_SIZE / SECTOR - 1;
    for value in [own, other, 2 + TABLE_SECTORS, last - TABLE_SECTORS - 1] {
        bytes.extend(value.to_le_bytes());
    }
    bytes.extend(disk_guid().to_bytes_le());
    bytes.extend(first_entry.to_le_bytes());
    bytes.extend((ENTRIES as u32).to_le_bytes());
    bytes.extend((ENTRY as u32).to_le_bytes());
    bytes.extend(crc32fast::hash(entries).to_le_bytes());
    let crc = crc32fast::hash(&bytes);
    bytes[16..20].copy_from_slice(&crc.to_le_bytes());
    bytes.resize(SECTOR as usize, 0);
    bytes
}

/// One entry of type 0xEE over the whole disk, so that old tools see it as full.
fn protective_mbr(last: u64) -> Vec<u8> {
    let mut bytes = vec![0; SECTOR as usize];
    bytes[446..458].copy_from_slice(&[0, 0, 2, 0, 0xee, 0xff, 0xff, 0xff, 1, 0, 0, 0]);
    bytes[458..462].copy_from_slice(&u32::try_from(last).unwrap_or(u32::MAX).to_le_bytes());
    bytes[510..].copy_from_slice(&[0x55, 0xaa]);
    bytes
}

/// A partition's name and GUID as a table of an image has them, for inspection.
#[must_use]
pub fn named(entry: &[u8]) -> Option<(String, Uuid)> {
    let guid = Uuid::from_slice_le(entry.get(16..32)?).ok().filter(|guid| !guid.is_nil())?;
    let units = entry.get(56..ENTRY)?.chunks(2).map(|pair| u16::from(pair[0]) | u16::from(pair[1]) << 8);
    Some((String::from_utf16_lossy(&units.take_while(|unit| *unit != 0).collect::<Vec<_>>()), guid))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_have_their_checksums_and_point_at_each_other() {
        let tables = tables();
        let head = &tables.primary[512..604];
        let mut blank = head.to_vec();
        blank[16..20].fill(0);
        assert_eq!(head[16..20], crc32fast::hash(&blank).to_le_bytes());
        assert_eq!(head[32..40], (IMAGE_SIZE / SECTOR - 1).to_le_bytes());
        assert_eq!(tables.backup.len() as u64, (TABLE_SECTORS + 1) * SECTOR);
    }

    #[test]
    fn the_gpt_crate_reads_the_table() {
        let mut disk = std::io::Cursor::new(vec![0; usize::try_from(IMAGE_SIZE).unwrap()]);
        let tables = tables();
        disk.get_mut()[..tables.primary.len()].copy_from_slice(&tables.primary);
        let at = disk.get_ref().len() - tables.backup.len();
        disk.get_mut()[at..].copy_from_slice(&tables.backup);
        let read = gpt::GptConfig::new().writable(false).open_from_device(Box::new(disk)).unwrap();
        let names: Vec<String> = read.partitions().values().map(|part| part.name.clone()).collect();
        assert_eq!(names, Part::IN_IMAGE.map(Part::label));
        assert_eq!(read.partitions()[&5].first_lba * SECTOR, Part::RootA.start());
    }
}
