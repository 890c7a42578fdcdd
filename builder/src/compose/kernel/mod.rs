//! The kernel's part of a root: the modules that were asked for, and their indexes. The kernel itself is handed out: it
//! goes into the unified kernel image, not into the root.
//!
//! Modules are stored plain, not as `.ko.xz`: docs/decisions/0005-kernel-modules.md.

mod elf;
mod select;

use std::{io, path::Path};

use skerry_formats::digest::{Digest, Hasher};

use crate::{
    fsx::{self, FsError},
    store::{Key, Store, StoreError},
    tree::{BadPath, Content, Entry, Kind, Tree, TreeError, TreePath},
};

#[cfg(test)]
pub use elf::tests::module as module_for_tests;
pub use select::{Chosen, Modules};

const MODULES: &str = "usr/lib/modules";

/// Makes the module indexes under a root folder for a kernel version: `depmod -b ROOT VERSION`.
pub type Depmod<'a> = &'a (dyn Fn(&Path, &str) -> Result<(), Box<dyn std::error::Error + Send + Sync>> + Sync);

/// A kernel that was taken out of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kernel {
    /// Version as `uname -r` prints it.
    pub version: String,
    /// `vmlinuz`: a PE program on both architectures.
    pub image: Content,
}

/// What is wrong with a kernel or its modules.
#[derive(Debug, thiserror::Error)]
pub enum KernelError {
    /// No package brought one.
    #[error("no package brings a kernel (`boot/vmlinuz-*`)")]
    None,
    /// Two packages did.
    #[error("two kernels: `{first}` and `{second}`")]
    Two {
        /// Version of one.
        first: String,
        /// Version of the other.
        second: String,
    },
    /// Nobody has such a module.
    #[error("kernel module `{module}`, asked for by `{asked_by}`, is neither a module nor built in")]
    NoSuchModule {
        /// The module.
        module: String,
        /// The word in recipe or board, or the module that needs it.
        asked_by: String,
        /// The nearest one.
        near: Option<String>,
    },
    /// No module lies in the folder.
    #[error("no kernel module lies in `{folder}`")]
    NoSuchFolder {
        /// The folder.
        folder: String,
    },
    /// A module is no ELF file with a `.modinfo` section.
    #[error("not a kernel module: `{path}`")]
    Damaged {
        /// The file.
        path: TreePath,
    },
    /// A module does not decompress.
    #[error("cannot decompress kernel module `{path}`")]
    Decompress {
        /// The file.
        path: TreePath,
        /// What is wrong.
        #[source]
        source: io::Error,
    },
    /// The index maker failed.
    #[error("cannot index the modules of kernel {version}")]
    Depmod {
        /// The kernel.
        version: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A file operation failed.
    #[error(transparent)]
    Fs(#[from] FsError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A path that is none.
    #[error(transparent)]
    Path(#[from] BadPath),
    /// The tree did not take an entry.
    #[error(transparent)]
    Tree(#[from] TreeError),
}

impl KernelError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoSuchModule { near, .. } => near.as_ref().map(|near| format!("did you mean `{near}`?")),
            Self::None => Some("name one in the board's `kernel.package`".to_owned()),
            _ => None,
        }
    }
}

/// Takes `boot/vmlinuz-VERSION` out of a tree, and all else in `boot`.
///
/// # Errors
/// If there is none, or more than one.
pub fn take_out(tree: &mut Tree) -> Result<Kernel, KernelError> {
    let boot = TreePath::fixed("boot");
    let mut found: Option<Kernel> = None;
    for (path, entry) in tree.under(&boot) {
        if let (Some(version), Kind::File(image)) = (path.file_name().strip_prefix("vmlinuz-"), &entry.kind) {
            let kernel = Kernel { version: version.to_owned(), image: image.clone() };
            if let Some(first) = found.replace(kernel) {
                return Err(KernelError::Two { first: first.version, second: version.to_owned() });
            }
        }
    }
    tree.remove(&boot);
    tree.insert(boot, Entry::dir())?;
    found.ok_or(KernelError::None)
}

/// Cuts the tree's modules down to those wanted and what they depend on, and adds the indexes.
///
/// # Errors
/// If a module is not there or damaged, or the index maker fails.
pub fn cut_modules(
    tree: &mut Tree,
    kernel: &Kernel,
    wanted: &[String],
    tools: &Indexer<'_>,
) -> Result<(), KernelError> {
    let folder = TreePath::fixed(MODULES).join(&kernel.version)?;
    let chosen = Modules::of(tree, &folder).choose(wanted)?;
    let lists: Vec<(TreePath, Entry)> = tree
        .under(&folder)
        .filter(|(path, _)| path.file_name().starts_with("modules."))
        .map(|(path, entry)| (path.clone(), entry.clone()))
        .collect();
    tree.remove(&folder);
    for (path, entry) in lists {
        tree.insert(path, entry)?;
    }
    for module in chosen {
        tree.insert(module.path, Entry::file(Content::from_bytes(module.bytes), 0o644))?;
    }
    for (name, bytes) in tools.indexes(tree, &folder, &kernel.version)? {
        tree.insert(folder.join(&name)?, Entry::file(Content::from_bytes(bytes), 0o644))?;
    }
    Ok(())
}

/// The modules for the initial RAM disk out of a root's tree, in load order.
///
/// # Errors
/// If one is not in the tree.
pub fn load_order(tree: &Tree, kernel: &Kernel, wanted: &[String]) -> Result<Vec<Chosen>, KernelError> {
    let folder = TreePath::fixed(MODULES).join(&kernel.version)?;
    Modules::of(tree, &folder).choose(wanted)
}

/// Makes module indexes, once for the same modules.
pub struct Indexer<'a> {
    /// Where they are kept.
    pub store: &'a Store,
    /// What makes them.
    pub depmod: Depmod<'a>,
}

