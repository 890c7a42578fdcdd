//! Which files of the owner's folder are new or changed.

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

/// The files that are not the same as before.
#[must_use]
pub fn changed(before: &Snapshot, now: &Snapshot) -> Vec<PathBuf> {
    now.iter().filter(|(path, print)| before.get(*path) != Some(print)).map(|(path, _)| path.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::{Snapshot, changed};

    #[test]
    fn only_new_and_changed_files_are_applied() {
        let before = Snapshot::from([("a".into(), (1, 1)), ("b".into(), (1, 1)), ("gone".into(), (1, 1))]);
        let now = Snapshot::from([("a".into(), (1, 1)), ("b".into(), (1, 2)), ("c".into(), (1, 1))]);
        assert_eq!(changed(&before, &now), ["b", "c"].map(std::path::PathBuf::from));
    }
}
