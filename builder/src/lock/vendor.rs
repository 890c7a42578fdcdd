//! Exporting all locked packages into a folder that serves as a mirror, without any network.

use std::path::Path;

use super::{Lock, LockError, LockedFile, packages};
use crate::{
    archive::{
        Archive, ArchiveError, by_digest,
        release::{self, Listed},
        suite::Suite,
    },
    fsx,
    report::{Outcome, Reporter},
};
use skerry_formats::digest::Digest;

/// What a vendor folder holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vendored {
    /// How many packages.
    pub packages: usize,
    /// How many bytes of packages.
    pub bytes: u64,
    /// Suites whose signed lists are no longer those of the lock: the folder serves `skerry build`, but not `skerry lock`.
    pub without_lists: Vec<Suite>,
}

/// Exports a lock's packages (`pool/…`) and, where they are still to be had, its signed lists and indexes (`dists/…`).
///
/// # Errors
/// If a package cannot be got, or a file cannot be written.
pub fn vendor(lock: &Lock, folder: &Path, archive: &Archive, reporter: &Reporter) -> Result<Vendored, LockError> {
    let files = packages::fetch(lock.packages.values(), archive, reporter)?;
    let step = reporter.step("export packages");
    let mut vendored = Vendored { packages: files.len(), bytes: 0, without_lists: Vec::new() };
    for (id, blob) in &files {
        let Some(package) = lock.packages.get(id) else { continue };
        export(blob, &folder.join(&package.path), package.size)?;
        vendored.bytes += package.size;
    }
    for suite in lock.suites.keys() {
        if !export_lists(lock, *suite, folder, archive)? {
            vendored.without_lists.push(*suite);
        }
    }
    step.done(Outcome::Made);
    Ok(vendored)
}

/// Exports a suite's signed list and indexes; `false` if the locked ones are no longer to be had.
fn export_lists(lock: &Lock, suite: Suite, folder: &Path, archive: &Archive) -> Result<bool, LockError> {
    let Some(locked) = lock.suites.get(&suite) else { return Ok(false) };
    let Some(inrelease) = inrelease(suite, locked.inrelease, archive)? else { return Ok(false) };
    let dist = format!("dists/{}", suite.codename());
    for (path, file) in &locked.indexes {
        let listed = Listed { size: file.size, digest: file.sha256 };
        let blob = match archive.index(suite, path, listed) {
            Ok(blob) => blob,
            Err(ArchiveError::Fetch(crate::fetch::FetchError::Gone { .. })) => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        export(&blob, &folder.join(&dist).join(path), file.size)?;
        export(&blob, &folder.join(by_digest(&dist, path, &file.sha256)), file.size)?;
    }
    fsx::write_atomic(&folder.join(suite.inrelease_path()), &inrelease)?;
    Ok(true)
}

/// The locked signed list, from the store or, if it still is the same, from the mirror.
fn inrelease(suite: Suite, file: LockedFile, archive: &Archive) -> Result<Option<Vec<u8>>, LockError> {
    if let Some(blob) = archive.store.blob(&file.sha256, file.size)? {
        return Ok(Some(fsx::read(&blob)?));
    }
    let bytes = archive.client.read(archive.mirror()?.of(suite), &suite.inrelease_path(), release::LARGEST)?;
    Ok((Digest::of(&bytes) == file.sha256).then_some(bytes))
}

/// A copy, not a link: what happens in the folder must not reach the store.
fn export(blob: &Path, to: &Path, size: u64) -> Result<(), LockError> {
    if fsx::size(to)? != Some(size) {
        fsx::write_atomic(to, &fsx::read(blob)?)?;
    }
    Ok(())
}
