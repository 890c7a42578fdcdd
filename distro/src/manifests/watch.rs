//! The files of the owner's folder, and what changes when they do.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use crate::sys::fs::{self, FsError};

/// The manifest files of a folder, each with what changes when it does.
pub type Snapshot = BTreeMap<PathBuf, Print>;

/// What changes when a file does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Print {
    /// What can be looked at.
    File {
        /// Bytes.
        size: u64,
        /// When it was last written, in nanoseconds since 1970.
        written: i128,
    },
    /// Something is there that leads nowhere, or that cannot be looked at: whoever reads it says why.
    Unreadable,
}

/// What is at a path now; `None` if nothing is. A link whose target is gone is something.
#[must_use]
pub fn print(path: &Path) -> Option<Print> {
    match fs::fingerprint(path) {
        Ok(Some((size, written))) => Some(Print::File { size, written }),
        Ok(None) if matches!(fs::read_link(path), Ok(None)) => None,
        Ok(None) | Err(_) => Some(Print::Unreadable),
    }
}

/// Looks at a folder; one that is not there has no files.
///
/// # Errors
/// If it cannot be read.
pub fn snapshot(folder: &Path) -> Result<Snapshot, FsError> {
    let mut found = Snapshot::new();
    for path in fs::list(folder)? {
        if is_manifest(&path)
            && let Some(print) = print(&path)
        {
            found.insert(path, print);
        }
    }
    Ok(found)
}

/// By its name. Emacs marks a file that is being edited by a link beside it, `.#NAME`, which leads nowhere.
fn is_manifest(path: &Path) -> bool {
    let named = path.extension().is_some_and(|e| ["yaml", "yml", "json"].iter().any(|known| e == *known));
    let mark = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b".#"));
    named && !mark && !fs::is_folder(path)
}

#[cfg(test)]
mod tests {
    use super::{Print, snapshot};
    use crate::sys::fs;

    #[test]
    fn a_link_that_leads_nowhere_is_there_and_an_editors_mark_is_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        fs::link(&path("gone.yaml"), &path("web.yaml")).expect("a link");
        fs::link(&path("loop.yaml"), &path("loop.yaml")).expect("a link");
        fs::link("me@barn.17:1".as_ref(), &path(".#web.yaml")).expect("a link");
        std::fs::create_dir(path("folder.yaml")).expect("a folder");
        let found = snapshot(folder.path()).expect("readable");
        let wanted = [(path("loop.yaml"), Print::Unreadable), (path("web.yaml"), Print::Unreadable)];
        assert_eq!(found.into_iter().collect::<Vec<_>>(), wanted);
    }
}
