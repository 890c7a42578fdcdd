//! Waits for the disk, and finds the root partition that this kernel belongs to.

use std::{path::PathBuf, time::Duration};

use skerry_formats::{cmdline::RootRef, layout::Part, slot::Slot, verity::Superblock};

use super::{
    InitError, Log,
    slot::{self, HEAD, Mismatch, Refusals},
};
use crate::{
    disk::boot::{self, BootDisk},
    sys::{
        block,
        clock::{self, Deadline},
        fs,
    },
};

/// How long a disk may take to appear.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long another disk may take once one was found that is not ours.
const SECOND_CHANCE: Duration = Duration::from_secs(3);
/// How often is looked.
const POLL: Duration = Duration::from_millis(10);
/// How often is said what is waited for.
const REMIND: Duration = Duration::from_secs(5);

/// The root that was found.
#[derive(Debug)]
pub struct Found {
    /// On which disk.
    pub disk: BootDisk,
    /// In which slot.
    pub slot: Slot,
    /// The partition's node.
    pub node: PathBuf,
    /// What its superblock says.
    pub superblock: Superblock,
}

/// Waits until a disk has the wanted root.
pub fn wait(wanted: &RootRef, log: &mut Log) -> Result<Found, InitError> {
    let (mut deadline, mut remind) = (Deadline::after(PATIENCE), Deadline::after(REMIND));
    let mut looked_at: Vec<BootDisk> = Vec::new();
    loop {
        let disks = boot::candidates();
        if disks != looked_at {
            let refusals = match first_match(&disks, wanted) {
                Ok(found) => return Ok(found),
                Err(refusals) => refusals,
            };
            log.say(format!("no root of this kernel yet{refusals}"));
            looked_at = disks;
            deadline = Deadline::after(SECOND_CHANCE);
        }
        if deadline.passed() {
            return Err(match first_match(&looked_at, wanted) {
                Ok(found) => return Ok(found),
                Err(Refusals(none)) if none.is_empty() => nothing(),
                Err(refusals) => InitError::NoSlot { root_hash: wanted.root_hash, refusals },
            });
        }
        if remind.passed() {
            log.say(format!("waiting for a disk with a root partition; disks seen: {}", seen()));
            remind = Deadline::after(REMIND);
        }
        clock::pause(POLL);
    }
}

fn nothing() -> InitError {
    InitError::NoDisk { seconds: PATIENCE.as_secs(), seen: seen() }
}

fn seen() -> String {
    let disks = block::devices().into_iter().filter(|device| device.partition.is_none());
    let names: Vec<String> = disks.map(|disk| format!("`{}` ({} MiB)", disk.name, disk.size >> 20)).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

fn first_match(disks: &[BootDisk], wanted: &RootRef) -> Result<Found, Refusals> {
    let mut refusals = Refusals::default();
    for disk in disks {
        for (slot, part) in [(Slot::A, Part::RootA), (Slot::B, Part::RootB)] {
            let Some(node) = disk.node(part) else { continue };
            match examine(wanted, &node) {
                Ok(superblock) => return Ok(Found { disk: disk.clone(), slot, node, superblock }),
                Err(why) => refusals.0.push((disk.disk.name.clone(), slot, why)),
            }
        }
    }
    Err(refusals)
}

fn examine(wanted: &RootRef, node: &std::path::Path) -> Result<Superblock, Mismatch> {
    let offset = slot::head_offset(wanted).ok_or(Mismatch::Short)?;
    let head = fs::read_at(node, offset, HEAD).map_err(|error| Mismatch::Unreadable(error.source.to_string()))?;
    slot::check(wanted, &head)
}
