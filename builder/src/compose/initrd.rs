//! The initial RAM disk: our init, the modules that reach the root, and nothing else.

use std::fmt::Write as _;

use super::{
    ComposeError, cpio,
    kernel::{self, Kernel},
};
use crate::tree::{Content, Entry, Tree, TreePath};

/// Needed by every image: the root is EROFS behind dm-verity, `/etc` an overlay, the data partition ext4.
const ALWAYS: [&str; 4] = ["dm_verity", "erofs", "overlay", "ext4"];
/// Where the program finds and puts things; made here so that it has less to do.
const FOLDERS: [&str; 7] = ["dev", "proc", "run", "seeds", "sys", "sysroot", "tmp"];

/// A seed that is baked into a boot image: its file name (`10-role.yaml`) and its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BakedSeed {
    /// File name; seeds are read in its order.
    pub name: String,
    /// YAML.
    pub text: String,
}

/// What the modules of an initial RAM disk are to be.
#[must_use]
pub fn modules_with(board: &[String]) -> Vec<String> {
    ALWAYS.into_iter().map(str::to_owned).chain(board.iter().cloned()).collect()
}

/// The initial RAM disk as a cpio archive, without seeds: `/init`, the modules, `/etc/modules` with their paths in load
/// order.
///
/// # Errors
/// If a module is not in the root's tree, or `init` cannot be read.
pub fn initrd(root: &Tree, kernel: &Kernel, board: &[String], init: Content) -> Result<Vec<u8>, ComposeError> {
    let mut tree = Tree::default();
    for folder in FOLDERS {
        tree.insert(TreePath::fixed(folder), Entry::dir())?;
    }
    tree.insert(TreePath::fixed("init"), Entry::file(init, 0o755))?;
    let mut order = String::new();
    for module in kernel::load_order(root, kernel, &modules_with(board))? {
        let _infallible = writeln!(order, "{}", module.path);
        tree.insert(module.path, Entry::file(Content::from_bytes(module.bytes), 0o644))?;
    }
    tree.insert(TreePath::fixed("etc/modules"), Entry::file(Content::from_bytes(order), 0o644))?;
    Ok(cpio::archive(&tree)?)
}

/// The seeds as a cpio archive of their own, to be put behind the initial RAM disk: the root and its hash stay the same
/// whatever the seeds are.
///
/// # Errors
/// If a seed's name is no file name.
pub fn seed_cpio(seeds: &[BakedSeed]) -> Result<Vec<u8>, ComposeError> {
    let mut tree = Tree::default();
    let folder = TreePath::fixed("seeds");
    tree.insert(folder.clone(), Entry { mode: 0o700, ..Entry::dir() })?;
    for seed in seeds {
        let content = Content::from_bytes(seed.text.as_str());
        tree.insert(folder.join(&seed.name)?, Entry::file(content, 0o600))?;
    }
    Ok(cpio::archive(&tree)?)
}
