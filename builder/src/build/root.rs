//! The sealed root: composed, packed, its hash tree behind it, kept in the store with kernel and initial RAM disk.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use skerry_formats::{cmdline::RootRef, digest::Digest};

use super::{Bench, BuildError, key, sets::LockedSets};
use crate::{
    component::{Built, Place, images_json, versions_json},
    compose::{self, Indexer, Inputs, InstallFile, Package, Release},
    fsx, lock,
    plan::{self, Plan, TOOLBOX},
    report::Outcome,
    seal::{erofs, verity},
    store::Key,
    toolbox::Toolbox,
    tree::Content,
};

/// A sealed root in the store.
#[derive(Clone, Debug)]
pub struct Sealed {
    /// All that went in.
    pub key: Key,
    /// EROFS and hash tree.
    pub image: PathBuf,
    /// Its size in bytes.
    pub bytes: u64,
    /// How a kernel names it.
    pub root: RootRef,
    /// The kernel.
    pub kernel: PathBuf,
    /// The kernel's version.
    pub kernel_version: String,
    /// The initial RAM disk without seeds.
    pub initrd: PathBuf,
    /// The root's `os-release`.
    pub os_release: PathBuf,
}

/// What the store remembers of a sealed root.
#[derive(Serialize, Deserialize)]
struct Record {
    root_hash: Digest,
    data_blocks: u64,
    kernel_version: String,
}

const RECORD: &str = "root.json";

/// Makes the root of a plan, unless the store has it.
pub fn make(plan: &Plan, bench: &Bench<'_>, (built, overlays): (&[Built], &[PathBuf])) -> Result<Sealed, BuildError> {
    let mut folders = plan.recipe.overlays.iter().map(|name| overlay(bench, name)).collect::<Vec<_>>();
    folders.extend(overlays.iter().cloned());
    let key = key::of_root(plan, bench, (built, &folders))?;
    if let Some(folder) = bench.store.made(&key)? {
        let step = bench.reporter.step("make root");
        let sealed = open(&folder, key)?;
        step.done(Outcome::FromStore);
        return Ok(sealed);
    }
    let sets = LockedSets { lock: bench.lock, archive: bench.archive, reporter: bench.reporter };
    let toolbox = Toolbox::at(sets.folder(super::set(plan, TOOLBOX)?)?, plan::host_arch()?);
    let inputs = inputs(plan, bench, (built, folders))?;
    let depmod = |root: &Path, version: &str| Ok(toolbox.depmod(root, version)?);
    let root = compose::root(&inputs, &Indexer { store: bench.store, depmod: &depmod }, bench.reporter)?;
    let folder = bench.store.workspace()?;
    write(plan, bench, (&root, built), (&toolbox, folder.path()))?;
    let folder = bench.store.keep(&key, folder)?;
    open(&folder, key)
}

fn overlay(bench: &Bench<'_>, name: &skerry_formats::name::Name) -> PathBuf {
    bench.source.join("overlays").join(name.as_str())
}

fn write(
    plan: &Plan,
    bench: &Bench<'_>,
    (root, built): (&compose::Root, &[Built]),
    (toolbox, folder): (&Toolbox, &Path),
) -> Result<(), BuildError> {
    let step = bench.reporter.step("pack root");
    let image = folder.join("root.img");
    erofs::make(&root.tree, key::epoch(bench.lock), toolbox, &image)?;
    step.done(Outcome::Made);
    let step = bench.reporter.step("hash root");
    let mut file = fsx::open_rw(&image)?;
    let reference = verity::append(&image, &mut file)?;
    step.done(Outcome::Made);
    let init = built.iter().flat_map(|b| &b.files).find(|file| file.into == Place::Initrd).ok_or(BuildError::NoInit)?;
    let initrd = compose::initrd(&root.tree, &root.kernel, &plan.board.kernel.initrd_modules, init.content.clone())?;
    fsx::write_atomic(&folder.join("initrd.cpio"), &initrd)?;
    fsx::write_atomic(&folder.join("vmlinuz"), &bytes_of(&root.kernel.image)?)?;
    let os_release = root.tree.get(&"usr/lib/os-release".parse()?).map(|entry| entry.kind.clone());
    if let Some(crate::tree::Kind::File(content)) = os_release {
        fsx::write_atomic(&folder.join("os-release"), &bytes_of(&content)?)?;
    }
    let record = Record {
        root_hash: reference.root_hash,
        data_blocks: reference.data_blocks,
        kernel_version: root.kernel.version.clone(),
    };
    let text = serde_json::to_vec_pretty(&record).map_err(BuildError::Record)?;
    Ok(fsx::write_atomic(&folder.join(RECORD), &text)?)
}

