//! Finding QEMU: the newest of those on `PATH`, or the one that was named.

use std::{
    ffi::OsStr,
    fmt, io,
    path::{Path, PathBuf},
};

use skerry_formats::arch::Arch;

use crate::process;

/// A QEMU version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    major: u16,
    minor: u16,
    micro: u16,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.micro)
    }
}

/// A QEMU system emulator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Qemu {
    /// What it emulates.
    pub arch: Arch,
    /// The program.
    pub path: PathBuf,
    /// Its version.
    pub version: Version,
}

/// No usable emulator.
#[derive(Debug, thiserror::Error)]
pub enum BinaryError {
    /// Nothing on `PATH`.
    #[error("host tool is missing: `{program}`; install the package `{package}`")]
    Missing {
        /// The program's name.
        program: String,
        /// Debian's package.
        package: &'static str,
    },
    /// It does not say its version.
    #[error("could not ask `{}` for its version", .path.display())]
    Version {
        /// The program.
        path: PathBuf,
        /// What went wrong.
        #[source]
        source: io::Error,
    },
}

/// The emulator named by `explicit`, else the newest of those in the folders of `search` (the value of `PATH`).
///
/// # Errors
/// If there is none, or the named one does not run.
pub fn find(arch: Arch, explicit: Option<&Path>, search: &OsStr) -> Result<Qemu, BinaryError> {
    if let Some(path) = explicit {
        let version = ask(path).map_err(|source| BinaryError::Version { path: path.to_owned(), source })?;
        return Ok(Qemu { arch, path: path.to_owned(), version });
    }
    let program = format!("qemu-system-{}", arch.kernel());
    std::env::split_paths(search)
        .map(|folder| folder.join(&program))
        .filter(|path| path.is_file())
        .filter_map(|path| ask(&path).ok().map(|version| Qemu { arch, path, version }))
        .reduce(|best, next| if next.version > best.version { next } else { best })
        .ok_or_else(|| BinaryError::Missing { program, package: package(arch) })
}

const fn package(arch: Arch) -> &'static str {
    match arch {
        Arch::Amd64 => "qemu-system-x86",
        Arch::Arm64 => "qemu-system-arm",
    }
}

fn ask(path: &Path) -> io::Result<Version> {
    let said = process::output(path, &["--version"])?;
    parse(&said).ok_or_else(|| io::Error::other("no version in its answer"))
}

/// Reads `QEMU emulator version 7.2.22 (Debian …)`.
fn parse(said: &str) -> Option<Version> {
    let number = said.split_once("version ")?.1.split([' ', '\n']).next()?;
    let mut parts = number.split('.').map(str::parse);
    let mut next = || parts.next().and_then(Result::ok);
    Some(Version { major: next()?, minor: next()?, micro: next()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_is_read_from_the_first_line() {
        let said = "QEMU emulator version 10.0.2 (Debian 1:10.0.2+ds-2)\nCopyright (c) 2003-2025\n";
        assert_eq!(parse(said).unwrap().to_string(), "10.0.2");
        assert_eq!(parse("bash: no such thing"), None);
    }

    #[test]
    fn newest_on_the_path_wins() {
        let root = tempfile::tempdir().unwrap();
        for (folder, version) in [("old", "7.2.22"), ("new", "10.0.2"), ("broken", "")] {
            let path = root.path().join(folder).join("qemu-system-x86_64");
            crate::files::create_dir_all(path.parent().unwrap()).unwrap();
            crate::files::write(&path, format!("#!/bin/sh\necho QEMU emulator version {version}\n").as_bytes())
                .unwrap();
            std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        }
        let search = std::env::join_paths(["old", "new", "broken"].map(|f| root.path().join(f))).unwrap();
        assert_eq!(find(Arch::Amd64, None, &search).unwrap().version.to_string(), "10.0.2");
    }

    #[test]
    fn missing_emulator_names_the_package() {
        let error = find(Arch::Arm64, None, OsStr::new("/nonexistent")).unwrap_err().to_string();
        assert_eq!(error, "host tool is missing: `qemu-system-aarch64`; install the package `qemu-system-arm`");
    }
}
