//! Package sets beside a root's own: `recipes/sets.toml`.

use std::collections::BTreeMap;

use serde::Deserialize;
use skerry_formats::{arch::Arch, name::Name};

/// A set of packages and what follows from them.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PackageSet {
    /// One line for people.
    pub title: String,
    /// Whose architecture the packages are of.
    #[serde(rename = "for")]
    pub side: Side,
    /// Debian packages, named; what they depend on follows.
    pub packages: Vec<String>,
    /// Packages never taken in although something depends on them, each with the reason.
    #[serde(default)]
    pub exclude: BTreeMap<String, String>,
}

/// Whose architecture a set is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// The machine that builds.
    Host,
    /// The machine that boots.
    Target,
}

/// All sets by name.
pub type PackageSets = BTreeMap<Name, PackageSet>;

impl Side {
    /// The architecture of this side.
    #[must_use]
    pub const fn arch(self, host: Arch, target: Arch) -> Arch {
        match self {
            Self::Host => host,
            Self::Target => target,
        }
    }
}
