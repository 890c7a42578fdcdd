//! Media that people plug in: FAT or ISO 9660, known by their labels.

use std::path::{Path, PathBuf};

use crate::{
    chain,
    disk::signature::{self, Label, Signature},
    sys::{
        block::Device,
        fs::{self, FsError},
        mount::{self, Flags, Mount, MountError},
    },
};

/// NoCloud's label, upper-cased.
const NOCLOUD: &str = "CIDATA";
/// The label of a medium that may take an administrator's kubeconfig. FAT labels have eleven characters.
pub const ADMIN: &str = "SKERRYADMIN";
/// Where media are mounted while they are read.
const FOLDER: &str = "/run/skerry/media";

/// `MS_NOSYMFOLLOW`: a link on a foreign medium leads nowhere.
const NO_LINKS: Flags = Flags::from_bits_retain(1 << 8);

/// A medium with a label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Medium {
    node: PathBuf,
    name: String,
    label: Label,
    kind: FileSystem,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FileSystem {
    Fat,
    Iso,
}

/// How a medium is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// It stays as it is.
    Read,
    /// A file is written.
    Write,
}

/// A medium that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MediumError {
    /// It cannot be mounted.
    #[error("the medium cannot be mounted")]
    Mount(#[source] MountError),
    /// A file cannot be read or written.
    #[error("a file of the medium cannot be used")]
    File(#[source] FsError),
}

impl Medium {
    /// What a device holds, if it is a labelled medium.
    #[must_use]
    pub fn look(device: &Device) -> Option<Self> {
        let start = fs::read_at(&device.node(), 0, signature::ENOUGH).ok()?;
        let (kind, label) = match signature::signature(&start) {
            Signature::Fat(label) => (FileSystem::Fat, label),
            Signature::Iso(label) => (FileSystem::Iso, label),
            _ => return None,
        };
        Some(Self { node: device.node(), name: device.name.clone(), label, kind })
    }

    /// A FAT file system whose label does not matter: the ESP.
    #[must_use]
    pub fn fat(device: &Device) -> Option<Self> {
        Self::look(device).filter(|medium| medium.kind == FileSystem::Fat)
    }

    /// The device's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it is a NoCloud medium.
    #[must_use]
    pub fn is_nocloud(&self) -> bool {
        self.label.as_str() == NOCLOUD
    }

    /// Whether it may take an administrator's kubeconfig.
    #[must_use]
    pub fn is_for_admin(&self) -> bool {
        self.kind == FileSystem::Fat && self.label.as_str() == ADMIN
    }

    /// Mounts it, does something in its folder, and unmounts it.
    ///
    /// # Errors
    /// If it cannot be mounted, or what is done fails.
    pub fn within<T>(&self, access: Access, work: impl FnOnce(&Path) -> Result<T, FsError>) -> Result<T, MediumError> {
        let folder = Path::new(FOLDER).join(&self.name);
        fs::create_private_dir(&folder).map_err(MediumError::File)?;
        let careful = Flags::MS_NOSUID | Flags::MS_NODEV | Flags::MS_NOEXEC | NO_LINKS;
        let flags = if access == Access::Read { careful | Flags::MS_RDONLY } else { careful | Flags::MS_SYNCHRONOUS };
        let (kind, options) = match self.kind {
            FileSystem::Fat => ("vfat", "umask=0077,utf8=1"),
            FileSystem::Iso => ("iso9660", ""),
        };
        let source = self.node.to_string_lossy();
        Mount { source: &source, kind, flags, options }.on(&folder).map_err(MediumError::Mount)?;
        let done = work(&folder).map_err(MediumError::File);
        let left = mount::leave(&folder).map_err(MediumError::Mount);
        done.and_then(|done| left.map(|()| done))
    }
}

impl MediumError {
    /// The error and its causes on one line.
    #[must_use]
    pub fn in_words(&self) -> String {
        chain::one_line(self)
    }
}
