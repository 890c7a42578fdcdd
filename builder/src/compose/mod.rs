//! Composing: packages, built programs and overlays become one tree. No maintainer script runs; what scripts would have
//! done has a place here.
//!
//! ```text
//! packages ─ deb ─┐ (parallel; drop table)
//!                 ├ merge ─ overlays ─ built files ─ accounts ─ owners ─ generated ─ units ─ modules → Root
//! overlays ───────┘ (usr-merge guard)
//! ```

pub mod accounts;
mod cpio;
mod deb;
mod drop;
mod error;
mod generated;
mod initrd;
mod inputs;
pub mod kernel;
mod merge;
mod overlay;
mod shelf;
mod tables;
#[cfg(test)]
mod tests;
mod units;

use crate::{
    report::{Outcome, Reporter},
    tree::Tree,
};

pub use deb::{DebError, unpack as unpack_deb};
pub use drop::DropTable;
pub use error::ComposeError;
pub use initrd::{BakedSeed, initrd, modules_with, seed_cpio};
pub use inputs::{Inputs, InstallFile, Package, Release};
pub use kernel::{Depmod, Indexer, Kernel, KernelError};
pub use overlay::{OverlayError, manifest as overlay_manifest};
pub use tables::{Alternatives, Tables};
pub use units::UnitError;

/// A composed root file system, and the kernel that goes beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    /// The root file system.
    pub tree: Tree,
    /// The kernel, for the unified kernel image.
    pub kernel: Kernel,
}

/// Composes a root.
///
/// # Errors
/// If anything that goes in is missing, damaged, or contradicts something else.
pub fn root(inputs: &Inputs, indexer: &Indexer<'_>, reporter: &Reporter) -> Result<Root, ComposeError> {
    let step = reporter.step("unpack packages");
    let unpacked = merge::unpack_all(&inputs.packages, &shelf::Shelf::new(indexer.store, &inputs.tables.drop), &step)?;
    step.done(Outcome::Made);
    let step = reporter.step("compose root");
    let mut lists = Tree::default();
    generated::package_list(&mut lists, &inputs.packages, &unpacked)?;
    let mut tree = merge::merge(&inputs.packages, unpacked, inputs.arch)?;
    for (path, entry) in lists.iter().filter(|(_, entry)| !entry.is_dir()) {
        tree.insert(path.clone(), entry.clone())?;
    }
    let overlays = inputs.overlays.iter().map(|folder| overlay::read(folder)).collect::<Result<Vec<_>, _>>()?;
    overlays.iter().try_for_each(|overlay| overlay.lay(&mut tree))?;
    generated::install(&mut tree, inputs)?;
    let accounts = accounts::apply(&mut tree, &inputs.tables.ids)?;
    overlays.iter().try_for_each(|overlay| overlay.change(&mut tree, &accounts))?;
    generated::certificates(&mut tree)?;
    generated::alternatives(&mut tree, &inputs.tables.alternatives)?;
    generated::os_release(&mut tree, &inputs.release)?;
    generated::partitions(&mut tree)?;
    generated::firmware(&mut tree, &inputs.firmware)?;
    units::apply(&mut tree, &inputs.units, &inputs.mask)?;
    let kernel = kernel::take_out(&mut tree)?;
    let mut modules = modules_with(&inputs.initrd_modules);
    modules.extend(inputs.modules.iter().cloned());
    kernel::cut_modules(&mut tree, &kernel, &modules, indexer)?;
    step.done(Outcome::Made);
    Ok(Root { tree, kernel })
}
