//! Partitions that an image file does not hold: ROOT-B and DATA, made on first boot and grown when the disk has grown.

use std::path::Path;

use skerry_formats::layout::{MIB, Part};

use super::{InitError, Log, SYSROOT};
use crate::{
    chain,
    disk::boot::BootDisk,
    sys::process::{ProcessError, Program},
};

/// Where DATA comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Made in this boot.
    JustMade,
    /// It was there.
    Found,
}

/// How much room behind DATA is not worth growing into.
const SLACK: u64 = 64 * MIB;

/// Lets the root's own systemd-repart make what is missing. If it fails and DATA is there, the boot goes on.
pub fn complete(disk: &BootDisk, log: &mut Log) -> Result<(BootDisk, Origin), InitError> {
    let before = disk.parts.contains_key(&Part::Data);
    if !incomplete(disk) {
        return Ok((disk.clone(), Origin::Found));
    }
    log.say(format!("making partitions on `{}`", disk.disk.name));
    let made = repart(disk);
    let disk = disk.again().map_err(InitError::Disk)?;
    let has_data = disk.parts.contains_key(&Part::Data);
    match made {
        Ok(()) if has_data => {}
        Err(error) if has_data => log.say(format!("partitions are kept as they are: {}", chain::one_line(&error))),
        other => return Err(InitError::NoData(other.err())),
    }
    Ok((disk, if before { Origin::Found } else { Origin::JustMade }))
}

/// Whether a partition is missing, or the disk has grown behind DATA.
fn incomplete(disk: &BootDisk) -> bool {
    let has = |part| disk.parts.contains_key(&part);
    let data = disk.parts.get(&Part::Data).map_or(0, |data| data.size);
    let used = Part::Data.start() + data + SLACK;
    !has(Part::RootA) || !has(Part::RootB) || !has(Part::Data) || used < disk.disk.size
}

/// What lies between partitions is never discarded: on some boards the firmware's boot loader is there.
fn repart(disk: &BootDisk) -> Result<(), ProcessError> {
    let node = disk.disk.node().display().to_string();
    let definitions = "--definitions=/usr/lib/repart.d";
    let options = ["--dry-run=no", "--discard=no", "--no-pager", "--no-legend", definitions, &node];
    Program::new("/usr/bin/systemd-repart").args(options).within(Path::new(SYSROOT)).run().map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::block::Device;

    fn disk(size: u64, data: u64) -> BootDisk {
        let device = |size| Device { name: "vda".into(), size, sequence: 1, partition: None, parent: None };
        let parts = Part::ALL.into_iter().map(|part| (part, device(part.size().unwrap_or(data)))).collect();
        BootDisk { disk: device(size), parts }
    }

    #[test]
    fn a_complete_disk_is_left_alone() {
        assert!(!incomplete(&disk(8192 * MIB, (8192 - 2578) * MIB - MIB)));
    }

    #[test]
    fn a_grown_disk_and_a_missing_partition_are_seen() {
        assert!(incomplete(&disk(16384 * MIB, (8192 - 2578) * MIB)));
        let mut fresh = disk(8192 * MIB, (8192 - 2578) * MIB);
        fresh.parts.remove(&Part::RootB);
        assert!(incomplete(&fresh));
    }
}
