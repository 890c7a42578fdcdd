//! The root file system as a value: paths with owners, modes, extended attributes and content.

mod content;
pub mod dump;
mod path;
pub mod tar;

use std::collections::{BTreeMap, btree_map};

pub use content::Content;
pub use path::{BadPath, TreePath};

/// What kind of thing lies at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A folder.
    Dir,
    /// A regular file.
    File(Content),
    /// A symbolic link and its target, verbatim.
    Symlink(String),
}

/// One entry of a tree. Owners are numbers; there are no host users here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it is.
    pub kind: Kind,
    /// Permission bits, with setuid, setgid and sticky (`0o7777`).
    pub mode: u16,
    /// Numeric owner.
    pub uid: u32,
    /// Numeric group.
    pub gid: u32,
    /// Extended attributes by full name (`security.capability`).
    pub xattrs: BTreeMap<String, Vec<u8>>,
}

/// A file tree, rooted at `/`. Every entry's parent exists and is a folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    entries: BTreeMap<TreePath, Entry>,
}

/// A change the tree cannot take.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum TreeError {
    /// A parent on the way is no folder.
    #[error("cannot place `{path}`: `{parent}` is not a folder")]
    ParentNotFolder {
        /// The path to place.
        path: TreePath,
        /// The parent that is something else.
        parent: TreePath,
    },
    /// A folder would be replaced by something else while it has content.
    #[error("cannot replace folder `{path}` by a file or link")]
    ReplacesFolder {
        /// The folder.
        path: TreePath,
    },
    /// Nothing lies there.
    #[error("no such path in the tree: `{path}`")]
    Missing {
        /// The path looked for.
        path: TreePath,
    },
}

impl Entry {
    /// A root-owned folder of mode 0755.
    #[must_use]
    pub fn dir() -> Self {
        Self { kind: Kind::Dir, mode: 0o755, uid: 0, gid: 0, xattrs: BTreeMap::new() }
    }

    /// A root-owned file.
    #[must_use]
    pub fn file(content: Content, mode: u16) -> Self {
        Self { kind: Kind::File(content), mode, uid: 0, gid: 0, xattrs: BTreeMap::new() }
    }

    /// A root-owned symbolic link.
    #[must_use]
    pub fn symlink(target: impl Into<String>) -> Self {
        Self { kind: Kind::Symlink(target.into()), mode: 0o777, uid: 0, gid: 0, xattrs: BTreeMap::new() }
    }

    /// Whether it is a folder.
    #[must_use]
    pub const fn is_dir(&self) -> bool {
        matches!(self.kind, Kind::Dir)
    }
}

impl Tree {
    /// Places an entry, making missing parents as plain folders; replaces files and links, merges folders.
    ///
    /// # Errors
    /// If a parent is no folder, or a non-empty folder would be replaced by something else.
    pub fn insert(&mut self, path: TreePath, entry: Entry) -> Result<(), TreeError> {
        self.make_parents(&path)?;
        let occupied = self.entries.get(&path).is_some_and(Entry::is_dir);
        if occupied && !entry.is_dir() && self.has_children(&path) {
            return Err(TreeError::ReplacesFolder { path });
        }
        self.entries.insert(path, entry);
        Ok(())
    }

    fn make_parents(&mut self, path: &TreePath) -> Result<(), TreeError> {
        for parent in path.ancestors() {
            match self.entries.entry(parent) {
                btree_map::Entry::Vacant(vacant) => {
                    vacant.insert(Entry::dir());
                }
                btree_map::Entry::Occupied(occupied) if !occupied.get().is_dir() => {
                    return Err(TreeError::ParentNotFolder { path: path.clone(), parent: occupied.key().clone() });
                }
                btree_map::Entry::Occupied(_) => {}
            }
        }
        Ok(())
    }

    fn has_children(&self, path: &TreePath) -> bool {
        self.under(path).next().is_some()
    }

    /// What lies at a path.
    #[must_use]
    pub fn get(&self, path: &TreePath) -> Option<&Entry> {
        self.entries.get(path)
    }

    /// What lies at a path, to be changed.
    ///
    /// # Errors
    /// If nothing lies there.
    pub fn get_mut(&mut self, path: &TreePath) -> Result<&mut Entry, TreeError> {
        self.entries.get_mut(path).ok_or_else(|| TreeError::Missing { path: path.clone() })
    }

    /// All entries, parents before children, sorted by path.
    pub fn iter(&self) -> impl Iterator<Item = (&TreePath, &Entry)> {
        self.entries.iter()
    }

    /// The entries strictly under a folder, sorted by path.
    pub fn under<'a>(&'a self, folder: &'a TreePath) -> impl Iterator<Item = (&'a TreePath, &'a Entry)> {
        self.entries
            .range(folder.clone()..)
            .skip_while(move |(p, _)| *p == folder)
            .take_while(move |(p, _)| p.is_under(folder))
    }

    /// Removes a path and all under it; says how many entries went.
    pub fn remove(&mut self, path: &TreePath) -> usize {
        let before = self.entries.len();
        self.entries.retain(|p, _| p != path && !p.is_under(path));
        before - self.entries.len()
    }

    /// Keeps only the entries that `keep` wants, and the folders above them.
    pub fn retain(&mut self, mut keep: impl FnMut(&TreePath, &Entry) -> bool) {
        self.entries.retain(|path, entry| keep(path, entry));
    }

    /// Number of entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing is in the tree.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}
