//! Overlays: folders of literal files, with `overlay.toml` for what a folder of a repository cannot hold: links,
//! empty folders, owners, modes, removals.

use std::{
    collections::BTreeMap,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use super::accounts::Database;
use crate::{
    catalog::{DataError, data},
    fsx::{self, FsError},
    tree::{BadPath, Content, Entry, Tree, TreeError, TreePath},
};

const MANIFEST: &str = "overlay.toml";

/// `overlay.toml`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// One line for people.
    pub title: String,
    /// Path to link target, verbatim.
    #[serde(default)]
    pub links: BTreeMap<String, String>,
    /// Paths taken away before this overlay's files are laid, each with the reason.
    #[serde(default)]
    pub remove: BTreeMap<String, String>,
    /// Folders to make, or entries to change, by path.
    #[serde(default)]
    pub entries: BTreeMap<String, Change>,
}

/// Owner and mode of a folder to make or an entry that is there.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// Permission bits as octal text: `0755`.
    pub mode: String,
    /// Owner by name.
    #[serde(default)]
    pub user: Option<String>,
    /// Group by name.
    #[serde(default)]
    pub group: Option<String>,
}

/// An overlay that cannot be laid.
#[derive(Debug, thiserror::Error)]
pub enum OverlayError {
    /// A file cannot be read.
    #[error(transparent)]
    Fs(#[from] FsError),
    /// Its manifest cannot be used.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A word in its manifest means nothing.
    #[error("{}: {what} of `{path}` is unknown: `{word}`", .file.display())]
    Word {
        /// The manifest.
        file: PathBuf,
        /// `mode`, `user` or `group`.
        what: &'static str,
        /// The entry.
        path: String,
        /// The word.
        word: String,
    },
    /// It takes away what is not there.
    #[error("{}: nothing to remove at `{path}`", .file.display())]
    NothingThere {
        /// The manifest.
        file: PathBuf,
        /// The entry.
        path: String,
    },
    /// A path outside the tree.
    #[error(transparent)]
    Path(#[from] BadPath),
    /// The tree did not take an entry.
    #[error(transparent)]
    Tree(#[from] TreeError),
}

/// An overlay that was read.
#[derive(Clone, Debug)]
pub struct Overlay {
    file: PathBuf,
    manifest: Manifest,
    entries: Vec<(TreePath, Entry)>,
}

/// Reads an overlay's manifest alone, to find a misspelt key before anything is fetched or built.
///
/// # Errors
/// If it cannot be read, or has an unknown key.
pub fn manifest(folder: &Path) -> Result<Manifest, DataError> {
    data::load(&folder.join(MANIFEST))
}

/// Reads an overlay folder. A file is 0755 if its owner may execute it, else 0644, whatever the umask was.
///
/// # Errors
/// If a file cannot be read, or the manifest has an unknown key.
pub fn read(folder: &Path) -> Result<Overlay, OverlayError> {
    let file = folder.join(MANIFEST);
    let mut overlay = Overlay { manifest: manifest(folder)?, file, entries: Vec::new() };
    read_folder(folder, "", &mut overlay.entries)?;
    overlay.entries.retain(|(path, _)| path.as_str() != MANIFEST);
    Ok(overlay)
}

fn read_folder(folder: &Path, prefix: &str, entries: &mut Vec<(TreePath, Entry)>) -> Result<(), OverlayError> {
    for path in fsx::read_dir(folder)? {
        let Some(meta) = fsx::symlink_metadata(&path)? else { continue };
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let below = format!("{prefix}{name}");
        if meta.is_dir() {
            entries.push((below.parse()?, Entry::dir()));
            read_folder(&path, &format!("{below}/"), entries)?;
        } else if meta.is_symlink() {
            entries.push((below.parse()?, Entry::symlink(fsx::read_link(&path)?.to_string_lossy())));
        } else {
            let mode = if meta.permissions().mode() & 0o100 == 0 { 0o644 } else { 0o755 };
            entries.push((below.parse()?, Entry::file(Content::from_bytes(fsx::read(&path)?), mode)));
        }
    }
    Ok(())
}

impl Overlay {
    /// Lays removals, files and links; owners and modes wait for [`Overlay::change`].
    ///
    /// # Errors
    /// If it removes what is not there, or a file would replace a folder.
    pub fn lay(&self, tree: &mut Tree) -> Result<(), OverlayError> {
        for path in self.manifest.remove.keys() {
            if tree.remove(&path.parse()?) == 0 {
                return Err(OverlayError::NothingThere { file: self.file.clone(), path: path.clone() });
            }
        }
        for (path, entry) in &self.entries {
            if !(entry.is_dir() && tree.get(path).is_some_and(Entry::is_dir)) {
                tree.insert(path.clone(), entry.clone())?;
            }
        }
        for (path, target) in &self.manifest.links {
            let path: TreePath = path.parse()?;
            tree.remove(&path);
            tree.insert(path, Entry::symlink(target))?;
        }
        Ok(())
    }

    /// Makes folders and sets owners and modes, once all accounts are known.
    ///
    /// # Errors
    /// If a mode is no octal number, or a user or group has no account.
    pub fn change(&self, tree: &mut Tree, accounts: &Database) -> Result<(), OverlayError> {
        for (path, change) in &self.manifest.entries {
            let unknown = |what, word: &str| OverlayError::Word {
                file: self.file.clone(),
                what,
                path: path.clone(),
                word: word.to_owned(),
            };
            let at: TreePath = path.parse()?;
            if tree.get(&at).is_none() {
                tree.insert(at.clone(), Entry::dir())?;
            }
            let entry = tree.get_mut(&at)?;
            entry.mode = u16::from_str_radix(&change.mode, 8).map_err(|_| unknown("mode", &change.mode))?;
            if let Some(user) = &change.user {
                entry.uid = accounts.uid(user).ok_or_else(|| unknown("user", user))?;
            }
            if let Some(group) = &change.group {
                entry.gid = accounts.gid(group).ok_or_else(|| unknown("group", group))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(manifest: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fsx::write_atomic(&folder.path().join(MANIFEST), manifest.as_bytes()).unwrap();
        fsx::write_atomic(&folder.path().join("etc/hosts"), b"127.0.0.1 localhost\n").unwrap();
        folder
    }

    #[test]
    fn files_links_and_folders_are_laid() {
        let folder = folder(
            "title = \"t\"\n[links]\n\"etc/mtab\" = \"../proc/self/mounts\"\n[entries]\n\"var/tmp\" = { mode = \"1777\" }\n",
        );
        let mut tree = Tree::default();
        let overlay = read(folder.path()).unwrap();
        overlay.lay(&mut tree).unwrap();
        overlay.change(&mut tree, &Database::default()).unwrap();
        assert_eq!(
            crate::tree::dump::dump(&tree, crate::tree::dump::Detail::Shape),
            "d 0755 0:0 /etc\nf 0644 0:0 /etc/hosts\nl 0777 0:0 /etc/mtab -> ../proc/self/mounts\n\
             d 0755 0:0 /var\nd 1777 0:0 /var/tmp\n"
        );
    }

    #[test]
    fn an_unknown_owner_and_a_useless_removal_are_errors() {
        let folder = folder("title = \"t\"\n[entries]\n\"etc/hosts\" = { mode = \"0600\", user = \"kyne\" }\n");
        let error = read(folder.path()).unwrap().change(&mut Tree::default(), &Database::default()).unwrap_err();
        assert!(error.to_string().ends_with("overlay.toml: user of `etc/hosts` is unknown: `kyne`"), "{error}");
        let folder = self::folder("title = \"t\"\n[remove]\n\"usr/games\" = \"no games\"\n");
        let error = read(folder.path()).unwrap().lay(&mut Tree::default()).unwrap_err();
        assert!(error.to_string().ends_with("overlay.toml: nothing to remove at `usr/games`"), "{error}");
    }
}
