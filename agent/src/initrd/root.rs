//! The verified root: dm-verity over the partition, EROFS over that.

use std::{fmt::Write as _, path::Path};

use skerry_formats::{cmdline::RootRef, verity::BLOCK};

use super::{InitError, SYSROOT, choose::Found};
use crate::sys::{
    dm::Mapping,
    fs,
    mount::{Flags, Mount},
};

/// Opens the partition through dm-verity and mounts it read-only on `/sysroot`, with the kernel's file systems in it.
pub fn open(found: &Found, wanted: &RootRef) -> Result<(), InitError> {
    let node = found.node.to_string_lossy();
    let mapping = mapping(found, wanted, &node);
    let device = mapping.create().map_err(InitError::Verity)?;
    fs::create_dir_all(Path::new(SYSROOT)).map_err(InitError::Files)?;
    let erofs = Mount { source: &device, kind: "erofs", flags: Flags::MS_RDONLY, options: "" };
    erofs.on(Path::new(SYSROOT)).map_err(InitError::Root)?;
    for folder in ["/dev", "/proc", "/sys", "/run"] {
        let within = Path::new(SYSROOT).join(&folder[1..]);
        let bind = Mount { source: folder, kind: "none", flags: Flags::MS_BIND, options: "" };
        bind.on(&within).map_err(InitError::Mount)?;
    }
    Ok(())
}

/// The table, as the kernel's documentation of `verity` defines it. A corrupted block restarts the machine by way of a
/// panic: what cannot be trusted is not run, and the boot counter of the firmware gives the other slot its turn.
fn mapping(found: &Found, wanted: &RootRef, node: &str) -> Mapping {
    let blocks = wanted.data_blocks;
    let salt = found.superblock.salt.iter().fold(String::new(), |mut text, byte| {
        let _infallible = write!(text, "{byte:02x}");
        text
    });
    let salt = if salt.is_empty() { "-".to_owned() } else { salt };
    let tree = blocks + 1;
    Mapping {
        name: "root",
        uuid: format!("skerry-root-{}", found.slot),
        sectors: blocks * (BLOCK as u64 / 512),
        target: "verity",
        params: format!(
            "1 {node} {node} {BLOCK} {BLOCK} {blocks} {tree} sha256 {} {salt} 1 panic_on_corruption",
            wanted.root_hash
        ),
    }
}

#[cfg(test)]
mod tests {
    use skerry_formats::{digest::Digest, slot::Slot, verity::Superblock};

    use super::*;
    use crate::{disk::boot::BootDisk, sys::block::Device};

    #[test]
    fn the_table_is_golden() {
        let disk = Device { name: "vda".into(), size: 1 << 30, sequence: 1, partition: None, parent: None };
        let found = Found {
            disk: BootDisk { disk, parts: Default::default() },
            slot: Slot::A,
            node: "/dev/vda5".into(),
            superblock: Superblock { uuid: [0; 16], data_blocks: 8, salt: vec![0xab, 0x01] },
        };
        let wanted = RootRef { root_hash: Digest::from_bytes([0x11; 32]), data_blocks: 8 };
        let mapping = mapping(&found, &wanted, "/dev/vda5");
        assert_eq!((mapping.sectors, mapping.target), (64, "verity"));
        assert_eq!(
            mapping.params,
            format!("1 /dev/vda5 /dev/vda5 4096 4096 8 9 sha256 {} ab01 1 panic_on_corruption", "11".repeat(32))
        );
    }
}
