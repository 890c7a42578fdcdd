//! Locked packages as files.

use std::{collections::BTreeMap, path::PathBuf};

use super::{LockError, LockedPackage};
use crate::{
    archive::{Archive, mirror::Location, name::PackageId},
    fetch::{self, FetchError, Want},
    report::Reporter,
    store::Store,
};

/// Gets all given packages into the store and returns the files; with all of them there, no mirror is needed.
///
/// # Errors
/// If one cannot be got; those that left the mirror are all named.
pub fn fetch<'a>(
    packages: impl IntoIterator<Item = &'a LockedPackage>,
    archive: &Archive,
    reporter: &Reporter,
) -> Result<BTreeMap<PackageId, PathBuf>, LockError> {
    let packages: Vec<&LockedPackage> = packages.into_iter().collect();
    let mut wants = Vec::new();
    for package in &packages {
        if archive.store.blob(&package.sha256, package.size)?.is_none() {
            wants.push(want(package, archive)?);
        }
    }
    fetch::all(&archive.client, &archive.store, &wants, reporter)?;
    Ok(files(packages, &archive.store))
}

/// Where the files of packages lie in the store, once [`fetch`] got them.
pub fn files<'a>(packages: impl IntoIterator<Item = &'a LockedPackage>, store: &Store) -> BTreeMap<PackageId, PathBuf> {
    packages.into_iter().map(|package| (package.id(), store.blob_path(&package.sha256))).collect()
}

fn want(package: &LockedPackage, archive: &Archive) -> Result<Want, FetchError> {
    let from: &Location = archive.mirror()?.of(package.suite);
    Ok(Want {
        what: package.id().to_string(),
        from: from.clone(),
        path: package.path.clone(),
        size: package.size,
        digest: package.sha256,
    })
}
