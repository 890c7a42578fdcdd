//! Where a component's Debian packages come from: a sysroot to link against, a file to take as it is.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use skerry_formats::digest::Digest;

use crate::{
    fsx::{self, FsError},
    store::{Key, Store, StoreError},
    tree::{Content, Entry, Kind, TreePath},
};

/// Locked package sets by name (`sysroot/amd64`); the digest is known from the lock alone, the files only when asked for.
pub trait PackageSets: fmt::Debug + Sync {
    /// The digest of all packages of the set.
    ///
    /// # Errors
    /// If there is no such set.
    fn digest(&self, set: &str) -> Result<Digest, Box<dyn std::error::Error + Send + Sync>>;

    /// A folder with the packages of the set unpacked, fetched when needed.
    ///
    /// # Errors
    /// If there is no such set, or its packages cannot be had.
    fn unpacked(&self, set: &str) -> Result<PathBuf, Box<dyn std::error::Error + Send + Sync>>;
}

/// No packages at all; every question is an error.
#[derive(Clone, Copy, Debug)]
pub struct NoPackages;

#[derive(Debug, thiserror::Error)]
#[error("there are no package sets here")]
struct NoSet;

impl PackageSets for NoPackages {
    fn digest(&self, _set: &str) -> Result<Digest, Box<dyn std::error::Error + Send + Sync>> {
        Err(Box::new(NoSet))
    }

    fn unpacked(&self, _set: &str) -> Result<PathBuf, Box<dyn std::error::Error + Send + Sync>> {
        Err(Box::new(NoSet))
    }
}

/// A folder of the store with the entries of a set's packages; `entries` is asked only if the store has none yet.
///
/// Owners and extended attributes are not kept: the folder is for compilers of this host. Absolute links become relative,
/// so that they stay inside.
///
/// # Errors
/// If the entries cannot be had or written.
pub fn unpack<E: From<StoreError> + From<FsError>>(
    store: &Store,
    set: &Digest,
    entries: impl FnOnce() -> Result<Vec<(TreePath, Entry)>, E>,
) -> Result<PathBuf, E> {
    let key = Key::new("unpacked/1").with("set", set);
    if let Some(folder) = store.made(&key)? {
        return Ok(folder);
    }
    let folder = store.workspace()?;
    for (path, entry) in entries()? {
        write(folder.path(), &path, &entry)?;
    }
    Ok(store.keep(&key, folder)?)
}

fn write(folder: &Path, path: &TreePath, entry: &Entry) -> Result<(), FsError> {
    let to = folder.join(path.as_str());
    match &entry.kind {
        Kind::Dir => fsx::create_dir_all(&to),
        Kind::Symlink(target) => {
            fsx::remove_file(&to)?;
            fsx::symlink(&inside(path, target), &to)
        }
        Kind::File(content) => {
            // First of all, as a package may replace another's file, or a link.
            fsx::remove_file(&to)?;
            match content {
                Content::Bytes(bytes) => fsx::write_atomic(&to, bytes)?,
                Content::Stored { path, .. } => fsx::copy(path, &to)?,
            }
            fsx::set_mode(&to, u32::from(entry.mode & 0o111) | 0o644)
        }
    }
}

/// The target of a link as seen from the link, if it was given from the root.
fn inside(path: &TreePath, target: &str) -> PathBuf {
    let up = path.ancestors().map(|_| "..").collect::<PathBuf>();
    target.strip_prefix('/').map_or_else(|| PathBuf::from(target), |below| up.join(below))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_unpacked_once_with_links_inside() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::at(dir.path());
        let set = Digest::of(b"set");
        let entries = || {
            Ok(vec![
                ("usr/lib/x".parse().unwrap(), Entry::dir()),
                ("usr/lib/x/real".parse().unwrap(), Entry::file(Content::from_bytes(*b"library"), 0o4755)),
                ("usr/lib/link".parse().unwrap(), Entry::symlink("/usr/lib/x/real")),
            ])
        };
        let folder = unpack::<StoreError>(&store, &set, entries).unwrap();
        assert_eq!(fsx::read_link(&folder.join("usr/lib/link")).unwrap(), Path::new("../../usr/lib/x/real"));
        assert_eq!(fsx::read(&folder.join("usr/lib/link")).unwrap(), b"library");
        let again = unpack::<StoreError>(&store, &set, || panic!("asked twice")).unwrap();
        assert_eq!(again, folder);
    }
}
