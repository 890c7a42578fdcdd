//! What a root file system is composed from, as plain values.

use std::{collections::BTreeMap, path::PathBuf};

use skerry_formats::{arch::Arch, digest::Digest};

use super::tables::Tables;

/// All that goes into a root.
#[derive(Clone, Debug)]
pub struct Inputs {
    /// Whose programs these are.
    pub arch: Arch,
    /// Debian packages, verified, as files.
    pub packages: Vec<Package>,
    /// Programs and other files that are built, each with its place.
    pub files: Vec<InstallFile>,
    /// Folders of overlays, in the order they are laid.
    pub overlays: Vec<PathBuf>,
    /// Units that are enabled; every other is disabled.
    pub units: Vec<String>,
    /// Units that cannot start, each with the reason.
    pub mask: BTreeMap<String, String>,
    /// Kernel modules for the root, by name or by folder (`kernel/net/netfilter/`), recipe's and board's.
    pub modules: Vec<String>,
    /// Kernel modules by name that the initial RAM disk loads, in this order, beside what every image needs.
    pub initrd_modules: Vec<String>,
    /// Paths below `usr/lib/firmware` to keep; folders end in `/`.
    pub firmware: Vec<String>,
    /// Ids, links and dropped paths.
    pub tables: Tables,
    /// What `os-release` says.
    pub release: Release,
}

/// A Debian package as a file that was checked against the lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// Name as in the archive.
    pub name: String,
    /// Version as in the archive.
    pub version: String,
    /// The `.deb` file.
    pub path: PathBuf,
    /// Its digest.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
}

/// A built file and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstallFile {
    /// Where it goes: `usr/libexec/sk8s/kube`.
    pub install: crate::tree::TreePath,
    /// Permission bits.
    pub mode: u16,
    /// The file in the store.
    pub path: PathBuf,
    /// Its size in bytes.
    pub size: u64,
    /// Its digest.
    pub digest: Digest,
}

/// What names a release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// Product for people: `Skerry`.
    pub title: String,
    /// Product as a word: `skerry`.
    pub id: String,
    /// Version: `0.1.0`.
    pub version: String,
    /// What was built from what, as a word: a digest of the inputs, never a time.
    pub build_id: String,
    /// Board.
    pub board: String,
    /// Profile.
    pub profile: String,
}