impl Indexer<'_> {
    fn indexes(&self, tree: &Tree, folder: &TreePath, version: &str) -> Result<Vec<(String, Vec<u8>)>, KernelError> {
        let key = Key::new("depmod/1").with("kernel", version).with("modules", digest_of(tree, folder));
        let kept = match self.store.made(&key)? {
            Some(kept) => kept,
            None => self.store.keep(&key, self.make(tree, folder, version)?)?,
        };
        let files = fsx::read_dir(&kept)?;
        let named = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        files.iter().map(|path| Ok((named(path), fsx::read(path)?))).collect()
    }

    /// Lays the modules out as files, runs the index maker, and keeps what it made.
    fn make(&self, tree: &Tree, folder: &TreePath, version: &str) -> Result<tempfile::TempDir, KernelError> {
        let root = self.store.workspace()?;
        fsx::symlink(Path::new("usr/lib"), &root.path().join("lib"))?;
        for (path, entry) in tree.under(folder) {
            let at = root.path().join(path.as_str());
            match &entry.kind {
                Kind::File(Content::Bytes(bytes)) => {
                    fsx::create_dir_all(at.parent().unwrap_or(&at))?;
                    let mut file = fsx::create(&at)?;
                    fsx::during("write", &at, io::Write::write_all(&mut file, bytes))?;
                }
                _ => fsx::create_dir_all(&at)?,
            }
        }
        let failed = |source| KernelError::Depmod { version: version.to_owned(), source };
        (self.depmod)(root.path(), version).map_err(failed)?;
        let kept = self.store.workspace()?;
        for path in fsx::read_dir(&root.path().join(folder.as_str()))? {
            let name = path.file_name().unwrap_or_default();
            let made = name.to_string_lossy().starts_with("modules.");
            if made && tree.get(&folder.join(&name.to_string_lossy())?).is_none() {
                fsx::rename(&path, &kept.path().join(name))?;
            }
        }
        Ok(kept)
    }
}

/// A digest over names and bytes.
fn digest_of(tree: &Tree, folder: &TreePath) -> Digest {
    let mut hasher = Hasher::default();
    for (path, entry) in tree.under(folder) {
        if let Kind::File(content) = &entry.kind {
            hasher.update(format!("{path}\0{}\0", content.digest()).as_bytes());
        }
    }
    hasher.finish()
}
