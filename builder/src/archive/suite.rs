//! The suites that images are composed from: Debian 13 (trixie), its updates and its security updates.

use std::fmt;

use serde::{Deserialize, Serialize};
use skerry_formats::arch::Arch;

/// A suite of the archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Suite {
    /// The release.
    #[serde(rename = "trixie")]
    Release,
    /// What cannot wait for the next point release.
    #[serde(rename = "trixie-updates")]
    Updates,
    /// Security updates.
    #[serde(rename = "trixie-security")]
    Security,
}

/// Components whose packages may be taken; the second has firmware only.
pub const COMPONENTS: [&str; 2] = ["main", "non-free-firmware"];

impl Suite {
    /// All suites.
    pub const ALL: [Self; 3] = [Self::Release, Self::Updates, Self::Security];

    /// Its code name, which is also its folder below `dists/`.
    #[must_use]
    pub const fn codename(self) -> &'static str {
        match self {
            Self::Release => "trixie",
            Self::Updates => "trixie-updates",
            Self::Security => "trixie-security",
        }
    }

    /// Where its signed list of indexes lies, from the mirror's top.
    #[must_use]
    pub fn inrelease_path(self) -> String {
        format!("dists/{}/InRelease", self.codename())
    }
}

/// Where a component's index of packages lies, from the suite's folder.
#[must_use]
pub fn index_path(component: &str, arch: Arch) -> String {
    format!("{component}/binary-{}/Packages.xz", arch.debian())
}

impl fmt::Display for Suite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.codename())
    }
}
