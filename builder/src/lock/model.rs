//! What a lock holds.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use skerry_formats::{
    arch::Arch,
    digest::{Digest, Hasher},
};

use super::{LockError, SetName};
use crate::archive::{
    Known, SuiteState,
    index::Record,
    name::{PackageArch, PackageId, PackageName},
    release,
    suite::Suite,
    version::Version,
};

/// The lock.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    /// The states of the suites that the packages were found in.
    pub suites: BTreeMap<Suite, LockedSuite>,
    /// The sets of packages.
    pub sets: BTreeMap<SetName, LockedSet>,
    /// All packages of all sets.
    pub packages: BTreeMap<PackageId, LockedPackage>,
}

/// A suite's state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockedSuite {
    /// When it was made, as in `2026-09-12T07:55:41Z`.
    pub date: String,
    /// Its signed list.
    pub inrelease: LockedFile,
    /// The indexes that were read, by path from the suite's folder.
    pub indexes: BTreeMap<String, LockedFile>,
}

/// A file's size and digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockedFile {
    /// Size in bytes.
    pub size: u64,
    /// Digest of its bytes.
    pub sha256: Digest,
}

/// A set of packages: what was asked for, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockedSet {
    /// The architecture.
    pub arch: Arch,
    /// The packages that were named.
    pub named: BTreeSet<PackageName>,
    /// The packages that were excluded.
    pub exclude: BTreeSet<PackageName>,
    /// All packages of the set.
    pub packages: BTreeSet<PackageId>,
}

/// One package file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockedPackage {
    /// Its name.
    pub name: PackageName,
    /// Its version.
    pub version: Version,
    /// Its architecture.
    pub arch: PackageArch,
    /// The suite it was found in.
    pub suite: Suite,
    /// Its path from the top of the mirror.
    pub path: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its digest.
    pub sha256: Digest,
    /// The digest over its scripts and triggers, if it has any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scripts: Option<Digest>,
}

impl LockedPackage {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> PackageId {
        PackageId::new(&self.name, &self.version, self.arch)
    }
}

impl From<&Record> for LockedPackage {
    fn from(record: &Record) -> Self {
        Self {
            name: record.name.clone(),
            version: record.version.clone(),
            arch: record.arch,
            suite: record.suite,
            path: record.path.clone(),
            size: record.size,
            sha256: record.digest,
            scripts: None,
        }
    }
}

impl From<&SuiteState> for LockedSuite {
    fn from(state: &SuiteState) -> Self {
        let release = &state.release;
        let file = |listed: &release::Listed| LockedFile { size: listed.size, sha256: listed.digest };
        Self {
            date: release::time_text(release.date),
            inrelease: LockedFile { size: release.size, sha256: release.digest },
            indexes: state.indexes.iter().map(|(path, listed)| (path.clone(), file(listed))).collect(),
        }
    }
}

impl Lock {
    /// The packages of a set, by name.
    ///
    /// # Errors
    /// If the lock has no such set.
    pub fn set(&self, name: &SetName) -> Result<Vec<&LockedPackage>, LockError> {
        let set = self.sets.get(name).ok_or_else(|| LockError::NoSet { name: name.clone() })?;
        Ok(set.packages.iter().filter_map(|id| self.packages.get(id)).collect())
    }

    /// A digest over all packages of a set: equal if and only if the same files are in it.
    ///
    /// # Errors
    /// If the lock has no such set.
    pub fn set_digest(&self, name: &SetName) -> Result<Digest, LockError> {
        let mut hasher = Hasher::default();
        for package in self.set(name)? {
            hasher.update(format!("{} {}\n", package.id(), package.sha256).as_bytes());
        }
        Ok(hasher.finish())
    }

    /// What is known of the suites, so that nothing older is taken for new.
    #[must_use]
    pub fn known(&self) -> BTreeMap<Suite, Known> {
        let known = |locked: &LockedSuite| {
            Some(Known { date: release::time_from_text(&locked.date)?, digest: locked.inrelease.sha256 })
        };
        self.suites.iter().filter_map(|(suite, locked)| Some((*suite, known(locked)?))).collect()
    }
}
