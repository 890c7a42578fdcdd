//! `component.toml`: what to build, out of what, and where it goes.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use skerry_formats::{name::Name, version::Version};

use super::ComponentError;
use crate::{catalog::data, fsx, tree::TreePath};

/// A component as its file describes it, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Component {
    /// The folder of `component.toml`.
    pub folder: PathBuf,
    /// Its name, which is the folder's.
    pub name: Name,
    /// Upstream's version.
    pub version: Version,
    /// What it is built from.
    pub kind: Kind,
    /// The programs to build.
    pub programs: Vec<Program>,
    /// Present if the programs go into a container image instead of the root.
    pub image: Option<ImageSpec>,
}

/// What a component is built from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A Go module in the component's folder.
    Go {
        /// The module whose version this is.
        module: String,
        /// Build tags of all programs.
        tags: Vec<String>,
        /// String variables set by the linker; `{version}` stands for the version.
        stamps: BTreeMap<String, String>,
        /// Present if it needs C.
        cgo: Option<Cgo>,
    },
    /// Crates of this workspace.
    Rust {
        /// The workspace folders whose files count as sources.
        sources: Vec<Name>,
    },
    /// Files of Debian packages, taken as they are.
    Debian {
        /// The package set, without the architecture.
        set: String,
    },
}

/// The package set with what C and our own programs are linked against.
pub(super) const SYSROOT: &str = "sysroot";
/// The package set with the compiler of our own programs.
pub(super) const COMPILER: &str = "rust";
/// The package set with their standard library.
pub(super) const LIBRARY: &str = "rust-std";

/// C in a Go component: static libraries out of the locked sysroot.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cgo {
    /// Libraries to link, as in `-l`.
    pub libraries: Vec<Name>,
}

/// One program of a component.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Program {
    /// Go: import path, `.` for the component's own. Rust: crate. Debian: path in the unpacked packages.
    pub package: String,
    /// Rust: the crate's binary.
    pub binary: Option<Name>,
    /// Go: build tags of this program only.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Go: whether the linker lets it name variables of the standard library that are not exported (`go:linkname`).
    #[serde(default)]
    pub linkname: bool,
    /// Debian: the folder beside `install` for a dynamic program with its loader and its libraries; what lies at `install` then
    /// runs it with those, whatever libraries the machine has.
    pub libraries: Option<Name>,
    /// Where it goes.
    #[serde(deserialize_with = "tree_path")]
    pub install: TreePath,
    /// Into which tree it goes; of no meaning when there is an image.
    #[serde(default)]
    pub into: Place,
}

/// The tree that a file goes into.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// The root file system.
    #[default]
    Root,
    /// The initial RAM disk.
    Initrd,
}

/// A container image around a component's programs.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageSpec {
    /// Registry and repository; the version becomes the tag.
    pub name: String,
    /// The package set, without the architecture, whose files lie below the programs; none for static programs alone.
    pub base: Option<String>,
    /// What runs.
    #[serde(default)]
    pub entrypoint: Vec<String>,
    /// Arguments, or what runs if there is no entry point.
    #[serde(default)]
    pub command: Vec<String>,
    /// Variables as `NAME=value`.
    #[serde(default)]
    pub env: Vec<String>,
    /// `user:group` by number; root if absent.
    pub user: Option<String>,
    /// Folders and their modes in octal.
    #[serde(default)]
    pub folders: BTreeMap<String, String>,
    /// Text files.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    /// Files whose modes are others than usual, in octal.
    #[serde(default)]
    pub modes: BTreeMap<String, String>,
    /// For each target, the folder-relative names that link to it: `"/bin/busybox" = ["sh", "ls"]`.
    #[serde(default)]
    pub links: BTreeMap<String, Vec<Name>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    name: Name,
    version: Version,
    kind: RawKind,
    module: Option<String>,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default)]
    stamps: BTreeMap<String, String>,
    cgo: Option<Cgo>,
    #[serde(default)]
    sources: Vec<Name>,
    set: Option<String>,
    #[serde(rename = "program")]
    programs: Vec<Program>,
    image: Option<ImageSpec>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum RawKind {
    Go,
    Rust,
    Debian,
}

impl Program {
    /// Where a file of its folder of libraries goes.
    pub(super) fn beside(&self, file: &str) -> Result<TreePath, ComponentError> {
        let folder = self.install.ancestors().last().unwrap_or_else(|| self.install.clone());
        let libraries = self.libraries.as_ref().map_or("", Name::as_str);
        folder.join(&format!("{libraries}/{file}")).map_err(|error| ComponentError::Invalid {
            path: PathBuf::from(self.install.as_str()),
            problem: error.to_string(),
        })
    }
}

impl Component {
    /// Reads and checks the `component.toml` of a folder.
    ///
    /// # Errors
    /// If a file cannot be read, a key is unknown or missing, or what the file says does not fit together.
    pub fn load(folder: &Path) -> Result<Self, ComponentError> {
        let path = folder.join("component.toml");
        let raw: Raw = data::load(&path)?;
        let component = raw.validated(folder).map_err(|problem| ComponentError::Invalid { path, problem })?;
        component.check_module()?;
        Ok(component)
    }

