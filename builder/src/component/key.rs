//! What all kinds of components put into their keys.

use std::path::{Path, PathBuf};

use skerry_formats::{arch::Arch, digest::Digest};

use super::Component;
use crate::{
    fsx::{self, FsError},
    store::Key,
};

/// The key of a component's own files for an architecture; each kind adds its tools.
pub(super) fn of_component(component: &Component, arch: Arch) -> Result<Key, FsError> {
    with_files(Key::new("component/1").with("arch", arch), &component.folder, &component.folder)
}

/// Adds every file under `folder` by its path relative to `base`; `target` folders and hidden names are nobody's source.
pub(super) fn with_files(mut key: Key, folder: &Path, base: &Path) -> Result<Key, FsError> {
    for path in sources(folder)? {
        let name = path.strip_prefix(base).unwrap_or(&path).display().to_string();
        key = key.with(name, Digest::of(&fsx::read(&path)?));
    }
    Ok(key)
}

fn sources(folder: &Path) -> Result<Vec<PathBuf>, FsError> {
    let mut files = Vec::new();
    for path in fsx::read_dir(folder)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with('.') || name == "target" {
            continue;
        }
        match fsx::symlink_metadata(&path)? {
            Some(meta) if meta.is_dir() => files.extend(sources(&path)?),
            Some(_) => files.push(path),
            None => {}
        }
    }
    Ok(files)
}