fn bytes_of(content: &Content) -> Result<Vec<u8>, fsx::FsError> {
    match content {
        Content::Bytes(bytes) => Ok(bytes.to_vec()),
        Content::Stored { path, .. } => fsx::read(path),
    }
}

fn open(folder: &Path, key: Key) -> Result<Sealed, BuildError> {
    let record: Record = serde_json::from_slice(&fsx::read(&folder.join(RECORD))?).map_err(BuildError::Record)?;
    let image = folder.join("root.img");
    Ok(Sealed {
        key,
        bytes: fsx::size(&image)?.unwrap_or_default(),
        image,
        root: RootRef { root_hash: record.root_hash, data_blocks: record.data_blocks },
        kernel: folder.join("vmlinuz"),
        kernel_version: record.kernel_version,
        initrd: folder.join("initrd.cpio"),
        os_release: folder.join("os-release"),
    })
}

fn inputs(plan: &Plan, bench: &Bench<'_>, (built, overlays): (&[Built], Vec<PathBuf>)) -> Result<Inputs, BuildError> {
    let locked = bench.lock.set(&plan.root.name)?;
    let files = lock::fetch(locked.iter().copied(), bench.archive, bench.reporter)?;
    let package = |package: &&lock::LockedPackage| {
        Some(Package {
            name: package.name.to_string(),
            version: package.version.to_string(),
            path: files.get(&package.id())?.clone(),
            digest: package.sha256,
            size: package.size,
        })
    };
    let board = &plan.board;
    Ok(Inputs {
        arch: board.arch,
        packages: locked.iter().filter_map(package).collect(),
        files: install_files(bench, built)?,
        overlays,
        units: plan.recipe.units.clone(),
        mask: plan.recipe.mask.clone(),
        modules: plan.recipe.modules.iter().chain(&board.kernel.modules).cloned().collect(),
        initrd_modules: board.kernel.initrd_modules.clone(),
        firmware: board.firmware.files.clone(),
        tables: plan.tables.clone(),
        release: Release {
            title: "Skerry".to_owned(),
            id: "skerry".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            build_id: bench.lock.set_digest(&plan.root.name)?.short(),
            board: board.name.to_string(),
            profile: plan.request.profile.to_string(),
        },
    })
}

/// The components' files, and the lists of images and versions that sk8s reads.
fn install_files(bench: &Bench<'_>, built: &[Built]) -> Result<Vec<InstallFile>, BuildError> {
    let mut files = Vec::new();
    for file in built.iter().flat_map(|built| &built.files).filter(|file| file.into == Place::Root) {
        if let Content::Stored { path, size, digest } = &file.content {
            let (path, install) = (path.clone(), file.install.clone());
            files.push(InstallFile { install, mode: file.mode, path, size: *size, digest: *digest });
        }
    }
    let usual = sk8s::paths::Paths::default();
    for (list, json) in [(usual.images_list(), images_json(built)), (usual.versions_list(), versions_json(built))] {
        let (digest, size) = (Digest::of(&json), json.len() as u64);
        let path = bench.store.put_blob(&list.display().to_string(), &digest, size, &json[..])?;
        files.push(InstallFile { install: list.display().to_string().parse()?, mode: 0o644, path, size, digest });
    }
    Ok(files)
}
