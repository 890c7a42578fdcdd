//! The kernel's own file systems, and what its command line wants.

use std::path::Path;

use skerry_formats::cmdline::RootRef;

use super::InitError;
use crate::sys::{
    fs,
    mount::{Flags, Mount},
};

/// Mounts `/proc`, `/sys`, `/dev` and `/run`.
pub fn file_systems() -> Result<(), InitError> {
    let bare = Flags::MS_NOSUID | Flags::MS_NODEV | Flags::MS_NOEXEC;
    let mounts = [
        ("proc", "/proc", bare, ""),
        ("sysfs", "/sys", bare, ""),
        ("devtmpfs", "/dev", Flags::MS_NOSUID, "mode=0755"),
        ("tmpfs", "/run", Flags::MS_NOSUID | Flags::MS_NODEV, "mode=0755,size=20%,nr_inodes=800k"),
    ];
    for (kind, folder, flags, options) in mounts {
        let folder = Path::new(folder);
        fs::create_dir_all(folder).map_err(InitError::Files)?;
        Mount { source: kind, kind, flags, options }.on(folder).map_err(InitError::Prepare)?;
    }
    Ok(())
}

/// The root that this kernel belongs to.
pub fn root_reference() -> Result<RootRef, InitError> {
    let cmdline = fs::read_text(Path::new("/proc/cmdline")).map_err(InitError::Files)?;
    RootRef::parse(&cmdline).map_err(InitError::Cmdline)
}
