//! A dynamic program that runs where there are other libraries, or none: with its own loader and its own libraries in a folder beside
//! it, as ld.so(8) has it.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    path::{Path, PathBuf},
};

use object::{
    elf::DT_NEEDED,
    read::elf::{ElfFile64, ProgramHeader as _},
};
use skerry_formats::{arch::Arch, name::Name};

use super::ComponentError;
use crate::fsx;

/// A program with all that it is loaded with, by the names that the loader looks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Dynamic {
    /// Its own name.
    program: String,
    /// That of its loader.
    loader: String,
    /// Where the files lie.
    pub(super) files: BTreeMap<String, PathBuf>,
}

/// What one file says of those that it is loaded with.
struct Links {
    loader: Option<String>,
    needed: Vec<String>,
}

impl Dynamic {
    /// Finds in unpacked packages what a program is loaded with, directly or not.
    ///
    /// # Errors
    /// If a file cannot be read, is none of 64 bits, or needs another that is not there.
    pub(super) fn find(packages: &Path, arch: Arch, program: &Path) -> Result<Self, ComponentError> {
        let name = name_of(&program.to_string_lossy());
        let Links { loader, needed } = links(program)?;
        let loader = name_of(&loader.ok_or_else(|| invalid(program, "is not dynamic".to_owned()))?);
        let mut wanted: Vec<_> =
            needed.into_iter().chain([loader.clone()]).map(|file| (file, program.to_owned())).collect();
        let mut files = BTreeMap::from([(name.clone(), program.to_owned())]);
        while let Some((file, by)) = wanted.pop() {
            let Entry::Vacant(place) = files.entry(file) else { continue };
            let found = library(packages, arch, place.key())?
                .ok_or_else(|| invalid(&by, format!("needs `{}`, which no package of its set brings", place.key())))?;
            wanted.extend(links(&found)?.needed.into_iter().map(|file| (file, found.clone())));
            place.insert(found);
        }
        Ok(Self { program: name, loader, files })
    }

    /// The script that runs the program out of the folder with the files, which lies beside the script.
    pub(super) fn launcher(&self, folder: &Name) -> String {
        let Self { program, loader, .. } = self;
        format!(
            "#!/bin/sh
# Runs {program} with the libraries that it was built for.
folder=${{0%/*}}/{folder}
exec \"$folder/{loader}\" --inhibit-cache --library-path \"$folder\" \"$folder/{program}\" \"$@\"
"
        )
    }
}

fn library(packages: &Path, arch: Arch, name: &str) -> Result<Option<PathBuf>, ComponentError> {
    let path = packages.join("usr/lib").join(arch.multiarch()).join(name);
    let there = fsx::symlink_metadata(&path)?.is_some();
    Ok(there.then(|| fsx::canonicalize(&path)).transpose()?)
}

fn links(path: &Path) -> Result<Links, ComponentError> {
    let bytes = fsx::read(path)?;
    parse(&bytes).map_err(|error| invalid(path, error.to_string()))
}

fn parse(bytes: &[u8]) -> object::read::Result<Links> {
    let file: ElfFile64<'_> = ElfFile64::parse(bytes)?;
    let (endian, text) = (file.endian(), |text: &[u8]| String::from_utf8_lossy(text).into_owned());
    let table = file.elf_dynamic_table()?;
    let needed = table.iter().filter(|entry| entry.tag == DT_NEEDED);
    let needed = needed.map(|entry| table.string(entry).map(text)).collect::<object::read::Result<_>>()?;
    let mut loader = None;
    for header in file.elf_program_headers() {
        loader = header.interpreter(endian, bytes)?.map(text).or(loader);
    }
    Ok(Links { loader, needed })
}

fn name_of(path: &str) -> String {
    path.rsplit('/').next().unwrap_or_default().to_owned()
}

fn invalid(path: &Path, problem: String) -> ComponentError {
    ComponentError::Invalid { path: path.to_owned(), problem }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tool::Tool;

    const ARCH: Arch = if cfg!(target_arch = "x86_64") { Arch::Amd64 } else { Arch::Arm64 };

    /// What this very program is loaded with, as a folder of unpacked packages.
    fn packages() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("usr/lib").join(ARCH.multiarch());
        fsx::create_dir_all(&folder).unwrap();
        let maps = fsx::read_to_string(Path::new("/proc/self/maps")).unwrap();
        let mapped = maps.lines().filter_map(|line| line.find('/').map(|at| &line[at..]));
        for path in mapped.filter(|path| name_of(path).contains(".so")) {
            fsx::copy(Path::new(path), &folder.join(name_of(path))).unwrap();
        }
        dir
    }

    #[test]
    fn a_program_runs_with_nothing_but_what_was_found() {
        let (packages, out) = (packages(), tempfile::tempdir().unwrap());
        let found = Dynamic::find(packages.path(), ARCH, &std::env::current_exe().unwrap()).unwrap();
        let folder: Name = "lib".parse().unwrap();
        fsx::create_dir_all(&out.path().join("lib")).unwrap();
        for (name, from) in &found.files {
            fsx::copy(from, &out.path().join("lib").join(name)).unwrap();
            fsx::set_mode(&out.path().join("lib").join(name), 0o755).unwrap();
        }
        let launcher = out.path().join("program");
        fsx::write_atomic(&launcher, found.launcher(&folder).as_bytes()).unwrap();
        fsx::set_mode(&launcher, 0o755).unwrap();
        let said = Tool::new(&launcher).args(["--list", "component::dynamic"]).output().unwrap();
        assert!(String::from_utf8_lossy(&said).contains("a_program_runs_with_nothing_but_what_was_found"));
    }

    #[test]
    fn a_library_that_is_missing_is_named_with_who_needs_it() {
        let (packages, own) = (tempfile::tempdir().unwrap(), std::env::current_exe().unwrap());
        let error = Dynamic::find(packages.path(), ARCH, &own).unwrap_err().to_string();
        assert!(error.starts_with(&format!("`{}`: needs `", own.display())), "{error}");
        assert!(error.ends_with("`, which no package of its set brings"), "{error}");
    }
}
