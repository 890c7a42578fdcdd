//! sk8s for any Linux in one file: our program, and behind it, compressed, what an image has ready; docs/onefile.md.

mod error;
mod pack;
mod parts;
mod plan;
mod write;

use std::path::{Path, PathBuf};

use skerry_formats::{digest::Digest, payload::Index};

use crate::{component::Workshop, report::Outcome};

pub use error::OneFileError;
use parts::Part;
pub use plan::{OneFilePlan, resolve};

/// A finished file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OneFile {
    /// Where it lies.
    pub path: PathBuf,
    /// Its size in bytes.
    pub size: u64,
    /// Its digest.
    pub sha256: Digest,
    /// What it carries.
    pub index: Index,
}

/// Builds the components, unless the store has them, and writes the file with its digest beside it.
///
/// # Errors
/// If a component cannot be built, has a file that sk8s does not look for, or the file cannot be written.
pub fn make(plan: &OneFilePlan, workshop: &Workshop<'_>, out: &Path) -> Result<OneFile, OneFileError> {
    let wanted: Vec<_> = plan.components.iter().chain([&plan.program]).collect();
    let mut built = workshop.build_all(&wanted, plan.arch)?;
    let program = built.pop().map_or_else(|| workshop.build(&plan.program, plan.arch), Ok)?;
    let parts = parts::parts(&built)?;
    let step = workshop.reporter.step("compress components");
    let (frame, outcome) = pack::pack(&parts, workshop.store, &step)?;
    step.done(outcome);
    let step = workshop.reporter.step("write the file");
    let versions = built.into_iter().map(|built| (built.name, built.version)).collect();
    let index = Index::new(plan.arch, versions, parts.iter().map(Part::entry).collect())?;
    let file = write::write(&program, (index, &frame), out)?;
    step.done(Outcome::Made);
    Ok(file)
}
