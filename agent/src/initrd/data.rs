//! DATA on `/var`. What holds anything is never formatted.

use std::path::Path;

use skerry_formats::layout::{MIB, Part};

use super::{InitError, Log, SYSROOT, partitions::Origin};
use crate::{
    chain,
    disk::{
        boot::BootDisk,
        signature::{self, Signature},
    },
    populate,
    sys::{
        fs,
        mount::{self, Flags, Mount, MountError},
        process::Program,
    },
};

/// Where DATA is mounted until `/var` is ready for it.
const STAGE: &str = "/run/skerry/data";
/// Where ext4 keeps copies of its superblock when blocks have 4096 bytes.
const COPIES: [u64; 2] = [128 * MIB, 384 * MIB];

/// Ways to check it, the most careful first; the last one takes the first copy of the superblock.
const CHECKS: [&[&str]; 3] = [&["-p"], &["-y"], &["-y", "-b", "32768", "-B", "4096"]];

/// What to do with DATA.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Verdict {
    /// It is empty.
    Format,
    /// It is ours.
    Mount {
        /// Bytes of the file system.
        size: u64,
    },
    /// It holds something else.
    Refuse(String),
}

/// Mounts DATA on `/sysroot/var`, formatted if it is new, checked if it is damaged, grown if its partition has grown.
pub fn mount_on_var(disk: &BootDisk, origin: Origin, log: &mut Log) -> Result<(), InitError> {
    let device = disk.parts.get(&Part::Data).ok_or(InitError::NoData(None))?;
    let node = device.node().display().to_string();
    let size = match verdict(&read_signature(&device.node())?, origin) {
        Verdict::Format => {
            log.say(format!("formatting the empty data partition `{node}`"));
            format(&node)?;
            device.size
        }
        Verdict::Mount { size } => size,
        Verdict::Refuse(what) => return Err(InitError::ForeignData { node, what }),
    };
    mount_or_repair(&node, log)?;
    let var = Path::new(SYSROOT).join("var");
    populate::missing(&var, Path::new(STAGE)).map_err(InitError::Files)?;
    mount::relocate(Path::new(STAGE), &var).map_err(InitError::Mount)?;
    // Only now: the root's programs see the mount where it stays.
    if size + MIB < device.size {
        grow(&node, log);
    }
    Ok(())
}

/// The signature at the start; blank only if the places of ext4's superblock copies are blank as well.
fn read_signature(node: &Path) -> Result<Signature, InitError> {
    let read = |at, size| fs::read_at(node, at, size).map_err(InitError::Files);
    let first = signature::signature(&read(0, signature::ENOUGH)?);
    if first != Signature::Blank {
        return Ok(first);
    }
    for copy in COPIES {
        if read(copy, 4096)?.iter().any(|byte| *byte != 0) {
            return Ok(Signature::Unknown);
        }
    }
    Ok(Signature::Blank)
}

/// A blank partition that was there already is one whose first boot lost power between the table and the format.
fn verdict(signature: &Signature, origin: Origin) -> Verdict {
    match (signature, origin) {
        (Signature::Ext(ext), _) => Verdict::Mount { size: ext.size },
        (Signature::Blank, _) | (Signature::Unknown, Origin::JustMade) => Verdict::Format,
        (Signature::Unknown, Origin::Found) => Verdict::Refuse("data of an unknown kind".into()),
        (Signature::Fat(label), _) => Verdict::Refuse(format!("a FAT file system labelled `{label}`")),
        (Signature::Iso(label), _) => Verdict::Refuse(format!("an ISO 9660 file system labelled `{label}`")),
        (Signature::Foreign(name), _) => Verdict::Refuse((*name).to_owned()),
    }
}

fn format(node: &str) -> Result<(), InitError> {
    // Tables are written by the kernel later on, in the background; the partition is fresh, so nothing is discarded.
    let options = ["-q", "-L", "DATA", "-m", "1", "-E", "lazy_itable_init=1,lazy_journal_init=1,nodiscard", node];
    Program::new("/usr/sbin/mkfs.ext4").args(options).within(Path::new(SYSROOT)).run().map_err(InitError::Format)?;
    Ok(())
}

fn try_mount(node: &str) -> Result<(), MountError> {
    let flags = Flags::MS_NOATIME | Flags::MS_NODEV | Flags::MS_NOSUID;
    Mount { source: node, kind: "ext4", flags, options: "errors=remount-ro" }.on(Path::new(STAGE))
}

fn mount_or_repair(node: &str, log: &mut Log) -> Result<(), InitError> {
    fs::create_private_dir(Path::new(STAGE)).map_err(InitError::Files)?;
    let Err(first) = try_mount(node) else { return Ok(()) };
    log.say(format!("the data partition cannot be mounted: {}", chain::one_line(&first)));
    let mut said = String::new();
    for options in CHECKS {
        log.say(format!("checking it: e2fsck {} {node}", options.join(" ")));
        let check = Program::new("/usr/sbin/e2fsck")
            .args(options.iter().copied().chain([node]))
            .within(Path::new(SYSROOT))
            .output();
        said = check.map_or_else(|error| chain::one_line(&error), |output| output.status.to_string());
        if try_mount(node).is_ok() {
            log.say("the data partition was repaired");
            return Ok(());
        }
    }
    Err(InitError::DamagedData { node: node.to_owned(), repair: said, source: first })
}

/// Grows the mounted file system; one that stays small is told and used.
fn grow(node: &str, log: &mut Log) {
    log.say(format!("growing the data partition `{node}`"));
    let grown = Program::new("/usr/sbin/resize2fs").args([node]).within(Path::new(SYSROOT)).run();
    if let Err(error) = grown {
        log.say(format!("it keeps its size: {}", chain::one_line(&error)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::signature::Ext;

    #[test]
    fn what_holds_anything_is_never_formatted() {
        let ext = Signature::Ext(Ext { size: 9 });
        for origin in [Origin::JustMade, Origin::Found] {
            assert_eq!(verdict(&ext, origin), Verdict::Mount { size: 9 });
            assert!(matches!(verdict(&Signature::Foreign("XFS"), origin), Verdict::Refuse(_)));
        }
        assert!(matches!(verdict(&Signature::Unknown, Origin::Found), Verdict::Refuse(_)));
    }

    #[test]
    fn a_first_boot_that_lost_power_goes_on() {
        assert_eq!(verdict(&Signature::Blank, Origin::Found), Verdict::Format);
        assert_eq!(verdict(&Signature::Unknown, Origin::JustMade), Verdict::Format);
    }
}
