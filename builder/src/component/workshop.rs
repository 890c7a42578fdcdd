//! Building a component, or finding it in the store.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use skerry_formats::{arch::Arch, digest::Digest};

use super::{
    Built, Component, ComponentError, Kind, PackageSets, Place, Program,
    built::{FileRecord, ImageName, RECORD, Record},
    debian::DebianJob,
    go::{Go, GoJob, GoRecipe},
    image, key,
    rust::{self, RustJob, RustParts},
    spec::{COMPILER, LIBRARY, SYSROOT},
};
use crate::{
    fsx,
    report::{Outcome, Reporter},
    store::{Key, Store},
    tree::{Tree, TreePath},
};

/// Where compilers find their caches and our own sources.
#[derive(Debug, Default)]
pub struct Toolchain {
    cache: PathBuf,
    workspace: PathBuf,
    go: OnceLock<Go>,
}

/// All that builds need.
#[derive(Clone, Copy, Debug)]
pub struct Workshop<'a> {
    /// Where results are kept.
    pub store: &'a Store,
    /// Compilers and sources.
    pub toolchain: &'a Toolchain,
    /// Locked Debian packages.
    pub packages: &'a dyn PackageSets,
    /// Where progress goes.
    pub reporter: &'a Reporter,
}

/// The part of a build that differs by kind.
pub(super) trait Job {
    /// Adds what this kind depends on.
    fn inputs(&self, key: Key) -> Result<Key, ComponentError>;
    /// Makes one program at a path.
    fn make(&self, program: &Program, out: &Path) -> Result<(), ComponentError>;
    /// The files of its folder of libraries, by their names there.
    fn libraries(&self, _program: &Program) -> Result<BTreeMap<String, PathBuf>, ComponentError> {
        Ok(BTreeMap::new())
    }
}

/// A package set, of which the digest comes first and the files only if needed.
pub(super) struct Locked<'a> {
    sets: &'a dyn PackageSets,
    set: String,
}

impl Locked<'_> {
    pub(super) fn digest(&self) -> Result<Digest, ComponentError> {
        self.sets.digest(&self.set).map_err(|source| ComponentError::Packages { set: self.set.clone(), source })
    }

    pub(super) fn unpacked(&self) -> Result<PathBuf, ComponentError> {
        self.sets.unpacked(&self.set).map_err(|source| ComponentError::Packages { set: self.set.clone(), source })
    }
}

impl Toolchain {
    /// Compilers' caches under `cache`; our own sources in `workspace`.
    #[must_use]
    pub fn new(cache: impl Into<PathBuf>, workspace: impl Into<PathBuf>) -> Self {
        Self { cache: cache.into(), workspace: workspace.into(), go: OnceLock::new() }
    }

    fn go(&self) -> Result<&Go, ComponentError> {
        match self.go.get() {
            Some(go) => Ok(go),
            None => Go::find().map(|go| self.go.get_or_init(|| go)),
        }
    }
}

impl<'a> Workshop<'a> {
    /// Builds a component for an architecture, unless the store has it.
    ///
    /// # Errors
    /// If a compiler is missing or fails, or packages cannot be had.
    pub fn build(&self, component: &Component, arch: Arch) -> Result<Built, ComponentError> {
        let step = self.reporter.step(format!("build {} for {arch}", component.name));
        let key = self.key(component, arch)?;
        if let Some(folder) = self.store.made(&key)? {
            let built = Built::open(component, &folder)?;
            step.done(Outcome::FromStore);
            return Ok(built);
        }
        let job = self.job(component, arch)?;
        let made = self.store.workspace()?;
        let programs = self.store.workspace()?;
        let files = match &component.image {
            None => programs_into(component, job.as_ref(), made.path())?,
            Some(spec) => {
                let records = programs_into(component, job.as_ref(), programs.path())?;
                let files: Vec<_> = records.into_iter().map(|record| record.at(programs.path())).collect();
                let name = ImageName::of(component, spec);
                let base = spec.base.as_ref().map(|set| self.locked(set, arch).unpacked()).transpose()?;
                let root = base.map_or_else(|| Ok(Tree::default()), |folder| image::base(&folder))?;
                vec![image::archive_into(made.path(), &image::compose((spec, &name), arch, (root, &files))?)?]
            }
        };
        let text = serde_json::to_vec_pretty(&Record { files }).unwrap_or_default();
        fsx::write_atomic(&made.path().join(RECORD), &text)?;
        let built = Built::open(component, &self.store.keep(&key, made)?)?;
        step.done(Outcome::Made);
        Ok(built)
    }

