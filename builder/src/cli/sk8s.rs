//! `skerry sk8s`.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use ::sk8s::version::VERSION;
use serde::Serialize;
use skerry_formats::{arch::Arch, digest::Digest, name::Name, version::Version};

use super::{Failure, Host, lock};
use crate::{
    archive::Archive,
    build::sets::LockedSets,
    component::{Toolchain, Workshop},
    fsx,
    lock::{Context, Lock, WhenGone},
    onefile::{self, OneFile, OneFilePlan},
    report::{self, Finished},
};

/// Flags of `skerry sk8s`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Architecture to build for: amd64 or arm64
    #[arg(long)]
    arch: Arch,
    /// The file to write [default: `out/sk8s-<version>-<arch>`]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// A further component to carry, such as the container image of an application; may be given several times
    #[arg(long, value_name = "COMPONENT")]
    with: Vec<Name>,
    #[command(flatten)]
    mirror: lock::MirrorArgs,
    /// Refuse instead of taking newer versions of packages that left the mirror
    #[arg(long)]
    locked: bool,
    /// Print what would be built, and stop
    #[arg(long)]
    explain: bool,
    /// Print the result as JSON on standard output
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Summary<'a> {
    path: &'a Path,
    size: u64,
    sha256: Digest,
    version: &'static str,
    arch: Arch,
    components: &'a BTreeMap<Name, Version>,
    files: usize,
    unpacked_bytes: u64,
    substitutions: Vec<String>,
    steps: Vec<Finished>,
}

/// Builds the one file.
pub fn run(host: &Host, args: &Args) -> Result<(), Failure> {
    let plan = onefile::resolve(&host.catalog, args.arch, &args.with)?;
    if args.explain {
        println!("{}", plan.explain());
        return Ok(());
    }
    let out = args.out.clone().unwrap_or_else(|| format!("out/sk8s-{VERSION}-{}", args.arch).into());
    // What would only fail at the end of a long build is tried now.
    drop(fsx::temp_file_in(out.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")))?);
    let archive = args.mirror.archive(host)?;
    let lock = lock::load(host)?;
    lock.check(&plan.requests)?;
    let (lock, substitutions) = packages(host, args, (&plan, lock, &archive))?;
    let toolchain = Toolchain::new(host.store.root(), host.catalog.root());
    let sets = LockedSets { lock: &lock, archive: &archive, reporter: &host.reporter };
    let file = onefile::make(&plan, &workshop(host, &toolchain, &sets), &out)?;
    finish(host, args, (&file, substitutions))
}

fn workshop<'a>(host: &'a Host, toolchain: &'a Toolchain, sets: &'a LockedSets<'a>) -> Workshop<'a> {
    Workshop { store: &host.store, toolchain, packages: sets, reporter: &host.reporter }
}

/// Has the packages in the store that builds need; none if everything is built. Returns the lock and what it was amended by.
fn packages(
    host: &Host,
    args: &Args,
    (plan, lock, archive): (&OneFilePlan, Lock, &Archive),
) -> Result<(Lock, Vec<String>), Failure> {
    let toolchain = Toolchain::new(host.store.root(), host.catalog.root());
    let sets = LockedSets { lock: &lock, archive, reporter: &host.reporter };
    if plan.is_built(&workshop(host, &toolchain, &sets))? {
        return Ok((lock, Vec::new()));
    }
    let table = lock::table(host)?;
    let context = Context { archive, table: &table, reporter: &host.reporter };
    let when_gone = if args.locked { WhenGone::Refuse } else { WhenGone::Substitute };
    let (lock, substitutions) = crate::lock::available(&lock, &plan.sets(), when_gone, &context)?;
    Ok((lock, substitutions.iter().map(ToString::to_string).collect()))
}

fn finish(host: &Host, args: &Args, (file, substitutions): (&OneFile, Vec<String>)) -> Result<(), Failure> {
    let (files, unpacked) = (file.index.files().len(), file.index.size());
    host.reporter.line(format!(
        "  {:<60} {:>10}  sha256 {}…",
        file.path.display(),
        report::bytes(file.size),
        file.sha256.short()
    ));
    host.reporter.line(format!("  {files} files in it, {} unpacked", report::bytes(unpacked)));
    host.reporter.line(format!("next: {} version --all", file.path.display()));
    if !args.json {
        return Ok(());
    }
    super::print_json(&Summary {
        path: &file.path,
        size: file.size,
        sha256: file.sha256,
        version: VERSION,
        arch: args.arch,
        components: file.index.components(),
        files,
        unpacked_bytes: unpacked,
        substitutions,
        steps: host.reporter.finished(),
    })
}
