//! Reading an image back: everything that its signed manifest says of it is computed again from its bytes.

mod checks;
mod cpio;
mod problem;
mod source;

use std::path::{Path, PathBuf};

use serde::Serialize;
use skerry_formats::{
    envelope::{Envelope, PublicKey, Verified},
    manifest::{Line, Manifest},
    role::Role,
};

pub use problem::{InspectError, Problem};

use crate::fsx;

/// What was found out about an image.
#[derive(Debug)]
pub struct Inspection {
    /// The image.
    pub image: PathBuf,
    /// Its manifest.
    pub manifest: Verified<Manifest>,
    /// The checks, in their order.
    pub checks: Vec<Check>,
    /// File names of the seeds that are baked in.
    pub seeds: Vec<String>,
}

/// A question that was put to the image.
#[derive(Debug, Serialize)]
pub struct Check {
    /// What was looked at.
    pub name: &'static str,
    /// What is right, in a few words.
    pub seen: Option<String>,
    /// What is wrong.
    pub problem: Option<Problem>,
}

impl Check {
    fn of(name: &'static str, result: Result<String, Problem>) -> Self {
        match result {
            Ok(seen) => Self { name, seen: Some(seen), problem: None },
            Err(problem) => Self { name, seen: None, problem: Some(problem) },
        }
    }
}

/// Checks an image, raw or compressed with zstd, against the manifest beside it, signed by one of the keys.
///
/// # Errors
/// If there is no image or no manifest to believe, or they cannot be read. What is wrong with the image is in the result.
pub fn inspect(path: &Path, keys: &[PublicKey]) -> Result<Inspection, InspectError> {
    let manifest = manifest(path, keys)?;
    let signers: Vec<String> = manifest.signers().iter().map(|key| key.short()).collect();
    let source = source::open(path)?;
    let mut checks = vec![Check::of("signature", Ok(format!("by key {}", signers.join(", "))))];
    let mut seeds = Vec::new();
    checks.push(Check::of("image size", checks::size(&source, &manifest)));
    checks.push(Check::of("image digest", checks::digest(&source, &manifest)?));
    checks.push(Check::of("partitions", checks::partitions(&source)?));
    match checks::kernel_image(&source, &manifest) {
        Ok(uki) => {
            checks.push(Check::of("boot files", Ok("boot loader and one kernel image".to_owned())));
            checks.push(Check::of("kernel image", checks::uki_digest(&uki, &manifest)));
            checks.push(Check::of("command line", checks::command_line(&uki, &manifest)));
            checks.push(Check::of("initial RAM disk", checks::seeds(&uki, &mut seeds)));
        }
        Err(problem) => checks.push(Check::of("boot files", Err(problem))),
    }
    checks.push(Check::of("root", checks::root(&source, &manifest)?));
    Ok(Inspection { image: path.to_owned(), manifest, checks, seeds })
}

impl Inspection {
    /// What the image is and what each check found, for people.
    #[must_use]
    pub fn table(&self) -> String {
        let Manifest { product, version, board, arch, role, .. } = &*self.manifest;
        let role = role.map_or("no role", Role::as_str);
        let mut lines = vec![format!("{product} {version} for {board} ({arch}), {role}")];
        let change = |line: &Line| format!("  ! {line}");
        lines.extend(self.manifest.substitutions.iter().map(change));
        for Check { name, seen, problem } in &self.checks {
            let what = problem.as_ref().map(ToString::to_string);
            let (sign, text) = if what.is_some() { ("wrong", &what) } else { ("ok", seen) };
            lines.push(format!("  {sign:<6} {name:<17} {}", text.as_deref().unwrap_or_default()));
        }
        lines.join("\n") + "\n"
    }

    /// Nothing if all is well, else the first problem with its cause and the way out.
    ///
    /// # Errors
    /// If a check failed.
    pub fn verdict(self) -> Result<(), InspectError> {
        let total = self.checks.len();
        let mut problems = self.checks.into_iter().filter_map(|check| check.problem);
        let Some(first) = problems.next() else { return Ok(()) };
        Err(InspectError::Wrong { path: self.image, failed: 1 + problems.count(), total, first: Box::new(first) })
    }
}

/// Where the manifest of an image lies: `a.manifest.json` beside `a.img` and `a.img.zst`.
#[must_use]
pub fn manifest_path(image: &Path) -> PathBuf {
    let name = image.file_name().unwrap_or_default().to_string_lossy();
    let name = name.strip_suffix(".zst").unwrap_or(&name);
    image.with_file_name(format!("{}.manifest.json", name.strip_suffix(".img").unwrap_or(name)))
}

fn manifest(image: &Path, keys: &[PublicKey]) -> Result<Verified<Manifest>, InspectError> {
    if fsx::symlink_metadata(image)?.is_none() {
        return Err(InspectError::NoImage(image.to_owned()));
    }
    let path = manifest_path(image);
    if fsx::symlink_metadata(&path)?.is_none() {
        return Err(InspectError::NoManifest(path));
    }
    let envelope = Envelope::<Manifest>::parse(&fsx::read(&path)?);
    let envelope = envelope.map_err(|source| InspectError::Envelope { path: path.clone(), source })?;
    envelope.verify(keys).map_err(|source| InspectError::Manifest { path, source })
}
