//! Many packages, one tree.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use skerry_formats::arch::Arch;

use super::{
    ComposeError,
    deb::{self, Unpacked},
    inputs::Package,
    shelf::Shelf,
};
use crate::{
    report::Step,
    tree::{Entry, Tree, TreePath},
};

/// The links of a merged `/usr`; on amd64 also `lib64`, where its dynamic loader is looked for.
const USR_LINKS: [&str; 3] = ["bin", "sbin", "lib"];
/// Its folders and links are the ground that the others stand on.
const FIRST: &str = "base-files";

/// Reads all packages on all cores, the largest first; results are in the order of `packages`.
///
/// # Errors
/// If one cannot be read; of several, the first in order.
pub fn unpack_all(packages: &[Package], shelf: &Shelf<'_>, step: &Step) -> Result<Vec<Unpacked>, ComposeError> {
    let mut order: Vec<usize> = (0..packages.len()).collect();
    order.sort_by_key(|index| std::cmp::Reverse(packages[*index].size));
    step.total(packages.iter().map(|package| package.size).sum());
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::with_capacity(packages.len()));
    let work = || {
        while let Some(index) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
            let package = &packages[*index];
            let unpacked = shelf.unpack(package);
            step.advance(package.size);
            results.lock().unwrap_or_else(PoisonError::into_inner).push((*index, unpacked));
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(work);
        }
        work();
    });
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_by_key(|(index, _)| *index);
    let named = |(index, result): (usize, Result<Unpacked, deb::DebError>)| {
        result.map_err(|source| ComposeError::Package { package: packages[index].name.clone(), source })
    };
    results.into_iter().map(named).collect()
}

/// Lays the packages' files into one tree.
///
/// # Errors
/// If a package would replace a link of the merged `/usr` or lie behind one, or two packages have different files at one
/// path.
pub fn merge(packages: &[Package], unpacked: Vec<Unpacked>, arch: Arch) -> Result<Tree, ComposeError> {
    let mut tree = Tree::default();
    for name in usr_links(arch) {
        tree.insert(TreePath::fixed(name), Entry::symlink(format!("usr/{name}")))?;
        tree.insert(TreePath::fixed("usr").join(name)?, Entry::dir())?;
    }
    let mut all: Vec<(&Package, Unpacked)> = packages.iter().zip(unpacked).collect();
    all.sort_by_key(|(package, _)| (package.name != FIRST, &package.name));
    let mut owners = std::collections::BTreeMap::new();
    for (package, unpacked) in all {
        for (path, entry) in unpacked.entries {
            guard(package, &path, &entry, arch)?;
            match tree.get(&path) {
                Some(there) if same_place(there, &entry) => continue,
                Some(_) if let Some(owner) = owners.get(&path) => {
                    let (first, second): (&String, _) = (owner, package.name.clone());
                    return Err(ComposeError::FileConflict { path, first: first.clone(), second });
                }
                _ => {}
            }
            if !entry.is_dir() {
                owners.insert(path.clone(), package.name.clone());
            }
            tree.insert(path, entry)?;
        }
    }
    Ok(tree)
}

fn usr_links(arch: Arch) -> impl Iterator<Item = &'static str> {
    USR_LINKS.into_iter().chain((arch == Arch::Amd64).then_some("lib64"))
}

/// Folders merge (the first one's owner and mode stay); the same file twice is one file.
fn same_place(there: &Entry, new: &Entry) -> bool {
    (there.is_dir() && new.is_dir()) || there == new
}

fn guard(package: &Package, path: &TreePath, entry: &Entry, arch: Arch) -> Result<(), ComposeError> {
    let first = path.as_str().split('/').next().unwrap_or_default();
    let link = usr_links(arch).find(|name| *name == first);
    match link {
        Some(name) if *entry != Entry::symlink(format!("usr/{name}")) || path.as_str() != name => {
            Err(ComposeError::UsrMerge { package: package.name.clone(), path: path.clone() })
        }
        _ => Ok(()),
    }
}
