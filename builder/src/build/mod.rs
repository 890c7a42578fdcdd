//! From a plan and a lock to an image: the stages in their order.
//!
//! `fetch → build components → compose → EROFS and verity (kept in the store) → unified kernel image → disk image`

mod error;
mod fresh;
mod key;
mod manifest;
mod root;
pub mod sets;

use std::path::PathBuf;

use skerry_formats::{cmdline::RootRef, digest::Digest, envelope::SecretKey, manifest::Blob};

use crate::{
    archive::Archive,
    component::{Built, Toolchain, Workshop},
    compose::{self, BakedSeed},
    fsx,
    image::{self, Artefact, Disk, Readers},
    lock::{Lock, SetName, Substitution},
    plan::{BOOT, Plan},
    report::{Outcome, Reporter},
    seal::uki::{self, Parts},
    store::Store,
};

pub use error::BuildError;
use fresh::Fresh;
use root::Sealed;
use sets::LockedSets;

/// What a build works with.
#[derive(Clone, Copy, Debug)]
pub struct Bench<'a> {
    /// The folder with recipes and our own sources.
    pub source: &'a std::path::Path,
    /// Downloads and built things.
    pub store: &'a Store,
    /// Where packages come from.
    pub archive: &'a Archive,
    /// The lock, amended if packages left the mirror.
    pub lock: &'a Lock,
    /// Where progress goes.
    pub reporter: &'a Reporter,
    /// What the manifest is signed with.
    pub signer: &'a SecretKey,
}

/// What goes in beside the plan.
#[derive(Clone, Debug, Default)]
pub struct Extras {
    /// Seeds that are baked in.
    pub seeds: Vec<BakedSeed>,
    /// Overlay folders beyond the recipe's.
    pub overlays: Vec<PathBuf>,
    /// Packages that are not as locked.
    pub substitutions: Vec<Substitution>,
    /// Folder for the artefacts.
    pub out: PathBuf,
    /// Their names without ending.
    pub base: String,
    /// Who may read what the seeds are in.
    pub readers: Readers,
}

/// A finished build.
#[derive(Clone, Debug)]
pub struct Image {
    /// The files that were written.
    pub artefacts: Vec<Artefact>,
    /// The verified root.
    pub root: RootRef,
    /// Bytes of EROFS and hash tree.
    pub root_bytes: u64,
    /// Bytes of the unified kernel image.
    pub uki_bytes: u64,
    /// Digest of everything that went in.
    pub inputs: Digest,
}

/// Builds an image.
///
/// # Errors
/// If anything that goes in is missing or damaged, or does not fit.
pub fn image(plan: &Plan, bench: &Bench<'_>, extras: &Extras) -> Result<Image, BuildError> {
    let sets = LockedSets { lock: bench.lock, archive: bench.archive, reporter: bench.reporter };
    let built = components(plan, bench, &sets)?;
    let sealed = root::make(plan, bench, (&built, &extras.overlays))?;
    let fresh = Fresh::of(bench.store, &key::of_artefacts(plan, bench, (&sealed.key, extras))?);
    if let Some(image) = fresh.image()? {
        bench.reporter.line("  nothing has changed since these were built:");
        return Ok(image);
    }
    let image = assemble((plan, bench, extras), (&sets, &built, &sealed))?;
    fresh.remember(&image)?;
    Ok(image)
}

/// Kernel image, disk image and what lies beside it.
fn assemble(
    (plan, bench, extras): (&Plan, &Bench<'_>, &Extras),
    (sets, built, sealed): (&LockedSets<'_>, &[Built], &Sealed),
) -> Result<Image, BuildError> {
    let boot = sets.folder(set(plan, BOOT)?)?.join("usr/lib/systemd/boot/efi");
    let step = bench.reporter.step("assemble kernel image");
    let uki = kernel_image(plan, &boot, sealed, &extras.seeds)?;
    step.done(Outcome::Made);
    let step = bench.reporter.step("write disk image");
    let loader = fsx::read(&boot.join(format!("systemd-boot{}.efi", plan.board.arch.efi())))?;
    let mut file = fsx::temp_file_in(&extras.out)?;
    let disk = Disk { arch: plan.board.arch, boot_loader: &loader, uki: &uki, root: &sealed.image };
    let temporary = file.path().to_owned();
    image::write(&disk, &temporary, file.as_file_mut())?;
    step.done(Outcome::Made);
    let step = bench.reporter.step("compress and digest");
    let inputs = key::of_image(plan, bench, &Digest::of(&uki));
    let draft = manifest::draft((plan, bench, extras), (built, sealed), (&uki, inputs))?;
    let signed = |image: Blob| manifest::sign(&draft, bench, image);
    let place = (extras.out.as_path(), extras.base.as_str(), extras.readers);
    let artefacts = image::artefacts::finish(file, place, &signed, &step)?;
    step.done(Outcome::Made);
    let uki_bytes = uki.len() as u64;
    Ok(Image { artefacts, root: sealed.root, root_bytes: sealed.bytes, uki_bytes, inputs })
}

/// The sets that must be at hand before anything else: those whose packages may have left the mirror.
#[must_use]
pub fn wanted_sets(plan: &Plan) -> Vec<&SetName> {
    std::iter::once(&plan.root.name).chain(plan.beside.values().map(|request| &request.name)).collect()
}

fn set<'a>(plan: &'a Plan, name: &'static str) -> Result<&'a SetName, BuildError> {
    plan.set(name).ok_or(BuildError::NoSet(name))
}

fn components(plan: &Plan, bench: &Bench<'_>, sets: &LockedSets<'_>) -> Result<Vec<Built>, BuildError> {
    let toolchain = Toolchain::new(bench.store.root(), bench.source);
    let workshop = Workshop { store: bench.store, toolchain: &toolchain, packages: sets, reporter: bench.reporter };
    Ok(workshop.build_all(&plan.components.iter().collect::<Vec<_>>(), plan.board.arch)?)
}

fn kernel_image(
    plan: &Plan,
    boot: &std::path::Path,
    sealed: &Sealed,
    seeds: &[BakedSeed],
) -> Result<Vec<u8>, BuildError> {
    let stub = fsx::read(&boot.join(format!("linux{}.efi.stub", plan.board.arch.efi())))?;
    let mut initrd = fsx::read(&sealed.initrd)?;
    initrd.extend(compose::seed_cpio(seeds)?);
    let parts = Parts {
        osrel: &fsx::read_to_string(&sealed.os_release)?,
        cmdline: &format!("{} ro panic=10 {}", sealed.root, plan.board.kernel.cmdline.join(" ")),
        uname: &sealed.kernel_version,
        kernel: &fsx::read(&sealed.kernel)?,
        initrd: &initrd,
    };
    Ok(uki::assemble(&stub, &parts)?)
}
