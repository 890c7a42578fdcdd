//! What an exported store says of itself: every folder by its key's digest, every file by the digest of its bytes.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use serde::{Deserialize, Serialize};
use skerry_formats::digest::Digest;

use super::measure;
use crate::{
    fsx::{self, FsError},
    tree::TreePath,
};

/// The archive's first member.
pub(super) const NAME: &str = "skerry-store.json";

/// The only version there is.
pub(super) const VERSION: u32 = 1;

/// The first member of an exported store.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    pub(super) version: u32,
    pub(super) made: BTreeMap<Digest, Folder>,
}

/// The content of a made folder by path, parents before children.
pub(super) type Folder = BTreeMap<String, Item>;

/// One thing in a made folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub(super) enum Item {
    /// A folder.
    Folder {},
    /// A symbolic link.
    Link {
        /// Its target, verbatim.
        target: String,
    },
    /// A file.
    File {
        /// Permission bits.
        mode: u32,
        /// Bytes.
        size: u64,
        /// Of the bytes.
        digest: Digest,
    },
}

/// Lists a made folder.
pub(super) fn list(root: &Path) -> Result<Folder, FsError> {
    let mut folder = Folder::new();
    walk(root, root, &mut folder)?;
    Ok(folder)
}

fn walk(root: &Path, at: &Path, folder: &mut Folder) -> Result<(), FsError> {
    use std::os::unix::fs::PermissionsExt as _;
    for path in fsx::read_dir(at)? {
        let Some(meta) = fsx::symlink_metadata(&path)? else { continue };
        let name = path.strip_prefix(root).unwrap_or(&path).display().to_string();
        let item = if meta.is_dir() {
            Item::Folder {}
        } else if meta.is_symlink() {
            Item::Link { target: fsx::read_link(&path)?.display().to_string() }
        } else {
            let (digest, size) = measure(&path)?;
            Item::File { mode: meta.permissions().mode() & 0o777, size, digest }
        };
        folder.insert(name, item);
        if meta.is_dir() {
            walk(root, &path, folder)?;
        }
    }
    Ok(())
}

/// Why a folder of a manifest must not be unpacked.
pub(super) fn objection(folder: &Folder) -> Option<String> {
    let folders: BTreeSet<&str> =
        folder.iter().filter(|(_, item)| matches!(item, Item::Folder {})).map(|(path, _)| path.as_str()).collect();
    folder.iter().find_map(|(path, item)| {
        let clean = path.parse::<TreePath>().is_ok_and(|parsed| parsed.as_str() == path);
        let parent = path.rsplit_once('/').map(|(parent, _)| parent);
        if !clean {
            return Some(format!("`{path}` is no path inside a folder"));
        }
        if parent.is_some_and(|parent| !folders.contains(parent)) {
            return Some(format!("`{path}` does not lie in a folder"));
        }
        match item {
            Item::Link { target } if escapes(path, target) => {
                Some(format!("`{path}` links out of its folder: `{target}`"))
            }
            _ => None,
        }
    })
}

/// Whether a link's target leaves the made folder: going up is safe only at its start, where all above are true folders.
fn escapes(path: &str, target: &str) -> bool {
    let up = target.split('/').take_while(|part| *part == "..").count();
    let below = target.split('/').skip(up).any(|part| part == "..");
    target.is_empty() || target.starts_with('/') || target.contains('\0') || below || up > path.matches('/').count()
}
