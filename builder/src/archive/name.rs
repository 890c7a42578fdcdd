//! Names of packages, and of one package file.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use skerry_formats::text_type;

use super::version::Version;

/// A package's name: Debian policy 5.6.1, at least two characters of `a-z 0-9 + - .`, the first a letter or digit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PackageName(String);

/// Text that names no package.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("not a package name: `{0}`")]
pub struct BadPackageName(String);

text_type!(PackageName);

impl FromStr for PackageName {
    type Err = BadPackageName;

    fn from_str(text: &str) -> Result<Self, BadPackageName> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        let fits = (2..=128).contains(&text.len())
            && text.starts_with(plain)
            && text.chars().all(|c| plain(c) || matches!(c, '+' | '-' | '.'));
        if fits { Ok(Self(text.to_owned())) } else { Err(BadPackageName(text.chars().take(80).collect())) }
    }
}

/// The architecture of one package file: an image's, or `all`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PackageArch {
    /// For every architecture.
    All,
    /// 64-bit x86.
    Amd64,
    /// 64-bit ARM.
    Arm64,
}

impl PackageArch {
    /// The archive's word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Amd64 => "amd64",
            Self::Arm64 => "arm64",
        }
    }

    /// The architecture that a word of the archive stands for.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::All, Self::Amd64, Self::Arm64].into_iter().find(|arch| arch.as_str() == word)
    }
}

impl fmt::Display for PackageArch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One package file of the archive: `systemd_257.9-1~deb13u1_amd64`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PackageId(String);

impl PackageId {
    /// The id of a package file.
    #[must_use]
    pub fn new(name: &PackageName, version: &Version, arch: PackageArch) -> Self {
        Self(format!("{name}_{version}_{arch}"))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PackageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_debian_policy_are_taken_and_others_rejected() {
        for good in ["libstdc++6", "linux-image-6.12.48+deb13-cloud-amd64", "0ad"] {
            assert!(good.parse::<PackageName>().is_ok(), "{good}");
        }
        for bad in ["", "x", "Bash", "../etc", "a b", "-a", "a_b", "bash:any"] {
            assert!(bad.parse::<PackageName>().is_err(), "{bad}");
        }
    }
}
