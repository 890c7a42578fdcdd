//! The files of the owner's folder, and what changes when they do.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use crate::sys::fs::{self, FsError};

/// The manifest files of a folder, each with what changes when it does.
pub type Snapshot = BTreeMap<PathBuf, (u64, i128)>;

/// Looks at a folder; one that is not there has no files.
///
/// # Errors
/// If it cannot be read.
pub fn snapshot(folder: &Path) -> Result<Snapshot, FsError> {
    let mut found = Snapshot::new();
    for path in fs::list(folder)? {
        let manifest = path.extension().is_some_and(|e| ["yaml", "yml", "json"].iter().any(|known| e == *known));
        if manifest && let Some(print) = fs::fingerprint(&path)? {
            found.insert(path, print);
        }
    }
    Ok(found)
}