    /// Names of the package sets that its build may ask for, without the architecture.
    #[must_use]
    pub fn package_sets(&self) -> Vec<&str> {
        let mut sets = match &self.kind {
            Kind::Go { cgo: None, .. } => Vec::new(),
            Kind::Go { cgo: Some(_), .. } => vec![SYSROOT],
            Kind::Rust { .. } => vec![COMPILER, LIBRARY, SYSROOT],
            Kind::Debian { set } => vec![set.as_str()],
        };
        sets.extend(self.base());
        sets
    }

    /// The package set below the programs of its image.
    #[must_use]
    pub fn base(&self) -> Option<&str> {
        self.image.as_ref()?.base.as_deref()
    }

    /// A module's version must be the component's: two places that could drift apart.
    fn check_module(&self) -> Result<(), ComponentError> {
        let Kind::Go { module, .. } = &self.kind else { return Ok(()) };
        let path = self.folder.join("go.mod");
        let wanted = format!("{module} v{}", self.version);
        let text = fsx::read_to_string(&path)?;
        let lines = text.lines().map(|line| line.trim().trim_start_matches("require "));
        if lines.map(|line| line.trim_end_matches(" // indirect")).any(|line| line == wanted) {
            return Ok(());
        }
        Err(ComponentError::Invalid { path, problem: format!("does not require `{wanted}`") })
    }
}

impl Raw {
    fn validated(self, folder: &Path) -> Result<Component, String> {
        if folder.file_name().and_then(|name| name.to_str()) != Some(self.name.as_str()) {
            return Err(format!("`name` is `{}`, but the folder is `{}`", self.name, folder.display()));
        }
        if self.programs.is_empty() {
            return Err("no `[[program]]`".to_owned());
        }
        let rust = matches!(self.kind, RawKind::Rust);
        if let Some(odd) = self.programs.iter().find(|program| program.binary.is_some() != rust) {
            return Err(format!("`binary` of `{}` belongs to kind `rust` and only there", odd.package));
        }
        let debian = matches!(self.kind, RawKind::Debian);
        if let Some(odd) = self.programs.iter().find(|program| program.libraries.is_some() && !debian) {
            return Err(format!("`libraries` of `{}` belongs to kind `debian` and only there", odd.package));
        }
        let kind = match self.kind {
            RawKind::Go => Kind::Go {
                module: self.module.ok_or("kind `go` needs `module`")?,
                tags: self.tags,
                stamps: self.stamps,
                cgo: self.cgo,
            },
            RawKind::Rust if self.sources.is_empty() => return Err("kind `rust` needs `sources`".to_owned()),
            RawKind::Rust => Kind::Rust { sources: self.sources },
            RawKind::Debian => Kind::Debian { set: self.set.ok_or("kind `debian` needs `set`")? },
        };
        Ok(Component {
            folder: folder.to_owned(),
            name: self.name,
            version: self.version,
            kind,
            programs: self.programs,
            image: self.image,
        })
    }
}

pub(super) fn tree_path<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<TreePath, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
}

/// All components of a folder of components, sorted by name.
///
/// # Errors
/// As [`Component::load`].
pub fn load_all(folder: &Path) -> Result<Vec<Component>, ComponentError> {
    fsx::read_dir(folder)?.iter().map(|path| Component::load(path)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Explain as _;

    fn load(text: &str) -> Result<Component, ComponentError> {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("demo");
        fsx::create_dir_all(&folder).unwrap();
        fsx::write_atomic(&folder.join("component.toml"), text.as_bytes()).unwrap();
        fsx::write_atomic(&folder.join("go.mod"), b"module demo\n\nrequire example.org/demo v1.0.0\n").unwrap();
        Component::load(&folder)
    }

    const GOOD: &str = "name = 'demo'\nversion = '1.0.0'\nkind = 'go'\nmodule = 'example.org/demo'\n\
                        [[program]]\npackage = '.'\ninstall = '/usr/bin/demo'\n";

    #[test]
    fn every_shipped_component_loads() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../recipes/components");
        let names: Vec<_> = load_all(&folder).unwrap().into_iter().map(|c| c.name.to_string()).collect();
        assert!(names.contains(&"kubernetes".to_owned()) && names.is_sorted(), "{names:?}");
    }

    #[test]
    fn an_unknown_key_is_rejected_by_name() {
        assert!(load(GOOD).is_ok());
        let error = load(&GOOD.replace("install", "instal")).unwrap_err();
        assert!(
            error.to_string().ends_with(
                "unknown field `instal`, expected one of `package`, `binary`, `tags`, `linkname`, `libraries`, `install`, `into`"
            ),
            "{error}"
        );
        assert_eq!(error.hint().as_deref(), Some("did you mean `install`?"));
    }

    #[test]
    fn a_version_that_go_mod_does_not_require_is_rejected() {
        let error = load(&GOOD.replace("1.0.0", "1.0.1")).unwrap_err();
        assert!(error.to_string().contains("does not require `example.org/demo v1.0.1`"), "{error}");
    }

    #[test]
    fn a_program_cannot_leave_the_tree() {
        assert!(load(&GOOD.replace("/usr/bin/demo", "/usr/../../demo")).is_err());
    }
}
