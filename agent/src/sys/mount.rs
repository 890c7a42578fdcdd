//! Mounting and leaving file systems.

use std::path::{Path, PathBuf};

use nix::{
    errno::Errno,
    mount::{MntFlags, MsFlags, mount, umount2},
    unistd,
};

pub use nix::mount::MsFlags as Flags;

/// A mount that failed.
#[derive(Debug, thiserror::Error)]
#[error("could not {action} {what} on `{}`", .on.display())]
pub struct MountError {
    action: &'static str,
    what: String,
    on: PathBuf,
    /// What the kernel answered.
    #[source]
    pub source: Errno,
}

/// What is to be mounted.
#[derive(Clone, Copy, Debug)]
pub struct Mount<'a> {
    /// Device, or a word for what has none.
    pub source: &'a str,
    /// Type of file system.
    pub kind: &'a str,
    /// Flags common to all file systems.
    pub flags: Flags,
    /// The file system's own options.
    pub options: &'a str,
}

impl Mount<'_> {
    /// Mounts it on a folder.
    ///
    /// # Errors
    /// If the kernel refuses.
    pub fn on(&self, folder: &Path) -> Result<(), MountError> {
        let options = (!self.options.is_empty()).then_some(self.options);
        mount(Some(self.source), folder, Some(self.kind), self.flags, options).map_err(|source| MountError {
            action: "mount",
            what: format!("`{}` ({})", self.source, self.kind),
            on: folder.to_owned(),
            source,
        })
    }
}

/// Moves a mount to another folder.
///
/// # Errors
/// If the kernel refuses.
pub fn relocate(from: &Path, to: &Path) -> Result<(), MountError> {
    mount(Some(from), to, None::<&str>, MsFlags::MS_MOVE, None::<&str>).map_err(|source| MountError {
        action: "move",
        what: format!("`{}`", from.display()),
        on: to.to_owned(),
        source,
    })
}

/// Unmounts, now or as soon as nobody uses it.
///
/// # Errors
/// If nothing is mounted there.
pub fn leave(folder: &Path) -> Result<(), MountError> {
    umount2(folder, MntFlags::MNT_DETACH).map_err(|source| MountError {
        action: "unmount",
        what: "what is".to_owned(),
        on: folder.to_owned(),
        source,
    })
}

/// Makes a mounted folder the root of this process.
///
/// # Errors
/// If the folder is no mount point.
pub fn become_root(folder: &Path) -> Result<(), MountError> {
    let refused =
        |source| MountError { action: "move", what: format!("`{}`", folder.display()), on: PathBuf::from("/"), source };
    unistd::chdir(folder).map_err(refused)?;
    mount(Some("."), "/", None::<&str>, MsFlags::MS_MOVE, None::<&str>).map_err(refused)?;
    unistd::chroot(".").map_err(refused)?;
    unistd::chdir("/").map_err(refused)
}
