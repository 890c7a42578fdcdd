//! The list of the files in a payload.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{BadPayload, FilePath};
use crate::{arch::Arch, digest::Digest, manifest::One, name::Name, version::Version};

/// The most files that a payload may have, and the most components.
pub const FILES_LIMIT: usize = 1024;

/// The most bytes that a file may have.
pub const FILE_LIMIT: u64 = 4 << 30;

/// What a payload holds: files sorted by path, whose bytes follow one another in that order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Index {
    format: One,
    arch: Arch,
    components: BTreeMap<Name, Version>,
    files: Vec<FileEntry>,
}

/// An index that nobody has looked at yet.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    format: One,
    arch: Arch,
    components: BTreeMap<Name, Version>,
    files: Vec<FileEntry>,
}

/// One file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    /// Where it is laid out.
    pub path: FilePath,
    /// Its permission bits.
    pub mode: Mode,
    /// Its bytes.
    pub size: u64,
    /// Digest of its bytes.
    pub sha256: Digest,
}

/// Permission bits of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mode {
    /// All may read it.
    #[serde(rename = "0644")]
    Data,
    /// All may run it.
    #[serde(rename = "0755")]
    Program,
}

impl Mode {
    /// As the file system has them.
    #[must_use]
    pub const fn bits(self) -> u32 {
        match self {
            Self::Data => 0o644,
            Self::Program => 0o755,
        }
    }
}

impl Index {
    /// The index of some files, in whatever order they come.
    ///
    /// # Errors
    /// If there are too many, two contradict each other, or one is too large.
    pub fn new(arch: Arch, components: BTreeMap<Name, Version>, mut files: Vec<FileEntry>) -> Result<Self, BadPayload> {
        files.sort_by(|one, other| one.path.cmp(&other.path));
        Self { format: One, arch, components, files }.checked()
    }

    /// Reads an index.
    ///
    /// # Errors
    /// If the bytes are no JSON of this shape, or what they say does not fit together.
    pub fn parse(bytes: &[u8]) -> Result<Self, BadPayload> {
        let Raw { format, arch, components, files } = serde_json::from_slice(bytes).map_err(BadPayload::Json)?;
        Self { format, arch, components, files }.checked()
    }

    /// As JSON; the same index is always the same bytes.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        // A map with text keys and structures of numbers and text: nothing here can fail.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// The architecture that the programs are for.
    #[must_use]
    pub const fn arch(&self) -> Arch {
        self.arch
    }

    /// Versions of what the files were built from.
    #[must_use]
    pub const fn components(&self) -> &BTreeMap<Name, Version> {
        &self.components
    }

    /// The files, sorted by path.
    #[must_use]
    pub fn files(&self) -> &[FileEntry] {
        &self.files
    }

    /// Every folder that a file lies in, outer ones first.
    #[must_use]
    pub fn folders(&self) -> BTreeSet<&str> {
        self.files.iter().flat_map(|file| file.path.folders()).collect()
    }

    /// Bytes of all files.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.files.iter().map(|file| file.size).sum()
    }

    fn checked(self) -> Result<Self, BadPayload> {
        match self.objection() {
            None => Ok(self),
            Some(objection) => Err(BadPayload::Index(objection)),
        }
    }

    fn objection(&self) -> Option<String> {
        let (files, components) = (self.files.len(), self.components.len());
        if !(1..=FILES_LIMIT).contains(&files) || components > FILES_LIMIT {
            return Some(format!("{files} files of {components} components"));
        }
        let paths: BTreeSet<&str> = self.files.iter().map(|file| file.path.as_str()).collect();
        for (number, file) in self.files.iter().enumerate() {
            if number > 0 && self.files[number - 1].path >= file.path {
                return Some(format!("`{}` is out of order", file.path));
            }
            if file.path.folders().any(|folder| paths.contains(folder)) {
                return Some(format!("`{}` lies in what is a file", file.path));
            }
            if file.size > FILE_LIMIT {
                return Some(format!("`{}` has {} bytes", file.path, file.size));
            }
        }
        None
    }
}