    /// Builds several, as [`Workshop::build`] does, and returns them in their order: those in Rust, of which the compiler works on
    /// one processor for minutes, beside the others. Once one fails, no other is begun.
    ///
    /// # Errors
    /// That of the first, in their order, that failed.
    pub fn build_all(&self, components: &[&Component], arch: Arch) -> Result<Vec<Built>, ComponentError> {
        let failed = AtomicBool::new(false);
        let lane = |rust: bool| {
            let in_lane = |component: &Component| matches!(component.kind, Kind::Rust { .. }) == rust;
            let mine = components.iter().enumerate().filter(|(_, component)| in_lane(component));
            let begun = mine.take_while(|_| !failed.load(Ordering::Relaxed));
            let built = begun.map(|(index, component)| (index, self.build(component, arch)));
            built.inspect(|(_, built)| _ = failed.fetch_or(built.is_err(), Ordering::Relaxed)).collect::<Vec<_>>()
        };
        let (ours, mut all) = thread::scope(|scope| {
            let ours = scope.spawn(|| lane(true));
            let others = lane(false);
            (ours.join(), others)
        });
        all.extend(ours.unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        all.sort_by_key(|(index, _)| *index);
        all.into_iter().map(|(_, built)| built).collect()
    }

    /// The key under which the store keeps a built component, for export.
    ///
    /// # Errors
    /// If a compiler is missing, or packages cannot be had.
    pub fn key(&self, component: &Component, arch: Arch) -> Result<Key, ComponentError> {
        let key = self.job(component, arch)?.inputs(key::of_component(component, arch)?)?;
        match component.base() {
            Some(set) => Ok(key.with("base", self.locked(set, arch).digest()?)),
            None => Ok(key),
        }
    }

    /// Whether the store has a component built already.
    ///
    /// # Errors
    /// As [`Workshop::key`].
    pub fn has(&self, component: &Component, arch: Arch) -> Result<bool, ComponentError> {
        Ok(self.store.made(&self.key(component, arch)?)?.is_some())
    }

    fn job<'b>(&'b self, component: &'b Component, arch: Arch) -> Result<Box<dyn Job + 'b>, ComponentError> {
        let sysroot = self.locked(SYSROOT, arch);
        Ok(match &component.kind {
            Kind::Go { tags, stamps, cgo, .. } => Box::new(GoJob {
                go: self.toolchain.go()?,
                cache: &self.toolchain.cache,
                component,
                arch,
                recipe: GoRecipe { tags, stamps, cgo: cgo.as_ref() },
                sysroot,
            }),
            Kind::Rust { sources } => Box::new(RustJob {
                workspace: &self.toolchain.workspace,
                cache: &self.toolchain.cache,
                component,
                arch,
                sources,
                parts: RustParts {
                    compiler: self.locked(COMPILER, rust::host()?),
                    library: self.locked(LIBRARY, arch),
                    sysroot,
                },
            }),
            Kind::Debian { set } => {
                Box::new(DebianJob { packages: self.locked(set, arch), arch, programs: &component.programs })
            }
        })
    }

    fn locked(&self, set: &str, arch: Arch) -> Locked<'a> {
        Locked { sets: self.packages, set: format!("{set}/{arch}") }
    }
}

/// Makes all programs of a component in a folder.
fn programs_into(component: &Component, job: &dyn Job, folder: &Path) -> Result<Vec<FileRecord>, ComponentError> {
    let mut records = Vec::new();
    for program in &component.programs {
        records
            .push(one_into(folder, (records.len(), program.into), &program.install, |path| job.make(program, path))?);
        for (name, from) in job.libraries(program)? {
            let install = program.beside(&name)?;
            let place = (records.len(), program.into);
            records.push(one_into(folder, place, &install, |path| Ok(fsx::copy(&from, path)?))?);
        }
    }
    Ok(records)
}

/// Makes one file of a component, by its number among them, in a folder.
fn one_into(
    folder: &Path,
    (number, into): (usize, Place),
    install: &TreePath,
    make: impl FnOnce(&Path) -> Result<(), ComponentError>,
) -> Result<FileRecord, ComponentError> {
    let path = folder.join(format!("{number}-{}", install.file_name()));
    make(&path)?;
    fsx::set_mode(&path, 0o755)?;
    FileRecord::of(&path, install, (into, 0o755))
}
