//! The disk image: partition table, EFI system partition and root, each straight at its place in a sparse file.

pub mod artefacts;
pub mod esp;
pub mod gpt;

use std::{
    fs::File,
    io::{self, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use skerry_formats::{
    arch::Arch,
    layout::{MIB, Part, SLOT_BUDGET_PERCENT},
};

use crate::{
    fsx::{self, FsError},
    report::{Explain, bytes, hint_of_io},
};

pub use artefacts::{Artefact, ArtefactKind, Readers};

/// Bytes that a kernel image may have: the partition holds two, the boot loader and its own tables.
const UKI_PLACE: u64 = 112 * MIB;

/// What goes onto a disk.
#[derive(Clone, Copy, Debug)]
pub struct Disk<'a> {
    /// The architecture, for the boot loader's name.
    pub arch: Arch,
    /// systemd-boot.
    pub boot_loader: &'a [u8],
    /// The unified kernel image of slot A.
    pub uki: &'a [u8],
    /// EROFS with its hash tree behind.
    pub root: &'a Path,
}

/// A disk image that cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// The root leaves later releases too little room.
    #[error("the root has {}, more than {SLOT_BUDGET_PERCENT} % of a slot: {}", bytes(*.used), bytes(*.allowed))]
    SlotBudget {
        /// Its size in bytes.
        used: u64,
        /// What it may have.
        allowed: u64,
    },
    /// The kernel image leaves no room for that of the other slot.
    #[error("the kernel image has {}, more than its place: {}", bytes(*.size), bytes(UKI_PLACE))]
    UkiPlace {
        /// Its size in bytes.
        size: u64,
    },
    /// The EFI system partition.
    #[error("could not write the EFI system partition of `{}`", .path.display())]
    Esp {
        /// The image.
        path: PathBuf,
        /// What went wrong.
        #[source]
        source: io::Error,
    },
    /// A file.
    #[error(transparent)]
    Fs(#[from] FsError),
}

impl Explain for ImageError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::SlotBudget { .. } => {
                Some("`skerry build --explain` lists what goes in; take packages or components out".to_owned())
            }
            Self::UkiPlace { .. } => Some("take modules out of the board's `initrd-modules`".to_owned()),
            Self::Esp { source, .. } => hint_of_io(source),
            Self::Fs(error) => error.hint(),
        }
    }
}

/// Writes a disk image into an empty file.
///
/// # Errors
/// If the root or the kernel image is too large for its place, or the file cannot be written.
pub fn write(disk: &Disk<'_>, path: &Path, out: &mut File) -> Result<(), ImageError> {
    let used = fsx::size(disk.root)?.unwrap_or_default();
    let allowed = Part::RootA.size().unwrap_or_default() / 100 * SLOT_BUDGET_PERCENT;
    if used > allowed {
        return Err(ImageError::SlotBudget { used, allowed });
    }
    if disk.uki.len() as u64 > UKI_PLACE {
        return Err(ImageError::UkiPlace { size: disk.uki.len() as u64 });
    }
    fsx::during("write", path, out.set_len(gpt::IMAGE_SIZE))?;
    let tables = gpt::tables();
    let backup_at = gpt::IMAGE_SIZE - tables.backup.len() as u64;
    fsx::during("write", path, put(out, 0, &tables.primary).and_then(|()| put(out, backup_at, &tables.backup)))?;
    let window = esp::Window::new(&mut *out, Part::Esp.start(), Part::Esp.size().unwrap_or_default());
    let files = (disk.boot_loader, disk.uki);
    esp::write(window, disk.arch, files).map_err(|source| ImageError::Esp { path: path.to_owned(), source })?;
    let mut root = fsx::open(disk.root)?;
    fsx::during("write", path, out.seek(SeekFrom::Start(Part::RootA.start())))?;
    fsx::during("write", path, io::copy(&mut root, out))?;
    Ok(())
}

fn put(out: &mut File, at: u64, bytes: &[u8]) -> io::Result<()> {
    out.seek(SeekFrom::Start(at))?;
    out.write_all(bytes)
}
