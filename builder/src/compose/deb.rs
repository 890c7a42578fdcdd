//! One Debian package: its control stanza and its files as entries of a tree.
//!
//! Nothing is run and nothing is written to disk. What the drop table names is skipped while the tar is read.

use std::{
    collections::BTreeSet,
    io::{self, Read},
    path::Path,
};

use crate::{
    archive::deb,
    compose::drop::DropTable,
    fsx::FsError,
    store::StoreError,
    tree::{self, BadPath, Content, Entry, TreePath},
};

/// A file in a package may not be larger than this; the largest seen has 38 MB (an arm64 kernel).
const LARGEST_FILE: u64 = 512 << 20;

/// What a package holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unpacked {
    /// The control stanza, verbatim.
    pub control: String,
    /// Its files in the order of the archive; folders too.
    pub entries: Vec<(TreePath, Entry)>,
}

/// A package that cannot be taken into a tree.
#[derive(Debug, thiserror::Error)]
pub enum DebError {
    /// It cannot be taken apart.
    #[error(transparent)]
    Deb(#[from] deb::DebError),
    /// A member would lie outside the tree.
    #[error(transparent)]
    Path(#[from] BadPath),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It cannot be kept.
    #[error(transparent)]
    Keep(#[from] tree::tar::TarError),
    /// A member that a root file system cannot hold.
    #[error("cannot take in `{path}`: {why}")]
    Member {
        /// The member.
        path: TreePath,
        /// Why not.
        why: &'static str,
    },
}

impl From<FsError> for DebError {
    fn from(error: FsError) -> Self {
        deb::DebError::from(error).into()
    }
}

impl From<io::Error> for DebError {
    fn from(error: io::Error) -> Self {
        deb::DebError::from(error).into()
    }
}

/// Reads a `.deb` file.
///
/// # Errors
/// If it cannot be read, is damaged, or holds something that has no place in a tree (device node, link to a dropped file).
pub fn unpack(path: &Path, drop: &DropTable) -> Result<Unpacked, DebError> {
    let control = deb::read_control(path)?.stanza;
    let mut taken = Taken::default();
    deb::read_data(path, |member| taken.take(member, drop))?;
    Ok(Unpacked { control, entries: taken.entries })
}

/// Reads a plain tar as [`unpack`] reads a package's.
///
/// # Errors
/// As [`unpack`].
pub fn entries(data: &mut tar::Archive<impl Read>, drop: &DropTable) -> Result<Vec<(TreePath, Entry)>, DebError> {
    let mut taken = Taken::default();
    data.entries()?.try_for_each(|member| taken.take(&mut member?, drop))?;
    Ok(taken.entries)
}

/// What was taken out of a tar so far.
#[derive(Default)]
struct Taken {
    entries: Vec<(TreePath, Entry)>,
    files: BTreeSet<TreePath>,
}

impl Taken {
    fn take(&mut self, member: &mut tar::Entry<'_, impl Read>, drop: &DropTable) -> Result<(), DebError> {
        let name = String::from_utf8_lossy(&member.path_bytes()).into_owned();
        if matches!(name.as_str(), "./" | "." | "/") {
            return Ok(());
        }
        let path: TreePath = name.parse()?;
        if drop.drops(&path) {
            return Ok(());
        }
        let entry = entry_of(&path, member, &self.files)?;
        if let crate::tree::Kind::File(_) = entry.kind {
            self.files.insert(path.clone());
        }
        self.entries.push((path, entry));
        Ok(())
    }
}

fn entry_of(
    path: &TreePath,
    member: &mut tar::Entry<'_, impl Read>,
    files: &BTreeSet<TreePath>,
) -> Result<Entry, DebError> {
    let mut entry = match member.header().entry_type() {
        tar::EntryType::Directory => Entry::dir(),
        tar::EntryType::Regular | tar::EntryType::Continuous => Entry::file(content_of(path, member)?, 0),
        tar::EntryType::Symlink => return Ok(Entry::symlink(link_of(path, member)?)),
        tar::EntryType::Link => return hard_link(path, &link_of(path, member)?, files),
        _ => return Err(DebError::Member { path: path.clone(), why: "neither file, folder nor link" }),
    };
    entry.mode = (member.header().mode()? & 0o7777) as u16;
    entry.uid = owner(path, member.header().uid()?)?;
    entry.gid = owner(path, member.header().gid()?)?;
    for extension in member.pax_extensions()?.into_iter().flatten() {
        let extension = extension?;
        if let Some(name) = extension.key().ok().and_then(|key| key.strip_prefix("SCHILY.xattr.")) {
            entry.xattrs.insert(name.to_owned(), extension.value_bytes().to_vec());
        }
    }
    Ok(entry)
}

fn content_of(path: &TreePath, member: &mut tar::Entry<'_, impl Read>) -> Result<Content, DebError> {
    let size = member.size();
    if size > LARGEST_FILE {
        return Err(DebError::Member { path: path.clone(), why: "larger than 512 MiB" });
    }
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
    if member.read_to_end(&mut bytes)? as u64 != size {
        return Err(deb::DebError::Format { why: "its data.tar ends early" }.into());
    }
    Ok(Content::from_bytes(bytes))
}

fn link_of(path: &TreePath, member: &tar::Entry<'_, impl Read>) -> Result<String, DebError> {
    let target = member.link_name_bytes().map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    target.filter(|target| !target.is_empty()).ok_or(DebError::Member { path: path.clone(), why: "a link to nowhere" })
}

/// A tree has no second names for a file: a hard link becomes a relative symbolic link, which on a read-only root
/// differs in nothing but `lstat`.
fn hard_link(path: &TreePath, target: &str, files: &BTreeSet<TreePath>) -> Result<Entry, DebError> {
    let target: TreePath = target.parse()?;
    if !files.contains(&target) {
        return Err(DebError::Member { path: path.clone(), why: "a hard link to a file that is not taken in" });
    }
    Ok(Entry::symlink(relative(path, &target)))
}

/// The target as seen from the folder that `from` lies in.
pub fn relative(from: &TreePath, target: &TreePath) -> String {
    let from: Vec<&str> = from.as_str().split('/').collect();
    let to: Vec<&str> = target.as_str().split('/').collect();
    let folders = from.len() - 1;
    let shared = from[..folders].iter().zip(&to[..to.len() - 1]).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n("..", folders - shared);
    up.chain(to[shared..].iter().copied()).collect::<Vec<_>>().join("/")
}

fn owner(path: &TreePath, id: u64) -> Result<u32, DebError> {
    u32::try_from(id).map_err(|_| DebError::Member { path: path.clone(), why: "an owner beyond 32 bits" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fsx;

    #[test]
    fn a_relative_link_goes_up_only_as_far_as_needed() {
        let path = |text: &str| text.parse::<TreePath>().unwrap();
        assert_eq!(relative(&path("usr/sbin/mkfs.ext4"), &path("usr/sbin/mke2fs")), "mke2fs");
        assert_eq!(relative(&path("usr/bin/a"), &path("usr/lib/x/b")), "../lib/x/b");
        assert_eq!(relative(&path("a"), &path("usr/b")), "usr/b");
    }

    #[test]
    fn a_truncated_package_is_rejected() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.deb");
        for bytes in [&b"!<arch>\n"[..], b"!<arch>\ndebian-binary   0           0", b"<html>gone</html>"] {
            fsx::write_atomic(&path, bytes).unwrap();
            assert!(unpack(&path, &DropTable::default()).is_err(), "{bytes:?}");
        }
    }
}
