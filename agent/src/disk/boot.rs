//! The disk of the layout: its partitions, found by the GUIDs in its table.

use std::{collections::BTreeMap, path::PathBuf};

use skerry_formats::layout::Part;

use super::gpt::{BadGpt, Entry, Header, SECTOR};
use crate::sys::{
    block::{self, Device},
    fs::{self, FsError},
};

/// A disk with partitions of the layout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BootDisk {
    /// The disk.
    pub disk: Device,
    /// The layout's partitions that are there.
    pub parts: BTreeMap<Part, Device>,
}

/// A disk whose table cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DiskError {
    /// It cannot be read.
    #[error("the disk is unreadable")]
    Read(#[source] FsError),
    /// Its table is absent or damaged, and so is the copy at the disk's end.
    #[error("the disk `{disk}` cannot be used")]
    Table {
        /// Which disk.
        disk: String,
        /// What is wrong.
        #[source]
        source: BadGpt,
    },
}

impl BootDisk {
    /// A partition's node.
    #[must_use]
    pub fn node(&self, part: Part) -> Option<PathBuf> {
        self.parts.get(&part).map(Device::node)
    }

    /// Whether a device is this disk or a part of it.
    #[must_use]
    pub fn owns(&self, device: &Device) -> bool {
        device.name == self.disk.name || device.parent.as_deref() == Some(self.disk.name.as_str())
    }

    /// Looks at one disk.
    ///
    /// # Errors
    /// If it cannot be read or has no usable table.
    pub fn look(disk: &Device, all: &[Device]) -> Result<Self, DiskError> {
        let entries = entries(disk)?;
        let device_of = |entry: &Entry| {
            all.iter().find(|device| {
                device.partition == Some(entry.number) && device.parent.as_deref() == Some(disk.name.as_str())
            })
        };
        let parts = entries.iter().filter_map(|entry| Some((part_of(entry)?, device_of(entry)?.clone()))).collect();
        Ok(Self { disk: disk.clone(), parts })
    }

    /// Looks again: partitions may have come or grown.
    ///
    /// # Errors
    /// If the disk can no longer be read.
    pub fn again(&self) -> Result<Self, DiskError> {
        let all = block::devices();
        let disk = all.iter().find(|device| device.name == self.disk.name).unwrap_or(&self.disk);
        Self::look(disk, &all)
    }
}

/// What an entry is. A partition of the layout is one only at its place: a second one elsewhere is none.
fn part_of(entry: &Entry) -> Option<Part> {
    let starts = |part: &Part| entry.first.checked_mul(SECTOR as u64) == Some(part.start());
    Part::ALL.into_iter().find(|part| part.guid() == entry.guid && starts(part))
}

/// Every disk that has at least one root partition of the layout. Disks that cannot be read are passed over.
#[must_use]
pub fn candidates() -> Vec<BootDisk> {
    let all = block::devices();
    let disks = all.iter().filter(|device| device.partition.is_none());
    let known = disks.filter_map(|disk| BootDisk::look(disk, &all).ok());
    known.filter(|disk| [Part::RootA, Part::RootB].iter().any(|part| disk.parts.contains_key(part))).collect()
}

/// The entries of the table at the disk's start, or, where that is damaged, of the copy at its end.
fn entries(disk: &Device) -> Result<Vec<Entry>, DiskError> {
    let sector = SECTOR as u64;
    let copy = (disk.size / sector).saturating_sub(1);
    let first = table_at(disk, 1)?;
    let table =
        if matches!(first, Err(BadGpt::Damaged(_) | BadGpt::Absurd(_))) { table_at(disk, copy)? } else { first };
    table.map_err(|source| DiskError::Table { disk: disk.name.clone(), source })
}

fn table_at(disk: &Device, header_at: u64) -> Result<Result<Vec<Entry>, BadGpt>, DiskError> {
    let node = disk.node();
    let read =
        |at: u64, size: usize| fs::read_at(&node, at.saturating_mul(SECTOR as u64), size).map_err(DiskError::Read);
    let header = match Header::parse(&read(header_at, SECTOR)?) {
        Ok(header) => header,
        Err(bad) => return Ok(Err(bad)),
    };
    Ok(header.entries(&read(header.entries_at, header.entries_size())?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_partition_of_the_same_name_is_not_taken() {
        let at = |first| Entry { number: 5, guid: Part::RootA.guid(), first, last: first.saturating_add(1) };
        assert_eq!(part_of(&at(Part::RootA.start() / 512)), Some(Part::RootA));
        assert_eq!(part_of(&at(Part::Data.start() / 512)), None);
        assert_eq!(part_of(&at(u64::MAX)), None);
    }
}
