//! Locked package sets for those who need them unpacked: compilers' sysroots, tools, boot files.

use std::{
    error::Error,
    path::{Path, PathBuf},
};

use skerry_formats::digest::Digest;

use crate::{
    archive::Archive,
    component::{PackageSets, unpack},
    compose::{self, DropTable},
    lock::{self, Lock, LockError, SetName},
    report::Reporter,
    tree::{Entry, TreePath},
};

/// The sets of a lock, fetched and unpacked when asked for.
#[derive(Clone, Copy, Debug)]
pub struct LockedSets<'a> {
    /// The lock.
    pub lock: &'a Lock,
    /// Where packages come from.
    pub archive: &'a Archive,
    /// Where progress goes.
    pub reporter: &'a Reporter,
}

/// A set that cannot be unpacked.
#[derive(Debug, thiserror::Error)]
pub enum SetError {
    /// Its packages cannot be had.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// A package cannot be taken apart.
    #[error("cannot unpack `{}`", .path.display())]
    Deb {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: compose::DebError,
    },
    /// The store.
    #[error(transparent)]
    Store(#[from] crate::store::StoreError),
    /// A file operation.
    #[error(transparent)]
    Fs(#[from] crate::fsx::FsError),
}

impl crate::report::Explain for SetError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Lock(error) => error.hint(),
            Self::Deb { .. } | Self::Store(_) | Self::Fs(_) => None,
        }
    }

    fn exit_code(&self) -> u8 {
        match self {
            Self::Lock(error) => error.exit_code(),
            Self::Deb { .. } | Self::Store(_) | Self::Fs(_) => 1,
        }
    }
}

impl LockedSets<'_> {
    /// A folder with a set's packages unpacked.
    ///
    /// # Errors
    /// If they cannot be had or taken apart.
    pub fn folder(&self, set: &SetName) -> Result<PathBuf, SetError> {
        let digest = self.lock.set_digest(set)?;
        unpack(&self.archive.store, &digest, || self.entries(set))
    }

    fn entries(&self, set: &SetName) -> Result<Vec<(TreePath, Entry)>, SetError> {
        let files = lock::fetch(self.lock.set(set)?, self.archive, self.reporter)?;
        let mut entries = Vec::new();
        for path in files.values() {
            entries.extend(of_package(path)?);
        }
        Ok(entries)
    }
}

fn of_package(path: &Path) -> Result<Vec<(TreePath, Entry)>, SetError> {
    let unpacked = compose::unpack_deb(path, &DropTable::default());
    Ok(unpacked.map_err(|source| SetError::Deb { path: path.to_owned(), source })?.entries)
}

impl PackageSets for LockedSets<'_> {
    fn digest(&self, set: &str) -> Result<Digest, Box<dyn Error + Send + Sync>> {
        Ok(self.lock.set_digest(&set.parse()?)?)
    }

    fn unpacked(&self, set: &str) -> Result<PathBuf, Box<dyn Error + Send + Sync>> {
        Ok(self.folder(&set.parse()?)?)
    }
}
