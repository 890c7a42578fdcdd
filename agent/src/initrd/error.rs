//! Why a boot failed, and what to do about it.

use skerry_formats::{cmdline::BadCmdline, digest::Digest};

use super::slot::Refusals;
use crate::{
    disk::boot::DiskError,
    sys::{dm::DmError, fs::FsError, mount::MountError, process::ProcessError},
};

/// A boot that cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// `/proc`, `/sys`, `/dev` or `/run` cannot be mounted.
    #[error("the kernel's own file systems cannot be mounted")]
    Prepare(#[source] MountError),
    /// A file of the initial RAM disk, or one below `/run`, cannot be used.
    #[error("early boot cannot use a file of its own")]
    Files(#[source] FsError),
    /// The command line names no verified root.
    #[error("this kernel was started without a verified root")]
    Cmdline(#[source] BadCmdline),
    /// No disk of the layout appeared.
    #[error("no disk with a root partition appeared within {seconds} s; disks seen: {seen}")]
    NoDisk {
        /// How long it was waited for.
        seconds: u64,
        /// Names and sizes of the disks that are there.
        seen: String,
    },
    /// Root partitions are there, but none is the one this kernel belongs to.
    #[error("no root partition matches the root hash {root_hash}{refusals}")]
    NoSlot {
        /// The hash in the command line.
        root_hash: Digest,
        /// Each root partition and what is wrong with it.
        refusals: Refusals,
    },
    /// Device-mapper does not take the root.
    #[error("the verified root cannot be opened")]
    Verity(#[source] DmError),
    /// The verified root is no file system.
    #[error("the verified root cannot be mounted")]
    Root(#[source] MountError),
    /// The partition table cannot be read again.
    #[error("the boot disk is gone")]
    Disk(#[source] DiskError),
    /// DATA is not there and cannot be made.
    #[error("there is no data partition, and it could not be made")]
    NoData(#[source] Option<ProcessError>),
    /// DATA holds something that is not ours.
    #[error("the data partition `{node}` holds {what}, which is not formatted over")]
    ForeignData {
        /// Its node.
        node: String,
        /// What it holds.
        what: String,
    },
    /// DATA cannot be formatted.
    #[error("the data partition cannot be formatted")]
    Format(#[source] ProcessError),
    /// DATA is damaged beyond what fsck repairs by itself.
    #[error("the data partition `{node}` is damaged: repairing it failed ({repair})")]
    DamagedData {
        /// Its node.
        node: String,
        /// What fsck said.
        repair: String,
        /// Why it cannot be mounted.
        #[source]
        source: MountError,
    },
    /// `/etc` or `/var` cannot be put in place.
    #[error("the root's folders cannot be put in place")]
    Mount(#[source] MountError),
    /// systemd cannot be started.
    #[error("the root's systemd cannot be started")]
    Handover(#[source] ProcessError),
}

impl InitError {
    /// What whoever stands before the console can do.
    #[must_use]
    pub const fn next_step(&self) -> &'static str {
        match self {
            Self::Cmdline(_) => "boot the image through its own boot loader, or flash it again",
            Self::NoDisk { .. } => {
                "check that the disk is connected and that its driver is among the board's initrd modules"
            }
            Self::NoSlot { .. } | Self::Verity(_) | Self::Root(_) => {
                "the slot is damaged or of another release: it is never run; flash the image again"
            }
            Self::NoData(_) | Self::Disk(_) => {
                "check the disk's size (at least 4 GiB) and health, or flash another one"
            }
            Self::ForeignData { .. } => {
                "keep what it holds if you need it, then wipe the partition or flash the disk again"
            }
            Self::Format(_) | Self::DamagedData { .. } => {
                "nothing was erased; read the disk on another machine, or flash it again to start anew"
            }
            Self::Prepare(_) | Self::Files(_) | Self::Mount(_) | Self::Handover(_) => {
                "if it happens again, flash the image again"
            }
        }
    }
}
